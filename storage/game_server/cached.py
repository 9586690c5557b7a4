"""What the game server is asked, and the shapes its answers must have; each answer is kept for a second."""

import math
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from domain.live import LiveStatus, Match, Number
from storage.availability import Availability
from storage.cache.cache import SingleFlightCache
from storage.game_server.client import NAME, Down, GameServer, NoAnswer, NoPage, TooLate
from storage.game_server.pages import OnlineList, read_matches, read_online

T = TypeVar("T")

# Seconds without questions for a game server that did not answer one in time.
SPARED = 1.0
MEANWHILE = "nobody is online if it is down, else its last answers are given for 30 s, then 503"


class _Counts(msgspec.Struct):
    online: Annotated[int, Meta(ge=0, le=2**31 - 1)]


class _Count(msgspec.Struct):
    counts: _Counts


class _Map(msgspec.Struct):
    md5: str


class _Activity(msgspec.Struct):
    action: Number
    info_text: str
    mode: Number
    mods: Number
    beatmap: _Map | None = None


class _PlayerStatus(msgspec.Struct):
    online: bool
    login_time: float | None = None
    status: _Activity | None = None

    def __post_init__(self) -> None:
        if self.online and (self.login_time is None or self.status is None):
            raise ValueError("online without a status")

    def as_live(self) -> LiveStatus | None:
        """None for a player who is offline."""
        doing = self.status
        if not self.online or self.login_time is None or doing is None:
            return None
        return LiveStatus(
            login_time=self.login_time,
            action=doing.action,
            info_text=doing.info_text,
            mode=doing.mode,
            mods=doing.mods,
            map_md5=doing.beatmap.md5 if doing.beatmap else "",
        )


class _Status(msgspec.Struct):
    status: Literal["success"]
    player_status: _PlayerStatus


class _Match(msgspec.Struct):
    status: Literal["success"]
    match: Match


class CachedGameServer:
    """Each question of many askers reaches the game server once a second; while it is down, nobody is there.

    The methods raise Unavailable when it does not answer, and its last answer is too old.
    """

    def __init__(self, server: GameServer) -> None:
        self._server = server
        self._presence = SingleFlightCache(self._ask_presence)
        self._count = SingleFlightCache(self._ask_count)
        self._status = SingleFlightCache(self._ask_status)
        self._match = SingleFlightCache(self._ask_match)
        self._listed = SingleFlightCache(self._ask_listed)
        self._spared_until = -math.inf
        self._availability = Availability(
            "the game server", MEANWHILE, steady=10, tell=server.observer.reach(NAME)
        )
        self._no_online = Availability("the game server's page /online", "its API alone tells who is online")
        self._no_matches = Availability("the game server's page /matches", "each match is asked about")

    async def close(self) -> None:
        """End what is still being asked."""
        for kept in (self._presence, self._count, self._status, self._match, self._listed):
            await kept.close()

    async def presence(self) -> OnlineList | None:
        """Who is online; None when the game server has no page that tells."""
        return await self._if_there(self._presence, self._no_online)

    async def count(self) -> int:
        """How many players are online, as the game server counts them."""
        return await self._count.get(())

    async def status(self, query: tuple[str, str | int]) -> LiveStatus | None:
        """What the player with that `id` or `name` is doing, be that player still there or not."""
        return await self._status.get(query)

    async def match(self, match_id: int) -> Match | None:
        """A match, 1 to 63."""
        return await self._match.get(match_id)

    def last_match(self, match_id: int) -> list[Match | None]:
        """The last answer of `match`, nothing asked; empty when there is none of use."""
        return self._match.recent(match_id)

    async def listed(self) -> dict[int, Match] | None:
        """Every match as far as its page goes; None when the game server has no such page."""
        return await self._if_there(self._listed, self._no_matches)

    async def _if_there(self, page: SingleFlightCache[tuple[()], T], outage: Availability) -> T | None:
        try:
            answer = await page.get(())
        except NoPage as error:
            outage.down(error)
            return None
        outage.up()
        return answer

    async def _asked(self, question: Callable[[], Awaitable[T]], nobody: T) -> T:
        """The answer; `nobody` when the game server is down."""
        if time.monotonic() < self._spared_until:
            raise NoAnswer("it did not answer another question in time")
        try:
            answer = await question()
        except NoPage:
            raise
        except (Down, NoAnswer) as error:
            self._availability.down(error)
            if isinstance(error, TooLate):
                # Whoever asks several things of a game server that hangs waits for the first one only.
                self._spared_until = time.monotonic() + SPARED
            if isinstance(error, Down):
                return nobody
            raise
        self._availability.up()
        return answer

    async def _page(self, path: str, read: Callable[[str], T | None]) -> T:
        page = read(await self._server.page(path))
        if page is None:
            raise NoPage(f"{path}: an answer of another kind")
        return page

    async def _ask_presence(self, _: tuple[()]) -> OnlineList:
        return await self._asked(lambda: self._page("/online", read_online), OnlineList(players={}, bots={}))

    async def _ask_listed(self, _: tuple[()]) -> dict[int, Match]:
        return await self._asked(lambda: self._page("/matches", read_matches), {})

    async def _ask_count(self, _: tuple[()]) -> int:
        answer = await self._asked(lambda: self._server.ask("get_player_count", _Count), None)
        return 0 if answer is None else answer.counts.online

    async def _ask_status(self, query: tuple[str, str | int]) -> LiveStatus | None:
        answer = await self._asked(lambda: self._server.ask("get_player_status", _Status, query), None)
        return None if answer is None else answer.player_status.as_live()

    async def _ask_match(self, match_id: int) -> Match | None:
        answer = await self._asked(lambda: self._server.ask("get_match", _Match, ("id", match_id)), None)
        return None if answer is None else msgspec.structs.replace(answer.match, id=match_id)
