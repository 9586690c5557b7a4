"""Replays of known scores as .osr files, and what a reader must return for them."""

import lzma
from collections.abc import Iterable
from datetime import datetime
from pathlib import PurePath
from typing import Any

import msgspec

from demo.load import Rows
from demo.world import World
from tests.support import conformance
from tests.support.osr import parse, written

Row = dict[str, Any]
Frame = tuple[int, float, float, int]  # ms since the frame before, x, y, keys

MIRROR = 1 << 30
SAME_NAMES = ("n300", "n100", "n50", "ngeki", "nkatu", "nmiss", "score", "max_combo", "mods")


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A score's row, the name of its player, and its frames as the game server stored them."""

    score: Row
    player: str
    stored: bytes

    @property
    def whole(self) -> bytes:
        row = self.score
        return written(
            self.stored,
            **{name: row[name] for name in (*SAME_NAMES, "mode", "perfect", "grade")},
            score_id=row["id"],
            beatmap_md5=row["map_md5"],
            player_name=self.player,
            played_at=datetime.fromisoformat(row["play_time"]),
        )

    def fields(self) -> Row:
        """Return the fields of the header and the trailer, as they follow from the row."""
        row = self.score
        return {name: row[name] for name in SAME_NAMES} | {
            "mode": row["mode"] % 4,
            "game_version": 20200207,
            "beatmap_md5": row["map_md5"],
            "player_name": self.player,
            "replay_md5": parse(self.whole)[0].replay_md5,
            "perfect": bool(row["perfect"]),
            "life_bar": "",
            "played_at": datetime.fromisoformat(row["play_time"]).isoformat(),
            "score_id": row["id"],
            "mods_but_mirror": row["mods"] & ~MIRROR,
        }

    def frames(self) -> list[Frame]:
        """Return all frames of the stored text. The last one is the seed."""
        text = lzma.decompress(self.stored).decode("ascii")
        frames = [frame.split("|") for frame in text.split(",") if frame]
        return [(int(w), float(x), float(y), int(keys)) for w, x, y, keys in frames]


def samples(tables: Iterable[Rows], files: Iterable[tuple[str, bytes]]) -> list[Sample]:
    """Return every file `…/<score id>.osr` whose score, player and beatmap are in the tables."""
    world = {
        name: [dict(zip(columns, row, strict=True)) for row in rows]
        for name, columns, rows in tables
        if name in ("scores", "users", "maps")
    }
    scores = {row["id"]: row for row in world["scores"]}
    players = {row["id"]: row["name"] for row in world["users"]}
    beatmaps = {row["md5"] for row in world["maps"]}
    stored = {int(PurePath(name).stem): data for name, data in files if name.endswith(".osr")}
    return [
        Sample(score=scores[number], player=players[scores[number]["userid"]], stored=stored[number])
        for number in sorted(stored)
        if number in scores and scores[number]["map_md5"] in beatmaps
    ]


def recorded() -> list[Sample]:
    """Return the replays of the recorded world."""
    folder = conformance.WORLD / "osr"
    return samples(conformance.tables(), ((file.name, file.read_bytes()) for file in folder.iterdir()))


def demo() -> list[Sample]:
    """Return the replays of the demo world."""
    world = World()
    return samples(world.tables(), world.files())
