"""The ids that are requested: hundreds of each kind, those with the most data first."""

from collections.abc import Sequence

import msgspec

from bench.worlds import World

HEAVY = 20
TYPICAL = 280
# Worlds are compared by players and beatmaps with so many scores, of which at most so many are chosen.
SAME_LENGTH, SAME_LENGTH_IDS = range(20, 31), 100

# Mode 0 is the default of the endpoints.
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
_SETS = """
SELECT m.set_id
FROM maps m
GROUP BY m.set_id
ORDER BY COUNT(*) DESC, m.set_id
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


class Selection(msgspec.Struct, frozen=True):
    """Ids (or names) of one kind: the heaviest, a sample of the others, and some with 20 to 30 rows."""

    heavy: list[str]
    typical: list[str]
    same_length: list[str] = []


class Ids(msgspec.Struct, frozen=True, kw_only=True):
    """The ids that are requested in a world."""

    players: Selection
    names: Selection
    beatmaps: Selection
    md5s: Selection
    sets: Selection
    clans: Selection
    scores: Selection
    replays: Selection
    countries: Selection
    online: dict[int, str]  # safe names by id


def ids_of(world: World) -> Ids:
    """Choose ids by the same rule in every world. The result is deterministic."""
    players = world.rows(_PLAYERS)
    beatmaps = world.rows(_BEATMAPS)
    count = world.sizes.scores
    score_ids = ", ".join(str(1 + step * count // (TYPICAL + 100)) for step in range(TYPICAL + 100))
    player_countries = [str(country) for _, _, country, _ in players]
    same_length_players = [row[-1] in SAME_LENGTH for row in players]
    same_length_beatmaps = [row[-1] in SAME_LENGTH for row in beatmaps]
    countries = sorted({*player_countries}, key=lambda country: (-player_countries.count(country), country))
    return Ids(
        players=_select([str(id) for id, _, _, _ in players], same_length_players),
        names=_select([str(name) for _, name, _, _ in players], same_length_players),
        beatmaps=_select([str(id) for id, _, _ in beatmaps], same_length_beatmaps),
        md5s=_select([str(md5) for _, md5, _ in beatmaps], same_length_beatmaps),
        sets=_select([str(id) for (id,) in world.rows(_SETS)]),
        clans=_select([str(id) for (id,) in world.rows(_CLANS)]),
        scores=Selection([], [str(id) for (id,) in world.rows(_SCORES.format(score_ids))]),
        replays=Selection([], _replays(world)),
        countries=Selection(countries[:1], countries[1:20]),
        online={int(str(id)): str(name) for id, name, _, _ in players[:: max(1, len(players) // 200)]},
    )


def _select(ids: list[str], same_length: Sequence[bool] = ()) -> Selection:
    same = [id for id, is_same in zip(ids, same_length, strict=False) if is_same]
    return Selection(ids[:HEAVY], _sample(ids[HEAVY:], TYPICAL), _sample(same, SAME_LENGTH_IDS))


def _sample(ids: list[str], count: int) -> list[str]:
    """Return so many ids, at regular intervals."""
    return ids[:: max(1, len(ids) // count)][:count]


def _replays(world: World) -> list[str]:
    """Return the ids of visible scores that have a replay."""
    stored = sorted((path.stem for path in (world.data / "osr").iterdir() if path.stem.isdigit()), key=int)
    return [str(id) for (id,) in world.rows(_SCORES.format(", ".join(stored or ["0"])))]
