// Calls of node-osu.
import osu from "node-osu";

const [site, key, questions] = process.argv.slice(2);
const api = new osu.Api(key, { baseUrl: `${site}/api`, parseNumeric: true });
const utc = (date) => date.toISOString().replace(".000Z", "+00:00");

const score = (found) => ({
  beatmap: Number(found.beatmapId),
  player: Number(found.user.id),
  score: found.score,
  max_combo: found.maxCombo,
  n300: found.counts["300"],
  n100: found.counts["100"],
  n50: found.counts["50"],
  nmiss: found.counts.miss,
  nkatu: found.counts.katu,
  ngeki: found.counts.geki,
  perfect: found.perfect,
  mods: found.raw_mods,
  grade: found.rank,
  played: utc(found.date),
});
const rated = (found) => ({ ...score(found), pp: found.pp, replay: found.hasReplay });
// Neither a board's scores nor their class have the beatmap.
const onBoard = (found) => {
  const { beatmap, ...rest } = rated(found);
  return { ...rest, name: found.user.name };
};

const player = (found) => ({
  id: Number(found.id),
  name: found.name,
  joined: utc(found.joinDate),
  hits: [found.counts["300"], found.counts["100"], found.counts["50"]],
  plays: found.counts.plays,
  rscore: found.scores.ranked,
  tscore: found.scores.total,
  rank: found.pp.rank,
  country_rank: found.pp.countryRank,
  level: found.level,
  pp: found.pp.raw,
  acc: found.accuracy,
  grades: ["SSH", "SS", "SH", "S", "A"].map((grade) => found.counts[grade]),
  country: found.country,
  playtime: found.secondsPlayed,
  events: found.events,
});

const beatmap = (found) => ({
  id: Number(found.id),
  set: Number(found.beatmapSetId),
  md5: found.hash,
  approval: found.approvalStatus,
  artist: found.artist,
  title: found.title,
  version: found.version,
  creator: found.creator,
  source: found.source,
  updated: utc(found.lastUpdate),
  approved_at: found.approvedDate && utc(found.approvedDate),
  length: found.length.total,
  max_combo: found.maxCombo,
  plays: found.counts.plays,
  passes: found.counts.passes,
  mode_name: found.mode,
  bpm: found.bpm,
  cs: found.difficulty.size,
  ar: found.difficulty.approach,
  od: found.difficulty.overall,
  hp: found.difficulty.drain,
  stars: found.difficulty.rating,
  objects: [found.objects.normal, found.objects.slider, found.objects.spinner],
  favourites: found.counts.favourites,
  rating: found.rating,
  downloadable: found.hasDownload && found.hasAudio,
});

async function all(promise, convert) {
  return (await orNull(promise, [])).map(convert);
}

async function orNull(promise, nothing = null) {
  try {
    return await promise;
  } catch (error) {
    if (error.message === "Not found") return nothing;
    throw error;
  }
}

async function complete(ask) {
  // Asks for the beatmap of each score too. The slash at the end makes it ask for /api//get_user_best and the like.
  const asking = new osu.Api(key, { baseUrl: `${site}/api/`, parseNumeric: true, completeScores: true });
  const [found] = await asking.getUserBest({ u: ask.name, m: ask.mode, limit: 1 });
  return { ...rated(found), beatmap_title: found.beatmap.title, has_accuracy: found.accuracy > 0 };
}

async function answers(ask) {
  const m = ask.mode;
  const byId = { u: ask.player, m, type: "id" };
  const byName = { u: ask.name, m, type: "string" };
  const replay = async (search) => (await api.getReplay(search)).content ?? null;
  return {
    player: player(await api.getUser({ ...byId, event_days: 7 })),
    player_by_name: player(await api.getUser(byName)),
    player_either: player(await api.getUser({ u: ask.name, m })),
    nobody: await orNull(api.getUser({ u: ask.unknown, m })),
    best: await all(api.getUserBest({ ...byId, limit: 100 }), rated),
    best_default: await all(api.getUserBest(byName), rated),
    best_complete: await complete(ask),
    recent: await all(api.getUserRecent({ ...byId, limit: 50 }), score),
    board: await all(api.getScores({ b: ask.beatmap, m, limit: 100 }), onBoard),
    board_of_player: await all(api.getScores({ b: ask.beatmap, ...byName }), onBoard),
    no_board: await all(api.getScores({ b: 2000000000, m }), onBoard),
    beatmap: await all(api.getBeatmaps({ b: ask.beatmap }), beatmap),
    beatmap_by_md5: await all(api.getBeatmaps({ h: ask.md5 }), beatmap),
    set: await all(api.getBeatmaps({ s: ask.set, a: 1 }), beatmap),
    creator: await all(api.getBeatmaps({ u: ask.creator, type: "string" }), beatmap),
    since: await all(api.getBeatmaps({ since: new Date(`${ask.since}Z`), m, limit: 20 }), beatmap),
    match: await orNull(api.getMatch({ mp: 1 })),
    replay: await replay({ b: ask.beatmap, ...byId }),
    replay_with_mods: await replay({ b: ask.beatmap, ...byName, mods: ask.mods }),
    replay_of_score: await replay({ s: ask.score, m }),
    no_replay: await replay({ s: ask.score_without_replay }),
  };
}

async function main() {
  try {
    const all = [];
    for (const ask of JSON.parse(questions)) all.push(await answers(ask));
    return all;
  } catch (error) {
    // node-osu makes an error of the response, which says nothing.
    if (error.message === "[object Object]") return { refused: error.message };
    throw error;
  }
}

console.log(JSON.stringify(await main()));
