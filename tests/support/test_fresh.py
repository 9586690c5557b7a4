"""What `make fresh` runs in namespaces of its own leaves no process and no mount behind."""

import subprocess
import time
from pathlib import Path

import pytest

from tests.support.fresh import Failed, isolated, succeeds

ALLOWED = subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True).returncode == 0
pytestmark = pytest.mark.skipif(not ALLOWED, reason="this user may not make namespaces")

# Prints when the mount and a process that has left its parent are there, and stays.
PROGRAM = """
mount -t tmpfs nothing "$1"
touch "$1/inside"
setsid sleep 1000 <"$2" &
echo ready
wait
"""


def holders(file: Path) -> list[str]:
    """Return the processes that have the file open."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(descriptor.resolve() == file for descriptor in (process / "fd").iterdir()):
                found.append(process.name)
        except OSError:  # it has just ended
            continue
    return found


@pytest.mark.parametrize("interrupted", [False, True])
def test_nothing_remains(tmp_path: Path, interrupted: bool) -> None:
    mounted, opened, log = tmp_path / "mounted", tmp_path / "opened", tmp_path / "log"
    mounted.mkdir()
    opened.touch()

    def body() -> None:
        with isolated("sh", "-euc", PROGRAM, "sh", str(mounted), str(opened), log=log) as process:
            while "ready" not in log.read_text():
                assert process.poll() is None, log.read_text()
                time.sleep(0.02)
            assert len(holders(opened)) == 1
            if interrupted:
                raise KeyboardInterrupt

    if interrupted:
        with pytest.raises(KeyboardInterrupt):
            body()
    else:
        body()

    assert holders(opened) == []
    assert list(mounted.iterdir()) == []
    assert str(mounted) not in Path("/proc/mounts").read_text()


def test_what_fails_or_takes_too_long_is_said() -> None:
    with isolated("sh", "-c", "exit 3") as process, pytest.raises(Failed, match=r"^it ended with 3$"):
        succeeds("it", process, 30)
    with isolated("sleep", "1000") as process, pytest.raises(Failed, match=r"^it takes more than 0 s$"):
        succeeds("it", process, 0.2)
