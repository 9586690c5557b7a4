// Calls of osu-web.js's LegacyClient. What it fetches with is a parameter, for other runtimes: that sends the requests
// to another address than osu!'s.
import { isOsuJSError, LegacyClient, ModesEnum, ModsEnum } from "osu-web.js";

const [site, key, questions] = process.argv.slice(2);
const elsewhere = (url, options) => fetch(url.replace("https://osu.ppy.sh", site), options);
const api = new LegacyClient(key, { polyfillFetch: elsewhere });
const utc = (text) => text && `${text.replace(" ", "T")}+00:00`;
const bits = (mods) => mods.reduce((sum, mod) => sum | ModsEnum[mod], 0);
const acronyms = (mods) => Object.keys(ModsEnum).filter((name) => ModsEnum[name] & mods);

const score = (found) => ({
  // osu-web.js makes 0 of null.
  id: found.score_id || null,
  player: found.user_id,
  score: found.score,
  max_combo: found.maxcombo,
  n300: found.count300,
  n100: found.count100,
  n50: found.count50,
  nmiss: found.countmiss,
  nkatu: found.countkatu,
  ngeki: found.countgeki,
  perfect: found.perfect,
  grade: found.rank,
  played: utc(found.date),
});
const recent = (found) => ({ ...score(found), beatmap: found.beatmap_id });
const rated = (found) => ({ ...score(found), pp: found.pp, replay: found.replay_available });
const best = (found) => ({ ...rated(found), beatmap: found.beatmap_id });
const onBoard = (found) => ({ ...rated(found), name: found.username });

const player = (found) =>
  found && {
    id: found.user_id,
    name: found.username,
    joined: utc(found.join_date),
    hits: [found.count300, found.count100, found.count50],
    plays: found.playcount,
    rscore: found.ranked_score,
    tscore: found.total_score,
    rank: found.pp_rank,
    country_rank: found.pp_country_rank,
    level: found.level,
    pp: found.pp_raw,
    acc: found.accuracy,
    grades: [
      found.count_rank_ssh,
      found.count_rank_ss,
      found.count_rank_sh,
      found.count_rank_s,
      found.count_rank_a,
    ],
    country: found.country,
    playtime: found.total_seconds_played,
    events: found.events,
  };

const beatmap = (found) => ({
  id: found.beatmap_id,
  set: found.beatmapset_id,
  md5: found.file_md5,
  artist: found.artist,
  title: found.title,
  creator: found.creator,
  creator_id: found.creator_id,
  updated: utc(found.last_update),
  approved_at: utc(found.approved_date),
  length: found.total_length,
  max_combo: found.max_combo,
  plays: found.playcount,
  passes: found.passcount,
  mode_word: found.mode,
  approval_word: found.approved,
  bpm: found.bpm,
  cs: found.diff_size,
  ar: found.diff_approach,
  od: found.diff_overall,
  hp: found.diff_drain,
  stars: found.difficultyrating,
  objects: [found.count_normal, found.count_slider, found.count_spinner],
  favourites: found.favourite_count,
  rating: found.rating,
  downloadable: found.download_available && found.audio_available,
});

async function answers(ask) {
  const m = ModesEnum[ask.mode];
  const byId = { u: ask.player, m, type: "id" };
  const byName = { u: ask.name, m, type: "string" };
  const b = ask.beatmap;
  return {
    player: player(await api.getUser({ ...byId, event_days: 7 })),
    player_by_name: player(await api.getUser(byName)),
    player_either: player(await api.getUser({ u: ask.name, m })),
    nobody: player(await api.getUser({ u: ask.unknown, m })),
    best: (await api.getUserBestScores({ ...byId, limit: 100 })).map(best),
    best_default: (await api.getUserBestScores(byName)).map(best),
    recent: (await api.getUserRecentScores({ ...byId, limit: 50 })).map(recent),
    board: (await api.getBeatmapScores({ b, m, limit: 100 })).map(onBoard),
    board_of_player: (await api.getBeatmapScores({ b, ...byName })).map(onBoard),
    no_board: await api.getBeatmapScores({ b: 2000000000, m }),
    beatmap: (await api.getBeatmaps({ b })).map(beatmap),
    beatmap_by_md5: (await api.getBeatmaps({ h: ask.md5, mods: ["HR"] })).map(beatmap),
    set: (await api.getBeatmaps({ s: ask.set })).map(beatmap),
    creator: (await api.getBeatmaps({ u: ask.creator, type: "string" })).map(beatmap),
    // osu-web.js does not send the mode 0.
    [ask.mode ? "since" : "since_in_any_mode"]: (
      await api.getBeatmaps({ since: new Date(`${ask.since}Z`), m, limit: 20 })
    ).map(beatmap),
    match: await api.getMultiplayerLobby({ mp: 1 }),
    replay: await api.getReplay("user & beatmap id", { b, ...byId }),
    replay_with_mods: await api.getReplay("user & beatmap id", { b, ...byName, mods: acronyms(ask.mods) }),
    replay_of_score: await api.getReplay("score id", { s: ask.score, m }),
    no_replay: await api.getReplay("score id", { s: ask.score_without_replay }),
    mods_of_best: (await api.getUserBestScores({ ...byId, limit: 1 })).map((found) => bits(found.enabled_mods)),
  };
}

async function main() {
  try {
    const all = [];
    for (const ask of JSON.parse(questions)) all.push(await answers(ask));
    return all;
  } catch (error) {
    if (isOsuJSError(error) && error.type === "unexpected_response") return { refused: (await error.response().json()).error };
    throw error;
  }
}

console.log(JSON.stringify(await main()));
