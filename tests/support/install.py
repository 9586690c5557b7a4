"""Install the programs that the tests need, from Debian's packages.

`python -m tests.support.install TARGET` installs those of a target of make that are missing.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Debian has daemons in sbin, which is not on an ordinary user's PATH.
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])


class CannotInstall(Exception):
    """A program is missing and cannot be installed. The message says what to do."""


@dataclass(frozen=True)
class Program:
    """A program with alternative names, its package, and a variable that names a server to use instead."""

    binaries: tuple[str, ...]
    package: str
    variable: str = ""


@dataclass(frozen=True)
class Machine:
    """Where programs are searched, and whether this user may install any."""

    path: str = PATH
    root: bool = os.geteuid() == 0
    policy: Path = Path("/usr/sbin/policy-rc.d")

    def find(self, *names: str) -> str | None:
        """Return the path of the first of these programs that is installed."""
        return next(filter(None, (shutil.which(name, path=self.path) for name in names)), None)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command. Standard output and error are both in the stdout of the result."""
        environment = {**os.environ, "PATH": self.path}
        out, err = subprocess.PIPE, subprocess.STDOUT
        return subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err, text=True
        )

    def privileged(self) -> list[str] | None:
        """Return the words before a command that run it as root, or None if that is not possible."""
        if self.root:
            return []
        sudo = self.find("sudo")
        return [sudo, "-n"] if sudo and self.run(sudo, "-n", "true").returncode == 0 else None


MARIADB = Program(("mariadbd", "mysqld"), "mariadb-server", "TEST_DATABASE_URL")
REDIS = Program(("redis-server",), "redis-server", "TEST_REDIS_URL")
NGINX = Program(("nginx",), "nginx")
OPENSSL = Program(("openssl",), "openssl")
SYSTEMD = Program(("systemd-analyze",), "systemd")
PROMETHEUS = Program(("prometheus",), "prometheus")
WRK = Program(("wrk",), "wrk")
TASKSET = Program(("taskset",), "util-linux")
CHROMIUM = Program(("chromium",), "chromium")
CHROMEDRIVER = Program(("chromedriver",), "chromium-driver")
NODE = Program(("node",), "nodejs")
NPM = Program(("npm",), "npm")
HAPROXY = Program(("haproxy",), "haproxy")
DEBOOTSTRAP = Program(("debootstrap",), "debootstrap")
# The package of MariaDB's server brings the library of Galera.
GARBD = Program(("garbd",), "galera-arbitrator-4")

SERVERS = (MARIADB, REDIS)
FOR_BENCH = (*SERVERS, WRK, TASKSET)
TARGETS = {
    "test": SERVERS,
    "test-slow": (
        *(*FOR_BENCH, NGINX, OPENSSL, SYSTEMD, PROMETHEUS, CHROMIUM, CHROMEDRIVER, NODE, NPM),
        *(HAPROXY, GARBD),
    ),
    "bench": FOR_BENCH,
    "faults": SERVERS,
    "fuzz": SERVERS,
}


def require(program: Program, machine: Machine = Machine()) -> str:
    """Return the path of the program, and install it before if it is missing. Raises CannotInstall."""
    found = machine.find(*program.binaries)
    if found is None:
        _install(program, machine)
        found = machine.find(*program.binaries)
    if found is None:
        raise CannotInstall(f"package {program.package} was installed and brought none of {program.binaries}")
    return found


def _install(program: Program, machine: Machine) -> None:
    apt, prefix = machine.find("apt-get"), machine.privileged()
    if apt is None:
        raise CannotInstall(_explain(program, "there is no apt-get here"))
    if prefix is None:
        raise CannotInstall(_explain(program, "this user is not root and sudo asks for a password"))
    apt_get = [
        *prefix,
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        apt,
        "-q",
        "-y",
        "-o",
        "DPkg::Lock::Timeout=300",
    ]
    install = [*apt_get, "--no-install-recommends", "install", program.package]
    _say(f"installing {program.package}, this takes about a minute")
    with _no_services_started(machine, prefix):
        if machine.find(*program.binaries):  # another test run has installed it meanwhile
            return
        outcome = machine.run(*install)
        if outcome.returncode:
            _say("the package lists are missing or old: running apt-get update")
            machine.run(*apt_get, "update")
            outcome = machine.run(*install)
    if outcome.returncode:
        raise CannotInstall(_explain(program, f"apt-get says:\n{outcome.stdout.strip()}\n"))
    _say(f"installed {program.package}; its system service was not started")


def mirror(machine: Machine = Machine()) -> str:
    """Return the URL of the mirror of Debian that apt uses. Raises CannotInstall if there is none."""
    command = ("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages")
    listed = machine.run(*command).stdout
    if not listed:  # the package lists have not been downloaded
        machine.run(*(machine.privileged() or []), "apt-get", "-q", "update")
        listed = machine.run(*command).stdout
    for uri in listed.splitlines():
        if uri.rstrip("/").endswith("/debian"):
            return uri
    raise CannotInstall("apt on this machine is not configured to use a mirror of Debian")


@contextmanager
def _no_services_started(machine: Machine, prefix: list[str]) -> Iterator[None]:
    """Keep Debian packages from starting services, with a policy-rc.d that exits with 101."""
    folder = os.open(machine.policy.parent, os.O_RDONLY)
    try:
        # Another test run must not remove the policy while packages are being configured.
        fcntl.flock(folder, fcntl.LOCK_EX)
        if machine.policy.exists():
            yield
            return
        try:
            _write_policy(machine, prefix)
            yield
        finally:
            machine.run(*prefix, "rm", "-f", str(machine.policy))
    finally:
        os.close(folder)


def _write_policy(machine: Machine, prefix: list[str]) -> None:
    with tempfile.NamedTemporaryFile("w") as script:
        script.write("#!/bin/sh\nexit 101\n")
        script.flush()
        outcome = machine.run(*prefix, "install", "-m", "755", script.name, str(machine.policy))
    if outcome.returncode:
        raise CannotInstall(f"cannot write {machine.policy}: {outcome.stdout.strip()}")


def _explain(program: Program, reason: str) -> str:
    text = f"the tests need {' or '.join(program.binaries)}, and it cannot be installed: {reason}. "
    text += f"Please install the package {program.package}"
    if program.variable:
        text += f", or set {program.variable} to a running server; tests that take one down need it even so"
    return text + "."


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main(target: str, environ: Mapping[str, str] = os.environ, machine: Machine = Machine()) -> None:
    """Install the missing programs of a target. Exits with one message if some cannot be installed."""
    problems = []
    for program in TARGETS[target]:
        if not environ.get(program.variable):
            try:
                require(program, machine)
            except CannotInstall as problem:
                problems.append(str(problem))
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main(sys.argv[1])
