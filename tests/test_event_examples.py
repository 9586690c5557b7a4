"""The example in Python of docs/api.md for live events."""

import queue
import re
import subprocess
import sys
import threading
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import IO

from tests.conftest import ROOT, playground
from tests.support.new_scores import insert

EXAMPLES = re.findall(
    r"^```python\n(.*?)^```", (ROOT / "docs/api.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
)


def read(output: IO[str], lines: "queue.Queue[str]") -> None:
    for line in output:
        lines.put(line.strip())


def test_the_example_prints_every_score_once_although_the_service_restarts(tmp_path: Path) -> None:
    (example,) = (text for text in EXAMPLES if "/v1/events" in text)
    assert example.count("https://api.example.com/") == 1
    with playground(tmp_path, f"sqlite:///{tmp_path / 'world.sqlite'}") as here:
        program = example.replace("https://api.example.com", str(here.client.base_url).rstrip("/"))
        name = here.client.get("/v1/get_player_info?scope=info&id=12").json()["player"]["info"]["name"]
        ids = count(7001)

        def add() -> str:
            """Add a score, and return the line that is printed for it."""
            id = next(ids)
            here.sql(insert(id, pp=float(id)))
            return f"{name} {float(id)}"

        command = [sys.executable, "-c", program]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"no_proxy": "*"}) as process:
            assert process.stdout is not None
            lines: queue.Queue[str] = queue.Queue()
            threading.Thread(target=read, args=(process.stdout, lines)).start()
            try:
                printed = added = ""
                # It prints nothing until it listens.
                for _ in range(60):
                    added = add()
                    with suppress(queue.Empty):
                        printed = lines.get(timeout=2)
                        break
                assert added
                # The last one that was added before it listened, if it is not this one, was no news.
                while printed != added:
                    printed = lines.get(timeout=10)
                expected = [add()]
                assert lines.get(timeout=10) == expected[0]
                here.process.stop()
                expected = [add(), add()]
                here.process.start()
                expected.append(add())
                printed_later: list[str] = []
                while len(printed_later) < 3:
                    line = lines.get(timeout=30)
                    if line.startswith(name):
                        printed_later.append(line)
                assert printed_later == expected
            finally:
                process.kill()
