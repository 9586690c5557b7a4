// Parses answers with the generated schemas, and prints what is wrong with each of those that do not fit.
// The argument is a JSON file with a list of answers: `id`, `operation` and `body`.
import { readFileSync } from "node:fs";
import * as schemas from "./generated/zod.gen.js";

const wrong = {};
for (const { id, operation, body } of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
    const name = operation.replaceAll(/(?:^|_)([a-z0-9])/g, (_, letter) => letter.toUpperCase());
    const parsed = schemas[`z${name}Response`].safeParse(body);
    if (!parsed.success) {
        wrong[id] = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    }
}
console.log(JSON.stringify(wrong));
