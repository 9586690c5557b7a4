"""Calls of ossapi's OssapiV1."""

import json
import sys
from contextlib import suppress
from datetime import datetime
from typing import Any

from ossapi import OssapiV1, ReplayUnavailableException  # type: ignore[import-not-found]
from ossapi.ossapi import APIException, InvalidKeyException  # type: ignore[import-not-found]


def score(found: Any) -> dict[str, Any]:
    fields = {
        "id": found.replay_id,
        "beatmap": found.beatmap_id,
        "player": found.user_id,
        "score": found.score,
        "max_combo": found.max_combo,
        "n300": found.count_300,
        "n100": found.count_100,
        "n50": found.count_50,
        "nmiss": found.count_miss,
        "nkatu": found.count_katu,
        "ngeki": found.count_geki,
        "perfect": found.perfect,
        "mods": found.mods.value,
        "grade": found.rank,
        "played": found.date.isoformat(),
    }
    optional = {"name": found.username, "pp": found.pp, "replay": found.replay_available}
    return fields | {name: value for name, value in optional.items() if value is not None}


def player(found: Any) -> dict[str, Any] | None:
    if found == []:
        return None
    return {
        "id": found.user_id,
        "name": found.username,
        "joined": found.join_date.isoformat(),
        "hits": [found.count_300, found.count_100, found.count_50],
        "plays": found.playcount,
        "rscore": found.ranked_score,
        "tscore": found.total_score,
        "rank": found.rank,
        "country_rank": found.country_rank,
        "level": found.level,
        "pp": found.pp_raw,
        "acc": found.accuracy,
        "grades": [
            found.count_rank_ssh,
            found.count_rank_ss,
            found.count_rank_sh,
            found.count_rank_s,
            found.count_rank_a,
        ],
        "country": found.country,
        "playtime": found.seconds_played,
        "events": found.events,
    }


def beatmap(found: Any) -> dict[str, Any]:
    return {
        "id": found.beatmap_id,
        "set": found.beatmapset_id,
        "md5": found.beatmap_hash,
        "approved": int(found.approved),
        "artist": found.artist,
        "title": found.title,
        "version": found.version,
        "creator": found.creator,
        "creator_id": found.creator_id,
        "source": found.source,
        "tags": found.tags,
        "updated": found.last_update.isoformat(),
        "approved_at": found.approved_date and found.approved_date.isoformat(),
        "length": int(found.total_length),
        "max_combo": found.max_combo,
        "plays": found.playcount,
        "passes": found.passcount,
        "mode": found.mode,
        "bpm": float(found.bpm),
        "cs": found.circle_size,
        "ar": found.approach_rate,
        "od": found.overrall_difficulty,
        "hp": found.health,
        "stars": found.star_rating,
        "objects": [found.count_hitcircles, found.count_sliders, found.count_spinners],
        "favourites": found.favourite_count,
        "rating": found.rating,
        "downloadable": not found.download_unavailable,
    }


def replay(api: Any, **search: Any) -> str | None:
    with suppress(ReplayUnavailableException):
        return str(api.get_replay(**search))
    return None


def match(api: Any, number: int) -> str | None:
    # For the response that osu! gives too, ossapi has no error of its own.
    with suppress(TypeError):
        return str(api.get_match(number))
    return None


def answers(api: Any, ask: dict[str, Any]) -> dict[str, Any]:
    mode, number, name = ask["mode"], ask["player"], ask["name"]
    board = {"beatmap_id": ask["beatmap"], "mode": mode}
    since = datetime.fromisoformat(ask["since"])
    return {
        "player": player(api.get_user(number, mode, "id", 7)),
        "player_by_name": player(api.get_user(name, mode, "string")),
        "player_either": player(api.get_user(name, mode)),
        "nobody": player(api.get_user(ask["unknown"], mode)),
        "best": [score(each) for each in api.get_user_best(number, mode, 100, "id")],
        "best_default": [score(each) for each in api.get_user_best(name, mode)],
        "recent": [score(each) for each in api.get_user_recent(number, mode, 50, "id")],
        "board": [score(each) for each in api.get_scores(**board, limit=100)],
        "board_of_player": [score(each) for each in api.get_scores(**board, user=name, user_type="string")],
        "board_with_mods": [score(each) for each in api.get_scores(**board, mods=ask["mods"])],
        "no_board": [score(each) for each in api.get_scores(2_000_000_000, mode=mode)],
        "beatmap": [beatmap(each) for each in api.get_beatmaps(beatmap_id=ask["beatmap"])],
        "beatmap_by_md5": [beatmap(each) for each in api.get_beatmaps(beatmap_hash=ask["md5"])],
        "set": [beatmap(each) for each in api.get_beatmaps(beatmapset_id=ask["set"], include_converts=1)],
        "creator": [beatmap(each) for each in api.get_beatmaps(user=ask["creator"], user_type="string")],
        "since": [beatmap(each) for each in api.get_beatmaps(since=since, mode=mode, limit=20)],
        "match": match(api, 1),
        "replay": replay(api, beatmap_id=ask["beatmap"], user=number, mode=mode, user_type="id"),
        "replay_with_mods": replay(api, beatmap_id=ask["beatmap"], user=name, mode=mode, mods=ask["mods"]),
        "replay_of_score": replay(api, score_id=ask["score"], mode=mode),
        "no_replay": replay(api, score_id=ask["score_without_replay"]),
    }


def main(site: str, key: str, questions: str) -> Any:
    OssapiV1.BASE_URL = f"{site}/api/"
    OssapiV1.RATELIMIT_REFRESH = 1
    api = OssapiV1(key)
    try:
        return [answers(api, ask) for ask in json.loads(questions)]
    except InvalidKeyException:
        return {"refused": "key"}
    except APIException as error:
        return {"refused": str(error)}


print(json.dumps(main(*sys.argv[1:])))
