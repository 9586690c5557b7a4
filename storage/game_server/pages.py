"""Parsing the two pages on which the game server lists its players and its matches.

The pages contain names as players wrote them, markup and line breaks included. So only lines that have the form of
the game server's own are read, and of a match only all of its lines in order.
"""

import re

import msgspec

from domain.live import Match, MatchMap, NamedPlayer

MATCHES = 64

_PLAYER = re.compile(r"\( *([0-9]{1,10})\): (.*)")
_MATCH = re.compile(r"(ongoing|idle) *\( *([0-9]{1,2})\): (.*)")
_BEATMAP = re.compile(r"-- beatmap *: (.*)")
_HOST = re.compile(r"-- host *: <([0-9]{1,10})> (.*)")


class OnlineList(msgspec.Struct, frozen=True, kw_only=True):
    """The online players, hidden ones included, and bots: their safe names by id."""

    players: dict[int, str]
    bots: dict[int, str]

    def __contains__(self, player_id: int) -> bool:
        return player_id in self.players or player_id in self.bots


def read_online(page: str) -> OnlineList | None:
    """Return the content of the page /online, or None if `page` is another one."""
    sections: dict[str, dict[int, str]] = {"users:": {}, "bots:": {}}
    section: dict[int, str] | None = None
    for line in page.split("\n"):
        if line in sections:
            section = sections[line]
        elif section is not None and (match := _PLAYER.fullmatch(line)):
            section[int(match[1])] = match[2]
    return None if section is None else OnlineList(players=sections["users:"], bots=sections["bots:"])


def read_matches(page: str) -> dict[int, Match] | None:
    """Return the content of the page /matches by match id, or None if `page` is another one."""
    _, heading, lines = page.partition("\nmatches:\n")
    if not heading:
        return None
    matches: dict[int, Match] = {}
    latest = -1
    pending: _Pending | None = None
    for line in lines.split("\n"):
        if pending:
            if match := pending.finished_by(line):
                matches[match.id] = match
                pending = None
        # The page is sorted by id, so a line whose id is not greater is part of a name.
        elif (head := _MATCH.fullmatch(line)) and latest < int(head[2]) < MATCHES:
            latest = int(head[2])
            pending = _Pending(latest, head[1] == "ongoing", head[3])
    return None if pending else matches


class _Pending:
    """A match whose lines are being read. A line of no known form continues the name before it."""

    def __init__(self, id: int, in_progress: bool, name: str) -> None:
        self._id = id
        self._in_progress = in_progress
        self._name = [name]
        self._beatmap: list[str] | None = None

    def finished_by(self, line: str) -> Match | None:
        """Read a line. Return the match if that was its last one."""
        beatmap = _BEATMAP.fullmatch(line)
        if self._beatmap is None:
            if beatmap:
                self._beatmap = [beatmap[1]]
            else:
                self._name.append(line)
            return None
        host = _HOST.fullmatch(line)
        if host is None:
            self._beatmap.append(line)
            return None
        return Match(
            id=self._id,
            name="\n".join(self._name),
            mode=None,
            mods=None,
            seed=None,
            host=NamedPlayer(id=int(host[1]), name=host[2]),
            refs=None,
            in_progress=self._in_progress,
            is_scrimming=None,
            map=MatchMap(id=None, md5=None, name="\n".join(self._beatmap)),
            active_slots=None,
        )
