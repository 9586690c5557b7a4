"""The rows of `users`."""

from collections.abc import Iterator
from random import Random
from uuid import UUID

from demo.clans import Membership
from demo.clock import NOW, OPENED
from demo.load import Row
from demo.players import BOT_ID, PREMIUM, SUPPORTER, VERIFIED, Player
from domain.players import safe_name

DEMO_KEYS = {  # API keys of two players, the same in every demo world
    3: "00000000-0000-4000-8000-000000000003",
    4: "00000000-0000-4000-8000-000000000004",
}
DAY = 86_400
NO_PASSWORD = "*" * 60
BADGES = (("Mapper", "fa-solid fa-pen"), ("大会優勝", "fa-solid fa-trophy"), ("Élite & <b>", "fa-star"))
USERPAGES = (
    "[b]hello[/b]\nthis is my page",
    "こんにちは！\n\nリラックスが好きです。",
    "Привет ☺\n— заходите",
    "Ça va ?\r\n\t<script>alert('no')</script> & \"quotes\" \\ backslash %s :name",
    "long " * 409,
)


def user_rows(
    seed: int, players: list[Player], members: dict[int, Membership], played: dict[int, tuple[int, int]]
) -> Iterator[Row]:
    """Yield the rows of the bot and the players. `played` has the Unix times of their first and last scores."""
    rng = Random(f"{seed}/users")
    opened = OPENED - 365 * DAY
    empty = (None, None, None, None)
    yield (
        *(BOT_ID, "BanchoBot", "banchobot", "bot@demo.invalid", 1, NO_PASSWORD, "xx"),
        *(0, 0, opened, NOW, 0, 0, 0, 0, *empty),
    )
    for player in players:
        first, last = played.get(player.id, (NOW, OPENED))
        created = opened + int((first - opened) * rng.random())
        active = max(created, last) + int((NOW - max(created, last)) * rng.random() * rng.random())
        yield (
            *(player.id, player.name, safe_name(player.name), f"player{player.id}@demo.invalid", player.priv),
            *(NO_PASSWORD, player.country, *_ends(rng, player), created, active),
            *members.get(player.id, (0, 0)),
            *(_preferred_mode(rng, player), rng.randrange(16)),
            *_decoration(rng, player),
        )


def _ends(rng: Random, player: Player) -> tuple[int, int]:
    """Return silence_end and donor_end: 0, in the past, or in the far future."""
    silence = rng.choice((0,) * 18 + (NOW - 40 * DAY, NOW + 3650 * DAY))
    donated = player.priv & (SUPPORTER | PREMIUM)
    return silence, NOW + rng.randrange(3650) * DAY if donated else rng.choice((0, 0, 0, 0, NOW - 90 * DAY))


def _preferred_mode(rng: Random, player: Player) -> int:
    if player.ruleset != 3 and rng.random() < player.relax:
        return player.ruleset + 4
    return 8 if player.ruleset == 0 and rng.random() < player.autopilot else player.ruleset


def _decoration(rng: Random, player: Player) -> Row:
    """Return custom_badge_name, custom_badge_icon, userpage_content and api_key."""
    badge = rng.choice(BADGES) if player.priv & (SUPPORTER | PREMIUM) else (None, None)
    page = rng.choice((None, None, None, None, None, "", *USERPAGES))
    key = str(UUID(int=rng.getrandbits(128), version=4))
    has_key = rng.random() < 0.1 or player.priv == VERIFIED
    return (*badge, page, DEMO_KEYS.get(player.id, key if has_key else None))
