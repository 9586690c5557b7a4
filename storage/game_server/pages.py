"""Parsing the two pages on which the game server lists its players and its matches.

The pages contain names as players wrote them, markup and line breaks included. So only lines that have the form of
the game server's own are read, and of a match only all of its lines in order.
"""

import re

import msgspec

from domain.live import Match, MatchMap, NamedPlayer

MATCHES = 64

_PLAYER = re.compile(r"\( *([0-9]{1,10})\): (.*)")
_MATCH = re.compile(r"^(?P<state>ongoing|idle) *\( *(?P<id>[0-9]{1,2})\): ", re.MULTILINE)
_BEATMAP = re.compile(r"\n-- beatmap *: ")
_HOST = re.compile(r"\n-- host *: <(?P<id>[0-9]{1,10})> (?P<name>.*)")


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
    latest, position = -1, 0
    while head := _MATCH.search(lines, position):
        position = head.end()
        # The page is sorted by id, so a line whose id is not greater is part of a name.
        if not latest < int(head["id"]) < MATCHES:
            continue
        # A line of no known form continues the name before it.
        beatmap = _BEATMAP.search(lines, position)
        host = beatmap and _HOST.search(lines, beatmap.end())
        if not beatmap or not host:
            return None
        latest, position = int(head["id"]), host.end()
        matches[latest] = Match(
            id=latest,
            name=lines[head.end() : beatmap.start()],
            mode=None,
            mods=None,
            seed=None,
            host=NamedPlayer(id=int(host["id"]), name=host["name"]),
            refs=None,
            in_progress=head["state"] == "ongoing",
            is_scrimming=None,
            map=MatchMap(id=None, md5=None, name=lines[beatmap.end() : host.start()]),
            active_slots=None,
        )
    return matches
