"""`make fresh`: the two commands of the README in a new Debian, with a clone of HEAD. Needs root.

debootstrap unpacks the stable release into a temporary folder, with git, make and python3. Of this machine, it has
the configuration of pip and the certificates, without which it might not reach a package index, and nothing else.
What runs there has namespaces of its own: no process and no mount outlives it.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2

from tests.conftest import ROOT, signed
from tests.support import install
from tests.support.openapi_examples import KEY, WITH_ENGINE, examples, fetch
from tests.support.processes import answers, free_port

PACKAGES = "git,make,python3"
COPIED = (
    *("/etc/pip.conf", "/etc/xdg/pip", "~/.pip", "~/.config/pip"),
    *("/etc/ssl/certs/ca-certificates.crt", "/usr/local/share/ca-certificates"),
)
# What each step may take, in seconds: several times what it takes on two idle cores.
UNPACKING, STARTING, TESTING = 900.0, 900.0, 3600.0
# The shell remains, because the first process of a namespace has to reap those that have lost their parent.
IN_ROOT = """
mount --bind /dev "$1/dev"
mount --bind /dev/pts "$1/dev/pts"
mount -t proc proc "$1/proc"
chroot "$1" sh -c "cd ~/apidot && $2" || exit
"""
PAGES = ("/", "/docs", "/openapi.json", "/health/live", "/health/ready", "/metrics", "/v1/get_replay?id=461")
GIF = bytes.fromhex("47494638396101000100800000ff00000000002c00000000010001000002024401003b")
# What the 501 says, and the lines of `make install` and of the start.
NO_ENGINE = "pp cannot be calculated here: akatsuki-pp-py is not installed."
REPORTED = ("The pp engine, akatsuki-pp-py, needs CPython 3.11", "akatsuki-pp-py NOT INSTALLED")


class Failed(Exception):
    """The commands do not work in a new Debian, or none can be made. The message says why."""


@contextmanager
def isolated(*command: str, log: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in namespaces of its own, and end everything that runs in them at the end.

    Of the environment, it has what pip and the certificates need.
    """
    environment = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_CERT_"))}
    environment |= {"HOME": "/root", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    # pip warns once for each package if its configuration names a folder that is not there.
    environment["PIP_QUIET"] = "1"
    with (log or Path(os.devnull)).open("wb") as file:
        process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file if log else None,
            stderr=file if log else None,
        )
    try:
        yield process
    finally:
        # `unshare` ends after its child, the first process of the namespace, which ends after all others in it.
        with suppress(FileNotFoundError, ProcessLookupError):
            for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
                os.kill(int(child), signal.SIGKILL)
        process.wait()


def succeeds(name: str, process: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait for a process. Raise Failed if it fails or takes longer."""
    try:
        status = process.wait(seconds)
    except subprocess.TimeoutExpired:
        raise Failed(f"{name} takes more than {seconds:.0f} s") from None
    if status:
        raise Failed(f"{name} ended with {status}")


def unpack(root: Path, log: Path) -> None:
    """Make a Debian in the folder, with a clone of HEAD."""
    try:
        debootstrap = install.require(install.DEBOOTSTRAP)
        mirror = install.mirror()
    except install.CannotInstall as problem:
        raise Failed(str(problem)) from None
    options = ("--variant=minbase", f"--include={PACKAGES}")
    with isolated(debootstrap, *options, "stable", str(root), mirror, log=log) as process:
        succeeds("debootstrap", process, UNPACKING)
    for name in COPIED:
        source = Path(name).expanduser()
        target = root / source.relative_to("/")
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    subprocess.run(["git", "clone", "--quiet", ROOT, root / "root" / "apidot"], check=True)


def run(root: Path, log: Path) -> float:
    """Run `make run` and send it requests. Return after how many seconds it answered."""
    port, began = free_port(), time.monotonic()
    with isolated("sh", "-euc", IN_ROOT, "sh", str(root), f"API_PORT={port} make run", log=log) as process:
        while not answers(port):
            if process.poll() is not None or time.monotonic() > began + STARTING:
                raise Failed("make run does not serve the API")
            time.sleep(0.1)
        seconds = time.monotonic() - began
        has_engine = (root / "root" / "apidot" / ".venv-pp").is_dir()
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
            request(client, has_engine=has_engine)
    for line in REPORTED:
        if (line in log.read_text()) == has_engine:
            raise Failed(f"make run {'says' if has_engine else 'does not say'}: {line}")
    return seconds


def request(client: httpx2.Client, *, has_engine: bool) -> None:
    """Request the pages, and each endpoint that has an example. Raise Failed unless the responses are right."""
    for page in PAGES:
        response = client.get(page, headers={"Accept": "text/html, */*"})
        if response.status_code != 200:
            raise Failed(f"{page} responds with {response.status_code}")
    for path, example in examples().items():
        if path in WITH_ENGINE and not has_engine:
            response = client.get(path, params=example["params"], headers=signed(KEY))
            if (response.status_code, response.json()) != (501, {"status": NO_ENGINE}):
                raise Failed(f"{path} responds with {response.status_code}: {response.text}")
        elif "answer" in example and fetch(client, path, example) != example["answer"]:
            raise Failed(f"{path} does not respond as in api/openapi/examples.json")
    response = client.post("/v1/set_avatar", content=GIF, headers=signed(KEY))
    if response.status_code != 200:
        raise Failed(f"/v1/set_avatar responds with {response.status_code}: {response.text}")


def test(root: Path) -> float:
    """Run `make test`. Return how many seconds it took."""
    began = time.monotonic()
    with isolated("sh", "-euc", IN_ROOT, "sh", str(root), "make test") as process:
        succeeds("make test", process, TESTING)
    return time.monotonic() - began


def main() -> None:
    """Do all of it in a temporary folder. Exits with one message, after the output of what failed, if it fails."""
    if os.geteuid() != 0:
        sys.exit("make fresh: this needs root, for debootstrap and chroot")
    # So that the folder is removed in this case too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("make fresh: terminated"))
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="apidot-") as name:
        root, log = Path(name, "debian"), Path(name, "log")
        try:
            print(f"make fresh: unpacking Debian stable, with {PACKAGES} and a clone of HEAD", flush=True)
            unpack(root, log)
            print(f"make fresh: unpacked it in {time.monotonic() - began:.0f} s; make run", flush=True)
            ready = run(root, log)
            print(f"make fresh: served the API after {ready:.0f} s, responses are right; make test", flush=True)
            tested = test(root)
        except (Failed, LookupError) as problem:
            output = log.read_text(errors="replace") if log.exists() else ""
            sys.exit(f"{output}make fresh: {problem}")
    times = f"make run served the API after {ready:.0f} s, make test took {tested:.0f} s"
    print(f"make fresh: {times}, all together {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
