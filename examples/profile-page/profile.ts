// A player's profile: index.html?id=4, or ?id=4&mode=4 for another mode.
type Schemas = import("./api").components["schemas"];

const API = "https://api.example.com";
const AVATARS = "https://a.example.com";
const MODES: Record<string, string> = {
    0: "osu!", 1: "taiko", 2: "catch", 3: "mania", 4: "osu! Relax", 5: "taiko Relax", 6: "catch Relax", 8: "Autopilot",
};
const query = new URLSearchParams(location.search);
const id = query.get("id") ?? "3";
const mode = query.get("mode") ?? "0";

async function get<T>(endpoint: string, params: Record<string, string>): Promise<T> {
    const response = await fetch(`${API}/v1/${endpoint}?${new URLSearchParams(params)}`);
    const body = await response.json();
    if (!response.ok) throw new Error(body.status);
    return body;
}

const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;

function addRow(table: string, ...cells: (string | number | HTMLElement)[]): void {
    const row = element<HTMLTableElement>(table).tBodies[0]!.insertRow();
    for (const cell of cells) row.insertCell().append(typeof cell === "number" ? cell.toLocaleString("en") : cell);
}

async function show(): Promise<void> {
    const [{ player }, { scores }] = await Promise.all([
        get<Schemas["PlayerInfo"]>("get_player_info", { scope: "all", id }),
        get<Schemas["PlayerScores"]>("get_player_scores", { scope: "best", id, mode, limit: "10" }),
    ]);
    const { info, stats } = player;
    if (!info || !stats) throw new Error("The profile is incomplete.");
    document.title = element("name").textContent = info.name;
    element("country").textContent = new Intl.DisplayNames("en", { type: "region" }).of(info.country.toUpperCase())!;
    element<HTMLImageElement>("avatar").src = `${AVATARS}/${info.id}`;
    for (const row of Object.values(stats).filter(({ plays }) => plays > 0)) {
        const link = document.createElement("a");
        link.href = `?id=${id}&mode=${row.mode}`;
        link.textContent = MODES[row.mode] ?? "";
        const ranks = row.rank ? [`#${row.rank}`, `#${row.country_rank}`] : ["–", "–"];
        addRow("stats", link, ...ranks, row.pp, `${row.acc.toFixed(2)} %`, row.plays);
    }
    element("mode").textContent = MODES[mode] ?? "";
    for (const { beatmap, grade, mods_readable, acc, pp } of scores) {
        const title = beatmap ? `${beatmap.artist} - ${beatmap.title} [${beatmap.version}]` : "unknown beatmap";
        addRow("best", grade.replace("X", "SS").replace("H", ""), title, mods_readable, `${acc.toFixed(2)} %`, `${pp.toFixed(0)} pp`);
    }
}

show().catch((error: Error) => { element("name").textContent = error.message; });
