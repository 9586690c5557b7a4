"""Clans and their members."""

from random import Random

from demo.clock import datetime_text, moment
from demo.load import Row
from demo.names import FIRST_CLANS, folded, word
from demo.players import Player

Membership = tuple[int, int]  # clan id, clan_priv
OUTSIDER, MEMBER, OFFICER, OWNER = 0, 1, 2, 3
FIRST_TAGS = ("NIGHT", "夜桜", "ночь", "É", "<b>", "&'\"")


def make_clans(seed: int, players: list[Player]) -> tuple[list[Row], dict[int, Membership]]:
    """Return the rows of `clans`, and memberships by player id. The owner of the second clan does not exist."""
    rng = Random(f"{seed}/clans")
    joining = [player.id for player in rng.sample(players, len(players) * 2 // 5)]
    owners = joining[: max(1, len(players) // 20)]
    members = {owner: (clan_id, OWNER) for clan_id, owner in enumerate(owners, start=1) if clan_id != 2}
    for player_id in joining[len(owners) :]:
        clan_id = int(rng.random() * rng.random() * len(owners)) + 1
        members[player_id] = (clan_id, rng.choice((MEMBER, MEMBER, MEMBER, MEMBER, OFFICER, OUTSIDER)))
    owners[1:2] = [players[-1].id + 1000]
    names = _names(rng, len(owners))
    rows = [
        (number + 1, names[number], _tag(number), owner, datetime_text(moment(number, len(owners))))
        for number, owner in enumerate(owners)
    ]
    return rows, members


def _names(rng: Random, count: int) -> list[str]:
    names: dict[str, str] = {}
    for number in range(count):
        name = FIRST_CLANS[number] if number < len(FIRST_CLANS) else f"{word(rng, 2).title()} {word(rng, 2)}"
        if folded(name) in names:
            name = f"{name[:9].strip()} {number}"
        names[folded(name)] = name
    return list(names.values())


def _tag(number: int) -> str:
    """Return a tag of two to four capital letters, different for every number below 26**4."""
    if number < len(FIRST_TAGS):
        return FIRST_TAGS[number]
    # 3881 is coprime to 26**4, so its multiples have all remainders.
    letters, rest = "", number * 3881 % 26**4
    while rest or len(letters) < 2:
        rest, letter = divmod(rest, 26)
        letters += chr(ord("A") + letter)
    return letters
