// Code that uses the generated types. The test checks its types; nobody runs it.
import type { components, operations } from "./types.js";

type Scores = NonNullable<operations["get_player_scores"]["parameters"]["query"]>;
type PlayerInfo = components["schemas"]["PlayerInfo"];

export const query: Scores = { scope: "best", id: 4, mode: 8 };

// @ts-expect-error 9 is no mode.
export const wrong: Scores = { scope: "best", id: 4, mode: 9 };

export function describe(answer: PlayerInfo): string {
    const { info, stats } = answer.player;
    const clan: string = info?.clan?.tag ?? "no clan";
    const pp: number = stats?.["0"]?.pp ?? 0;
    // @ts-expect-error It may be null.
    const text: string = info?.userpage_content ?? null;
    return `${answer.status} ${clan} ${pp} ${text}`;
}
