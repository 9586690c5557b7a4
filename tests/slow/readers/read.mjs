// Prints what osu-parsers finds in the replays of a folder, one JSON object a line.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ScoreDecoder } from "osu-parsers";

const folder = process.argv[2];
for (const name of readdirSync(folder)) {
  const { info, replay } = await new ScoreDecoder().decodeFromBuffer(readFileSync(join(folder, name)));
  const fields = {
    mode: info.rulesetId,
    game_version: replay.gameVersion,
    beatmap_md5: info.beatmapHashMD5,
    player_name: info.username,
    replay_md5: replay.hashMD5,
    n300: info.count300,
    n100: info.count100,
    n50: info.count50,
    ngeki: info.countGeki,
    nkatu: info.countKatu,
    nmiss: info.countMiss,
    score: info.totalScore,
    max_combo: info.maxCombo,
    perfect: info.perfect,
    mods: info.rawMods,
    life_bar: replay.lifeBar.join(""),
    played_at: info.date.toISOString().replace(".000Z", ""),
    score_id: info.id,
  };
  const frames = replay.frames.map((f) => [f.startTime, f.mouseX, f.mouseY, f.buttonState]);
  console.log(JSON.stringify({ fields, frames }));
}
