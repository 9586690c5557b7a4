"""Calls of aiosu's client of version 1."""

import asyncio
import json
import sys
from contextlib import suppress
from typing import Any

import pydantic
from aiosu.exceptions import APIException  # type: ignore[import-not-found]
from aiosu.models import Mods  # type: ignore[import-not-found]
from aiosu.v1 import Client  # type: ignore[import-not-found]


def score(found: Any) -> dict[str, Any]:
    return {
        "id": found.id,
        **({"beatmap": found.beatmap_id} if found.beatmap_id else {}),
        "player": found.user_id,
        "score": found.score,
        "max_combo": found.max_combo,
        "n300": found.statistics.count_300,
        "n100": found.statistics.count_100,
        "n50": found.statistics.count_50,
        "nmiss": found.statistics.count_miss,
        "nkatu": found.statistics.count_katu,
        "ngeki": found.statistics.count_geki,
        "perfect": found.perfect,
        "mods": found.mods.bitwise,
        "grade": found.rank,
        "played": found.created_at.isoformat() + "+00:00",
        "passed": found.passed,
    }


def rated(found: Any) -> dict[str, Any]:
    """Return the fields of a score in a response that has its pp."""
    return score(found) | {"pp": found.pp, "replay": found.replay}


def player(found: Any) -> dict[str, Any]:
    stats = found.statistics
    grades = stats.grade_counts
    return {
        "id": found.id,
        "name": found.username,
        "joined": found.join_date.isoformat() + "+00:00",
        "hits": [stats.count_300, stats.count_100, stats.count_50],
        "plays": stats.play_count,
        "rscore": stats.ranked_score,
        "tscore": stats.total_score,
        "rank": stats.global_rank,
        "country_rank": stats.country_rank,
        "whole_level": stats.level.current,
        "pp": stats.pp,
        "acc": stats.hit_accuracy,
        "grades": [grades.ssh, grades.ss, grades.sh, grades.s, grades.a],
        "country": found.country_code,
        "playtime": stats.play_time,
    }


def beatmap(found: Any) -> dict[str, Any]:
    (level,) = found.beatmaps
    return {
        "id": level.id,
        "set": found.id,
        "md5": level.checksum,
        "approved": level.status.value,
        "artist": found.artist,
        "title": found.title,
        "version": level.version,
        "creator": found.creator,
        "creator_id": found.user_id,
        "source": found.source,
        "tags": found.tags,
        "updated": found.last_updated.isoformat() + "+00:00",
        "approved_at": found.ranked_date and found.ranked_date.isoformat() + "+00:00",
        "length": level.total_length,
        "max_combo": level.max_combo,
        "plays": level.play_count,
        "passes": level.passcount,
        "mode": int(level.mode),
        "bpm": level.bpm,
        "cs": level.cs,
        "ar": level.ar,
        "od": level.accuracy,
        "hp": level.drain,
        "stars": level.difficulty_rating,
        "objects": [level.count_circles, level.count_sliders, level.count_spinners],
        "favourites": found.favourite_count,
    }


async def player_or_none(api: Any, query: str) -> dict[str, Any] | None:
    # aiosu's own error: it has the status 404 for a response of 200 with an empty list.
    try:
        return player(await api.get_user(query))
    except APIException as error:
        if error.status != 404:
            raise
        return None


async def replay_or_none(api: Any, **search: Any) -> str | None:
    # For the response that osu! gives too, aiosu has no error of its own.
    with suppress(pydantic.ValidationError):
        found = await api.get_replay(**search)
        assert found.encoding == "base64"
        return str(found.content)
    return None


async def match_or_none(api: Any, number: int) -> str | None:
    with suppress(pydantic.ValidationError):
        return str(await api.get_match(number))
    return None


async def answers(api: Any, ask: dict[str, Any]) -> dict[str, Any]:
    mode, number, name, mods = ask["mode"], ask["player"], ask["name"], Mods(ask["mods"])
    by_id, by_name = {"mode": mode, "qtype": "id"}, {"mode": mode, "qtype": "string"}
    board = {"beatmap_id": ask["beatmap"], "mode": mode}
    best, recent = api.get_user_bests, api.get_user_recents
    return {
        "player": player(await api.get_user(number, **by_id)),
        "player_by_name": player(await api.get_user(name, **by_name)),
        "player_either": player(await api.get_user(name, mode=mode)),
        "nobody": await player_or_none(api, ask["unknown"]),
        "best": [rated(each) for each in await best(number, **by_id)],
        "best_default": [rated(each) for each in await best(name, mode=mode, limit=10)],
        "recent": [score(each) for each in await recent(number, **by_id)],
        "board": [rated(each) for each in await api.get_beatmap_scores(**board, limit=100)],
        "board_of_player": [
            rated(each) for each in await api.get_beatmap_scores(**board, user_query=name, qtype="string")
        ],
        "board_with_mods": [rated(each) for each in await api.get_beatmap_scores(**board, mods=mods)],
        "no_board": await api.get_beatmap_scores(2_000_000_000, mode=mode),
        "beatmap": [
            beatmap(each) for each in await api.get_beatmap(beatmap_id=ask["beatmap"], mode=ask["beatmap_mode"])
        ],
        "beatmap_by_md5": [
            beatmap(each) for each in await api.get_beatmap(hash=ask["md5"], mode=ask["beatmap_mode"])
        ],
        "set_in_mode": [
            beatmap(each) for each in await api.get_beatmap(beatmapset_id=ask["set"], mode=mode, converts=True)
        ],
        "creator_in_mode": [
            beatmap(each) for each in await api.get_beatmap(user_query=ask["creator"], qtype="string", mode=mode)
        ],
        "since": [beatmap(each) for each in await api.get_beatmap(since=ask["since"], mode=mode, limit=20)],
        "match": await match_or_none(api, 1),
        "replay": await replay_or_none(api, **board, user_query=number, qtype="id"),
        "replay_with_mods": await replay_or_none(api, **board, user_query=name, mods=mods),
        "replay_of_score": await replay_or_none(api, score_id=ask["score"], mode=mode),
        "no_replay": await replay_or_none(api, score_id=ask["score_without_replay"]),
    }


async def main(site: str, key: str, questions: str) -> Any:
    async with Client(key, base_url=site) as api:
        try:
            return [await answers(api, ask) for ask in json.loads(questions)]
        except APIException as error:
            return {"refused": str(error)}


print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
