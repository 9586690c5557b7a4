"""MySQL 9 and MariaDB 11.8, which this machine's release of Debian may not have.

`python -m tests.support.mysqld` downloads them. apt chooses the packages of another release and those they depend
on, and checks their signatures. They are unpacked into a folder of their own, and nothing is installed. A program
in that folder is started with the libraries in it.
"""

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support import install
from tests.support.install import CannotInstall, Machine
from tests.support.processes import locked

HERE = Machine()
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

# APT_CONFIG: apt reads and writes nothing outside of this folder, and takes no package for installed.
APT_CONF = """\
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
"""

# The loader of the other release finds the libraries beside it, and none of this machine's.
WRAPPER = """\
#!/bin/sh
exec {loader} --inhibit-cache --library-path {libraries} {program} "$@"
"""


@dataclass(frozen=True)
class Server:
    """A database server, the release of Debian and the packages that it is taken from, and its program in them."""

    name: str
    release: str
    package: str
    binary: str
    also: tuple[str, ...] = ()


# mariadb-install-db needs a program of the second package.
MARIADB = Server("MariaDB 11.8", "trixie", "mariadb-server-core", "usr/sbin/mariadbd", ("mariadb-client-core",))
# No stable release has MySQL. The version is the one that sid had when it was downloaded.
MYSQL = Server("MySQL 9", "sid", "mysql-server-core", "usr/sbin/mysqld")


def require(server: Server, machine: Machine = HERE, environ: Mapping[str, str] = os.environ) -> str:
    """Return the path of the server's program, and download it before if it is missing. Raises CannotInstall."""
    cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "apidot-tests")
    folder = cache / server.package
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with locked(cache / f"{folder.name}.lock"):
            if not folder.exists():
                _say(f"downloading {server.name} into {folder}")
                _download(server, folder, machine)
    return str(folder / server.binary)


def _download(server: Server, folder: Path, machine: Machine) -> None:
    with tempfile.TemporaryDirectory(prefix="apidot-", dir=folder.parent) as name:
        apt, unpacked = Path(name, "apt"), Path(name, "unpacked")
        for part in ("state/lists/partial", "cache/archives/partial"):
            (apt / part).mkdir(parents=True)
        (apt / "status").touch()
        try:
            mirror = install.mirror(machine)
        except CannotInstall as problem:
            raise CannotInstall(_explain(server, str(problem))) from None
        signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
        (apt / "sources.list").write_text(f"deb {signed}{mirror} {server.release} main\n")
        (apt / "conf").write_text(APT_CONF.format(folder=apt))
        apt_get = ("env", f"APT_CONFIG={apt / 'conf'}", "apt-get", "-q", "-y")
        _run(server, machine, *apt_get, "update", "--error-on=any")
        _run(server, machine, *apt_get, "install", "--download-only", server.package, *server.also)
        for package in sorted((apt / "cache" / "archives").glob("*.deb")):
            _run(server, machine, "dpkg-deb", "--extract", str(package), str(unpacked))
        _wrap_programs(server, unpacked, folder)
        unpacked.rename(folder)


def _wrap_programs(server: Server, unpacked: Path, folder: Path) -> None:
    """Replace the programs by scripts that run them with their own libraries, from their later place `folder`."""
    loader = next(unpacked.glob("usr/lib/*/ld-linux*.so.*"), None)
    if loader is None or not (unpacked / server.binary).exists():
        raise CannotInstall(_explain(server, f"the packages have no {server.binary}, or no loader of libraries"))
    loader = folder / loader.relative_to(unpacked)
    for program in [*unpacked.glob("usr/bin/*"), *unpacked.glob("usr/sbin/*")]:
        with program.open("rb") as file:
            if program.is_symlink() or file.read(4) != b"\x7fELF":
                continue
        moved = program.rename(program.with_name(f"{program.name}.elf"))
        program.write_text(
            WRAPPER.format(loader=loader, libraries=loader.parent, program=folder / moved.relative_to(unpacked))
        )
        program.chmod(0o755)


def _run(server: Server, machine: Machine, *command: str) -> str:
    outcome = machine.run(*command)
    if outcome.returncode:
        raise CannotInstall(_explain(server, f"{' '.join(command)} says:\n{outcome.stdout.strip()}\n"))
    return outcome.stdout


def _explain(server: Server, reason: str) -> str:
    package = f"package {server.package} of Debian {server.release}"
    return f"the tests need {server.name}, and it cannot be downloaded ({package}): {reason}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Download both servers. Exits with one message if one cannot be had."""
    try:
        for server in (MARIADB, MYSQL):
            require(server)
    except CannotInstall as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
