"""Print what circleguard reads from the replays of a folder, one JSON object a line.

This is a script of its own, because circleguard needs another major version of osrparse than the tests, see
circleguard.txt. Of the other modes than osu! itself it returns no frames.
"""

import json
import sys
from pathlib import Path

from circleguard import ReplayPath  # type: ignore[import-not-found]

for file in Path(sys.argv[1]).glob("*.osr"):
    replay = ReplayPath(file)
    replay.load(None, None)
    fields = {
        "game_version": int(replay.game_version),
        "beatmap_md5": replay.beatmap_hash,
        "player_name": replay.username,
        "replay_md5": replay.replay_hash,
        "n300": replay.count_300,
        "n100": replay.count_100,
        "n50": replay.count_50,
        "ngeki": replay.count_geki,
        "nkatu": replay.count_katu,
        "nmiss": replay.count_miss,
        "score": replay.score,
        "max_combo": replay.max_combo,
        "perfect": bool(replay.is_perfect_combo),
        "mods": replay.mods.value,
        "life_bar": replay.life_bar_graph or "",
        "played_at": replay.timestamp.replace(tzinfo=None).isoformat(),
        "score_id": replay.replay_id,
    }
    frames = [(e.time_delta, e.x, e.y, int(e.keys)) for e in replay.replay_data or ()]
    print(json.dumps({"fields": fields, "frames": frames, "seed": replay.rng_seed}))
