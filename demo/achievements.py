"""Medals, with the files of the stock game server's, and those that the players have earned."""

from collections.abc import Iterator

from demo import mods
from demo.beatmaps import Beatmap
from demo.load import Row
from demo.players import Player
from demo.scores import Score, Scores

# The words with which files begin, by ruleset, the highest star rating with a medal, and a word for the names.
RULESETS = (("osu", 10, "Circle"), ("taiko", 8, "Drum"), ("fruits", 8, "Fruit"), ("mania", 8, "Key"))
COMBOS = (500, 750, 1000, 2000)
# Medals for passing with a mod, by the last word of the file.
INTROS = {
    "suddendeath": mods.SD,
    "perfect": mods.PF,
    "hardrock": mods.HR,
    "doubletime": mods.DT,
    "nightcore": mods.NC,
    "hidden": mods.HD,
    "flashlight": mods.FL,
    "easy": mods.EZ,
    "nofail": mods.NF,
    "halftime": mods.HT,
    "spunout": mods.SO,
}


def _medals() -> Iterator[tuple[str, str, str, str]]:
    """Yield file, name, description and condition of each medal, in the order of their ids."""
    for ruleset, (word, highest, noun) in enumerate(RULESETS):
        for stars in range(1, highest + 1):
            condition = f"mode_vn == {ruleset} and {stars} <= score.sr < {stars + 1} and not score.mods & 1"
            name, task = f"{noun} Climber {stars}", f"a beatmap with {stars} ★ in {noun.lower()}s"
            yield f"{word}-skill-pass-{stars}", name, f"Pass {task}.", condition
            condition = f"mode_vn == {ruleset} and {stars} <= score.sr < {stars + 1} and score.perfect"
            yield f"{word}-skill-fc-{stars}", f"{noun} Master {stars}", f"Full combo on {task}.", condition
    for combo in COMBOS:
        condition = f"mode_vn == 0 and score.max_combo >= {combo}"
        yield f"osu-combo-{combo}", f"Chain of {combo}", f"“{combo} in a row”: a combo of {combo}.", condition
    for word, mod in INTROS.items():
        yield f"all-intro-{word}", f"First steps: {word}", f"Pass a beatmap with {word}.", f"score.mods & {mod}"


MEDALS = tuple(_medals())
IDS = {file: number for number, (file, _, _, _) in enumerate(MEDALS, start=1)}


def achievement_rows() -> Iterator[Row]:
    """Yield the rows of `achievements`."""
    for number, medal in enumerate(MEDALS, start=1):
        yield number, *medal


def user_achievement_rows(players: list[Player], scores: Scores, beatmaps: list[Beatmap]) -> Iterator[Row]:
    """Yield the rows of `user_achievements`: the medals that players have earned."""
    earned: dict[int, set[int]] = {}
    for score in scores:
        if score.passed:
            earned.setdefault(score.player, set()).update(_earned(score, beatmaps[score.beatmap]))
    for index, medals in sorted(earned.items()):
        for medal in sorted(medals):
            yield players[index].id, medal


def _earned(score: Score, beatmap: Beatmap) -> Iterator[int]:
    """Yield the ids of the medals that a passed score earns."""
    word, highest, _ = RULESETS[score.mode % 4]
    stars = int(beatmap.difficulty.stars)
    if 1 <= stars <= highest:
        if not score.mods & mods.NF:
            yield IDS[f"{word}-skill-pass-{stars}"]
        if score.perfect:
            yield IDS[f"{word}-skill-fc-{stars}"]
    if score.mode % 4 == 0:
        for combo in COMBOS:
            if score.combo >= combo:
                yield IDS[f"osu-combo-{combo}"]
    for intro, mod in INTROS.items():
        if score.mods & mod == mod:
            yield IDS[f"all-intro-{intro}"]
