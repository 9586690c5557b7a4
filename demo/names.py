"""Invented names of players, clans, artists and songs. None is taken from a real one."""

import unicodedata
from collections.abc import Iterator
from random import Random

SYLLABLES = (
    "ka", "mi", "no", "ru", "shi", "to", "ve", "lor", "zan", "el", "qui", "ba", "dra", "fen", "gal", "hex", "ium",
    "jax", "ko", "lum", "mor", "nyx", "ol", "pri", "ras", "sol", "tar", "um", "vex", "wyn", "xan", "yor", "zep",
)  # fmt: skip
UNICODE_PARTS = (
    "さくら", "夜桜", "ミク", "星空", "Ночь", "Лис", "Мария", "Zoë", "Björn", "Łukasz", "Élodie", "하늘",
)  # fmt: skip
FIRST_PLAYERS = (  # so that even a small world has every kind of name
    "apidot",
    "demo player",
    "[nightfall]",
    "さくらんぼ",
    "Дмитрий К",
    "Zoë-chan",
    "x_silver_x",
    "-- [dash] --",
)
FIRST_CLANS = (
    "Night Shift", "夜桜団", "Ночной дозор", "Café Élan", "<b>bold</b>", "O'Clan & \"Co\"", "100% Clan_", "하늘",
)  # fmt: skip
ARTISTS = (
    "Velvet Harbour",
    "夜光虫",
    "Полярная станция",
    "Señor Beta & the Släckers",
    'Tom "Tick" Tock',
    "<Artist> feat. 'Quote'",
    "Back\\Slash/Forward",
    "t.o.n.e | 音",
)
TITLES = (
    "Endless Letters",
    "終わらない手紙",
    "Белые ночи",
    "Déjà Vu ~Remix~",
    '"Quoted" & <escaped>',
    "It's 100% _wild_",
    "C:\\temp\\song?",
    "trailing blanks  ",
    "[brackets] (TV Size)",
    "한글 노래",
)
TITLE_WORDS = (
    "Glass", "Paper", "Neon", "Silent", "Crimson", "Hollow", "Winter", "Signal", "Ocean", "Garden", "Machine",
    "Letters", "夢", "Étoile", "Звезда", "Parade", "Runner", "Echo", "Theorem", "Lantern", "星", "花火", "Requiem",
)  # fmt: skip


def word(rng: Random, syllables: int) -> str:
    return "".join(rng.choice(SYLLABLES) for _ in range(syllables))


def player_names(rng: Random) -> Iterator[str]:
    """Yield valid player names, without end. No two are equal under an accent-insensitive collation."""
    seen = set()
    number = 0
    while True:
        name = FIRST_PLAYERS[number] if number < len(FIRST_PLAYERS) else _player_name(rng)
        number += 1
        if folded(name) in seen:
            name = f"{name[:9].strip()}{number}"
        seen.add(folded(name))
        yield name


def _player_name(rng: Random) -> str:
    one, two = word(rng, 2), word(rng, rng.randint(1, 2))
    kind = rng.randrange(16)
    if kind == 0:
        return (rng.choice(UNICODE_PARTS) + rng.choice(UNICODE_PARTS))[:15]
    forms = (
        f"{one}-{two}",
        f"[{one}]",
        f"{one}_{two}",
        f"{one} {two}",
        f"{one.title()} {two.title()}",
        f"{one}{rng.randint(1, 99)}",
        one.title() + two.title(),
    )
    return (forms[kind - 1] if kind <= len(forms) else one.title() + two)[:15].strip()


def folded(name: str) -> str:
    """Return the name without case, accents and blanks, to find names that a collation may treat as equal."""
    plain = unicodedata.normalize("NFKD", name.lower().replace(" ", "_"))
    return "".join(c for c in plain if not unicodedata.combining(c))


def artist(rng: Random, number: int) -> str:
    if number < len(ARTISTS) or rng.random() < 0.1:
        return ARTISTS[number % len(ARTISTS)]
    return f"{word(rng, 2).title()} {word(rng, 2).title()}"


def title(rng: Random, number: int) -> str:
    if number < len(TITLES):
        return TITLES[number]
    return " ".join(rng.sample(TITLE_WORDS, rng.randint(1, 3)))
