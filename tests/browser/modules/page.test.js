/** Model modules: text rules, wording, message list, visited rooms, drafts. */

import { claim } from "/claims.js";
import { LocalStore } from "/client/storage.js";
import { roomFromTitle } from "/model/address.js";
import { Drafts } from "/model/drafts.js";
import { MessageList, startsGroup } from "/model/message-list.js";
import { Presence } from "/model/presence.js";
import { cleanName, isSendable, messageFrom, roomFrom } from "/model/text.js";
import { VisitedRooms } from "/model/visited.js";
import { advice, counter, dateFormat, dayLabel, nameProblem, pageLocale, urlProblem } from "/model/wording.js";
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

claim("a name is trimmed and stripped of paste artefacts, and a hidden character makes it invalid", () => {
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

claim("a room is derived from the typed text, or is empty", () => {
	const made = ["  Café & Garden! ", "#tea", "ÄÖÜ", "!!!", "-a-", "x".repeat(80), `${"x".repeat(63)} y`].map(roomFrom);
	equal(made, ["cafe-garden", "tea", "aou", "", "a", "x".repeat(64), "x".repeat(63)]);
});

// Wording.

claim("days have natural names", () => {
	equal(dayLabel(NOON, NOON, "en-GB"), "Today");
	equal(dayLabel(NOON - DAY, NOON, "en-GB"), "Yesterday");
	ok(/^Sunday,? 8 March 2026$/.test(dayLabel(NOON - 3 * DAY, NOON, "en-GB")));
	equal(dayLabel(NOON, NOON, "de"), "Today");
});

claim("dates are in English, whatever the reader's language, with the hours and the order of their region", () => {
	const at = new Date(2026, 2, 8, 15, 5).getTime();
	const time = (language) => dateFormat({ hour: "numeric", minute: "2-digit" }, language)(at).replace("\u202f", " ");
	equal(["en-US", "en-GB", "de", "ja", "ar-EG"].map(time), ["3:05 PM", "15:05", "15:05", "15:05", "3:05 PM"]);
	for (const language of ["de", "ja", "ar-EG", "fr-CA"]) {
		ok(dateFormat({ dateStyle: "long" }, language)(at).includes("March"), language);
		ok(/^[\x20-\x7e]+$/.test(dateFormat({ dateStyle: "full" }, language)(at)), language);
	}
	equal(["en-US@posix", "", "x"].map(pageLocale), ["en", "en", "en"]);
});

claim("a server's URL is wss, or ws on this computer", () => {
	const right = ["wss://example.com/production", "WSS://x", "ws://localhost:1", "ws://127.0.0.1:4566/x", "ws://[::1]/"];
	const wrong = [
		"",
		"wss://",
		"wss:example.com",
		"https://example.com",
		"ws://example.com",
		"ws://127.0.0.1.example.com",
	];
	equal(right.filter(urlProblem), []);
	equal(
		wrong.filter((address) => !urlProblem(address)),
		[],
	);
});

claim("a counter is shown near the length limit", () => {
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

claim("messages are ordered by seq however they arrive, unsent ones at the end", () => {
	const list = new MessageList();
	list.putUnsent(unsent("mine"), ada, "");
	list.store([message(3), message(1), message(2)]);
	equal(seqs(list), [1, 2, 3, Infinity]);
	equal([list.firstSeq, list.lastSeq], [1, 3]);
});

claim("a stored message keeps its row and is never shown as unsent again", () => {
	const list = new MessageList();
	list.putUnsent(unsent("mine"), ada, "");
	const [row] = list.items;
	list.store([message(1, { messageId: "mine", own: true })]);
	list.putUnsent(unsent("mine"), ada, "");
	list.removeUnsent("mine");
	ok(list.items[0] === row && row.state === "stored");
	equal(list.items.length, 1);
});

claim("a failed message says why, and disappears when discarded", () => {
	const list = new MessageList();
	list.putUnsent(unsent("mine"), ada, "Too long.");
	equal([list.items[0].state, list.items[0].problem], ["failed", "Too long."]);
	list.removeUnsent("mine");
	equal(list.items, []);
});

const numbered = (from, to, more) => Array.from({ length: to - from + 1 }, (_, n) => message(from + n, more));

claim("messages that arrive while you are away start below a line; own messages and history are not unread", () => {
	const list = new MessageList();
	list.enter(2, 2);
	list.store(numbered(1, 2), true);
	equal([list.unread, list.firstNew], [0, undefined]);
	list.store([message(3, { own: true }), message(4)], true);
	list.store([message(5), message(6, { own: true }), message(7)], true);
	equal([list.unread, list.firstUnread.seq, list.firstNew.seq], [3, 4, 4]);
	list.markSeen(1, 7);
	equal([list.unread, list.firstNew.seq, list.read], [0, 4, 7]);
});

claim("only messages that were seen count as read, not those that were skipped", () => {
	const list = new MessageList();
	list.enter(10, 40);
	list.store(numbered(1, 40));
	equal([list.unread, list.firstUnread.seq], [30, 11]);
	ok(!list.markSeen(30, 40) && list.markSeen(9, 20) && !list.markSeen(5, 15));
	equal([list.read, list.unread, list.firstNew.seq], [20, 20, 11]);
	list.markSeen(0, 40);
	list.store([message(41, { own: true }), message(42, { own: true })]);
	equal([list.read, list.unread], [42, 0]);
});

claim("195 unread messages are counted though only the newest are loaded, and none is mistaken for the first", () => {
	const list = new MessageList();
	list.enter(5, 200);
	list.store(numbered(151, 200));
	equal([list.unread, list.firstUnread, list.firstNew], [195, undefined, undefined]);
	list.markSeen(151, 200);
	equal(list.unread, 195);
	list.store(numbered(1, 150));
	equal([list.unread, list.firstUnread.seq, list.firstNew.seq], [195, 6, 6]);
});

claim("expired messages do not stay unread forever", () => {
	const list = new MessageList();
	list.enter(5, 200);
	list.reset(true);
	list.store(numbered(198, 200));
	equal([list.unread, list.firstUnread.seq], [3, 198]);
	ok(list.markSeen(198, 200));
});

/** The presence lines for changes given as [event, sender, seconds], without isolates around names. */
function lines(...changes) {
	const list = new MessageList();
	list.store([message(1)]);
	for (const change of changes) {
		if (typeof change === "string") list.store([message(list.lastSeq + 1, { message: change })]);
		else list.presence({ event: change[0], sender: change[1], name: change[1] }, NOON + change[2] * 1000);
	}
	return list.items.slice(1).map((item) => item.message.replace(/[\u2068\u2069]/g, ""));
}

claim("joins and leaves between two messages share one line", () => {
	equal(lines(["join", "Ada", 0]), ["Ada joined"]);
	equal(lines(["join", "Ada", 0], ["join", "Bo", 100]), ["Ada and Bo joined"]);
	const three = ["Ada", "Bo", "Cy"].map((name) => ["join", name, 0]);
	equal(lines(...three), ["3 people joined"]);
	equal(lines(...three, ["leave", "Di", 5], ["leave", "Ed", 6]), ["3 people joined, Di and Ed left"]);
	equal(lines(["join", "Ada", 0], "Hello", ["join", "Bo", 1]), ["Ada joined", "Hello", "Bo joined"]);
	equal(lines(["join", "Ada", 0], ["join", "Bo", 24 * 3600]), ["Ada joined", "Bo joined"]);
});

claim("leaving and returning within 30 seconds shows nothing, even with messages in between", () => {
	equal(lines(["leave", "Ada", 0], ["join", "Ada", 30]), []);
	equal(lines(["join", "Ada", 0], ["leave", "Ada", 29]), []);
	equal(lines(["leave", "Ada", 0], "Hello", ["join", "Ada", 3]), ["Hello"]);
	equal(lines(["join", "Bo", 0], ["leave", "Ada", 0], ["join", "Ada", 9]), ["Bo joined"]);
	equal(lines(["leave", "Ada", 0], ["join", "Bo", 9]), ["Bo joined, Ada left"]);
	equal(lines(["join", "Ada", 0], ["leave", "Ada", 5], ["join", "Ada", 10]), ["Ada joined"]);
});

claim("a longer absence or visit is shown once", () => {
	equal(lines(["leave", "Ada", 0], ["join", "Ada", 31]), ["Ada left and came back"]);
	equal(lines(["join", "Ada", 0], ["leave", "Ada", 31]), ["Ada joined and left"]);
	equal(lines(["join", "Ada", 0], ["leave", "Ada", 40], ["join", "Ada", 80]), ["Ada joined"]);
	equal(lines(["join", "Ada", 0], ["leave", "Ada", 40], ["join", "Ada", 80], ["leave", "Ada", 90]), [
		"Ada joined and left",
	]);
});

claim("two people with one name count as two, a rename has its own line, and names are isolated", () => {
	const list = new MessageList();
	for (const sender of ["a", "b"]) list.presence({ event: "join", sender, name: "Ada" }, NOON);
	list.presence({ event: "rename", sender: "a", name: "مريم", former: "Ada" }, NOON);
	list.presence({ event: "join", sender: "c", name: "" }, NOON);
	equal(
		list.items.map((item) => item.message),
		["\u2068Ada\u2069 and \u2068Ada\u2069 joined", "\u2068Ada\u2069 is now \u2068مريم\u2069", "Someone joined"],
	);
});

claim("a presence line keeps its row as it grows, and notes are never unread", () => {
	const list = new MessageList();
	list.enter(1, 1);
	list.store([message(1)]);
	list.putUnsent(unsent("mine"), ada, "");
	list.presence({ event: "join", sender: "a", name: "Ada" }, NOON);
	const [, row] = list.items;
	list.presence({ event: "join", sender: "b", name: "Bo" }, NOON + 1000);
	list.note("Some messages have expired.", NOON);
	ok(list.items[1] === row && row.at === NOON + 1000);
	equal([list.items.length, list.unread, list.lastSeq, list.items.at(-1).messageId], [4, 0, 1, "mine"]);
});

claim("reloading the page does not show a leave", async () => {
	const clock = new Clock();
	const shown = [];
	const show = (room, { event, sender }) => shown.push(`${sender} ${event} ${room}`);
	const presence = new Presence({ clock, show });
	const hear = (event, sender, room = "tea") => presence.report(room, { event, sender, name: sender }, clock.at);
	hear("leave", "Ada");
	hear("leave", "Ada", "garden");
	hear("leave", "Bo");
	hear("join", "Cy");
	await clock.pass(4900);
	hear("join", "Ada");
	await clock.pass(MINUTE);
	equal(shown, ["Cy join tea", "Ada leave garden", "Bo leave tea"]);
});

claim("saved messages are shown, but are not unread, new, seen or the room's newest", () => {
	const list = new MessageList();
	list.preview(numbered(3, 5));
	list.enter(1, 5);
	ok(!list.isLive && !list.markSeen(1, 5));
	equal([seqs(list), list.unread, list.firstUnread, list.firstNew], [[3, 4, 5], 0, undefined, undefined]);
	equal([list.lastSeq, list.firstSeq, list.read], [0, 0, 1]);
	list.note("A note", NOON);
	list.putUnsent(unsent("mine"), ada, "");
	equal(seqs(list), [3, 4, 5, 5.5, Infinity]);
});

claim("the first join replaces the saved messages, and the same messages keep their rows", () => {
	const list = new MessageList();
	list.preview(numbered(3, 5));
	const rows = [...list.items];
	list.reset(false);
	list.enter(1, 6);
	const news = list.store(numbered(4, 6), true);
	ok(list.isLive && list.items[0] === rows[1] && list.items[1] === rows[2]);
	equal([seqs(list), list.unread, news.seq], [[4, 5, 6], 5, 6]);
	list.preview(numbered(1, 2));
	equal(seqs(list), [4, 5, 6]);
});

claim("an empty room is not mistaken for one with saved messages", () => {
	const list = new MessageList();
	list.preview([]);
	ok(list.isLive);
	list.preview(numbered(1, 2));
	list.reset(true);
	equal([list.items, list.isLive, list.complete], [[], true, true]);
});

claim("a list drops the oldest messages, never unsent ones", () => {
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

// Storage.

claim("visited rooms keep their order, and the last opened is the most recent", () => {
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

claim("rooms with unread messages come first, then the most recent", () => {
	const visited = new VisitedRooms(new LocalStore(new Browser(new Clock()).storage.tab()));
	for (const [at, room] of ["tea", "garden", "hall", "attic"].entries()) visited.visit(room, at);
	const unread = { tea: 3, hall: 1 };
	const order = visited.byAttention((room) => unread[room] ?? 0);
	equal(
		order.map(({ room }) => room),
		["hall", "tea", "attic", "garden"],
	);
});

claim("all rooms are marked as read at once, and none goes back", () => {
	const visited = new VisitedRooms(new LocalStore(new Browser(new Clock()).storage.tab()));
	for (const room of ["tea", "garden", "hall"]) visited.visit(room, 0);
	visited.joined("tea", 3);
	visited.update("tea", { last: 9 });
	visited.update("garden", { last: 4, read: 7 });
	visited.markAllRead();
	equal(
		visited.all.map(({ read, last }) => [read, last]),
		[
			[9, 9],
			[7, 4],
			[0, 0],
		],
	);
});

claim("a visited room keeps its title and accepts no other", () => {
	const { area, events } = new Browser(new Clock()).storage.tab();
	const visited = new VisitedRooms(new LocalStore({ area, events }));
	const { room, title } = roomFromTitle("日本");
	visited.visit(room, 1, title);
	visited.visit("tea", 2, "Bank");
	visited.visit(room, 3);
	visited.update(room, { last: 5 });
	equal(visited.find(room), { room, at: 3, last: 5, title });
	equal(visited.find("tea"), { room: "tea", at: 2, last: 0 });
	for (const odd of [5, null, {}, "Bank", ["日本"]]) {
		area.setItem("chat.rooms", JSON.stringify([{ room, at: 1, last: 0, title: odd }]));
		equal(visited.all, [{ room, at: 1, last: 0 }]);
	}
});

claim("the read position never goes back, unless the log restarted", () => {
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

claim("a malformed list of visited rooms is ignored", () => {
	for (const odd of ["3", '"text"', '{"a":1}', '[null, 7, {}, {"room": 5}, {"room": "tea"}]']) {
		const { area, events } = new Browser(new Clock()).storage.tab();
		area.setItem("chat.rooms", odd);
		equal(new VisitedRooms(new LocalStore({ area, events })).all, []);
	}
});

claim("a draft is shared by all tabs, and an empty one is removed", async () => {
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
