/** The archive: messages of the last rooms, saved in the browser. */

import { claim } from "/claims.js";
import { LocalStore } from "/client/storage.js";
import { Archive } from "/model/archive.js";
import { Browser, Clock, equal, MINUTE, ok } from "/world.js";

const message = (seq, more = {}) => ({
	...{ messageId: `m${seq}`, room: "tea", seq, timestamp: new Date(1_700_000_000_000 + seq * 1000).toISOString() },
	...{ message: `Message ${seq}`, connectionId: "ada", name: "Ada", sender: "a", own: false, ...more },
});
const numbered = (from, to, more) => Array.from({ length: to - from + 1 }, (_, n) => message(from + n, more));
const seqs = (messages) => messages.map(({ seq }) => seq);

function begin() {
	const clock = new Clock();
	const { area, events } = new Browser(clock).storage.tab();
	const written = [];
	const watched = {
		...{ getItem: area.getItem, key: area.key, removeItem: area.removeItem },
		setItem: (key, value) => {
			written.push(key);
			area.setItem(key, value);
		},
		get length() {
			return area.length;
		},
	};
	const visit = () => new Archive({ storage: new LocalStore({ area: watched, events }), clock });
	const writes = (room) => written.filter((key) => key === `chat.archive.${room}`).length;
	return { clock, area, visit, writes, archive: visit() };
}

claim("a later visit restores the messages and knows which are its own", () => {
	const { archive, visit } = begin();
	const said = [message(1), message(2, { own: true, sender: "me" }), message(3)];
	archive.save("tea", said);
	archive.flush();
	equal(visit().restore("tea"), said);
	equal(visit().restore("garden"), []);
});

claim("the newest 50 messages are kept, each once, in any order of arrival", () => {
	const { archive, visit } = begin();
	archive.save("tea", numbered(31, 60));
	archive.save("tea", numbered(10, 40, { message: "again" }));
	archive.flush();
	archive.save("tea", [message(62), message(61)]);
	archive.flush();
	const kept = visit().restore("tea");
	equal(seqs(kept), seqs(numbered(13, 62)));
	equal([kept[0].message, kept[27].message], ["again", "again"]);
});

claim("a room is written at most once in two seconds, and at once when the page closes", async () => {
	const { archive, clock, writes } = begin();
	for (let seq = 1; seq <= 40; seq += 1) {
		archive.save("tea", [message(seq)]);
		await clock.pass(100);
	}
	ok(writes("tea") <= 2);
	archive.flush();
	archive.flush();
	ok(writes("tea") <= 3);
	await clock.pass(MINUTE);
	ok(writes("tea") <= 3 && clock.waiting === 0);
	archive.save("tea", []);
	equal(clock.waiting, 0);
});

claim("a room takes at most 100 KB, dropping its oldest messages", () => {
	const { archive, area, visit } = begin();
	archive.save("tea", numbered(1, 50, { message: "\u0001".repeat(4000) })); // JSON writes six characters for each
	archive.flush();
	ok(area.getItem("chat.archive.tea").length <= 100_000);
	const kept = visit().restore("tea");
	ok(kept.length >= 3 && kept.at(-1).seq === 50);
});

claim("the ten most recently written rooms are kept", () => {
	const { archive, area, visit } = begin();
	for (let n = 1; n <= 12; n += 1) archive.save(`room-${n}`, [message(1, { room: `room-${n}` })]);
	archive.flush();
	archive.save("room-3", [message(2, { room: "room-3" })]);
	archive.save("room-13", [message(1, { room: "room-13" })]);
	archive.flush();
	const later = visit();
	const kept = Array.from({ length: 13 }, (_, n) => `room-${n + 1}`).filter((room) => later.restore(room).length);
	equal(
		kept,
		[3, 5, 6, 7, 8, 9, 10, 11, 12, 13].map((n) => `room-${n}`),
	);
	equal(
		Array.from({ length: area.length }, (_, n) => area.key(n)).filter((key) => key.includes("archive.")).length,
		10,
	);
});

claim("a forgotten room leaves nothing behind, not even a pending write", async () => {
	const { archive, area, clock } = begin();
	archive.save("tea", [message(1)]);
	archive.flush();
	archive.save("tea", [message(2)]);
	archive.forget("tea");
	await clock.pass(MINUTE);
	archive.flush();
	equal(
		[archive.restore("tea"), area.getItem("chat.archive.tea"), area.getItem("chat.archived-rooms")],
		[[], null, "[]"],
	);
});

claim("leftovers of unknown rooms are removed", () => {
	const { area, visit } = begin();
	area.setItem("chat.archive.stray", "{}");
	visit();
	equal(area.getItem("chat.archive.stray"), null);
});

claim("a room whose log restarted does not show its former messages", () => {
	const { archive, visit } = begin();
	archive.save("tea", numbered(100, 120));
	const later = new Date(1_700_000_000_000 + 24 * 60 * MINUTE).toISOString();
	archive.save("tea", numbered(1, 3, { timestamp: later, messageId: "new" }));
	archive.flush();
	equal(seqs(visit().restore("tea")), [1, 2, 3]);
});

claim("malformed messages are ignored without breaking the page", () => {
	const { area, visit } = begin();
	area.setItem("chat.archived-rooms", '["tea"]');
	const whole = message(1);
	const odd = [null, 5, "x", [], {}, { ...whole, seq: -1 }, { ...whole, seq: "1" }, { ...whole, timestamp: "soon" }];
	const others = [
		{ ...whole, message: undefined },
		{ ...whole, name: {} },
		{ ...whole, room: "garden" },
	];
	for (const value of [...odd, { messages: {} }, { messages: "abc" }, { messages: [...odd, ...others] }]) {
		area.setItem("chat.archive.tea", JSON.stringify(value));
		equal(visit().restore("tea"), []);
	}
	area.setItem("chat.archive.tea", JSON.stringify({ sender: 5, messages: [...odd, whole, ...others] }));
	equal(visit().restore("tea"), [whole]);
	for (const value of ["{", "3", '{"a":1}', "[3,null]"]) {
		area.setItem("chat.archived-rooms", value);
		const archive = visit();
		archive.save("tea", [message(1)]);
		archive.flush();
		equal(area.getItem("chat.archived-rooms"), '["tea"]');
	}
});

claim("with full storage the page works and has the messages of this visit", () => {
	const full = {
		...{ getItem: () => null, key: () => null, length: 0, removeItem() {} },
		setItem() {
			throw new Error("full");
		},
	};
	const storage = new LocalStore({ area: full, events: new EventTarget() });
	const archive = new Archive({ storage, clock: new Clock() });
	archive.save("tea", [message(1)]);
	archive.flush();
	equal(seqs(archive.restore("tea")), [1]);
});

claim("nothing is kept from another server's rooms", () => {
	const { archive, visit } = begin();
	archive.save("tea", [message(1)]);
	archive.flush();
	archive.save("hall", [message(2, { room: "hall" })]);
	archive.clear();
	archive.flush();
	for (const room of ["tea", "hall"]) equal(visit().restore(room), []);
});
