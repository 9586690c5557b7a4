"""The demo world is deterministic, consistent, and never overwrites anything."""

import lzma
import os
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from hashlib import md5
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from demo.build import DATABASE, UNFINISHED, build
from demo.command import demo
from demo.load import WorldExists, load_sqlite, write_files
from demo.schema import SCHEMA, columns, statements
from demo.users import DEMO_KEYS
from demo.world import Sizes, World

SMALL = Sizes(players=60, beatmaps=60, scores=2000, replays=24)
BUILD = "import sys, tests.demo.test_demo as t; t.build(t.Path(sys.argv[1]), 7, t.SMALL)"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    build(folder, 7, SMALL)
    return folder


@pytest.fixture(scope="module")
def world(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def rows(world: sqlite3.Connection, statement: str) -> list[dict[str, Any]]:
    return [dict(row) for row in world.execute(statement)]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_seed_gives_the_same_bytes_with_any_hash_seed(folder: Path, tmp_path: Path) -> None:
    for hash_seed in ("1", "2"):
        command = [sys.executable, "-c", BUILD, str(tmp_path / hash_seed)]
        subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": hash_seed}, check=True)
        assert contents(tmp_path / hash_seed) == contents(folder)


def test_options_of_the_database_url_are_refused() -> None:
    result = CliRunner().invoke(demo, ["--database", "mysql://user:geheim@db.example/bancho?ssl=required"])
    assert result.exit_code == 2
    assert "--database takes no options such as ?ssl=required" in result.output
    assert "geheim" not in result.output


def test_another_seed_gives_another_world(folder: Path, tmp_path: Path) -> None:
    build(tmp_path, 8, SMALL)
    assert contents(tmp_path)[DATABASE] != contents(folder)[DATABASE]


def test_scores_are_in_order_and_one_of_each_player_map_and_mode_is_the_best(world: sqlite3.Connection) -> None:
    scores = rows(world, "SELECT * FROM scores ORDER BY id")
    assert [score["id"] for score in scores] == list(range(1, SMALL.scores + 1))
    assert [score["play_time"] for score in scores] == sorted(score["play_time"] for score in scores)
    assert all((score["status"] == 0) == (score["grade"] == "F") for score in scores)
    passed = [score for score in scores if score["status"]]
    passed.sort(key=leaderboard)
    for _, group in groupby(passed, leaderboard):
        own = list(group)
        best = [score["pp"] for score in own if score["status"] == 2]
        assert best == [max(score["pp"] for score in own)]


def leaderboard(score: dict[str, Any]) -> tuple[int, str, int]:
    return score["userid"], score["map_md5"], score["mode"]


def test_every_player_has_stats_in_every_mode_and_they_agree_with_the_scores(world: sqlite3.Connection) -> None:
    scores: dict[tuple[int, int], list[dict[str, Any]]] = {}
    query = "SELECT s.*, m.status AS ranked FROM scores s LEFT JOIN maps m ON m.md5 = s.map_md5"
    for score in rows(world, query + " ORDER BY s.pp DESC, s.id"):
        scores.setdefault((score["userid"], score["mode"]), []).append(score)
    everybody = [user["id"] for user in rows(world, "SELECT id FROM users")]
    stats = rows(world, "SELECT * FROM stats")
    assert {(own["id"], own["mode"]) for own in stats} == {(i, m) for i in everybody for m in (*range(7), 8)}
    for own in stats:
        expected = expected_stats(own["mode"], scores.get((own["id"], own["mode"]), []))
        assert {key: own[key] for key in expected} == pytest.approx(expected, abs=0.0011)


def expected_stats(mode: int, played: list[dict[str, Any]]) -> dict[str, float]:
    best = [score for score in played if score["status"] == 2 and score["ranked"] in (2, 3)]
    hits = ("n300", "n100", "n50", "ngeki", "nkatu") if mode in (1, 3, 5) else ("n300", "n100", "n50")
    weights = [0.95**place for place in range(len(best))]
    accuracies = [score["acc"] * weight for score, weight in zip(best, weights, strict=True)]
    return {
        "plays": len(played),
        "tscore": sum(score["score"] for score in played),
        "rscore": sum(score["score"] for score in best),
        "pp": round(sum(score["pp"] * weight for score, weight in zip(best, weights, strict=True))),
        "acc": sum(accuracies[:100]) / sum(weights[:100]) if best else 0.0,
        "max_combo": max((score["max_combo"] for score in played if score["status"]), default=0),
        "total_hits": sum(score[hit] for score in played for hit in hits),
        "playtime": sum(score["time_elapsed"] // 1000 for score in played),
        **{f"{g.lower()}_count": sum(s["grade"] == g for s in best) for g in ("XH", "X", "SH", "S", "A")},
    }


def test_counts_fit_the_beatmap_and_accuracy_and_mods_fit_the_mode(world: sqlite3.Connection) -> None:
    query = "SELECT s.*, m.mode AS ruleset, m.max_combo AS most FROM scores s JOIN maps m ON m.md5 = s.map_md5"
    scores = rows(world, query)
    for score in scores:
        assert score["acc"] == round(accuracy(score), 3)
        if score["mode"] % 4 == score["ruleset"]:
            assert score["max_combo"] <= score["most"]
            assert not score["perfect"] or score["max_combo"] == score["most"]
        mods = score["mods"]
        assert bool(mods & 128) == (score["mode"] in (4, 5, 6))
        assert bool(mods & 8192) == (score["mode"] == 8)
        assert not mods & 512 or mods & 64
        assert not mods & 16384 or (mods & 32 and (score["status"] == 0 or score["acc"] == 100))
        assert score["grade"][-1] != "H" or mods & (8 | 1024)
    assert {score["mode"] for score in scores} == {0, 1, 2, 3, 4, 5, 6, 8}
    assert {score["grade"] for score in scores} == {"XH", "X", "SH", "S", "A", "B", "C", "D", "F"}


def accuracy(score: dict[str, int]) -> float:
    """Return the accuracy in percent, by the formula of the ruleset."""
    n300, n100, n50, miss = score["n300"], score["n100"], score["n50"], score["nmiss"]
    geki, katu = score["ngeki"], score["nkatu"]
    match score["mode"] % 4:
        case 0:
            return 100 * (300 * n300 + 100 * n100 + 50 * n50) / (300 * (n300 + n100 + n50 + miss))
        case 1:
            return 100 * (n300 + n100 / 2) / (n300 + n100 + miss)
        case 2:
            return 100 * (n300 + n100 + n50) / (n300 + n100 + n50 + katu + miss)
    best = 300 * (n300 + geki + katu + n100 + n50 + miss)
    return 100 * (300 * (n300 + geki) + 200 * katu + 100 * n100 + 50 * n50) / best


def test_beatmap_rows_agree_with_their_files_and_scores(folder: Path, world: sqlite3.Connection) -> None:
    maps = rows(world, "SELECT * FROM maps")
    assert len(maps) == SMALL.beatmaps
    assert {row["status"] for row in maps} == {-1, 0, 1, 2, 3, 4, 5}
    assert {row["mode"] for row in maps} == {0, 1, 2, 3}
    played = Counter(score["map_md5"] for score in rows(world, "SELECT map_md5 FROM scores"))
    for row in maps:
        content = (folder / "osu" / f"{row['id']}.osu").read_bytes()
        assert md5(content).hexdigest() == row["md5"]
        assert row["plays"] == played[row["md5"]]
        lines = content.decode().split("\r\n")
        assert lines[0] == "osu file format v14"
        settings = dict(line.split(":", 1) for line in lines if re.match(r"[A-Za-z]+:", line))
        assert settings["Title"] == row["title"]
        assert int(settings["Mode"]) == row["mode"]
        assert float(settings["OverallDifficulty"]) == row["od"]
        assert highest_combo(lines[lines.index("[HitObjects]") + 1 :], row["mode"]) == row["max_combo"]
        assert rows(world, f"SELECT id FROM mapsets WHERE id = {row['set_id']}")


def highest_combo(lines: list[str], mode: int) -> int:
    """Return the highest combo of the hit objects. A slider of two beats (240 pixels) has one tick."""
    combo = 0
    for line in filter(None, lines):
        kind, *rest = line.split(",")[3:]
        match int(kind) & 0b10001011:
            case 1:
                combo += 1
            case 2 if mode != 1:
                combo += 2 if int(rest[-1]) == 120 else 3
            case 8 if mode == 0:
                combo += 1
            case 128:
                combo += 2
    return combo


def test_replays_are_the_compressed_frames_of_passed_scores(folder: Path, world: sqlite3.Connection) -> None:
    files = list((folder / "osr").iterdir())
    assert len(files) == SMALL.replays
    for file in files:
        body = file.read_bytes()
        assert body[:5].hex() == "5d00002000"  # the first bytes of the client's own streams
        frames = lzma.decompress(body).decode("ascii").split(",")
        assert frames[:2] == ["0|256|-500|0", "-1|256|-500|0"]
        assert re.fullmatch(r"-12345\|0\|0\|\d+", frames[-2])
        assert frames[-1] == ""
        moments = [[float(part) for part in frame.split("|")] for frame in frames[2:-2]]
        assert all(ms >= 0 for ms, _, _, _ in moments)
        assert 5_000 < sum(ms for ms, _, _, _ in moments) < 90_000
    ids = ", ".join(file.stem for file in files)
    scores = rows(world, f"SELECT mode, status FROM scores WHERE id IN ({ids})")
    assert {score["mode"] for score in scores} == {0, 1, 2, 3, 4, 5, 6, 8}
    assert {score["status"] for score in scores} == {1, 2}


def test_ranks_hold_the_unrestricted_players_with_pp(world: sqlite3.Connection) -> None:
    query = "SELECT id, mode, pp, country FROM stats JOIN users USING (id) WHERE priv & 1 AND pp > 0"
    expected = set()
    for row in rows(world, query):
        key, member = f"bancho:leaderboard:{row['mode']}", str(row["id"])
        expected |= {(key, member, float(row["pp"])), (f"{key}:{row['country']}", member, float(row["pp"]))}
    ranks = list(World(7, SMALL).ranks())
    assert set(ranks) == expected
    assert len(ranks) == len(expected)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 FROM users WHERE id = 1 AND safe_name = 'banchobot' AND priv = 1",
        "SELECT 1 FROM users WHERE priv & 3 = 2",
        "SELECT 1 FROM users WHERE priv & 3 = 1 AND id <> 1",
        "SELECT 1 FROM users WHERE userpage_content LIKE '%' || char(10) || '%'",
        "SELECT 1 FROM users WHERE clan_id > 0 AND clan_priv = 3",
        "SELECT 1 FROM clans WHERE owner NOT IN (SELECT id FROM users)",
        "SELECT 1 FROM maps WHERE server = 'private'",
        "SELECT 1 FROM maps WHERE title LIKE '%\"%' AND title LIKE '%<%'",
        "SELECT 1 FROM scores WHERE map_md5 NOT IN (SELECT md5 FROM maps)",
        "SELECT 1 FROM scores WHERE pp = 9999.999",
        "SELECT 1 FROM relationships WHERE type = 'friend'",
        "SELECT 1 FROM user_achievements JOIN achievements ON achievements.id = achid",
        "SELECT 1 FROM user_achievements JOIN achievements ON id = achid WHERE file LIKE 'osu-skill-pass-%'",
        "SELECT 1 FROM user_achievements JOIN achievements ON id = achid WHERE file LIKE 'all-intro-%'",
        "SELECT 1 FROM tourney_pools WHERE created_by NOT IN (SELECT id FROM users)",
        "SELECT 1 FROM tourney_pools JOIN users ON users.id = created_by WHERE NOT priv & 1",
        "SELECT 1 FROM tourney_pool_maps WHERE map_id NOT IN (SELECT id FROM maps)",
    ],
)
def test_even_a_small_world_has_the_special_cases(world: sqlite3.Connection, statement: str) -> None:
    assert world.execute(statement).fetchone()


def test_demo_keys_belong_to_players_who_have_played(world: sqlite3.Connection) -> None:
    query = "SELECT id, api_key FROM users WHERE id IN (3, 4) AND id IN (SELECT userid FROM scores)"
    assert {row["id"]: row["api_key"] for row in rows(world, query)} == DEMO_KEYS
    assert not rows(world, "SELECT id FROM users WHERE id = 2")


def test_text_fits_the_columns_of_mysql() -> None:
    """MySQL columns limit the number and the size of characters; SQLite does not."""
    schema = (SCHEMA / "mysql.sql").read_text(encoding="utf-8")
    pattern = r"^  `?(\w+)`? +(?:var)?char\((\d+)\) +(CHARACTER SET utf8mb3)?"
    for table, names, values in World(7, SMALL).tables():
        create = re.search(rf"CREATE TABLE {table} \((.*?)\n\)", schema, re.DOTALL)
        assert create
        limits = {name: (int(size), utf8) for name, size, utf8 in re.findall(pattern, create[1], re.MULTILINE)}
        for row in values:
            for name, value in zip(names, row, strict=True):
                if name in limits and value is not None:
                    size, utf8 = limits[name]
                    assert len(value) <= size
                    assert max(value, default="") <= ("\uffff" if utf8 else "\x7f")


def test_both_dialects_have_the_same_tables_columns_and_indexes() -> None:
    mysql = [re.findall(r"^  `?(\w+)`? +[a-z]", create, re.MULTILINE) for create in statements("mysql")[0]]
    assert mysql == [columns(create.split()[2]) for create in statements("sqlite")[0]]
    mysql_indexes = re.findall(r"ADD INDEX (\w+ \(.*?\))", "\n".join(statements("mysql")[1]))
    assert mysql_indexes == [re.sub(r"CREATE INDEX (\w+) ON \w+", r"\1", s) for s in statements("sqlite")[1]]


def test_building_refuses_to_overwrite_a_world(folder: Path) -> None:
    before = contents(folder)
    with pytest.raises(WorldExists, match="exists already"):
        build(folder, 8, SMALL)
    assert contents(folder) == before


def test_writing_files_refuses_to_overwrite_other_content(tmp_path: Path) -> None:
    write_files(tmp_path, [("osr/1.osr", b"one")])
    write_files(tmp_path, [("osr/1.osr", b"one"), ("osr/2.osr", b"two")])
    with pytest.raises(WorldExists, match=r"1\.osr exists already"):
        write_files(tmp_path, [("osr/1.osr", b"other")])
    assert contents(tmp_path) == {"osr/1.osr": b"one", "osr/2.osr": b"two"}


@pytest.mark.parametrize("stage", ["drawing scores", "writing files", "storing scores"])
def test_an_interrupted_build_leaves_no_database_and_can_be_repeated(tmp_path: Path, stage: str) -> None:
    def interrupt(now: str, done: int, total: int) -> None:
        if now == stage and done == total:
            raise KeyboardInterrupt

    sizes = Sizes(players=20, beatmaps=10, scores=50, replays=4)
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "one", 1, sizes, interrupt)
    assert [path.name for path in (tmp_path / "one").iterdir() if path.is_file()] == [UNFINISHED]
    build(tmp_path / "one", 2, sizes)
    build(tmp_path / "two", 2, sizes)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_building_refuses_a_folder_that_already_has_replays(tmp_path: Path) -> None:
    write_files(tmp_path, [("osr/1.osr", b"somebody's")])
    with pytest.raises(WorldExists, match="osr exists already"):
        build(tmp_path, 1, SMALL)
    assert contents(tmp_path) == {"osr/1.osr": b"somebody's"}


def test_replacing_keeps_the_old_database_when_the_new_one_fails(tmp_path: Path) -> None:
    path = tmp_path / "small.sqlite"
    load_sqlite(path, [("favourites", ["userid", "setid", "created_at"], [(3, 1, 0)])])
    before = path.read_bytes()
    with pytest.raises(sqlite3.IntegrityError):
        load_sqlite(path, [("favourites", ["userid", "setid"], [(3, 1), (3, 1)])], replace=True)
    assert contents(tmp_path) == {"small.sqlite": before}
