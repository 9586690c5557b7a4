"""Replays."""

import base64
import logging
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from typing import Annotated

from msgspec import Meta
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.osu_v1.params import BeatmapNumber, ExactMods, UserParams
from api.osu_v1.scores import best_on_beatmap
from api.request.params import INT64
from api.response.encoded import JSONInParts, encode
from api.response.errors import JSON, OsuFailure, errors
from api.services import Services
from domain.errors import ErrorSpec
from domain.osu_v1 import OsuReplay
from replays.body import ByteLayout
from replays.conditional import names_etag
from replays.errors import BadReplay, NoReplay, StoreUnavailable
from replays.response import NO_CACHE, send_chunks
from replays.store import OpenReplay, find_frames
from storage.database import catalogue

log = logging.getLogger("apidot")

# In the words of the official API. The first one has the status 200 there too.
NOT_AVAILABLE = OsuFailure("Replay not available.")
NOT_RETRIEVED = ErrorSpec(503, "Replay retrieval failed.")

# What stands before the frames in the encoded response, and after them.
BEFORE, AFTER = encode(OsuReplay(content="*")).split(b"*")


class EncodedReplay(JSONInParts):
    """The frames of a replay in Base64, encoded while they are sent, however many there are."""

    sends = OsuReplay, OsuFailure

    def __init__(self, services: Services, score_id: int | None) -> None:
        super().__init__()
        self._services = services
        self._score_id = score_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if self._score_id is None:
                raise NoReplay
            async with self._services.replays.open(self._score_id) as file:
                await self._respond(self._score_id, file, scope, receive, send)
        except NoReplay:
            await JSON(NOT_AVAILABLE, headers=NO_CACHE)(scope, receive, send)
        except StoreUnavailable as error:
            headers = {"Retry-After": str(error.retry_after)}
            await JSON(OsuFailure(NOT_RETRIEVED.message), NOT_RETRIEVED.status, headers)(scope, receive, send)

    async def _respond(self, score_id: int, file: OpenReplay, scope: Scope, receive: Receive, send: Send) -> None:
        await self._require_visible(score_id)
        try:
            frames = await find_frames(file)
        except BadReplay as error:
            log.warning("%s in %s is no replay: %s", score_id, self._services.replays.name, error)
            raise NoReplay from error
        start, stop = frames.offset, frames.offset + frames.length
        # A strong one, although only the frames are in the file.
        etag = ByteLayout(head=BEFORE, start=start, stop=stop, tail=AFTER).etag(file.version)
        headers = {"etag": etag} | NO_CACHE
        if names_etag(Headers(scope=scope).get("if-none-match", ""), etag):
            await Response(status_code=304, headers=headers)(scope, receive, send)
            return
        length = len(BEFORE) + 4 * -(-frames.length // 3) + len(AFTER)
        headers |= {"content-type": str(self.media_type), "content-length": str(length)}
        await send({"type": "http.response.start", "status": 200, "headers": Headers(headers).raw})
        if scope["method"] == "GET":
            await send_chunks(_encoded(file, start, stop), receive, send)
        else:
            await send({"type": "http.response.body"})

    async def _require_visible(self, score_id: int) -> None:
        """Raise NoReplay unless the score exists and its player is visible."""
        visible = self._services.settings.visible
        score = await self._services.database.one(catalogue.replay_score, id=score_id, visible=visible)
        if score is None or score.player is None or not score.player.visible:
            raise NoReplay


async def _encoded(file: OpenReplay, start: int, stop: int) -> AsyncGenerator[bytes | memoryview, None]:
    yield BEFORE
    async with aclosing(file.chunks(start, stop)) as chunks:
        async for text in in_base64(chunks):
            yield text
    yield AFTER


async def in_base64(chunks: AsyncIterable[bytes | memoryview]) -> AsyncGenerator[bytes, None]:
    """Yield Base64 of the chunks as one text."""
    rest = b""
    async for chunk in chunks:
        data = rest + bytes(chunk)
        # Three bytes become four characters; what is left over comes before the next chunk.
        whole = len(data) - len(data) % 3
        rest = data[whole:]
        if whole:
            yield base64.b64encode(data[:whole])
    if rest:
        yield base64.b64encode(rest)


class ReplayParams(UserParams, frozen=True, kw_only=True):
    """Without `s`, `b` and `u` are needed; without them, or with an `id` that is not empty, the request is one for
    `/v1/get_replay`.
    """

    s: Annotated[int, Meta(ge=0, le=INT64, description="Score ID.")] = 0
    b: BeatmapNumber = 0
    mods: ExactMods | None = None


@errors(NOT_RETRIEVED)
async def get_replay(services: Services, params: ReplayParams) -> EncodedReplay:
    """The frames of the replay of a score, in Base64.

    The score is `s` or, of the player `u`, the first one on the board of the beatmap `b`. If it does not exist,
    its player is restricted or unverified, or no replay is stored, the response is
    `{"error":"Replay not available."}`.
    """
    score_id: int | None = params.s or None
    if score_id is None and params.u is not None:
        scores = await best_on_beatmap(services, params, params.b, params.mods, 1)
        score_id = scores[0].id if scores else None
    return EncodedReplay(services, score_id)
