"""Many scores at once, which become visible out of order, while listeners come, go and resume."""

import time
from pathlib import Path

from tests.conftest import running
from tests.support import conformance
from tests.support.event_stream import Browser, EventClient
from tests.support.new_scores import Commits
from tests.support.servers import MariaDB

# Restricted in the recorded world.
HIDDEN = 41


def tell_all(database: str, *, rate: float, seconds: float, longest: float) -> dict[str, float]:
    """Check that each listener is told each visible score once, at most `longest` seconds after its commit.

    Return how long it took: the median, and the longest.
    """
    settings = {"database_url": database, "event_streams_per_client": "20", "db_pool_max": "5"}
    # Each looks for itself, and one of them knows a score before the other.
    with running(**settings) as (one, _), running(**settings) as (other, _):
        url = str(one.base_url)
        stayed = [Browser(url) for _ in range(3)]
        # These leave after each few scores, and come again, to the other service.
        restless = [Browser(url, str(other.base_url)) for _ in range(3)]
        for browser in [*stayed, *restless]:
            assert browser.begun.wait(20)
        commits = Commits(database, hidden=HIDDEN, rate=rate, seconds=seconds)
        commits.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for browser in restless:
                time.sleep(0.4)
                browser.reconnect()
        commits.join()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if all(len(set(browser.scores)) >= len(commits.committed) for browser in [*stayed, *restless]):
                break
            time.sleep(0.1)
        time.sleep(1.5)
        late = [EventClient(url, stayed[0].last_id)]
        for browser in [*stayed, *restless]:
            browser.close()
        assert late[0].rest(2)[1:] == []
        late[0].close()
    for browser in [*stayed, *restless]:
        told = browser.scores
        assert len(told) == len(set(told)), "told twice"
        assert set(told) == set(commits.committed), "lost, or of a hidden player"
    assert all(browser.connections > 2 for browser in restless)
    waits = sorted(
        event.at - commits.committed[event.score]
        for browser in stayed
        for event in browser.all
        if event.type == "score"
    )
    figures = {"scores": len(commits.committed), "median": waits[len(waits) // 2], "longest": waits[-1]}
    print(f"\n{figures}; {restless[0].connections} connections of a client that comes and goes")
    assert waits[-1] <= longest
    return figures


def test_scores_committed_out_of_order(mariadb: MariaDB, tmp_path: Path) -> None:
    database = mariadb.database("out_of_order")
    conformance.load(database)
    tell_all(database, rate=100, seconds=6, longest=10)
