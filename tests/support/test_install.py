"""Missing programs are installed without a service being started, or the message says what to do."""

import os
from pathlib import Path

import pytest

from tests.support.install import CannotInstall, Machine, Program, main, require

SERVER = Program(("apidot-test-serverd", "apidot-test-server"), "apidot-test-package", "TEST_SERVER_URL")

# Knows the package only after an update, and notes what it was asked and whether services may start.
APT_GET = """#!/bin/sh
here=$(dirname "$0")
"$here/sbin/policy-rc.d" 2>/dev/null
echo "$? $DEBIAN_FRONTEND $*" >> "$here/calls"
case "$*" in
    *update) touch "$here/lists" ;;
    *missing) echo "E: no space left"; exit 100 ;;
    *) test -e "$here/lists" || exit 100
       printf '#!/bin/sh\\n' > "$here/apidot-test-server"
       chmod +x "$here/apidot-test-server" ;;
esac
"""
SUDO = '#!/bin/sh\ntest "$1" = -n || exit 1\nshift\nexec "$@"\n'
SUDO_THAT_ASKS = "#!/bin/sh\nexit 1\n"


def machine(folder: Path, *, root: bool, apt: str = APT_GET, sudo: str = SUDO_THAT_ASKS) -> Machine:
    """One whose apt-get and sudo are these scripts, and whose service policy is in the folder."""
    (folder / "sbin").mkdir()
    for name, script in {"apt-get": apt, "sudo": sudo}.items():
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    path = os.pathsep.join([str(folder), os.defpath])
    return Machine(path=path, root=root, policy=folder / "sbin" / "policy-rc.d")


def test_a_program_that_is_there_is_not_installed(tmp_path: Path) -> None:
    assert require(Program(("nothing-of-this-name", "sh"), "dash"), Machine(path=os.defpath)).endswith("/sh")


@pytest.mark.parametrize(("root", "sudo"), [(True, SUDO_THAT_ASKS), (False, SUDO)])
def test_a_missing_program_is_installed_and_no_service_started(tmp_path: Path, root: bool, sudo: str) -> None:
    here = machine(tmp_path, root=root, sudo=sudo)

    assert require(SERVER, here) == str(tmp_path / "apidot-test-server")

    calls = (tmp_path / "calls").read_text().splitlines()
    assert [call.split()[-1] for call in calls] == ["apidot-test-package", "update", "apidot-test-package"]
    assert all(call.startswith("101 noninteractive") for call in calls)
    assert "--no-install-recommends" in calls[-1]
    assert not here.policy.exists()


def test_a_policy_that_is_there_is_left_alone(tmp_path: Path) -> None:
    here = machine(tmp_path, root=True)
    here.policy.write_text("#!/bin/sh\nexit 104\n")
    here.policy.chmod(0o755)

    require(SERVER, here)

    assert (tmp_path / "calls").read_text().startswith("104 ")
    assert here.policy.read_text() == "#!/bin/sh\nexit 104\n"


def test_what_apt_says_is_told_and_the_policy_removed(tmp_path: Path) -> None:
    here = machine(tmp_path, root=True)

    with pytest.raises(CannotInstall, match="E: no space left"):
        require(Program(("apidot-test-serverd",), "missing"), here)

    assert not here.policy.exists()


def test_the_message_names_the_package_and_the_variable(tmp_path: Path) -> None:
    with pytest.raises(CannotInstall) as asking:
        require(SERVER, machine(tmp_path, root=False))
    with pytest.raises(CannotInstall) as elsewhere:
        require(SERVER, Machine(path=str(tmp_path / "sbin"), root=True))

    assert "sudo asks for a password" in str(asking.value)
    assert "no apt-get" in str(elsewhere.value)
    for message in (str(asking.value), str(elsewhere.value)):
        assert "apidot-test-package" in message
        assert "TEST_SERVER_URL" in message


def test_one_message_names_all_that_is_missing(tmp_path: Path) -> None:
    nothing = Machine(path=str(tmp_path), root=True)

    with pytest.raises(SystemExit) as stop:
        main("test", {}, nothing)

    for name in ("mariadb-server", "redis-server", "TEST_DATABASE_URL", "TEST_REDIS_URL"):
        assert name in str(stop.value)
    assert "nginx" not in str(stop.value)
    servers = {"TEST_DATABASE_URL": "mysql://db/", "TEST_REDIS_URL": "redis://cache/0"}
    main("test", servers, nothing)
    with pytest.raises(SystemExit) as stop:
        main("test-slow", servers, nothing)
    assert "package nginx" in str(stop.value)
    assert "server" not in str(stop.value)
