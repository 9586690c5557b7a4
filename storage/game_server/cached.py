"""What the game server responds, checked and cached: each call reaches it at most once a second."""

import math
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from domain.live import LiveStatus, Match
from domain.units import Int64
from storage.availability import Availability
from storage.cache.cache import SingleFlightCache
from storage.game_server.client import NAME, Down, GameServerClient, NoAnswer, NoPage, OtherPage, TooLate
from storage.game_server.pages import OnlineList, read_matches, read_online

T = TypeVar("T")

# How long nothing is called after a call that timed out.
BACK_OFF_SECONDS = 1.0
DEGRADED = "nobody is online if it is down, else its last answers are given for 30 s, then 503"


class _Counts(msgspec.Struct):
    online: Annotated[int, Meta(ge=0, le=2**31 - 1)]


class _PlayerCount(msgspec.Struct):
    counts: _Counts


class _Beatmap(msgspec.Struct):
    md5: str


class _Activity(msgspec.Struct):
    action: Int64
    info_text: str
    mode: Int64
    mods: Int64
    beatmap: _Beatmap | None = None


class _PlayerStatus(msgspec.Struct):
    online: bool
    login_time: float | None = None
    status: _Activity | None = None

    def __post_init__(self) -> None:
        if self.online and (self.login_time is None or self.status is None):
            raise ValueError("online without a status")

    def as_live(self) -> LiveStatus | None:
        """Return the status, or None for a player who is offline."""
        activity = self.status
        if not self.online or self.login_time is None or activity is None:
            return None
        return LiveStatus(
            login_time=self.login_time,
            action=activity.action,
            info_text=activity.info_text,
            mode=activity.mode,
            mods=activity.mods,
            map_md5=activity.beatmap.md5 if activity.beatmap else "",
        )


class _StatusResponse(msgspec.Struct):
    status: Literal["success"]
    player_status: _PlayerStatus


class _MatchResponse(msgspec.Struct):
    status: Literal["success"]
    match: Match


class CachedGameServer:
    """The game server's API and pages. While it is down, nobody is online and there are no matches.

    While it does not respond, the last responses are served; then the methods raise Unavailable.
    """

    def __init__(self, client: GameServerClient) -> None:
        self._client = client
        self._online = SingleFlightCache(self._fetch_online)
        self._count = SingleFlightCache(self._fetch_count)
        self._matches = SingleFlightCache(self._fetch_matches)
        # By an `id` or a `name`: what that player is doing, or did last. The API goes on returning the status of
        # players who have left.
        self.status = SingleFlightCache(self._fetch_status)
        # By an id from 1 to 63: the match, or None if there is none.
        self.match = SingleFlightCache(self._fetch_match)
        self._backed_off_until = -math.inf
        on_change = partial(client.observer.on_availability, NAME)
        self._availability = Availability("the game server", DEGRADED, steady=10, on_change=on_change)
        self._online_page = Availability("the game server's page /online", "its API alone tells who is online")
        self._matches_page = Availability("the game server's page /matches", "each match is asked about")

    async def close(self) -> None:
        """Cancel the calls that are running."""
        for cache in (self._online, self._count, self._matches, self.status, self.match):
            await cache.close()

    async def online(self, *, required: bool = False) -> OnlineList | None:
        """Return who is online, or None if the game server has no page /online.

        If it has another page there, raise NoAnswer if the page is `required`, else return None too.
        """
        return await self._page_or_none(self._online, self._online_page, required=required)

    async def count(self) -> int:
        """Return the number of online players as the game server counts them."""
        return await self._count.get(())

    async def matches(self, *, required: bool = False) -> dict[int, Match] | None:
        """Return the matches by id, as the page /matches describes them, or None if there is no such page.

        If it has another page there, raise NoAnswer if the page is `required`, else return None too.
        """
        return await self._page_or_none(self._matches, self._matches_page, required=required)

    async def _page_or_none(
        self, page: SingleFlightCache[tuple[()], T], availability: Availability, *, required: bool
    ) -> T | None:
        try:
            content = await page.get(())
        except NoPage as error:
            availability.down(error)
            if required and isinstance(error, OtherPage):
                raise
            return None
        availability.up()
        return content

    async def _unless_down(self, call: Callable[[], Awaitable[T]], if_down: T) -> T:
        """Return what `call` returns, or `if_down` if the game server is down."""
        if time.monotonic() < self._backed_off_until:
            raise NoAnswer("it did not answer another call in time")
        try:
            response = await call()
        except NoPage:
            raise
        except (Down, NoAnswer) as error:
            self._availability.down(error)
            if isinstance(error, TooLate):
                # A request that needs several calls waits for one timeout only.
                self._backed_off_until = time.monotonic() + BACK_OFF_SECONDS
            if isinstance(error, Down):
                return if_down
            raise
        self._availability.up()
        return response

    async def _read_page(self, path: str, read: Callable[[str], T | None]) -> T:
        content = read(await self._client.get_page(path))
        if content is None:
            raise OtherPage(f"{path}: an answer of another kind")
        return content

    async def _fetch_online(self, _: tuple[()]) -> OnlineList:
        nobody = OnlineList(players={}, bots={})
        return await self._unless_down(lambda: self._read_page("/online", read_online), nobody)

    async def _fetch_matches(self, _: tuple[()]) -> dict[int, Match]:
        return await self._unless_down(lambda: self._read_page("/matches", read_matches), {})

    async def _fetch_count(self, _: tuple[()]) -> int:
        response = await self._unless_down(lambda: self._client.call("get_player_count", _PlayerCount), None)
        return response.counts.online if response else 0

    async def _fetch_status(self, query: tuple[str, str | int]) -> LiveStatus | None:
        response = await self._unless_down(
            lambda: self._client.call("get_player_status", _StatusResponse, query), None
        )
        return response.player_status.as_live() if response else None

    async def _fetch_match(self, match_id: int) -> Match | None:
        response = await self._unless_down(
            lambda: self._client.call("get_match", _MatchResponse, ("id", match_id)), None
        )
        return msgspec.structs.replace(response.match, id=match_id) if response else None
