"""Run nginx with the shipped configuration, in which only ports, paths and the certificate are changed."""

import os
import re
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.support import install
from tests.support.processes import Process, answers, free_port

SHIPPED = Path(__file__).parents[2] / "deploy" / "nginx.conf"
NAME = "api.example.com"

# The part of Debian's nginx.conf that a private process needs.
AROUND = """\
{user}
worker_processes 1;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/block.conf;
    {beside}
}}
"""


class Nginx(NamedTuple):
    """A running nginx: its URLs, its port for TLS, and a context that trusts its certificate."""

    http: str
    https: str
    port: int
    trust: ssl.SSLContext
    certificate: Path
    process: Process


def certificate(folder: Path, name: str = NAME, days: int = 30) -> tuple[Path, Path]:
    """Create a self-signed certificate for the name and the loopback address. Return its file and its key's."""
    made, key = folder / f"{name}.pem", folder / f"{name}.key"
    command = [install.require(install.OPENSSL), "req", "-x509", "-nodes", "-newkey", "ec"]
    command += ["-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", f"/CN={name}", "-days", str(days)]
    command += ["-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1", "-out", str(made), "-keyout", str(key)]
    subprocess.run(command, check=True, capture_output=True)
    return made, key


def rendered(text: str, replacements: Mapping[str, str]) -> str:
    """Return the text with all replacements. Raises ValueError if one of them has nothing to replace."""
    for old, new in replacements.items():
        if old not in text:
            raise ValueError(f"not in the configuration: {old}")
        text = text.replace(old, new)
    return text


def http2() -> dict[str, str]:
    """Return the changes that enable HTTP/2 in this version of nginx, as the comment in the file says."""
    printed = subprocess.run([install.require(install.NGINX), "-v"], capture_output=True, text=True).stderr
    version = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", printed)
    assert version, printed
    if tuple(map(int, version.groups())) >= (1, 25, 1):
        return {"# http2 on;": "http2 on;"}
    return {"443 ssl;": "443 ssl http2;"}


@contextmanager
def nginx(
    upstream: int, *, replays: Path | None = None, beside: str = "", changes: Mapping[str, str] = {}
) -> Iterator[Nginx]:
    """Run nginx in front of the port, with more blocks than the shipped one if given, and changes to that one."""
    binary = install.require(install.NGINX)
    with tempfile.TemporaryDirectory(prefix="apidot-") as name:
        folder = Path(name)
        made, key = certificate(folder)
        tls, plain, http = free_port(), free_port(), free_port()
        replacements = {
            "listen 443 ssl": f"listen 127.0.0.1:{tls} ssl",
            "listen [::]:443 ssl": f"listen 127.0.0.1:{free_port()} ssl",
            "listen 80": f"listen 127.0.0.1:{plain}",
            "listen [::]:80": f"listen 127.0.0.1:{http}",
            "/etc/letsencrypt/live/example.com/fullchain.pem": str(made),
            "/etc/letsencrypt/live/example.com/privkey.pem": str(key),
            "127.0.0.1:8000": f"127.0.0.1:{upstream}",
            "/srv/bancho.py/.data/osr/": f"{replays or folder}/",
        }
        (folder / "block.conf").write_text(rendered(SHIPPED.read_text(), {**changes, **replacements}))
        user = "user root;" if os.geteuid() == 0 else ""
        beside = beside.replace("{tls}", str(tls)).replace("{certificate}", str(made)).replace("{key}", str(key))
        (folder / "nginx.conf").write_text(AROUND.format(user=user, folder=folder, beside=beside))
        command = [binary, "-c", str(folder / "nginx.conf"), "-p", name, "-e", "stderr"]
        tried = subprocess.run([*command, "-t"], capture_output=True, text=True)
        if tried.returncode or "[warn]" in tried.stderr:
            raise ValueError(f"nginx -t ended with {tried.returncode}:\n{tried.stderr}")
        trust = ssl.create_default_context(cafile=str(made))
        ready, log = lambda: answers(plain), folder / "log"
        with Process([*command, "-g", "daemon off;"], ready=ready, log=log) as process:
            yield Nginx(f"http://127.0.0.1:{plain}", f"https://127.0.0.1:{tls}", tls, trust, made, process)
