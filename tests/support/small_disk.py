"""A folder in which a file cannot become large."""

import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BYTES = 64 * 1024


@contextmanager
def small_disk(folder: Path, pid: int = 0) -> Iterator[None]:
    """Make `folder` a full disk for whatever is larger than 64 KiB.

    It becomes a file system of its own. A user who may not mount one gets the same error from a limit on the files
    that the process `pid` writes, by default this one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", f"size={BYTES}", "tmpfs", str(folder)]
    if mount and subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0:
        try:
            yield
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        return
    limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (BYTES, limits[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
