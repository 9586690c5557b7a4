"use strict";
// The start page: asks the service it came from how it is, who is there, and what the examples ask.

const REFRESH = 15_000; // ms
const SHOWN = 60; // names
const VERDICTS = {
  ready: "All is well",
  degraded: "Works, but something is away",
  unavailable: "The database is away",
};
const NAMES = {
  database: "Database",
  redis: "Redis",
  game_server: "Game server",
  replays: "Replays",
  pp_engine: "pp engine",
};
const STATES = { up: "up", down: "away", off: "not set up", unknown: "not known yet" };

const byId = (id) => document.getElementById(id);

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

async function ask(path) {
  const response = await fetch(path, { headers: { Accept: "application/json" } });
  return { response, text: await response.text() };
}

async function json(path) {
  const { response, text } = await ask(path);
  const answer = JSON.parse(text);
  if (!response.ok) throw new Error(answer.status);
  return answer;
}

function verdict(state, text) {
  const shown = byId("health");
  if (shown.textContent === text) return; // or a screen reader would tell it again and again
  shown.dataset.state = state;
  shown.textContent = text;
}

async function showHealth() {
  try {
    // A 503 tells as much as a 200.
    const { status, neighbours } = JSON.parse((await ask("/health/ready")).text);
    verdict(status, VERDICTS[status]);
    byId("neighbours").replaceChildren(
      ...Object.entries(neighbours).flatMap(([name, { state, meanwhile }]) => [
        element("dt", NAMES[name] ?? name),
        element("dd", (STATES[state] ?? state) + (meanwhile ? `: ${meanwhile}` : ""), { "data-state": state }),
      ]),
    );
  } catch {
    verdict("unavailable", "The service does not answer");
    byId("neighbours").replaceChildren();
  }
}

async function showCounts() {
  try {
    const { counts } = await json("/v1/get_player_count");
    byId("online-count").textContent = counts.online.toLocaleString("en");
    byId("total-count").textContent = counts.total.toLocaleString("en");
  } catch {
    byId("online-count").textContent = byId("total-count").textContent = "–";
  }
}

async function showPlayers() {
  const list = byId("players");
  const plain = (text) => element("li", text, { class: "plain" });
  try {
    const { players } = await json("/v1/online");
    const shown = players.slice(0, SHOWN).map(({ name }) => element("li", name));
    if (!players.length) shown.push(plain("Nobody is playing right now."));
    if (players.length > SHOWN) shown.push(plain(`and ${players.length - SHOWN} more`));
    list.replaceChildren(...shown);
  } catch {
    list.replaceChildren(plain("Who is online is not known right now."));
  }
}

function refresh() {
  if (!document.hidden) return Promise.all([showHealth(), showCounts(), showPlayers()]);
}

// A key, a text, a number or a word of JSON as JSON.stringify writes it.
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*)|(true|false|null)/g;

function highlighted(text) {
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(TOKEN)) {
    const [whole, string, colon, number] = found;
    const kind = string ? (colon ? "key" : "string") : number ? "number" : "word";
    parts.push(text.slice(end, found.index), element("span", string ?? whole, { class: kind }), colon ?? "");
    end = found.index + whole.length;
  }
  return [...parts, text.slice(end)];
}

async function run(path, { button, outcome, answer }) {
  button.disabled = true;
  const start = performance.now();
  try {
    const { response, text } = await ask(path);
    const took = Math.max(1, Math.round(performance.now() - start));
    outcome.textContent = `${response.status} ${response.statusText} · ${took} ms · ${text.length.toLocaleString("en")} characters`;
    outcome.classList.toggle("failed", !response.ok);
    answer.replaceChildren(...highlighted(JSON.stringify(JSON.parse(text), null, 2)));
    answer.hidden = false;
  } catch (error) {
    outcome.textContent = `No answer: ${error.message}`;
    outcome.classList.add("failed");
    answer.hidden = true;
  } finally {
    button.disabled = false;
    button.focus();
  }
}

function addExample(card) {
  const { path } = card.dataset;
  const title = card.querySelector("h3").textContent;
  card.append(byId("example").content.cloneNode(true));
  const [button, outcome, answer] = ["button", ".outcome", "pre"].map((each) => card.querySelector(each));
  card.querySelector(".request code").textContent = `GET ${path}`;
  button.setAttribute("aria-label", `Run: ${title}`);
  button.addEventListener("click", () => run(path, { button, outcome, answer }));
  answer.setAttribute("aria-label", `Answer: ${title}`);
  const link = card.querySelector("a");
  link.href = path;
  link.setAttribute("aria-label", `Open: ${title}`);
}

byId("host").textContent = location.host;
document.title = `apidot · ${location.host}`;
document.querySelectorAll(".example").forEach(addExample);
refresh();
setInterval(refresh, REFRESH);
document.addEventListener("visibilitychange", refresh);
