"""A load of so many requests a second, sent on time whether or not earlier ones have been answered."""

import asyncio
import itertools
import random
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from enum import StrEnum
from typing import Any, NamedTuple, Self, TypeVar

import aiohttp
import msgspec

T = TypeVar("T")

RATE = 100.0  # requests a second
# One in so many requests is sent on a connection of its own.
OWN_CONNECTION = 10
# Seconds after which the load generator gives a response up: longer than any documented limit.
GIVE_UP = 40.0
# Seconds between two attempts to get a first response, and between two changes.
PROBE_INTERVAL = 0.05
CHANGE_INTERVAL = 0.4
# The longest time, in seconds, for which a response is cached that browsers have to revalidate.
LONGEST_CACHED = 5

# The right responses, status and body, by path: one for each state of what they depend on.
Copies = Mapping[str, frozenset[tuple[int, bytes]]]


class Kind(StrEnum):
    """What came of a request."""

    FRESH = "fresh"
    STALE = "stale"
    UNAVAILABLE = "503"
    UNDOCUMENTED = "undocumented"
    WRONG = "wrong"
    LOST = "lost"


class Request(NamedTuple):
    """A request."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = {}
    body: bytes | None = None


class Outcome(NamedTuple):
    """A request, when it was sent (on the monotonic clock), how long it took, and what came of it."""

    path: str
    sent: float
    seconds: float
    kind: Kind
    detail: str = ""


class Response(NamedTuple):
    """A response."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Change(NamedTuple):
    """A change that a client asked for, by its number, and whether the service said that it was made."""

    number: int
    outcome: Outcome


def is_stale(headers: Mapping[str, str]) -> bool:
    """Return whether a response is older than the time for which responses are cached."""
    _, has_limit, limit = headers.get("Cache-Control", "").partition("max-age=")
    return int(headers.get("Age", "0")) > (int(limit) if has_limit else LONGEST_CACHED)


def is_documented_503(path: str, response: Response) -> bool:
    """Return whether a 503 has the documented form: JSON that says why, and Retry-After."""
    try:
        body = msgspec.json.decode(response.body, type=dict[str, str])
    except msgspec.DecodeError:
        return False
    message = body.get("error" if path.startswith(("/v2/", "/api/v2/")) else "status")
    return bool(message) and response.headers.get("Retry-After", "").isdecimal()


def judge(path: str, response: Response, copies: Copies) -> tuple[Kind, str]:
    """Return what kind of response it is, and the reason if that is neither fresh nor stale."""
    right = copies.get(path)
    if (response.status, response.body) in right if right else response.status == 200:
        return (Kind.STALE if is_stale(response.headers) else Kind.FRESH), ""
    if response.status == 503 and is_documented_503(path, response):
        return Kind.UNAVAILABLE, response.body.decode()
    kind = Kind.WRONG if response.status == 200 else Kind.UNDOCUMENTED
    return kind, f"{response.status} {response.body[:200]!r}"


class Load:
    """Sends requests to the service from a thread of its own, from when it is entered until `stop`."""

    def __init__(self, url: str, copies: Copies, *, change: Callable[[int], Request] | None, seed: int) -> None:
        """Requests are sent in an order that depends on `seed`.

        `change` makes the requests that change something; they are sent one after the other.
        """
        self._url = url
        self._copies = copies
        self._change = change
        self._seed = seed
        self.outcomes: list[Outcome] = []
        self.changes: list[Change] = []
        self._stopping = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._session = self._submit(_session(self._url)).result()
        self._sending = [self._submit(self._send_all())]
        if self._change:
            self._sending.append(self._submit(self._change_all(self._change)))
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._submit(self._session.close()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def stop(self) -> None:
        """Send no more requests, and wait until all have been answered."""
        self._stopping = True
        for sending in self._sending:
            sending.result()

    def first_fresh(self, request: Request, seconds: float) -> float | None:
        """Send the request again and again until it is answered with a 200. Return how long that took.

        Return None if it takes longer than `seconds`.
        """
        return self._submit(self._first_fresh(request, seconds)).result()

    def _submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _send_all(self) -> None:
        paths = list(self._copies)
        random.Random(self._seed).shuffle(paths)
        turns = itertools.cycle(paths)
        start = self._loop.time()
        waiting = set[asyncio.Task[None]]()
        for number in itertools.count():
            await asyncio.sleep(start + number / RATE - self._loop.time())
            if self._stopping:
                break
            headers = {} if number % OWN_CONNECTION else {"Connection": "close"}
            task = self._loop.create_task(self._record(Request(next(turns), headers=headers)))
            waiting.add(task)
            task.add_done_callback(waiting.discard)
        await asyncio.gather(*waiting)

    async def _change_all(self, change: Callable[[int], Request]) -> None:
        for number in itertools.count(1):
            if self._stopping:
                break
            self.changes.append(Change(number, await self._outcome(change(number))))
            await asyncio.sleep(CHANGE_INTERVAL)

    async def _record(self, request: Request) -> None:
        self.outcomes.append(await self._outcome(request))

    async def _outcome(self, request: Request) -> Outcome:
        sent = time.monotonic()
        try:
            response = await ask(self._session, request)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            kind, detail = Kind.LOST, f"{type(error).__name__} {error}"
        else:
            kind, detail = judge(request.path, response, self._copies)
        return Outcome(request.path, sent, time.monotonic() - sent, kind, detail)

    async def _first_fresh(self, request: Request, seconds: float) -> float | None:
        start = time.monotonic()
        asking = set[asyncio.Task[Outcome]]()
        try:
            while time.monotonic() - start < seconds:
                asking.add(self._loop.create_task(self._outcome(request)))
                done, asking = await asyncio.wait(asking, timeout=PROBE_INTERVAL)
                if any(task.result().kind is Kind.FRESH for task in done):
                    return time.monotonic() - start
                if done:
                    await asyncio.sleep(PROBE_INTERVAL)
            return None
        finally:
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)


async def _session(url: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        url,
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=GIVE_UP),
        headers={"Accept-Encoding": "identity"},
        auto_decompress=False,
    )


async def ask(session: aiohttp.ClientSession, request: Request) -> Response:
    """Return the response to a request.

    Like browsers and proxies, aiohttp sends a read once more if the server has closed the idle connection on which
    it was sent.
    """
    path, method, headers, body = request
    async with session.request(method, path, headers=headers, data=body) as response:
        return Response(response.status, response.headers, await response.read())


def copies_of(url: str, paths: Sequence[str]) -> Copies:
    """Return the responses to these paths, which are taken to be right. Raise ValueError if one is a 5xx."""

    async def get_all() -> Copies:
        turns = asyncio.Semaphore(8)
        async with await _session(url) as session:

            async def get(path: str) -> frozenset[tuple[int, bytes]]:
                async with turns:
                    response = await ask(session, Request(path))
                if response.status >= 500:
                    raise ValueError(f"{path}: status {response.status}, {response.body[:200]!r}")
                return frozenset({(response.status, response.body)})

            return dict(zip(paths, await asyncio.gather(*map(get, paths)), strict=True))

    return asyncio.run(get_all())
