"""A server of another release of Debian is unpacked where it is expected, or the message says what is missing."""

import subprocess
from pathlib import Path

import pytest

from tests.support.install import PATH, CannotInstall, Machine
from tests.support.mysqld import Server, require

SERVER = Server("Test 1", "sid", "apidot-test-server", "usr/sbin/apidot-test-serverd")

# Names a mirror, and "downloads" the package beside it into the cache that APT_CONFIG names.
APT_GET = """#!/bin/sh
here=$(dirname "$0")
case "$*" in
    indextargets*) cat "$here/mirrors" ;;
    *update*) test ! -e "$here/no-sid" || { echo "E: The repository has no Release file."; exit 100; } ;;
    *) cp "$here/server.deb" "$(sed -n 's/^Dir::Cache "\\(.*\\)";/\\1/p' "$APT_CONFIG")/archives/" ;;
esac
"""


def machine(folder: Path) -> Machine:
    """One whose apt-get is this script, and whose mirror has the server as a package."""
    package = folder / "package"
    for path, content in {
        "DEBIAN/control": "Package: apidot-test-server\nVersion: 1\nArchitecture: all\n"
        "Maintainer: nobody <nobody@example.com>\nDescription: a server\n",
        "usr/sbin/apidot-test-serverd": "\x7fELF",
        "usr/bin/script": "#!/bin/sh\n",
        "usr/lib/a-system/ld-linux.so.1": '#!/bin/sh\necho "$@"\n',
    }.items():
        (package / path).parent.mkdir(parents=True, exist_ok=True)
        (package / path).write_text(content)
        (package / path).chmod(0o755)
    subprocess.run(["dpkg-deb", "--build", str(package), str(folder / "server.deb")], check=True)
    (folder / "mirrors").write_text("http://packages.example.com/other/\nhttp://mirror.example.com/debian/\n")
    (folder / "apt-get").write_text(APT_GET)
    (folder / "apt-get").chmod(0o755)
    return Machine(path=f"{folder}:{PATH}")


def test_a_server_is_unpacked_and_runs_with_its_own_libraries(tmp_path: Path) -> None:
    here, environ = machine(tmp_path), {"XDG_CACHE_HOME": str(tmp_path / "cache")}

    binary = require(SERVER, here, environ)

    folder = tmp_path / "cache" / "apidot-tests" / "apidot-test-server"
    assert binary == str(folder / "usr/sbin/apidot-test-serverd")
    libraries = folder / "usr/lib/a-system"
    assert here.run(binary, "--port", "1 2").stdout.split() == [
        *("--inhibit-cache", "--library-path", str(libraries), f"{binary}.elf", "--port", "1", "2")
    ]
    assert (folder / "usr/bin/script").read_text() == "#!/bin/sh\n"
    (tmp_path / "apt-get").unlink()
    assert require(SERVER, here, environ) == binary


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("mirrors", "http://packages.example.com/other/\n", "not configured to use a mirror of Debian"),
        ("no-sid", "", "E: The repository has no Release file."),
        ("server.deb", "", "dpkg-deb"),
    ],
)
def test_the_message_says_why_there_is_no_server(tmp_path: Path, file: str, content: str, reason: str) -> None:
    here = machine(tmp_path)
    (tmp_path / file).write_text(content)

    with pytest.raises(CannotInstall, match=r"Test 1.*apidot-test-server of Debian sid") as raised:
        require(SERVER, here, {"XDG_CACHE_HOME": str(tmp_path / "cache")})

    assert reason in str(raised.value)
    assert not (tmp_path / "cache" / "apidot-tests" / "apidot-test-server").exists()
