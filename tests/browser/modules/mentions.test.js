/** Mentions: finding them in messages, and completing them while typing. */

import { claim } from "/claims.js";
import { complete, completions, findMentions, mentionAt, mentionsName } from "/model/mentions.js";
import { equal } from "/world.js";

/** The mentions in a text, as written. */
const found = (text, ...names) => findMentions(text, names).map(({ start, end }) => text.slice(start, end));

claim("the longest known name after an @ is the mention", () => {
	equal(findMentions("a @ada lovelace!", ["Ada", "Ada Lovelace"]), [{ start: 2, end: 15, name: "Ada Lovelace" }]);
	const table = [
		["@Ada Love @Ada", ["@Ada", "@Ada"], "Ada", "Ada Lovelace"],
		["@Ada\nLovelace", ["@Ada"], "Ada", "Ada Lovelace"],
		["@Ada\u00a0Lovelace", ["@Ada\u00a0Lovelace"], "Ada Lovelace"],
		["(@Ada), @Ada's @Ada-@Bo", ["@Ada", "@Ada", "@Ada", "@Bo"], "Ada", "Bo"],
		["@here @all", ["@here"], "here"],
		["@@Ada", ["@Ada"], "Ada"],
		["@a.*(b)[ @.*", ["@a.*(b)["], "a.*(b)["],
		["@@x @$&", ["@@x", "@$&"], "@x", "$&"],
		["@Ada @Ada", [], "", " ", "Adam"],
	];
	for (const [text, wanted, ...names] of table) equal([text, found(text, ...names)], [text, wanted]);
});

claim("mentions ignore case and composition, and their offsets refer to the original text", () => {
	const table = [
		["@ODYSSEUS @οδυσσεύς", "Οδυσσεύσ", ["@οδυσσεύς"]],
		["\u0130\u0130 @Zoe\u0308, @ZOË", "Zoë", ["@Zoe\u0308", "@ZOË"]],
		["@STRAUSS @strauß", "Strauß", ["@STRAUSS", "@strauß"]],
		["ß @\u1112\u1161\u11ab", "한", ["@\u1112\u1161\u11ab"]],
		["🎉@🦊", "🦊", ["@🦊"]],
		["שלום @דנה!", "דנה", ["@דנה"]],
		["\u2067@مریم\u2069", "مریم", ["@مریم"]],
	];
	for (const [text, name, wanted] of table) equal([text, found(text, name)], [text, wanted]);
});

claim("a name within a word, a mail address or an emoji is not mentioned", () => {
	const table = {
		Ada: [
			"me@Ada.example",
			"7@Ada",
			"é@Ada",
			"_@Ada",
			"e\u0301@Ada",
			"@Adam",
			"@Ada7",
			"@Ada_",
			"@Ada\u0301",
			"@Ad\u0430",
			"@ Ada",
		],
		"👨": ["@👨‍👩‍👧", "@👨🏽"],
		علی: ["@علی\u200cرضا"],
		李: ["@李雷"],
		Strau: ["@Strauß"],
		"\ud83d": ["@\ud83d\ude00"],
	};
	for (const [name, texts] of Object.entries(table))
		for (const text of texts) equal([text, found(text, name)], [text, []]);
});

claim("in a script without spaces, a mention may touch the words around it", () => {
	equal(found("你好@Ada你好 @Adaさん", "Ada"), ["@Ada", "@Ada"]);
	equal(found("สวัสดี@李雷 ", "李雷"), ["@李雷"]);
});

claim("mentions in code, links and quotes do not notify", () => {
	const calls = ["hi @ada", "> x\n@Ada", "`x` @Ada", "@Ada`"];
	const not = ["Ada", "`@Ada`", "```\n@Ada\n```", "> @Ada", "https://a.example/@Ada", "www.a.example/@Ada", "a@Ada"];
	equal(
		[...calls, ...not].filter((text) => mentionsName(text, "Ada")),
		calls,
	);
	equal([mentionsName("@", ""), mentionsName("@ ", " ")], [false, false]);
	equal([mentionsName("@Ada B", "Ada", ["Ada B"]), mentionsName("@Ada B @Ada", "Ada", ["Ada B"])], [false, true]);
});

claim("the mention before the caret is the one being typed", () => {
	const typed = (text, caret = text.length) => mentionAt(text, caret)?.typed;
	const table = {
		"@": "",
		"hi @Ad": "Ad",
		"@Ada Lo": "Ada Lo",
		"(@é": "é",
		"@Ada @B": "B",
		"你好@A": "A",
	};
	for (const [text, wanted] of Object.entries(table)) equal([text, typed(text)], [text, wanted]);
	const none = [
		"",
		"Ada",
		"@ ",
		"@ A",
		"@Ada ",
		"@Ada Lo ",
		"me@A",
		"@Ada Lo x",
		"@Ada\n",
		"@Ada  L",
		"https://a.example/@A",
		`@${"x".repeat(41)}`,
	];
	for (const text of none) equal([text, typed(text)], [text, undefined]);
	equal([typed("@Ada", 0), typed("@Ada", 1), typed("@Ada", 3)], [undefined, "", "Ad"]);
	equal([mentionAt("hi @🦊x", 5), typed(`@${"🦊".repeat(40)}`)], [{ start: 3, typed: "\ud83e" }, "🦊".repeat(40)]);
});

claim("names that start with the typed text come first, then those that contain it, in the given order", () => {
	const names = ["Eva Adams", "Nadal", "Ada", "Ádám", "Jean-Adam", "Bo", "ADA", "Eva Adams", ""];
	equal(completions(names, "ad"), ["Eva Adams", "Ada", "Ádám", "Jean-Adam", "ADA", "Nadal"]);
	equal(completions(names, "ÁD", { limit: 2 }), ["Eva Adams", "Ada"]);
	equal(completions(names, "eva a"), ["Eva Adams"]);
	equal(completions(names, "", { limit: 3 }), ["Eva Adams", "Nadal", "Ada"]);
	for (const typed of ["x", "(", ".*", "\\", "\ud83d"]) equal(completions(names, typed), []);
	equal(completions(["مُحَمَّد", "李雷", "Strauß"], "محمد"), ["مُحَمَّد"]);
	equal([completions(["李雷"], "雷"), completions(["Strauß"], "STRAUSS")], [["李雷"], ["Strauß"]]);
});

claim("a chosen name replaces the typed text, followed by one space", () => {
	equal(complete("hi @ad", 6, { start: 3 }, "Ada L"), { text: "hi @Ada L ", caret: 10 });
	equal(complete("@ad, x", 3, { start: 0 }, "Ada"), { text: "@Ada , x", caret: 5 });
	equal(complete("@ad x", 3, { start: 0 }, "$&"), { text: "@$& x", caret: 4 });
});
