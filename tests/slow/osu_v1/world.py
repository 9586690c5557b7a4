"""The rows of a demo world, and what clients must say of them."""

import base64
import math
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import ANY

from demo.build import DATABASE
from tests.support.replay_samples import Frame, Sample

Row = dict[str, Any]

# Of players (everyone has verified the account, and is not restricted), and of beatmaps (ranked or approved).
VISIBLE, AWARDS_PP = "(u.priv & 3) = 3", "m.status IN (2, 3)"
FOR_SURE_NOBODY = "nobody has this name"
# Halves the time between frames, or doubles it; Nightcore is not among the chosen scores.
DOUBLE_TIME, NIGHTCORE, HALF_TIME = 64, 512, 256
APPROVED = {2: 1, 3: 2, 4: 3, 5: 4}
# The words of node-osu and of osu-web.js.
APPROVALS = ("Pending", "Ranked", "Approved", "Qualified", "Loved")
MODES, MODE_WORDS = ("Standard", "Taiko", "Catch the Beat", "Mania"), ("osu", "taiko", "fruits", "mania")


class World:
    """The demo world in a folder."""

    def __init__(self, folder: Path) -> None:
        self._database = folder / DATABASE
        self._replays = folder / "osr"

    def rows(self, statement: str, *values: Any) -> list[Row]:
        """Return the rows of a statement, by the names of its columns."""
        with closing(sqlite3.connect(self._database)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(statement, values)]

    def replay(self, score: int) -> bytes | None:
        """Return the stored frames of a score."""
        file = self._replays / f"{score}.osr"
        return file.read_bytes() if file.exists() else None

    def sample(self, score: int) -> Sample:
        """Return a score with its replay."""
        (row,) = self.rows("SELECT * FROM scores WHERE id = ?", score)
        (player,) = self.rows("SELECT name FROM users WHERE id = ?", row["userid"])
        stored = self.replay(score)
        assert stored is not None
        return Sample(score=row, player=player["name"], stored=stored)

    def question(self, mode: int) -> Row:
        """Return what clients ask: about a player with many scores in the mode, and one of them with a replay."""
        bests = self.rows(
            "SELECT s.id, s.userid, s.mods, s.map_md5, u.name,"
            " m.id AS beatmap, m.set_id, m.creator, m.mode AS made"
            " FROM scores s JOIN users u ON u.id = s.userid JOIN maps m ON m.md5 = s.map_md5"
            f" WHERE s.mode = ? AND s.status = 2 AND {VISIBLE} AND {AWARDS_PP} ORDER BY s.id",
            mode,
        )
        replays = [row for row in bests if self.replay(row["id"]) is not None]
        candidates = [row for row in replays if row["mods"] and not row["mods"] & NIGHTCORE]
        chosen = max(candidates, key=lambda row: sum(other["userid"] == row["userid"] for other in bests))
        rival = next(row for row in replays if row["userid"] != chosen["userid"])
        own = (row for row in bests if row["userid"] == chosen["userid"])
        without = next(row for row in own if self.replay(row["id"]) is None)
        updates = self.rows("SELECT last_update FROM maps WHERE mode = ? ORDER BY last_update", mode)
        return {
            "mode": mode,
            "player": chosen["userid"],
            "name": chosen["name"],
            "unknown": FOR_SURE_NOBODY,
            "score": chosen["id"],
            "mods": chosen["mods"],
            "beatmap": chosen["beatmap"],
            "beatmap_mode": chosen["made"],
            "set": chosen["set_id"],
            "md5": chosen["map_md5"],
            "creator": chosen["creator"],
            "since": updates[len(updates) // 2]["last_update"].replace(" ", "T"),
            "score_without_replay": without["id"],
            "beatmap_without_replay": without["beatmap"],
            "rival": rival["userid"],
            "rival_score": rival["id"],
            "rival_beatmap": rival["beatmap"],
        }

    def answers(self, ask: Row) -> Row:
        """Return what the database holds about a question, by the names of the clients' answers."""
        mode, player, mods = ask["mode"], self.player(ask["player"], ask["mode"]), ask["mods"]
        board = self.board(ask["md5"], mode)
        best, recent = self.best(ask["player"], mode), self.recent(ask["player"], mode)
        beatmap = self.beatmaps("m.id = ?", ask["beatmap"])
        since = ("m.last_update > ? AND m.status IN (2, 3, 5)", ask["since"].replace("T", " "))
        stored, frames = self.replay(ask["score"]), self.sample(ask["score"]).frames()
        assert stored is not None
        replay = base64.b64encode(stored).decode()
        chosen = next(score for score in board if score["id"] == ask["score"])
        return {
            "player": player,
            "player_by_name": player,
            "player_either": player,
            "nobody": None,
            "best": best[:100],
            "best_default": best[:10],
            "best_with_replay": [score for score in best[:100] if score["replay"]],
            "best_complete": best[0]
            | {
                "beatmap_title": self.beatmaps("m.id = ?", best[0]["beatmap"])[0]["title"],
                "has_accuracy": True,
            },
            "mods_of_best": [best[0]["mods"]],
            "recent": recent[:50],
            "board": board[:100],
            "board_of_player": [score for score in board if score["player"] == ask["player"]],
            "board_with_mods": [score for score in board if score["mods"] == mods],
            "no_board": [],
            "beatmap": beatmap,
            "beatmap_by_md5": beatmap,
            "set": self.beatmaps("m.set_id = ?", ask["set"]),
            "set_in_mode": self.beatmaps("m.set_id = ? AND m.mode = ?", ask["set"], mode),
            "creator": self.beatmaps("m.creator = ?", ask["creator"]),
            "creator_in_mode": self.beatmaps("m.creator = ? AND m.mode = ?", ask["creator"], mode),
            "since": self.beatmaps(f"{since[0]} AND m.mode = ?", since[1], mode)[:20],
            "since_in_any_mode": self.beatmaps(*since)[:20],
            "match": None,
            "replay": replay,
            "replay_with_mods": replay,
            "replay_either": replay,
            "replay_of_score": replay,
            "no_replay": None,
            "raw": [ask["name"]],
            # Circleguard's.
            "score": chosen,
            "score_with_mods": chosen,
            "frames": [list(frame) for frame in frames[:-1]],
            "frames_with_mods": [list(frame) for frame in frames[:-1]],
            "frames_of_score": [list(frame) for frame in frames[:-1]],
            "no_frames": None,
            "frametime": frametime(frames, mods),
            "unconverted_frametime": frametime(frames, 0),
            "similarity": ANY,
            "frametimes": ANY,
            "ids_of_file": [ask["player"], ask["beatmap"]],
            "ids_of_unknown": [0, 0],
            "name_of_player": ask["name"],
        }

    def player(self, player: int, mode: int) -> Row:
        """Return a player. Ranks are by pp, and of players with the same pp, the greater id as text is first."""
        ranked = self.rows(
            "SELECT s.*, u.name, u.country AS land, u.creation_time FROM stats s JOIN users u ON u.id = s.id"
            f" WHERE s.mode = ? AND s.pp > 0 AND {VISIBLE}",
            mode,
        )
        ranked.sort(key=lambda row: (row["pp"], str(row["id"])), reverse=True)
        row = next(row for row in ranked if row["id"] == player)
        level = level_of(row["tscore"])
        return {
            "id": player,
            "name": row["name"],
            "joined": datetime.fromtimestamp(row["creation_time"], UTC).isoformat(),
            "hits": [0, 0, 0],
            "plays": row["plays"],
            "rscore": row["rscore"],
            "tscore": row["tscore"],
            "rank": ranked.index(row) + 1,
            "country_rank": [each for each in ranked if each["land"] == row["land"]].index(row) + 1,
            "level": math.floor(level * 10_000) / 10_000,
            "whole_level": int(level),
            "pp": row["pp"],
            "acc": row["acc"],
            "grades": [row[f"{grade}_count"] for grade in ("xh", "x", "sh", "s", "a")],
            "country": row["land"].upper(),
            "playtime": row["playtime"],
            "events": [],
        }

    def best(self, player: int, mode: int) -> list[Row]:
        where = f"s.userid = ? AND s.mode = ? AND s.status = 2 AND {AWARDS_PP}"
        return [self.score(row) for row in self._scores(where, "s.pp DESC, s.id DESC", player, mode)]

    def recent(self, player: int, mode: int) -> list[Row]:
        rows = self._scores("s.userid = ? AND s.mode = ?", "s.play_time DESC, s.id DESC", player, mode)
        failed = {"id": None, "grade": "F", "passed": False}
        return [self.score(row) | (failed if row["status"] == 0 else {}) for row in rows]

    def board(self, md5: str, mode: int) -> list[Row]:
        where = f"s.map_md5 = ? AND s.mode = ? AND s.status = 2 AND {VISIBLE}"
        return [self.score(row) for row in self._scores(where, "s.score DESC, s.id", md5, mode)]

    def _scores(self, where: str, order: str, *values: Any) -> list[Row]:
        return self.rows(
            "SELECT s.*, u.name, m.id AS beatmap FROM scores s JOIN users u ON u.id = s.userid"
            f" JOIN maps m ON m.md5 = s.map_md5 WHERE {where} ORDER BY {order}",
            *values,
        )

    def score(self, row: Row) -> Row:
        counts = ("score", "max_combo", "n300", "n100", "n50", "nmiss", "nkatu", "ngeki", "mods", "pp")
        return {name: row[name] for name in ("id", "beatmap", "name", "grade", *counts)} | {
            "player": row["userid"],
            "perfect": bool(row["perfect"]),
            "played": utc(row["play_time"]),
            "passed": True,
            "replay": self.replay(row["id"]) is not None,
        }

    def beatmaps(self, where: str, *values: Any) -> list[Row]:
        rows = self.rows(
            "SELECT m.*, (SELECT COUNT(*) FROM favourites f JOIN users u ON u.id = f.userid"
            f" WHERE f.setid = m.set_id AND {VISIBLE}) AS favourites,"
            " (SELECT AVG(r.rating) FROM ratings r JOIN users u ON u.id = r.userid"
            f" WHERE r.map_md5 = m.md5 AND {VISIBLE}) AS rating"
            f" FROM maps m WHERE {where} ORDER BY m.set_id DESC, m.id",
            *values,
        )
        return [self.beatmap(row) for row in rows]

    def beatmap(self, row: Row) -> Row:
        approved = APPROVED.get(row["status"], 0)
        same = ("id", "md5", "artist", "title", "version", "creator", "max_combo", "plays", "passes", "mode")
        return {name: row[name] for name in (*same, "bpm", "cs", "ar", "od", "hp", "favourites")} | {
            "set": row["set_id"],
            "creator_id": 0,
            "approved": approved,
            "approval": APPROVALS[approved],
            "approval_word": APPROVALS[approved].lower(),
            "mode_name": MODES[row["mode"]],
            "mode_word": MODE_WORDS[row["mode"]],
            "source": "",
            "tags": "",
            "updated": utc(row["last_update"]),
            "approved_at": utc(row["last_update"]) if approved else None,
            "length": row["total_length"],
            "stars": row["diff"],
            "objects": [0, 0, 0],
            "rating": row["rating"] or 0,
            "downloadable": True,
        }


def utc(stored: str) -> str:
    return f"{stored.replace(' ', 'T')}+00:00"


def level_of(score: int) -> float:
    """Return the level of a total score, between two levels in proportion.

    https://osu.ppy.sh/wiki/en/Gameplay/Score/Total_score
    """

    def least(level: int) -> float:
        if level == 1:
            return 0
        if level > 100:
            return 26_931_190_829 + 1e11 * (level - 100)
        return 5000 / 3 * (4 * level**3 - 3 * level**2 - level) + 1.25 * 1.8 ** (level - 60)

    level = next(level for level in range(1, 10_000) if least(level + 1) > score)
    return level + (score - least(level)) / (least(level + 1) - least(level))


def frametime(frames: Sequence[Frame], mods: int) -> float:
    """Return the median time between frames in ms, in the time of the player with the mods.

    Without the frames before the song, the skip and the seed.
    """
    between = median(frame[0] for frame in frames[3:-1])
    return between / 1.5 if mods & DOUBLE_TIME else between / 0.75 if mods & HALF_TIME else between
