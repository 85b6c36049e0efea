/** Message text: links, code, quotes, rooms, mentions, emoji. */

import { claim } from "/claims.js";
import { okLinear } from "/growth.js";
import { splitLinks } from "/model/links.js";
import { isEmojiOnly, parse } from "/model/markup.js";
import { mentionsName } from "/model/mentions.js";
import { chance, equal, ok } from "/world.js";

const ADA = { names: ["Bo", "Ada"], ownName: "Ada" };

/** For example `see {code x}`. */
const drawn = (pieces) =>
	pieces
		.map((piece) => {
			if (piece.kind === "text") return piece.text;
			return `{${piece.kind} ${piece.kind === "quote" ? drawn(piece.pieces) : piece.text}}`;
		})
		.join("");

/** Compares each message with its rendering. */
function eachDraws(table, people) {
	for (const [message, wanted] of Object.entries(table))
		equal([message, drawn(parse(message, people))], [message, wanted]);
}

/** Each message is rendered unchanged. */
function eachStays(messages, people) {
	for (const message of messages) equal(parse(message, people), [{ kind: "text", text: message }]);
}

// Links.

const links = (text) => splitLinks(text).flatMap(({ href }) => (href ? [href] : []));

claim("only http, https and www become links, and no character is lost", () => {
	const see = "See https://example.com/a?b=(c), javascript:alert(1) and data:text/html,x.";
	for (const text of [
		see,
		"(http://example.com) ftp://example.com",
		"https://a.b https://c.d/x!",
		"",
		"https://",
		"www.",
	]) {
		equal(
			splitLinks(text)
				.map((piece) => piece.text)
				.join(""),
			text,
		);
	}
	equal(links(see), ["https://example.com/a?b=(c)"]);
	equal(links("(http://example.com/x) ftp://example.com"), ["http://example.com/x"]);
	equal(links("HTTPS://EXAMPLE.COM."), ["HTTPS://EXAMPLE.COM"]);
	equal(links("https://example.com/\u202egpj.exe"), ["https://example.com/"]);
});

claim("www. starts an https link, but not within a word or another URL", () => {
	equal(links("www.example.org/x, WWW.example.org."), ["https://www.example.org/x", "https://WWW.example.org"]);
	equal(links("見てwww.example.org。"), ["https://www.example.org"]);
	equal(links("www. www.x www.x. awww.x.y a@www.x.y ftp://www.x.y /www.x.y www..y www.x?a.b"), []);
	equal(links("https://www.example.org/www.x.y"), ["https://www.example.org/www.x.y"]);
});

claim("brackets, quotes and punctuation of any script end a link", () => {
	equal(links("見て https://example.com。次"), ["https://example.com"]);
	equal(links("https://example.com/docs（说明）了解"), ["https://example.com/docs"]);
	equal(links("“https://example.com/x” «https://example.com/y»، https://example.com/ü?q=日本"), [
		"https://example.com/x",
		"https://example.com/y",
		"https://example.com/ü?q=日本",
	]);
});

// Code and quotes.

claim("backticks make code up to the same number of backticks on the line", () => {
	eachDraws({
		"a `b` c": "a {code b} c",
		"`` a`b ``": "{code a`b}",
		"`a` `b`": "{code a} {code b}",
		"``a`": "``a`",
		"`a``b`": "{code a``b}",
		"it`s\nJohn`s": "it`s\nJohn`s",
		"`@Ada #tea https://a.b :tada:`": "{code @Ada #tea https://a.b :tada:}",
		"用`代码`吧": "用{code 代码}吧",
	});
	eachStays(["`", "``", "` `", "`a", "`a\r\nb`".replace("\r", ""), "```"]);
});

claim("three backticks make a block, without the language and the line breaks around it", () => {
	eachDraws({
		"```js\nlet a = `b`;\n> c\n```\nd": "{block let a = `b`;\n> c}d",
		"a\n```\n  b\n\n```\n\nc": "a{block   b\n}\nc",
		"a ```b``` c ```d```": "a {block b} c {block d}",
		"````\n```\n````": "{block ```}",
		"```\r\na\r\n```\r\nb": "{block a}b",
		"```js```": "{block js}",
		"```js\n```": "{block js}",
		"```a b\nc```": "{block a b\nc}",
		"```#\na```": "{block #\na}",
	});
	eachStays(["```a\nb", "``````", "```\n\n```", "``` ```", "```a````"]);
});

claim("lines that start with > are a quote, and lookalikes are not", () => {
	eachDraws(
		{
			"> a\n> b\nc": "{quote a\nb}c",
			"a\n> b\n\nc": "a{quote b}\nc",
			">a": "{quote a}",
			"> a\r\n>\r\n> b\r\n": "{quote a\n\nb}",
			"> > a": "{quote > a}",
			"> `a` https://b.example @Ada #tea": "{quote {code a} {link https://b.example} {mention @Ada} {room #tea}}",
			"> ```\n> a\n> ```\nb": "{quote {block a}}b",
			"> ``` a\nb ```": "{quote ``` a}b ```",
			"```a\n> b": "```a{quote b}",
			"> مرحبا\n\u200f> a": "{quote مرحبا}\u200f> a",
		},
		ADA,
	);
	eachStays([">", "> \n>", ">5", ">= 5", ">_<", ">>> print()", "a > b", " > a", "->\n>:("]);
});

// Rooms and mentions.

claim("# and a room's name is a link to the room, at the start of a word", () => {
	equal(parse("#Tea-Time"), [{ kind: "room", text: "#Tea-Time", room: "tea-time" }]);
	const longest = "x".repeat(64);
	eachDraws({
		"(#a), #b.": "({room #a}), {room #b}.",
		"#tea-": "{room #tea}-",
		"見て#teaへ": "見て{room #tea}へ",
		"#1st #2024-q1": "{room #1st} {room #2024-q1}",
		[`#${longest}`]: `{room #${longest}}`,
		"https://a.example/#tea #tea": "{link https://a.example/#tea} {room #tea}",
	});
	const none = [
		"#",
		"#-a",
		"#1",
		"#42-7",
		"C#tea",
		"é#tea",
		"##tea",
		"#teaé",
		"#tea-é",
		"#tea_b",
		"#日本",
		"#\u212aelvin",
	];
	eachStays([...none, "&#x27;", "a/#tea", `#${longest}x`, `#${longest}-x`, "e\u0301#a"]);
});

claim("@ and a known name is a mention, and your own is marked", () => {
	equal(parse("@ada @BO", ADA), [
		{ kind: "mention", text: "@ada", isOwn: true },
		{ kind: "text", text: " " },
		{ kind: "mention", text: "@BO", isOwn: false },
	]);
	equal(parse("@Ada", { ownName: "Ada" })[0].isOwn, true);
	eachDraws(
		{ "@Ada#tea @Ada/@Bo": "{mention @Ada}#tea {mention @Ada}/{mention @Bo}", "`x`@Ada": "{code x}{mention @Ada}" },
		ADA,
	);
	eachDraws({ "@a #tea x": "{mention @a #tea x}" }, { names: ["a #tea x"] });
	eachStays(["@", "@ Ada", "@Eve", "me@Ada"], ADA);
	eachStays(["@", "@ "], { names: ["", " "], ownName: "" });
});

claim("any mix of markup is rendered completely and in order", () => {
	const parts = [
		..."`|``|```|````|>|> |\n|\r\n| a| @Ada|@|#| #tea|(|)|\u200d|🎉|\u202e|\ud83c|*|é".split("|"),
		" https://a.example/x",
		" www.a.example",
		"```js\n",
	];
	const bare = (text) => text.replaceAll("```js\n", "").replace(/[`>\s]/g, "");
	const flat = (pieces) => pieces.map((piece) => (piece.kind === "quote" ? flat(piece.pieces) : piece.text)).join("");
	for (let seed = 1; seed <= 3000; seed += 1) {
		const random = chance(seed);
		const message = Array.from({ length: 1 + random() * 12 }, () => parts[Math.floor(random() * parts.length)]).join(
			"",
		);
		const pieces = parse(message, ADA);
		equal([message, bare(flat(pieces)).replaceAll("js", "")], [message, bare(message).replaceAll("js", "")]);
		ok(
			!pieces.some(({ kind, text }, index) => kind === "text" && (!text || pieces[index + 1]?.kind === "text")),
			message,
		);
	}
});

claim("parsing takes linear time", () => {
	const parts = [
		..."`>@(#)./x",
		"www.",
		"https://",
		"https://(",
		"` `` ",
		">\n",
		"> a\n",
		"```\n",
		"@ad",
		"#a-",
		"@\u0301",
		" \n",
		"\r",
	];
	for (const part of parts) {
		okLinear(part, (message) => {
			parse(message, ADA);
			mentionsName(message, "Ada", ["Ada B", "Ad"]);
		});
	}
});

// Emoji only.

claim("one to three emoji and nothing else are emoji only", () => {
	const flags = ["🇩🇪", "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}", "🏴‍☠️"];
	const people = ["👨‍👩‍👧‍👦", "👍🏽", "☝🏿", "👩🏿‍❤️‍💋‍👨🏻", "🧑🏽‍🚀"];
	const alone = ["🎉", " 🎉 🎉\n", "🎉🎉🎉", "1️⃣", "#⃣", "❤️", "☀️", "\u{1faea}", ...flags, ...people, people[0].repeat(3)];
	equal(
		alone.filter((text) => !isEmojiOnly(text)),
		[],
	);
	const flagOfA = "\u{1f1e6}";
	const parts = [flagOfA, `${flagOfA}🎉`, "🏽", "🎉\u200d", "\u200d🎉", "\ud83c", "\ufe0f", flags[1].slice(0, -2)];
	const text = ["", " ", "1", "#", "12", "©", "❤", "🎉\ufe0e", "a🎉", "🎉!", "🎉\n🎉", "🎉🎉🎉🎉", "👨‍".repeat(20)];
	equal([...parts, ...text].filter(isEmojiOnly), []);
});
