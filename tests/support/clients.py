"""Clients that read and change profiles while a test does something to the database."""

import asyncio
import itertools
import secrets
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import aiohttp
import msgspec

from tests.support.clusters import PLAYERS, key

PATHS = (
    *("/v1/get_player_info?scope=all&id=3", "/v1/get_player_info?scope=stats&id=12", "/v2/players/4"),
    *("/v1/get_leaderboard?mode=0&limit=20", "/v1/search_players?q=a", "/v1/get_clan?id=1"),
    *("/v1/get_player_scores?id=3&scope=recent&limit=10", "/v1/get_player_scores?id=3&scope=best&limit=10"),
    *("/v2/players?page=1", "/v2/clans?page=1", "/v1/get_player_most_played?id=3"),
)
# Each client asks ten times a second, and every fourth time it changes its profile.
PAUSE = 0.1
CHANGES = 4
# Seconds before and after what the test does.
AROUND = 1.0
TIMEOUT = aiohttp.ClientTimeout(total=15)


class Answer(NamedTuple):
    """What a client got: when it asked, on the monotonic clock, and when it was answered."""

    asked: float
    answered: float
    status: int
    # Of a change: the player and the new page.
    player: int = 0
    page: str = ""
    # Of a status that is neither 200 nor 503, and of a body that is not the right one.
    wrong: str = ""


class Session(NamedTuple):
    """The answers that all clients got, and when the test's action began and ended."""

    answers: list[Answer]
    # On the monotonic clock.
    begun: float
    ended: float

    def unavailable(self, after: float = 0) -> list[Answer]:
        """Return the answers with the status 503 to what was asked after a time."""
        return [answer for answer in self.answers if answer.status == 503 and answer.asked >= after]

    def wrong(self) -> list[str]:
        return [answer.wrong for answer in self.answers if answer.wrong]

    def problems(self, made: Mapping[int, list[str]], stored: Mapping[int, str]) -> list[str]:
        """Return the changes that were lost, or made in spite of a 503.

        `made` and `stored` are what the functions of clusters return.
        """
        found = []
        for player in PLAYERS:
            changes = [answer for answer in self.answers if answer.player == player]
            answered = [change.page for change in changes if change.status == 200]
            refused = [change.page for change in changes if change.status == 503]
            found += [f"{page} of {player} is lost" for page in answered if page not in made[player]]
            found += [f"{page} of {player} is made after a 503" for page in refused if page in made[player]]
            if stored[player] != answered[-1]:
                found.append(f"{stored[player]} of {player} is stored, not {answered[-1]}")
        return found

    def __str__(self) -> str:
        changes = [answer for answer in self.answers if answer.player]
        slowest = max(self.answers, key=lambda answer: answer.answered - answer.asked)
        late = [answer.asked - self.ended for answer in self.unavailable()]
        return (
            f"{len(self.answers)} answers, {len(changes)} of them to changes;"
            f" 503: {len(self.unavailable())}, {sum(1 for c in changes if c.status == 503)} of them to changes,"
            f" the last {max(late, default=0):+.2f} s after the end; the slowest after"
            f" {slowest.answered - slowest.asked:.2f} s; the action took {self.ended - self.begun:.2f} s"
        )


def run(url: str, action: Callable[[], None]) -> Session:
    """Let a client for each player use the service while the action is taken, and some time before and after."""
    return asyncio.run(_run(url, action))


async def _run(url: str, action: Callable[[], None]) -> Session:
    answers: list[Answer] = []
    stop = asyncio.Event()
    async with aiohttp.ClientSession(url, timeout=TIMEOUT, connector=aiohttp.TCPConnector(limit=0)) as session:
        # All at once, so that the service opens several connections to the database.
        right = dict(zip(PATHS, await asyncio.gather(*(_get(session, path) for path in PATHS)), strict=True))
        assert all(status == 200 for status, _ in right.values()), right
        clients = [asyncio.create_task(_client(session, player, right, answers, stop)) for player in PLAYERS]
        await asyncio.sleep(AROUND)
        begun = time.monotonic()
        await asyncio.to_thread(action)
        ended = time.monotonic()
        await asyncio.sleep(2 + AROUND)
        stop.set()
        await asyncio.gather(*clients)
    return Session(answers, begun, ended)


async def _get(session: aiohttp.ClientSession, path: str) -> tuple[int, bytes]:
    async with session.get(path) as response:
        return response.status, await response.read()


async def _change(session: aiohttp.ClientSession, player: int, page: str) -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {key(player)}"}
    async with session.post("/v1/set_player_info", headers=headers, json={"userpage_content": page}) as response:
        return response.status, await response.read()


async def _client(
    session: aiohttp.ClientSession,
    player: int,
    right: Mapping[str, tuple[int, bytes]],
    answers: list[Answer],
    stop: asyncio.Event,
) -> None:
    paths = itertools.cycle(PATHS[player % len(PATHS) :] + PATHS[: player % len(PATHS)])
    visit = secrets.token_hex(4)
    # So that the clients do not ask all at once.
    await asyncio.sleep(PAUSE * (player - PLAYERS[0]) / len(PLAYERS))
    for turn in itertools.count(player):
        if stop.is_set():
            return
        asked = time.monotonic()
        is_change = turn % CHANGES == 0
        page = f"{visit} {turn}" if is_change else ""
        if is_change:
            expected = 200, msgspec.json.encode({"status": "success", "updated": {"userpage_content": page}})
            status, body = await _change(session, player, page)
        else:
            path = next(paths)
            expected = right[path]
            status, body = await _get(session, path)
        wrong = "" if status == 503 or (status, body) == expected else f"{status} {body[:300]!r}"
        answers.append(Answer(asked, time.monotonic(), status, player if is_change else 0, page, wrong))
        await asyncio.sleep(PAUSE)
