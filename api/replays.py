"""Replays: the files that the game client wrote, as anybody's client reads them."""

from datetime import datetime

import msgspec
from starlette.responses import Response

from api.params import ScoreID
from api.services import Services
from domain.errors import Refusal
from domain.replays import ReplayScore
from replays.body import Wrapping
from replays.errors import NoReplay
from replays.names import file_name
from replays.osr import Replay
from replays.response import ReplayResponse
from storage import catalogue


class ReplayParams(msgspec.Struct, frozen=True, kw_only=True):
    """Whose replay; without headers it is the bare frames."""

    id: ScoreID
    include_headers: bool = True


async def get_replay(services: Services, params: ReplayParams) -> Response:
    """The replay of a score: an .osr file, or the frames alone as the game client sent them."""
    return replay(services, params)


def replay(services: Services, params: ReplayParams, media_type: str | None = None) -> Response:
    """What `params` ask for, as that type."""

    async def find_wrapping() -> Wrapping | None:
        score = await services.database.one(
            catalogue.replay_score, id=params.id, visible=services.settings.visible
        )
        if score and score.player and not score.player.visible:
            raise NoReplay
        return _wrapping(score) if params.include_headers else None

    location = services.settings.nginx_replays
    return ReplayResponse(services.replays, params.id, find_wrapping, media_type, nginx_location=location)


def _wrapping(score: ReplayScore | None) -> Wrapping:
    if score is None or score.player is None or score.beatmap is None:
        raise Refusal(404, "Score not found.")
    # As the format has it where there is no time.
    played_at = score.play_time or datetime.min
    replay = Replay.of(
        score_id=score.id,
        mode=score.mode,
        beatmap_md5=score.beatmap.md5,
        player_name=score.player.name,
        n300=score.n300,
        n100=score.n100,
        n50=score.n50,
        ngeki=score.ngeki,
        nkatu=score.nkatu,
        nmiss=score.nmiss,
        score=score.score,
        max_combo=score.max_combo,
        perfect=score.perfect,
        mods=score.mods,
        grade=score.grade,
        played_at=played_at,
    )
    name = file_name(
        player=score.player.name,
        artist=score.beatmap.artist,
        title=score.beatmap.title,
        version=score.beatmap.version,
        day=played_at,
    )
    return Wrapping(replay=replay, name=name)
