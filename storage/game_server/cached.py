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

# How long nothing is called after calls of several kinds have timed out.
BACK_OFF_SECONDS = 1.0
# How long version 2 of the API is not tried again if the game server does not have it.
WITHOUT_V2_SECONDS = 60.0
# Calls about one player or one match. If one of them fails, others may well succeed: before a game server answers
# `get_player_status`, it may have to wait for another server.
SINGLE = ("status", "match")
# Version 1 of the API takes no lower id. The bot, with id 1, is found by its name.
FIRST_PLAYER = 3
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


class _ActivityV2(msgspec.Struct):
    login_time: float
    action: Int64
    info_text: str
    mode: Int64
    mods: Int64
    beatmap_id: Int64

    def as_live(self) -> LiveStatus:
        return LiveStatus(
            login_time=self.login_time,
            action=self.action,
            info_text=self.info_text,
            mode=self.mode,
            mods=self.mods,
            map_id=self.beatmap_id,
        )


class _StatusResponseV2(msgspec.Struct):
    status: Literal["success"]
    data: _ActivityV2


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
        # By a player's id, and a bot's name: what that player is doing, or did last. The API goes on returning the
        # status of players who have left.
        self.status = SingleFlightCache(self._fetch_status)
        # By an id from 1 to 63: the match, or None if there is none.
        self.match = SingleFlightCache(self._fetch_match)
        self._backed_off_until = -math.inf
        self._without_v2_until = -math.inf
        # The kinds of calls that have timed out since a call last succeeded.
        self._hanging: set[str] = set()
        on_change = partial(client.observer.on_availability, NAME)
        self._availability = Availability("the game server", DEGRADED, steady=10, on_change=on_change)
        self._single = Availability(
            "the game server, asked about one player or match",
            "its last answer is given for 30 s, then 503",
            steady=10,
        )
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

    async def _unless_down(self, kind: str, call: Callable[[], Awaitable[T]], if_down: T) -> T:
        """Return what `call` returns, or `if_down` if the game server is down. `kind` names the kind of call."""
        if time.monotonic() < self._backed_off_until:
            raise NoAnswer("it did not answer other calls in time")
        try:
            response = await call()
        except NoPage:
            raise
        except Down as error:
            self._availability.down(error)
            return if_down
        except NoAnswer as error:
            if isinstance(error, TooLate):
                self._hanging.add(kind)
            # A call that hangs is not made again for a moment, but is no reason not to make others.
            hangs = len(self._hanging) > 1
            if hangs:
                self._backed_off_until = time.monotonic() + BACK_OFF_SECONDS
            (self._single if kind in SINGLE and not hangs else self._availability).down(error)
            raise
        self._hanging.clear()
        self._availability.up()
        self._single.up()
        return response

    async def _read_page(self, path: str, read: Callable[[str], T | None]) -> T:
        content = read(await self._client.get_page(path))
        if content is None:
            raise OtherPage(f"{path}: an answer of another kind")
        return content

    async def _fetch_online(self, _: tuple[()]) -> OnlineList:
        nobody = OnlineList(players={}, bots={})
        return await self._unless_down("online", lambda: self._read_page("/online", read_online), nobody)

    async def _fetch_matches(self, _: tuple[()]) -> dict[int, Match]:
        return await self._unless_down("matches", lambda: self._read_page("/matches", read_matches), {})

    async def _fetch_count(self, _: tuple[()]) -> int:
        response = await self._unless_down(
            "count", lambda: self._client.call("get_player_count", _PlayerCount), None
        )
        return response.counts.online if response else 0

    async def _fetch_status(self, player: tuple[int, str | None]) -> LiveStatus | None:
        return await self._unless_down("status", lambda: self._status_of(*player), None)

    async def _status_of(self, player_id: int, bot_name: str | None) -> LiveStatus | None:
        # Version 2 answers from memory. In version 1 a game server looks the beatmap up, for which it may ask
        # another server.
        if time.monotonic() >= self._without_v2_until:
            try:
                v2 = await self._client.call_v2(f"players/{player_id}/status", _StatusResponseV2)
            except NoPage:
                self._without_v2_until = time.monotonic() + WITHOUT_V2_SECONDS
            else:
                return v2.data.as_live() if v2 else None
        if player_id < FIRST_PLAYER and bot_name is None:
            return None
        query: tuple[str, str | int] = ("id", player_id) if bot_name is None else ("name", bot_name)
        v1 = await self._client.call("get_player_status", _StatusResponse, query)
        return v1.player_status.as_live() if v1 else None

    async def _fetch_match(self, match_id: int) -> Match | None:
        response = await self._unless_down(
            "match", lambda: self._client.call("get_match", _MatchResponse, ("id", match_id)), None
        )
        return msgspec.structs.replace(response.match, id=match_id) if response else None
