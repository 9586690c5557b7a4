"""A command that ends right after a response from S3 ends normally, although the library still runs threads."""

import os
import subprocess
import sys

from tests.conftest import ROOT

# A command whose storage is unavailable: it sends a request, is refused, and ends.
COMMAND = """
import asyncio
from config.settings import Settings
from replays.store import open_store
store = open_store(Settings(replays_url="s3://bucket", aws_endpoint_url="http://127.0.0.1:1"))
raise SystemExit(2 if asyncio.run(store.unavailable_reason()) else 0)
"""


def test_a_command_that_ends_after_a_response_ends_with_its_own_status() -> None:
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    # Many at once, since the threads of the library have to lose a race for a core.
    started = [
        subprocess.Popen([sys.executable, "-c", COMMAND], cwd=ROOT, env=os.environ | keys, stderr=subprocess.PIPE)
        for _ in range(16)
    ]
    ended = [(process.communicate(timeout=60)[1], process.returncode) for process in started]
    assert ended == [(b"", 2)] * len(started)
