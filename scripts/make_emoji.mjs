// Makes frontend/model/emoji-data.js from the npm package gemoji: `npm ci && node scripts/make_emoji.mjs`.
import { readFileSync, writeFileSync } from "node:fs";
import { gemoji } from "gemoji";

const source = new URL("../node_modules/gemoji/", import.meta.url);
const { version } = JSON.parse(readFileSync(new URL("package.json", source), "utf8"));
const license = readFileSync(new URL("license", source), "utf8").trim();

const lines = gemoji.map(({ emoji, names, tags }) => {
	const words = tags.flatMap((tag) => tag.split(" "));
	const line = `${emoji} ${names.join(" ")}${words.length ? `|${words.join(" ")}` : ""}`;
	if (!/^\S+( [a-z0-9_+-]+)+(\|[a-z0-9_+-]+( [a-z0-9_+-]+)*)?$/.test(line)) throw new Error(`unfit for the table: ${line}`);
	return line;
});

const comment = license.split("\n").map((line) => ` * ${line}`.trimEnd()).join("\n");
writeFileSync(
	new URL("../frontend/model/emoji-data.js", import.meta.url),
	`/** Emoji, their names and words to find them by. Made from gemoji ${version} by scripts/make_emoji.mjs.
 *
${comment} */

/** A line for each: \`emoji name name…|word word…\`. */
export const EMOJI = \`
${lines.join("\n")}
\`;
`,
);
