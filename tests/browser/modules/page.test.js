/** The page's parts that know no DOM: text rules, links, wording, message list, visited rooms, drafts. */

import { claim } from "/claims.js";
import { Drafts } from "/client/outbox.js";
import { LocalStore } from "/client/storage.js";
import { splitLinks } from "/model/links.js";
import { MessageList, startsGroup } from "/model/message-list.js";
import { cleanName, isSendable, messageFrom, roomFrom } from "/model/text.js";
import { VisitedRooms } from "/model/visited.js";
import { addressProblem, advice, counter, dayLabel, nameProblem } from "/model/wording.js";
import { Browser, Clock, equal, ok } from "/world.js";

const NOON = new Date(2026, 2, 11, 12).getTime();
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const ada = { connectionId: "ada", name: "Ada", sender: "a" };
const message = (seq, more = {}) => ({
	messageId: `m${seq}`,
	room: "tea",
	seq,
	timestamp: new Date(NOON + seq).toISOString(),
	message: `Message ${seq}`,
	own: false,
	...ada,
	...more,
});
const unsent = (messageId, more = {}) => ({ messageId, room: "tea", text: messageId, at: NOON, ...more });
const seqs = (list) => list.items.map(({ seq }) => seq);

// Text rules; test_text_rules.py compares them with the server's, character by character.

claim("a name is trimmed and freed of what pasting left, and a hidden character refuses it", () => {
	const kept = [
		"Ada",
		"🙂".repeat(40),
		"مریم",
		"O'Neil-Ö",
		"\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f} Mo",
	];
	equal(kept.map(cleanName), kept);
	equal(["  Ada  Lovelace\ufeff ", "So\u00adft\u200b", "e\u0301"].map(cleanName), ["Ada Lovelace", "Soft", "é"]);
	const refused = ["", " ", "x".repeat(41), "Ad\u202ea", "a\tb", "\u2066a", "\u3164", "\ud800", "\u200d"];
	equal(
		refused.filter((name) => cleanName(name) !== undefined),
		[],
	);
});

claim("a refused name says why", () => {
	ok(nameProblem("").startsWith("Enter a name of 1 to 40"));
	ok(nameProblem("x".repeat(41)).startsWith("Enter a name of 1 to 40"));
	ok(nameProblem("Ad\u202ea").includes("invisible"));
	equal(nameProblem("Ada"), "");
});

claim("a message has 1 to 4,000 characters after trimming, one of them visible", () => {
	equal(["x", "🙂".repeat(4000), ` ${"x".repeat(4000)}\n`].map(messageFrom).filter(isSendable).length, 3);
	const invisible = ["", " \n", "\u200b", "\u2800", "\u3164", "\u00ad", "\ufeff", "\u0000", "\u0085"];
	equal([...invisible, "x".repeat(4001)].map(messageFrom).filter(isSendable), []);
	equal(messageFrom(" half \ud83d"), "half \ufffd");
});

claim("a room's name is made of what was typed, or of nothing", () => {
	const made = ["  Café & Garden! ", "#tea", "ÄÖÜ", "!!!", "-a-", "x".repeat(80), `${"x".repeat(63)} y`].map(roomFrom);
	equal(made, ["cafe-garden", "tea", "aou", "", "a", "x".repeat(64), "x".repeat(63)]);
});

// Links.

const links = (text) => splitLinks(text).flatMap((piece) => (piece.isLink ? [piece.text] : []));

claim("only http and https become links, and no character of a message is lost", () => {
	const see = "See https://example.com/a?b=(c), javascript:alert(1) and data:text/html,x.";
	for (const text of [
		see,
		"(http://example.com) ftp://example.com",
		"https://a.example https://b.example/x!",
		"",
		"https://",
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

claim("brackets, quotes and sentence marks of any script end a link", () => {
	equal(links("見て https://example.com。次"), ["https://example.com"]);
	equal(links("https://example.com/docs（说明）了解"), ["https://example.com/docs"]);
	equal(links("“https://example.com/x” «https://example.com/y»، https://example.com/ü?q=日本"), [
		"https://example.com/x",
		"https://example.com/y",
		"https://example.com/ü?q=日本",
	]);
});

claim("a long message without a space is split within a moment", () => {
	const before = performance.now();
	for (const piece of ["(", ")", ".", "https://", "https://(", "x"]) splitLinks(piece.repeat(4000));
	ok(performance.now() - before < 1000);
});

// Wording.

claim("a day is named as people name it", () => {
	equal(dayLabel(NOON, NOON, "en-GB"), "Today");
	equal(dayLabel(NOON - DAY, NOON, "en-GB"), "Yesterday");
	ok(/^Sunday,? 8 March 2026$/.test(dayLabel(NOON - 3 * DAY, NOON, "en-GB")));
	equal(dayLabel(NOON, NOON, "de"), "Heute");
});

claim("a server's address is wss, or ws on this computer", () => {
	const right = ["wss://example.com/production", "WSS://x", "ws://localhost:1", "ws://127.0.0.1:4566/x", "ws://[::1]/"];
	const wrong = [
		"",
		"wss://",
		"wss:example.com",
		"https://example.com",
		"ws://example.com",
		"ws://127.0.0.1.example.com",
	];
	equal(right.filter(addressProblem), []);
	equal(
		wrong.filter((address) => !addressProblem(address)),
		[],
	);
});

claim("a message's length is shown near the limit", () => {
	equal([counter(3599), counter(3990), counter(3999)], ["", "10 characters left", "1 character left"]);
	equal(counter(4002), "2 characters over the limit. Shorten or split your message.");
});

claim("an error says what to do", () => {
	equal(
		advice({ code: "rate_limited", error: "", retryAfterMs: 1400 }),
		"You are sending too fast. The rest will be sent in 2 s.",
	);
	equal(advice({ code: "new_code", error: "That is not allowed" }), "That is not allowed.");
});

// The message list.

claim("a group ends with another sender, another name, or five minutes of silence", () => {
	const before = { sender: "a", name: "Ada", at: NOON };
	const starts = (more) => startsGroup(before, { ...before, ...more });
	equal([starts({}), starts({ at: NOON + 5 * MINUTE })], [false, false]);
	equal([starts({ at: NOON + 5 * MINUTE + 1 }), starts({ sender: "b" }), starts({ name: "Bo" })], [true, true, true]);
	equal(startsGroup(undefined, before), true);
});

claim("messages stand by seq however they arrive, those not stored at the end", () => {
	const list = new MessageList();
	list.putUnsent(unsent("mine"), ada, "");
	list.store([message(3), message(1), message(2)]);
	equal(seqs(list), [1, 2, 3, Infinity]);
	equal([list.firstSeq, list.lastSeq], [1, 3]);
});

claim("a message that is stored keeps its row, and is never shown as unsent again", () => {
	const list = new MessageList();
	list.putUnsent(unsent("mine"), ada, "");
	const [row] = list.items;
	list.store([message(1, { messageId: "mine", own: true })]);
	list.putUnsent(unsent("mine"), ada, "");
	list.removeUnsent("mine");
	ok(list.items[0] === row && row.state === "stored");
	equal(list.items.length, 1);
});

claim("a message that failed says why, and goes when it is discarded", () => {
	const list = new MessageList();
	list.putUnsent(unsent("mine"), ada, "Too long.");
	equal([list.items[0].state, list.items[0].problem], ["failed", "Too long."]);
	list.removeUnsent("mine");
	equal(list.items, []);
});

const numbered = (from, to, more) => Array.from({ length: to - from + 1 }, (_, n) => message(from + n, more));

claim("what comes while the reader is away begins below a line; own messages and history are not unread", () => {
	const list = new MessageList();
	list.enter(2, 2);
	list.store(numbered(1, 2), true);
	equal([list.unread, list.firstNew], [0, undefined]);
	list.store([message(3, { own: true }), message(4)], true);
	list.store([message(5), message(6, { own: true }), message(7)], true);
	equal([list.unread, list.firstUnread.seq, list.firstNew.seq], [3, 4, 4]);
	list.see(1, 7);
	equal([list.unread, list.firstNew.seq, list.read], [0, 4, 7]);
});

claim("read is what was seen: not what was jumped over", () => {
	const list = new MessageList();
	list.enter(10, 40);
	list.store(numbered(1, 40));
	equal([list.unread, list.firstUnread.seq], [30, 11]);
	ok(!list.see(30, 40) && list.see(9, 20) && !list.see(5, 15));
	equal([list.read, list.unread, list.firstNew.seq], [20, 20, 11]);
	list.see(0, 40);
	list.store([message(41, { own: true }), message(42, { own: true })]);
	equal([list.read, list.unread], [42, 0]);
});

claim("195 unread messages are counted though only the newest are known, and none is taken for the first", () => {
	const list = new MessageList();
	list.enter(5, 200);
	list.store(numbered(151, 200));
	equal([list.unread, list.firstUnread, list.firstNew], [195, undefined, undefined]);
	list.see(151, 200);
	equal(list.unread, 195);
	list.store(numbered(1, 150));
	equal([list.unread, list.firstUnread.seq, list.firstNew.seq], [195, 6, 6]);
});

claim("what has expired is not unread for ever", () => {
	const list = new MessageList();
	list.enter(5, 200);
	list.reset(true);
	list.store(numbered(198, 200));
	equal([list.unread, list.firstUnread.seq], [3, 198]);
	ok(list.see(198, 200));
});

claim("comings and goings close together share one line, each once", () => {
	const list = new MessageList();
	list.store([message(1)]);
	for (const words of ["Ada joined", "Bo joined", "Ada joined"]) list.note(words, NOON, true);
	list.note("The connection was lost.", NOON);
	list.note("Ada left", NOON, true);
	const said = list.items.map((item) => item.message);
	equal(said, ["Message 1", "Bo joined · Ada joined", "The connection was lost.", "Ada left"]);
});

claim("a list forgets the oldest, never what is not stored", () => {
	const list = new MessageList();
	list.store(Array.from({ length: 3300 }, (_, index) => message(index + 1)));
	list.putUnsent(unsent("mine"), ada, "");
	list.complete = true;
	list.trim();
	equal([list.items.length, list.lastSeq, list.complete], [3000, 3300, false]);
	list.reset(true);
	equal(
		list.items.map(({ messageId }) => messageId),
		["mine"],
	);
});

// What the browser keeps.

claim("visited rooms keep their order, and the one last looked at is the most recent", () => {
	const visited = new VisitedRooms(new LocalStore(new Browser(new Clock()).storage.tab()));
	for (const [at, room] of ["tea", "garden", "hall", "tea"].entries()) visited.visit(room, at);
	equal(
		[visited.all.map(({ room }) => room), visited.recent],
		[
			["tea", "garden", "hall"],
			["tea", "hall", "garden"],
		],
	);
	visited.forget("garden");
	equal(visited.recent, ["tea", "hall"]);
	for (let n = 0; n < 40; n += 1) visited.visit(`room-${n}`, 10 + n);
	equal([visited.all.length, visited.recent[0], visited.recent.at(-1)], [30, "room-39", "room-10"]);
});

claim("how far a room is read never goes back, unless the room began anew", () => {
	const visited = new VisitedRooms(new LocalStore(new Browser(new Clock()).storage.tab()));
	visited.visit("tea", 0);
	visited.joined("tea", 7);
	equal([visited.find("tea").read, visited.find("tea").last], [7, 7]);
	visited.update("tea", { last: 9, read: 8 });
	visited.update("tea", { last: 5, read: 4 });
	equal([visited.find("tea").read, visited.find("tea").last], [8, 9]);
	visited.joined("tea", 3);
	equal([visited.find("tea").read, visited.find("tea").last], [3, 3]);
});

claim("a list of visited rooms of another shape is left out", () => {
	for (const odd of ["3", '"text"', '{"a":1}', '[null, 7, {}, {"room": 5}, {"room": "tea"}]']) {
		const { area, events } = new Browser(new Clock()).storage.tab();
		area.setItem("chat.rooms", odd);
		equal(new VisitedRooms(new LocalStore({ area, events })).all, []);
	}
});

claim("a draft is one for all tabs, and an empty one is none", async () => {
	const clock = new Clock();
	const { storage } = new Browser(clock);
	const [one, two] = [1, 2].map(() => new Drafts(new LocalStore(storage.tab())));
	const changed = [];
	two.on("changed", (draft) => changed.push(draft));
	one.save("tea", "Half a thought");
	equal(two.load("tea"), "Half a thought");
	one.save("tea", "");
	await clock.pass(10);
	equal(changed.at(-1), { room: "tea", text: "" });
	equal([...storage.items.keys()], []);
});
