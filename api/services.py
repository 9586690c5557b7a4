"""What the handlers work with."""

import msgspec

from api.neighbours import Neighbours
from domain import v2
from domain.beatmaps import Beatmap
from domain.live import Live
from domain.settings import Settings
from replays.places import Place
from storage.avatars import Avatars
from storage.beatmap_files import BeatmapFiles
from storage.beatmaps import Beatmaps
from storage.boards import Boards
from storage.edits import Edits
from storage.engine import Engine
from storage.keys import Keys
from storage.limits import Limits
from storage.pages import Pages
from storage.query import Database
from storage.ranks import Ranks
from storage.upstream import Upstream


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """Everything outside the process, opened once at start."""

    settings: Settings
    database: Database
    ranks: Ranks
    live: Live
    beatmaps: Beatmaps[Beatmap]
    v2_beatmaps: Beatmaps[v2.Beatmap]
    pages: Pages
    boards: Boards
    upstream: Upstream | None
    replays: Place
    keys: Keys
    limits: Limits | None
    beatmap_files: BeatmapFiles
    engine: Engine
    avatars: Avatars
    edits: Edits
    neighbours: Neighbours
