"use strict";
// The start page: shows the health of the service, who is online, new scores and replays, and runs the examples.

const REFRESH_INTERVAL = 15_000; // ms
const SCORES_INTERVAL = 60_000; // ms
// How long to wait before a stream that was refused is asked for again; doubled each time it is refused.
const MIN_WAIT = 30_000; // ms
const MAX_WAIT = 600_000; // ms
const MAX_PLAYERS = 60;
const MAX_SCORES = 8;
const MAX_REPLAYS = 8;
// Passed scores of which the latest replays are shown.
const SCORES = "/v1/get_recent_scores?limit=100&include_failed=false&with_replay=true";
const MODES = ["osu!", "taiko", "catch", "mania", "osu! Relax", "taiko Relax", "catch Relax", "", "osu! Autopilot"];
// As the game shows them.
const GRADES = { XH: "SS", X: "SS", SH: "S" };
const STATUSES = {
  ready: "Everything works",
  degraded: "Works with limitations",
  unavailable: "The database is unavailable",
};
const NAMES = {
  database: "Database",
  redis: "Redis",
  game_server: "Game server",
  replays: "Replays",
  pp_engine: "pp engine",
};
const STATES = { up: "up", down: "unavailable", off: "not configured", unknown: "not checked yet" };

const byId = (id) => document.getElementById(id);

function element(tag, text, attributes = {}) {
  const created = document.createElement(tag);
  created.textContent = text;
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  return created;
}

async function get(path) {
  const response = await fetch(path, { headers: { Accept: "application/json" } });
  return { response, text: await response.text() };
}

async function getJSON(path) {
  const { response, text } = await get(path);
  const body = JSON.parse(text);
  if (!response.ok) throw new Error(body.status);
  return body;
}

function showStatus(status, text) {
  const line = byId("health");
  if (line.textContent === text) return; // a screen reader would announce it again
  line.dataset.state = status;
  line.textContent = text;
}

async function showHealth() {
  try {
    // The body of a 503 has the same form as that of a 200.
    const { status, neighbours } = JSON.parse((await get("/health/ready")).text);
    showStatus(status, STATUSES[status]);
    byId("dependencies").replaceChildren(
      ...Object.entries(neighbours).flatMap(([name, { state, meanwhile }]) => [
        element("dt", NAMES[name] ?? name),
        element("dd", (STATES[state] ?? state) + (meanwhile ? `: ${meanwhile}` : ""), { "data-state": state }),
      ]),
    );
  } catch {
    showStatus("unavailable", "The service does not respond");
    byId("dependencies").replaceChildren();
  }
}

async function showCounts() {
  try {
    const { counts } = await getJSON("/v1/get_player_count");
    byId("online-count").textContent = counts.online.toLocaleString("en");
    byId("total-count").textContent = counts.total.toLocaleString("en");
  } catch {
    byId("online-count").textContent = byId("total-count").textContent = "–";
  }
}

async function showPlayers() {
  const list = byId("players");
  const note = (text) => element("li", text, { class: "plain" });
  try {
    const { players } = await getJSON("/v1/online");
    const items = players.slice(0, MAX_PLAYERS).map(({ name }) => element("li", name));
    if (!players.length) items.push(note("Nobody is online right now."));
    if (players.length > MAX_PLAYERS) items.push(note(`and ${players.length - MAX_PLAYERS} more`));
    list.replaceChildren(...items);
  } catch {
    list.replaceChildren(note("The list of online players is unavailable."));
  }
}

// Seconds in each unit of time, the largest one first.
const UNITS = { year: 31_536_000, month: 2_592_000, day: 86_400, hour: 3_600, minute: 60, second: 1 };
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

function ago(unix) {
  const seconds = Math.max(0, Math.round(Date.now() / 1000 - unix));
  const [unit, length] = Object.entries(UNITS).find(([, length]) => seconds >= length) ?? ["second", 1];
  return unit === "second" ? "just now" : relative.format(-Math.floor(seconds / length), unit);
}

function titleOf({ beatmap }) {
  return beatmap ? `${beatmap.artist} - ${beatmap.title} [${beatmap.version}]` : "an unknown beatmap";
}

function details({ mode, mods_readable: mods, acc, play_time_unix: unix }) {
  const line = element("p", [MODES[mode] ?? "", mods === "NM" ? "" : mods, `${acc.toFixed(2)}%`].filter(Boolean).join(" · "));
  if (unix !== null) line.append(" · ", element("time", ago(unix), { datetime: new Date(unix * 1000).toISOString() }));
  return line;
}

// An entry of one of the two lists, with something at its end.
function entry(score, end) {
  const item = element("li", "", { "data-id": score.id });
  const text = element("div", "", { class: "play" });
  text.append(element("b", score.player_name), element("p", titleOf(score), { class: "title" }), details(score));
  item.append(element("span", GRADES[score.grade] ?? score.grade, { class: "grade", "data-grade": score.grade }), text, end);
  return item;
}

const scoreEntry = (score) => entry(score, element("span", `${Math.round(score.pp).toLocaleString("en")} pp`, { class: "pp" }));

const replayEntry = (score) =>
  entry(
    score,
    element("a", ".osr", {
      href: `/v1/get_replay?id=${score.id}`,
      download: "",
      "aria-label": `Download .osr: ${score.player_name} on ${titleOf(score)}`,
    }),
  );

// Leaves the list alone if it would not change, so that it does not flicker and keeps the focus.
function showList(list, items, empty) {
  if (!items.length) items.push(element("li", empty, { class: "plain" }));
  const same = items.length === list.children.length && items.every((item, index) => item.isEqualNode(list.children[index]));
  if (!same) list.replaceChildren(...items);
}

async function showScores() {
  try {
    const { scores } = await getJSON(SCORES);
    showList(byId("scores"), scores.slice(0, MAX_SCORES).map(scoreEntry), "No scores yet. The next one will appear here.");
    // It is null where replays are in a storage that is not asked for each of them.
    const replays = scores.filter((score) => score.has_replay !== false).slice(0, MAX_REPLAYS);
    showList(byId("replays"), replays.map(replayEntry), "None of the latest scores has a stored replay.");
  } catch {
    // What is shown already is still right.
    for (const id of ["scores", "replays"]) {
      if (byId(id).querySelector(".plain")) showList(byId(id), [], `The latest ${id} are unavailable.`);
    }
  }
}

function addScore({ score }) {
  const list = byId("scores");
  if (list.querySelector(`[data-id="${score.id}"]`)) return;
  const item = scoreEntry(score);
  item.classList.add("new");
  list.querySelector(".plain")?.remove();
  list.prepend(item);
  while (list.children.length > MAX_SCORES) list.lastElementChild.remove();
}

let stream = null;
let wait = MIN_WAIT;
let next = 0;

function showLive(isLive) {
  byId("live").dataset.state = isLive ? "up" : "unknown";
  byId("live").textContent = isLive ? "Live: new scores appear here" : "Not live: updated every minute";
  showScores(); // what has happened before
}

// Opens the stream of new scores. If it breaks, the browser opens it again; if it was refused, the page does later.
function listen() {
  stream = new EventSource("/v1/events");
  stream.addEventListener("hello", () => {
    wait = MIN_WAIT;
    showLive(true);
  });
  stream.addEventListener("score", ({ data }) => addScore(JSON.parse(data)));
  stream.addEventListener("reset", showScores);
  stream.addEventListener("error", () => {
    if (!byId("live").textContent.startsWith("Not")) showLive(false);
    if (stream.readyState !== EventSource.CLOSED) return;
    next = setTimeout(listen, wait * (0.5 + Math.random() / 2));
    wait = Math.min(wait * 2, MAX_WAIT);
  });
}

// Listens only while the page is looked at.
function follow() {
  clearTimeout(next);
  stream?.close();
  if (!document.hidden) listen();
}

function refresh() {
  if (!document.hidden) return Promise.all([showHealth(), showCounts(), showPlayers()]);
}

// A key, string, number or literal of JSON, as JSON.stringify writes it.
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*)|(true|false|null)/g;

function highlighted(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    const [whole, string, colon, number] = match;
    const kind = string ? (colon ? "key" : "string") : number ? "number" : "word";
    parts.push(text.slice(end, match.index), element("span", string ?? whole, { class: kind }), colon ?? "");
    end = match.index + whole.length;
  }
  return [...parts, text.slice(end)];
}

async function run(path, { button, outcome, body }) {
  button.disabled = true;
  const start = performance.now();
  try {
    const { response, text } = await get(path);
    const took = Math.max(1, Math.round(performance.now() - start));
    outcome.textContent = `${response.status} ${response.statusText} · ${took} ms · ${text.length.toLocaleString("en")} characters`;
    outcome.classList.toggle("failed", !response.ok);
    body.replaceChildren(...highlighted(JSON.stringify(JSON.parse(text), null, 2)));
    body.hidden = false;
  } catch (error) {
    outcome.textContent = `No response: ${error.message}`;
    outcome.classList.add("failed");
    body.hidden = true;
  } finally {
    button.disabled = false;
    button.focus();
  }
}

function addExample(card) {
  const { path } = card.dataset;
  const title = card.querySelector("h3").textContent;
  card.append(byId("example").content.cloneNode(true));
  const [button, outcome, body] = ["button", ".outcome", "pre"].map((selector) => card.querySelector(selector));
  card.querySelector(".request code").textContent = `GET ${path}`;
  button.setAttribute("aria-label", `Run: ${title}`);
  button.addEventListener("click", () => run(path, { button, outcome, body }));
  body.setAttribute("aria-label", `Response: ${title}`);
  const link = card.querySelector("a");
  link.href = path;
  link.setAttribute("aria-label", `Open: ${title}`);
}

byId("host").textContent = location.host;
document.title = `apidot · ${location.host}`;
document.querySelectorAll(".example").forEach(addExample);
refresh();
follow();
setInterval(refresh, REFRESH_INTERVAL);
setInterval(() => document.hidden || showScores(), SCORES_INTERVAL);
document.addEventListener("visibilitychange", () => {
  refresh();
  follow();
});
