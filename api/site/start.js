"use strict";
// The start page: shows the health of the service and who is online, and runs the examples.

const REFRESH_INTERVAL = 15_000; // ms
const MAX_PLAYERS = 60;
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
setInterval(refresh, REFRESH_INTERVAL);
document.addEventListener("visibilitychange", refresh);
