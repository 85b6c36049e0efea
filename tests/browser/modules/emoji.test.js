/** Emoji by name. */

import { claim } from "/claims.js";
import { okLinear } from "/growth.js";
import { EmojiTable, emojiCompletions, loadEmoji, replaceShortcodes, shortcodeAt } from "/model/emoji.js";
import { EMOJI } from "/model/emoji-data.js";
import { isEmojiOnly } from "/model/markup.js";
import { equal, ok } from "/world.js";

const names = async (typed, options) => (await emojiCompletions(typed, options)).map(({ name }) => name);

claim("each line of the table is an emoji and its names, and each name belongs to one emoji", () => {
	const lines = EMOJI.trim().split("\n");
	const all = lines.flatMap((line) => line.split("|")[0].split(" ").slice(1));
	ok(lines.length > 1800 && new Set(all).size === all.length);
	equal(
		lines.filter((line) => !isEmojiOnly(line.split(" ")[0])),
		[],
	);
});

claim("a known name between colons becomes its emoji, and everything else is unchanged", async () => {
	ok(await loadEmoji());
	const table = {
		":tada:": "🎉",
		"(:Tada:) :+1: :100:": "(🎉) 👍 💯",
		":tada::heart::none:": "🎉❤️:none:",
		"你好:tada:你好": "你好🎉你好",
		"> :tada:\r\n:tada:": "> 🎉\r\n🎉",
		"`:tada:` :tada: ```\n:tada:\n```": "`:tada:` 🎉 ```\n:tada:\n```",
		"`:tada:": "`🎉",
		"https://a.example/:tada: www.a.example/:tada:": "https://a.example/:tada: www.a.example/:tada:",
	};
	for (const [text, wanted] of Object.entries(table)) equal(replaceShortcodes(text), wanted);
	const words = ["", ":", "::", ":tada", "tada:", ": tada :", ":none:", ":constructor:", ":ta da:", ":ta\nda:"];
	const within = [
		"a:tada:",
		":tada:a",
		"std::tada:",
		":tada::",
		"é:tada:",
		"e\u0301:tada:",
		"10:100:20",
		"🎉:)",
		"$&:zz:",
	];
	for (const text of [...words, ...within]) equal(replaceShortcodes(text), text);
});

claim("without the table a message stays as typed, and the next one uses it", async () => {
	const answers = [Promise.reject(new TypeError("offline")), Promise.resolve({ EMOJI: "🎉 tada|party\n" })];
	answers[0].catch(() => {});
	const table = new EmojiTable(() => answers.shift());
	equal(table.replace("no codes"), "no codes");
	equal(answers.length, 2);
	equal([table.replace(":tada:"), await table.load(), answers.length], [":tada:", false, 1]);
	equal([table.replace(":tada:"), await table.load(), table.replace(":tada:")], [":tada:", true, "🎉"]);
	equal(await table.completions("par"), [{ name: "tada", emoji: "🎉" }]);
	equal(await new EmojiTable(() => Promise.reject(new TypeError("offline"))).completions("ta"), []);
});

claim("a colon and two characters at the start of a word open the suggestions", () => {
	const table = { ":ta": 0, "hi :ta": 3, "(:Ta": 1, ":+1": 0, "🎉:ta": 2, "\n:t-rex": 1, "你好:ta": 2 };
	for (const [text, start] of Object.entries(table)) {
		equal([text, shortcodeAt(text, text.length)], [text, { start, typed: text.slice(start + 1) }]);
	}
	const none = [
		"",
		":",
		":t",
		"12:30",
		"https://a",
		"a:bc",
		"é:bc",
		"std::ve",
		": ta",
		":ta ",
		":tada:",
		":é",
		`:${"x".repeat(41)}`,
	];
	for (const text of none) equal([text, shortcodeAt(text, text.length)], [text, undefined]);
	equal([shortcodeAt(":tada", 0), shortcodeAt(":tada", 3)?.typed], [undefined, "ta"]);
	equal(shortcodeAt(`${"x".repeat(5000)} :ta`, 5004)?.start, 5001);
});

claim("names that start with the typed text come first, shortest first, each emoji once", async () => {
	equal(await names("tad"), ["tada"]);
	equal((await names("HEART"))[0], "heart");
	equal(await names("+1"), ["+1"]);
	ok((await names("sandal")).includes("thong_sandal"));
	ok((await names("hooray")).includes("tada"));
	equal(await names("nothing_such"), []);
	const thumbs = await emojiCompletions("t", { limit: 5000 });
	equal(new Set(thumbs.map(({ emoji }) => emoji)).size, thumbs.length);
	equal([(await names("t")).length, (await names("t", { limit: 3 })).length], [8, 3]);
});

claim("finding names takes linear time", () => {
	for (const part of [":", ":a", ":a:", " :a", "`:a:", "::a"]) okLinear(part, replaceShortcodes);
});
