"""Scores that a test adds to the recorded world, as the game server would."""

import random
import threading
import time
from collections.abc import Mapping
from contextlib import closing

import pymysql
from pymysql.cursors import Cursor

from tests.support import mariadbd

# Of the visible player 12, on a ranked beatmap, passed but not the best.
TEMPLATE = {
    "map_md5": "53ddce7b66652d1849af8d9171a00b25",
    "score": 1000,
    "pp": 1.5,
    "acc": 98.05,
    "max_combo": 50,
    "mods": 72,
    "n300": 40,
    "n100": 3,
    "n50": 2,
    "nmiss": 1,
    "ngeki": 5,
    "nkatu": 4,
    "grade": "A",
    "status": 1,
    "mode": 0,
    "play_time": "2026-11-27 10:00:00",
    "time_elapsed": 60000,
    "client_flags": 0,
    "userid": 12,
    "perfect": 0,
    "online_checksum": "0123456789abcdef0123456789abcdef",
}


def insert(id: int | None = None, **columns: object) -> str:
    """Return the statement that adds a score. Without `id`, the database chooses it."""
    values: Mapping[str, object] = TEMPLATE | columns | ({} if id is None else {"id": id})
    return f"INSERT INTO scores ({', '.join(values)}) VALUES ({', '.join(map(repr, values.values()))})"


class Commits:
    """Adds scores from several connections, in transactions that are committed out of order.

    Every tenth score is of a hidden player, and every twelfth transaction is rolled back.
    """

    def __init__(self, database: str, *, hidden: int, rate: float, seconds: float, connections: int = 5) -> None:
        """Add `rate` scores a second in all."""
        self._database, self._hidden = database, hidden
        self._pause = connections / rate
        self._seconds = seconds
        self._lock = threading.Lock()
        # When each score of a visible player was committed, on the monotonic clock; and all others.
        self.committed: dict[int, float] = {}
        self.not_to_be_told: set[int] = set()
        self.failures: list[BaseException] = []
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(connections)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()
        assert not self.failures, self.failures

    def _run(self, number: int) -> None:
        try:
            with closing(mariadbd.connect(self._database)) as connection:
                self._add(connection, random.Random(number))
        except BaseException as error:
            self.failures.append(error)

    def _add(self, connection: "pymysql.Connection[Cursor]", chance: random.Random) -> None:
        begin = time.monotonic()
        count = 0
        while (due := begin + count * self._pause) < begin + self._seconds:
            time.sleep(max(due - time.monotonic(), 0))
            count += 1
            userid = self._hidden if count % 10 == 0 else TEMPLATE["userid"]
            connection.begin()
            with connection.cursor() as cursor:
                cursor.execute(insert(userid=userid))
                id = int(cursor.lastrowid)
            # Now and then one takes half a second, in which the others go on.
            time.sleep(0.5 if chance.random() < 0.02 else chance.random() * 0.02)
            with self._lock:
                if count % 12 == 0 or userid == self._hidden:
                    self.not_to_be_told.add(id)
                else:
                    # Before the statement: it may be told before the answer is here.
                    self.committed[id] = time.monotonic()
            if count % 12 == 0:
                connection.rollback()
            else:
                connection.commit()
