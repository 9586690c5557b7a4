// Calls of nodesu.
import nodesu from "nodesu";

const [site, key, questions] = process.argv.slice(2);
const api = new nodesu.Client(key, { baseUrl: `${site}/api`, parseData: true, disableRateLimiting: true });
const utc = (date) => date.toISOString().replace(".000Z", "+00:00");

const score = (found) => ({
  // nodesu makes 0 of null.
  id: found.scoreId || null,
  player: found.userId,
  score: found.score,
  max_combo: found.maxCombo,
  n300: found.count300,
  n100: found.count100,
  n50: found.count50,
  nmiss: found.countMiss,
  nkatu: found.countKatu,
  ngeki: found.countGeki,
  perfect: found.perfect,
  mods: found.enabledMods,
  grade: found.rank,
  played: utc(found.date),
});
const rated = (found) => ({ ...score(found), pp: found.pp, replay: found.replayAvailable });
const recent = (found) => ({ ...score(found), beatmap: found.beatmapId });
const best = (found) => ({ ...rated(found), beatmap: found.beatmapId });
const onBoard = (found) => ({ ...rated(found), name: found.username });

const player = (found) =>
  found === undefined
    ? null
    : {
        id: found.id,
        name: found.username,
        joined: utc(found.joinDate),
        hits: [found.count300, found.count100, found.count50],
        plays: found.playcount,
        rscore: found.rankedScore,
        tscore: found.totalScore,
        rank: found.ppRank,
        country_rank: found.ppCountryRank,
        level: found.level,
        pp: found.ppRaw,
        acc: found.accuracy,
        grades: [
          found.countRankSSH,
          found.countRankSS,
          found.countRankSH,
          found.countRankS,
          found.countRankA,
        ],
        country: found.country,
        events: found.events,
      };

const beatmap = (found) => ({
  id: found.id,
  set: found.setId,
  md5: found.fileMd5,
  approved: found.approved,
  artist: found.artist,
  title: found.title,
  version: found.version,
  creator: found.creator,
  creator_id: found.creatorId,
  updated: utc(found.lastUpdate),
  length: found.totalLength,
  max_combo: found.maxCombo,
  plays: found.playcount,
  passes: found.passcount,
  mode: found.mode,
  bpm: found.bpm,
  cs: found.CS,
  ar: found.AR,
  od: found.OD,
  hp: found.HP,
  stars: found.stars,
  objects: [found.countNormal, found.countSlider, found.countSpinner],
  favourites: found.favouriteCount,
  rating: found.rating,
  downloadable: found.downloadAvailable && found.audioAvailable,
});

async function replay(...search) {
  try {
    return (await api.replay.get(...search)).content.toString("base64");
  } catch (error) {
    if (error.message === "Replay not available.") return null;
    throw error;
  }
}

async function match(number) {
  // What nodesu makes of the response that osu! gives too.
  const { match, games } = await api.multi.getMatch(number);
  return Number.isNaN(match.id ?? Number.NaN) && games.length === 0 ? null : match;
}

async function answers(ask) {
  const { mode, player: number, name, beatmap: id, mods } = ask;
  const { id: byId, string: byName } = nodesu.LookupType;
  return {
    player: player(await api.user.get(number, mode, 7, byId)),
    player_by_name: player(await api.user.get(name, mode, undefined, byName)),
    player_either: player(await api.user.get(name, mode)),
    nobody: player(await api.user.get(ask.unknown, mode)),
    best: (await api.user.getBest(number, mode, 100, byId)).map(best),
    best_default: (await api.user.getBest(name, mode)).map(best),
    recent: (await api.user.getRecent(number, mode, 50, byId)).map(recent),
    board: (await api.scores.get(id, undefined, mode, 100)).map(onBoard),
    board_of_player: (await api.scores.get(id, undefined, mode, undefined, name, byName)).map(onBoard),
    board_with_mods: (await api.scores.get(id, mods, mode)).map(onBoard),
    no_board: await api.scores.get(2000000000, undefined, mode),
    beatmap: (await api.beatmaps.getByBeatmapId(id)).map(beatmap),
    beatmap_by_md5: (await api.beatmaps.getByBeatmapHash(ask.md5, undefined, 1, 1, 64)).map(beatmap),
    set: (await api.beatmaps.getBySetId(ask.set)).map(beatmap),
    creator: (await api.beatmaps.getByUser(ask.creator, undefined, undefined, 0, byName)).map(beatmap),
    since: (await api.beatmaps.getSince(new Date(`${ask.since}Z`), mode, 20)).map(beatmap),
    match: await match(1),
    replay: await replay(id, number, mode, byId),
    replay_with_mods: await replay(id, name, mode, byName, mods),
    replay_either: await replay(id, name, mode),
    no_replay: await replay(ask.beatmap_without_replay, number, mode),
    raw: (await api.raw("/get_user", { u: number, m: mode })).map((found) => found.username),
  };
}

async function main() {
  try {
    const all = [];
    for (const ask of JSON.parse(questions)) all.push(await answers(ask));
    return all;
  } catch (error) {
    if (error.name === "OsuApiError") return { refused: error.message };
    throw error;
  }
}

console.log(JSON.stringify(await main()));
