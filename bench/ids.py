"""Whom and what to ask about: hundreds of each kind, those with the longest lists first."""

import msgspec

from bench.worlds import World

HEAVY = 20
TYPICAL = 280

# Mode 0 is what is asked for when nothing is said.
_PLAYERS = """
SELECT u.id, u.safe_name, u.country
FROM (SELECT userid, COUNT(*) AS plays FROM scores WHERE mode = 0 GROUP BY userid) s
INNER JOIN users u ON u.id = s.userid
WHERE u.priv & 3 = 3
ORDER BY s.plays DESC, u.id
"""
_BEATMAPS = """
SELECT m.id, m.md5
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
    """Ids (or names) of one kind: the heaviest, and typical ones, from all over the rest."""

    heavy: list[str]
    typical: list[str]


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
    players_in = [str(country) for _, _, country in players]
    countries = sorted({*players_in}, key=lambda country: (-players_in.count(country), country))
    return Ids(
        players=_some([str(id) for id, _, _ in players]),
        names=_some([str(name) for _, name, _ in players]),
        beatmaps=_some([str(id) for id, _ in beatmaps]),
        md5s=_some([str(md5) for _, md5 in beatmaps]),
        clans=_some([str(id) for (id,) in world.rows(_CLANS)]),
        scores=Some([], [str(id) for (id,) in world.rows(_SCORES.format(wanted))]),
        replays=Some([], _replays(world)),
        countries=Some(countries[:1], countries[1:20]),
        online={int(str(id)): str(name) for id, name, _ in players[:: max(1, len(players) // 200)]},
    )


def _some(kind: list[str]) -> Some:
    heavy, rest = kind[:HEAVY], kind[HEAVY:]
    return Some(heavy, rest[:: max(1, len(rest) // TYPICAL)][:TYPICAL])


def _replays(world: World) -> list[str]:
    """The ids of the scores that have a replay and may be seen."""
    found = sorted((path.stem for path in (world.data / "osr").iterdir() if path.stem.isdigit()), key=int)
    return [str(id) for (id,) in world.rows(_SCORES.format(", ".join(found or ["0"])))]
