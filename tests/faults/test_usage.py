"""What a process and its children hold is counted."""

import socket
import sys
from pathlib import Path

from faults.usage import family, usage
from tests.support.processes import Process

# Opens so many files and connections to a port, in a child of the process that is started.
HOLDS = """
import os, socket, sys, time
child = os.fork()
if not child:
    held = [open(os.devnull) for _ in range(7)]
    held += [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(3)]
    held.append(bytearray(b"x") * 2**25)
    print("ready", flush=True)
    time.sleep(60)
os.wait()
"""


def test_files_connections_and_memory_of_children_are_counted(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        command = [sys.executable, "-c", HOLDS, str(port)]
        with Process(command, ready=lambda: "ready" in log.read_text(), log=log) as process:
            held = usage(process, port)
            assert len(list(family(process.pid))) == 2
            # Both have three standard streams.
            assert held.files >= 7 + 3 + 6
            assert held.connections == 3
            assert held.memory > 32
            assert usage(process, port + 1).connections == 0
    assert list(family(2**22 + 1)) == [2**22 + 1]
