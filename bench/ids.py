"""Whom and what to ask about: hundreds of each kind, those with the longest lists first."""

from collections.abc import Sequence

import msgspec

from bench.worlds import World

HEAVY = 20
TYPICAL = 280
# How many rows their lists have who are compared between worlds, and how many of them there are.
ALIKE, ALIKES = range(20, 31), 100

# Mode 0 is what is asked for when nothing is said.
_PLAYERS = """
SELECT u.id, u.safe_name, u.country, s.plays
FROM (SELECT userid, COUNT(*) AS plays FROM scores WHERE mode = 0 GROUP BY userid) s
INNER JOIN users u ON u.id = s.userid
WHERE u.priv & 3 = 3
ORDER BY s.plays DESC, u.id
"""
_BEATMAPS = """
SELECT m.id, m.md5, s.plays
FROM (SELECT map_md5, COUNT(*) AS plays FROM scores WHERE mode = 0 AND status = 2 GROUP BY map_md5) s
INNER JOIN maps m ON m.md5 = s.map_md5
ORDER BY s.plays DESC, m.id
"""
_CLANS = """
SELECT c.id
FROM clans c
INNER JOIN users u ON u.clan_id = c.id
WHERE u.priv & 3 = 3
GROUP BY c.id
ORDER BY COUNT(*) DESC, c.id
"""
_SCORES = """
SELECT s.id
FROM scores s
INNER JOIN users u ON u.id = s.userid
INNER JOIN maps m ON m.md5 = s.map_md5
WHERE u.priv & 3 = 3 AND s.id IN ({})
"""


class Some(msgspec.Struct, frozen=True):
    """Ids (or names) of one kind: the heaviest, typical ones from all over the rest, some with 20 to 30 rows."""

    heavy: list[str]
    typical: list[str]
    alike: list[str] = []


class Ids(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to ask about in a world."""

    players: Some
    names: Some
    beatmaps: Some
    md5s: Some
    clans: Some
    scores: Some
    replays: Some
    countries: Some
    online: dict[int, str]  # safe names by id


def ids_of(world: World) -> Ids:
    """Chosen by the same rule in every world, and the same whenever it is asked."""
    players = world.rows(_PLAYERS)
    beatmaps = world.rows(_BEATMAPS)
    count = world.sizes.scores
    wanted = ", ".join(str(1 + place * count // (TYPICAL + 100)) for place in range(TYPICAL + 100))
    players_in = [str(country) for _, _, country, _ in players]
    alike = [row[-1] in ALIKE for row in players], [row[-1] in ALIKE for row in beatmaps]
    countries = sorted({*players_in}, key=lambda country: (-players_in.count(country), country))
    return Ids(
        players=_some([str(id) for id, _, _, _ in players], alike[0]),
        names=_some([str(name) for _, name, _, _ in players], alike[0]),
        beatmaps=_some([str(id) for id, _, _ in beatmaps], alike[1]),
        md5s=_some([str(md5) for _, md5, _ in beatmaps], alike[1]),
        clans=_some([str(id) for (id,) in world.rows(_CLANS)]),
        scores=Some([], [str(id) for (id,) in world.rows(_SCORES.format(wanted))]),
        replays=Some([], _replays(world)),
        countries=Some(countries[:1], countries[1:20]),
        online={int(str(id)): str(name) for id, name, _, _ in players[:: max(1, len(players) // 200)]},
    )


def _some(kind: list[str], alike: Sequence[bool] = ()) -> Some:
    heavy, rest = kind[:HEAVY], kind[HEAVY:]
    same = [each for each, is_alike in zip(kind, alike, strict=False) if is_alike]
    return Some(heavy, _spread(rest, TYPICAL), _spread(same, ALIKES))


def _spread(some: list[str], count: int) -> list[str]:
    """So many of them, from all over."""
    return some[:: max(1, len(some) // count)][:count]


def _replays(world: World) -> list[str]:
    """The ids of the scores that have a replay and may be seen."""
    found = sorted((path.stem for path in (world.data / "osr").iterdir() if path.stem.isdigit()), key=int)
    return [str(id) for (id,) in world.rows(_SCORES.format(", ".join(found or ["0"])))]
