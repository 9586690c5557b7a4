"""Calls of Circleguard, which asks through ossapi 4. It knows the mode osu! alone."""

import json
import sys
from contextlib import suppress
from typing import Any

from circleguard import (  # type: ignore[import-not-found]
    Circleguard,
    Map,
    MapUser,
    Mod,
    NoInfoAvailableException,
    ReplayMap,
    ReplayPath,
    User,
)
from ossapi import OssapiV1  # type: ignore[import-not-found]
from ossapi.ossapi import APIException, InvalidKeyException  # type: ignore[import-not-found]


def frames(data: Any) -> list[list[float]] | None:
    return None if data is None else [[each.time_delta, each.x, each.y, int(each.keys)] for each in data]


def score(found: Any) -> dict[str, Any]:
    """Return the fields of a replay before its data is loaded."""
    fields = {
        "id": found.replay_id,
        "beatmap": found.beatmap_id,
        "player": found.user_id,
        "mods": found.mods.value,
        "played": found.timestamp.isoformat(),
    }
    return fields | ({"name": found.username} if found.username else {})


def loaded(guard: Any, found: Any) -> dict[str, Any]:
    guard.load(found)
    whole = {
        "score": found.score,
        "max_combo": found.max_combo,
        "n300": found.count_300,
        "n100": found.count_100,
        "n50": found.count_50,
        "nmiss": found.count_miss,
        "nkatu": found.count_katu,
        "ngeki": found.count_geki,
        "perfect": found.is_perfect_combo,
        "pp": found.pp,
    }
    return score(found) | whole


def unknown_beatmap(guard: Any, number: int) -> list[Any]:
    found = Map(number, span="1-5")
    with suppress(NoInfoAvailableException):
        guard.load_info(found)
        raise AssertionError("Circleguard has found an unknown beatmap.")
    return list(found)


def calculated(guard: Any, found: Any, other: Any) -> dict[str, Any]:
    return {
        "frametime": guard.frametime(found),
        "unconverted_frametime": guard.frametime(found, cv=False),
        "similarity": guard.similarity(found, other),
        "frametimes": len(guard.frametimes(found)),
    }


def answers(guard: Any, ask: dict[str, Any]) -> dict[str, Any]:
    number, beatmap = ask["player"], ask["beatmap"]
    found, other = ReplayMap(beatmap, number), ReplayMap(ask["rival_beatmap"], ask["rival"])
    with_mods = ReplayMap(beatmap, number, mods=Mod(ask["mods"]))
    without = ReplayMap(ask["beatmap_without_replay"], number)
    board, best = Map(beatmap, span="1-100"), User(number, span="1-100")
    own, mods_alone = MapUser(beatmap, number), Map(beatmap, span="1-100", mods=Mod(ask["mods"]))
    for container in (board, best, own, mods_alone):
        guard.load_info(container)
    guard.load(without)
    from_file = ReplayPath(ask["file"])
    guard.load(from_file)
    loader = guard.loader
    return {
        "score": loaded(guard, found),
        "frames": frames(found.replay_data),
        **calculated(guard, found, other),
        "of_files": calculated(guard, from_file, ReplayPath(ask["rival_file"])),
        "score_with_mods": loaded(guard, with_mods),
        "frames_with_mods": frames(with_mods.replay_data),
        "frames_of_score": frames(loader.replay_data_from_id(ask["score"], False)),
        "no_frames": frames(without.replay_data),
        "board": [score(each) for each in board],
        # Circleguard leaves out those whose replay the API says is not there.
        "best_with_replay": [score(each) for each in best],
        "board_of_player": [score(each) for each in own],
        "board_with_mods": [score(each) for each in mods_alone],
        "no_board": unknown_beatmap(guard, 2_000_000_000),
        "ids_of_file": [from_file.user_id, from_file.beatmap_id],
        "ids_of_unknown": [loader.user_id(ask["unknown"]), loader.beatmap_id("0" * 32)],
        "name_of_player": loader.username(number),
    }


def main(site: str, key: str, questions: str) -> Any:
    OssapiV1.BASE_URL = f"{site}/api/"
    OssapiV1.RATELIMIT_REFRESH = 1
    guard = Circleguard(key)
    try:
        return [answers(guard, ask) for ask in json.loads(questions) if ask["mode"] == 0]
    except InvalidKeyException:
        return {"refused": "key"}
    except APIException as error:
        return {"refused": str(error)}


print(json.dumps(main(*sys.argv[1:])))
