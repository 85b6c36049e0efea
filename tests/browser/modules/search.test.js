/** Searching a room's history: matches, highlighting, and paging. */

import { claim } from "/claims.js";
import { itemOf, MessageList } from "/model/message-list.js";
import { matches, matchRanges, parseQuery, Search } from "/model/search.js";
import { equal, LIMITED, ok, refuse, SECOND, texts, World } from "/world.js";

const by = (name, message) => ({ name, message });
const finds = (query, message, name = "Ada") => matches(by(name, message), parseQuery(query));
const marked = (text, query) => matchRanges(text, query).map(([start, end]) => text.slice(start, end));
const said = ({ found }) => found.map(({ message }) => message);

// Queries.

claim("every word must occur, in any order and any case", () => {
	ok(finds("tea KETTLE", "The kettle is on: Tea at five"));
	ok(!finds("tea kettle", "Tea at five"));
	ok(finds("kett", "The kettle"));
});

claim("accents, width, ligatures and composition make no difference", () => {
	const same = [
		["cafe", "Cafe\u0301 Olé"],
		["CAFÉ", "cafe"],
		["Cafe\u0301", "café"],
		["office", "o\ufb03ce"],
		["ABC123", "\uff21\uff22\uff23\uff11\uff12\uff13"],
		["strasse", "Straße"],
		["STRAßE", "strasse"],
		["Οδυσσευς", "ΟΔΥΣΣΕΥΣ"],
		["istanbul", "İstanbul"],
		["カタカナ", "ｶﾀｶﾅ"],
		["ガ", "ｶﾞ"],
		["가각", "\u1100\u1161\u1100\u1161\u11a8"],
		["محمد", "مُحَمَّد"],
		["hyphenation", "hyphen\u00adation"],
		["❤", "❤\ufe0f"],
		["日本", "日本語のチャット"],
	];
	equal(
		same.filter(([query, text]) => !finds(query, text)),
		[],
	);
});

claim("marks that make another letter are not accents", () => {
	const other = [
		["が", "か"],
		["ば", "ぱ"],
		["की", "का"],
		["각", "가"],
	];
	equal(
		other.filter(([query, text]) => finds(query, text)),
		[],
	);
});

claim("a quoted phrase matches as one, even across a line break; an unclosed quote is ignored", () => {
	ok(finds('"tea at five"', "Tea  at\nfive"));
	ok(!finds('"tea at five"', "five at tea"));
	ok(finds("“at five” tea", "tea at five"));
	ok(finds('"at tea', "tea at five"));
	ok(finds('""', "anything") && finds('say "" tea', "I say tea"));
});

claim("from: narrows the search to a sender by part of the name", () => {
	ok(finds("from:ada tea", "Tea", "Ada Lovelace") && finds('from:"ada love"', "x", "Ada Lovelace"));
	ok(!finds("from:bo tea", "Tea from:bo", "Ada") && !finds("from:ada", "Ada", "Bo"));
	ok(finds("FROM:zoe", "x", "Zoë") && finds("from: tea", "Not from: here, tea"));
	equal(parseQuery('from:ada "a b" c'), { words: ["a b", "c"], from: ["ada"] });
});

claim("regular expression and code characters are literal", () => {
	for (const sign of [".*", "(", "[a-z]", "\\d", "$&", "a|b", "constructor", "__proto__"]) {
		ok(finds(sign, `x ${sign} y`) && !finds(sign, "xy"));
		equal(marked(`x ${sign} y`, sign), [sign]);
	}
});

claim("an empty or invisible query searches for nothing", async () => {
	for (const query of ["", "  ", '""', "\u0301", "\u200b\u00ad", '" "', "from:\u0301"]) {
		const search = new Search({ page: () => ok(false, "asked"), room: "tea", query });
		ok(search.isEmpty);
		equal(await search.more(), { found: [], searchedTo: 0, complete: true });
		equal(matchRanges("text", query), []);
	}
});

// Highlighting.

claim("matches are highlighted in the original text", () => {
	equal(marked("A café, a Cafe\u0301 and CAFÉ", "cafe"), ["café", "Cafe\u0301", "CAFÉ"]);
	equal(matchRanges("o\ufb03ce", "off"), [[0, 2]]);
	equal(matchRanges("o\ufb03ce", "f"), [[1, 2]]);
	equal(marked("Straße", "strasse"), ["Straße"]);
	equal(marked("😀 tea 😀", "tea"), ["tea"]);
	equal(marked("Tea \n at five", '"tea at"'), ["Tea \n at"]);
	equal(marked("\uff21\uff22\uff23", "b"), ["\uff22"]);
	equal(marked("hyphen\u00adation", "ation"), ["ation"]);
});

claim("highlights cover whole graphemes", () => {
	const family = "👩‍👩‍👧";
	equal(marked(`a${family}b`, "👩"), [family]);
	equal(marked(`a${family}b`, `${family}b`), [`${family}b`]);
	equal(marked("e\u0301\u0323x", "e"), ["e\u0301\u0323"]);
	equal(marked("\ud83d tea", "tea"), ["tea"]);
	for (const [start, end] of matchRanges("🇩🇪🇫🇷", "🇪🇫")) ok(start === 0 && end === 8);
});

claim("highlights are in order and never overlap", () => {
	equal(matchRanges("banana", "ana nan"), [[1, 6]]);
	equal(matchRanges("aaaa", "aa"), [[0, 4]]);
	equal(matchRanges("one two one", "one two"), [
		[0, 3],
		[4, 7],
		[8, 11],
	]);
	equal(matchRanges("", "one"), []);
	equal(matchRanges("from ada", "from:ada"), []);
});

claim("matches are highlighted for any text and any part of it", () => {
	const pieces = ["e\u0301", "É", "ﬁ", "ß", "😀", "👩‍👧", " ", "\n", "ｶﾞ", "각", "a", "B", "ς", "\u200d", "İ", "\ud83d"];
	let seed = 7;
	const next = (below) => {
		seed = (seed * 1103515245 + 12345) % 2147483648;
		return seed % below;
	};
	for (let turn = 0; turn < 500; turn += 1) {
		const parts = Array.from({ length: 1 + next(8) }, () => pieces[next(pieces.length)]);
		const text = parts.join("|"); // so that pieces do not become one character
		const query = parts[next(parts.length)];
		const ranges = matchRanges(text, query);
		let last = 0;
		for (const [start, end] of ranges) {
			ok(start >= last && end > start && end <= text.length, `${JSON.stringify([text, query, ranges])}`);
			last = end;
		}
		const { words } = parseQuery(query);
		equal(ranges.length > 0, words.length > 0 && words.every((word) => finds(word, text)));
	}
});

// Paging.

/** A room with `count` messages, with "tea" in those that `has` selects by number, and a search in it. */
async function searching({ count = 1000, has = () => true, query = "tea", complete, known = true } = {}) {
	const world = new World();
	world.server.pageSize = 100;
	const room = world.server.room("hall");
	room.messages = texts("", count).map((text, index) => ({
		...{ type: "message", messageId: `m${index + 1}`, room: "hall", seq: index + 1 },
		...{ timestamp: new Date(world.clock.at - (count - index) * 1000).toISOString() },
		...{ message: `${has(index + 1) ? "tea" : "milk"}${text}`, connectionId: "b", name: "Bo", sender: "b" },
	}));
	room.lastSeq = count;
	const view = await world.joined({ room: "hall" });
	const list = new MessageList();
	for (const { messages } of view.of("messages")) list.store(messages);
	const page = (request) => view.client.page("hall", request);
	const search = new Search({ page, room: "hall", query, live: known ? list.items : undefined, complete });
	const more = async (ms = 5 * SECOND) => {
		const asked = search.more();
		await world.clock.pass(ms);
		return asked;
	};
	const requests = () => world.server.sent("history");
	return { world, view, search, more, list, requests };
}

claim("loaded messages are searched first, newest first, without a request", async () => {
	const { more, requests, world } = await searching({ has: (n) => n > 995 });
	const result = await more();
	equal([said(result), result.complete], [[1000, 999, 998, 997, 996].map((n) => `tea ${n}`), false]);
	equal([requests(), result.searchedTo], [[], Date.parse(world.server.room("hall").messages[950].timestamp)]);
});

claim("it searches older pages until there is enough to show, then continues on request", async () => {
	const { more, requests } = await searching({ count: 400, has: (n) => n <= 200 && n % 8 === 0 });
	const first = await more();
	equal([first.found.length, said(first)[0], first.complete], [25, "tea 200", true]);
	equal(
		requests().map(({ before, limit }) => [before, limit]),
		[351, 251, 151, 51].map((before) => [before, 100]),
	);
	equal(await more(), { found: [], searchedTo: first.searchedTo, complete: true });
	equal(requests().length, 4);
});

claim("a call reads at most ten pages, and the next continues where it ended", async () => {
	const { more, requests } = await searching({ count: 2500, has: (n) => n === 60 });
	const calls = [await more(), await more(), await more()];
	equal(calls.map(said), [[], [], ["tea 60"]]);
	equal(
		calls.map(({ complete }) => complete),
		[false, false, true],
	);
	equal([requests().length, requests()[10].before], [25, 1451]);
	ok(calls[1].searchedTo < calls[0].searchedTo);
});

claim("concurrent calls find nothing twice", async () => {
	const { search, world, requests } = await searching({ count: 600, has: (n) => n % 50 === 0, known: false });
	const calls = [search.more(), search.more(), search.more()];
	await world.clock.pass(5 * SECOND);
	const [one, two] = await Promise.all(calls);
	ok(one === two);
	equal(
		said(one),
		texts("tea", 12).map((_, n) => `tea ${600 - n * 50}`),
	);
	equal(requests()[0], { action: "history", room: "hall", limit: 100 });
});

claim("a fully loaded room needs no request", async () => {
	for (const options of [{ count: 30 }, { count: 1000, complete: true }]) {
		const { more, requests } = await searching({ ...options, query: "milk" });
		equal([(await more()).complete, requests()], [true, []]);
	}
});

claim("notes and unsent messages are not found", async () => {
	const list = new MessageList();
	list.store([{ ...message(1), message: "tea" }]);
	list.note("tea", 5);
	list.putUnsent(
		{ messageId: "mine", room: "tea", text: "tea", at: 9 },
		{ name: "", sender: "", connectionId: "" },
		"",
	);
	const search = new Search({ page: () => ok(false), room: "tea", query: "tea", live: list.items });
	equal((await search.more()).found, [itemOf({ ...message(1), message: "tea" })]);
});

const message = (seq) => ({
	...{ messageId: `m${seq}`, room: "tea", seq, timestamp: "2026-01-01T00:00:00.000Z", message: "" },
	...{ connectionId: "a", name: "Ada", sender: "a", own: false },
});

claim("a cancelled search sends no more requests, and continues where it ended if called again", async () => {
	const { search, more, world, requests } = await searching({ count: 500, has: (n) => n === 440 || n === 120 });
	const asked = search.more();
	await world.clock.pass(5);
	search.cancel();
	await world.clock.pass(5 * SECOND);
	const { complete } = await asked;
	equal([said(await asked), complete, requests().length], [["tea 440"], false, 1]);
	const rest = await more();
	equal([said(rest), rest.complete, requests()[1].before], [["tea 120"], true, 351]);
});

claim("a search interrupted by the connection continues at the same place and loses no results", async () => {
	const { search, world, view } = await searching({ count: 500, has: (n) => n === 350 || n === 120 });
	const cut = search.more();
	await world.clock.pass(50);
	world.socket.cut();
	equal(said(await cut), ["tea 350"]);
	let problem;
	await search.more().catch((error) => {
		problem = error.message;
	});
	equal(problem, "paused");
	await world.clock.pass(5 * SECOND);
	equal(view.session.state, "ready");
	const rest = search.more();
	await world.clock.pass(5 * SECOND);
	equal([said(await rest), (await rest).complete], [["tea 120"], true]);
});

claim("a rate-limited search waits and continues", async () => {
	const { more, world } = await searching({ count: 500, has: (n) => n === 7 });
	let left = 2;
	refuse(world, "history", LIMITED, () => left-- > 0);
	equal(said(await more()), ["tea 7"]);
});

claim("filling a gap and scrolling do not wait for a search to end", async () => {
	const { search, world, view, requests } = await searching({ count: 2500, has: () => false });
	search.more();
	await world.clock.pass(50);
	world.server.store("hall", "missed");
	world.server.say("hall", "live");
	const scrolled = view.client.page("hall", { before: 2401 });
	await world.clock.pass(1100);
	ok(requests().findIndex(({ before, limit }) => before === 2401 && !limit) <= 4);
	equal(view.texts("hall").slice(-2), ["missed", "live"]);
	equal((await scrolled).messages.length, 50);
});
