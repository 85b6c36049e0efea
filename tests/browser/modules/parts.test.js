/** The client's small parts: back-off, order, members, frames, storage, identity. */

import { claim } from "/claims.js";
import { Credentials } from "/client/credentials.js";
import { uuid } from "/client/ids.js";
import { Members } from "/client/members.js";
import { RoomOrder } from "/client/order.js";
import { parseFrame } from "/client/protocol.js";
import { LocalStore } from "/client/storage.js";
import { backoffMs } from "/client/timers.js";
import { Browser, Clock, chance, equal, ok } from "/world.js";

const numbered = (...seqs) => seqs.map((seq) => ({ seq }));
const seqs = (messages) => messages.map(({ seq }) => seq);

// Back-off.

claim("delays lie between half a second and a ceiling that doubles up to 20 s", () => {
	for (const [failures, ceiling] of [1000, 2000, 4000, 8000, 16_000, 20_000, 20_000].entries()) {
		const [least, most] = [backoffMs(failures, () => 0), backoffMs(failures, () => 1)];
		equal([least, most], [500, ceiling]);
	}
	equal(
		backoffMs(2000, () => 1),
		20_000,
	);
});

claim("the delays of clients disconnected together are spread over the whole range", () => {
	const random = chance(2);
	const tenths = new Set(Array.from({ length: 500 }, () => Math.floor((backoffMs(9, random) - 500) / 1950)));
	equal([...tenths].filter((tenth) => tenth < 10).length, 10);
});

// The order of a room's messages.

claim("in any order of arrival, each message is new once and none is skipped", () => {
	for (let seed = 1; seed <= 300; seed += 1) {
		const random = chance(seed);
		const pick = (n) => Math.floor(random() * n);
		const start = pick(50);
		const all = Array.from({ length: 1 + pick(30) }, (_, n) => start + 1 + n);
		const order = new RoomOrder(start);
		const fresh = [];
		const doubled = [...all, ...all.filter(() => random() < 0.5)].sort(() => random() - 0.5);
		while (doubled.length) {
			const before = order.upTo;
			fresh.push(...seqs(order.take(numbered(...doubled.splice(0, 1 + pick(5))))));
			ok(order.upTo >= before, "went back");
			for (let seq = start + 1; seq <= order.upTo; seq += 1) ok(fresh.includes(seq), `skipped ${seq}`);
		}
		equal(
			fresh.sort((a, b) => a - b),
			all,
		);
		equal([order.upTo, order.hasGap], [all.at(-1), false]);
	}
});

claim("a jump in seq is a gap until the messages arrive or the server has answered for them", () => {
	const order = new RoomOrder(0);
	order.take(numbered(1, 4, 5, 8));
	equal([order.upTo, order.hasGap], [1, true]);
	order.settle(3);
	equal([order.upTo, order.hasGap], [5, true]);
	order.take(numbered(6, 7));
	equal([order.upTo, order.hasGap], [8, false]);
});

claim("a newer seq reported by the server is a gap while its messages are missing", () => {
	const order = new RoomOrder(5);
	order.noteLatest(7);
	ok(order.hasGap);
	order.take(numbered(6, 7));
	order.noteLatest(6);
	ok(!order.hasGap);
});

// Members.

const person = (id, name = id) => ({ connectionId: id, name, sender: `sender-${id}` });
const change = (event, id, memberCount) => ({ type: "presence", room: "tea", event, ...person(id), memberCount });

claim("members join, leave and are renamed", () => {
	const members = new Members();
	members.reset([person("a"), person("b")], 2);
	members.change(change("join", "c", 3));
	equal(members.change({ ...change("rename", "a", 3), name: "Ada" }).name, "a");
	equal(members.change(change("leave", "b", 2)).name, "b");
	equal(
		members.list.map(({ name }) => name),
		["Ada", "c"],
	);
	equal([members.count, members.hasDrifted], [2, false]);
});

claim("a list that disagrees with the count has drifted", () => {
	const missed = new Members();
	missed.reset([person("a")], 1);
	missed.change(change("join", "c", 3));
	ok(missed.hasDrifted);
	missed.reset([person("a")], 1);
	ok(!missed.hasDrifted);
});

claim("a room above 100 is listed partially but counted fully", () => {
	const members = new Members();
	members.reset(
		Array.from({ length: 100 }, (_, n) => person(`c${n}`)),
		250,
	);
	members.change({ type: "presence", room: "tea", event: "count", memberCount: 251 });
	equal([members.list.length, members.count, members.hasDrifted], [100, 251, false]);
});

// Frames.

claim("data that is not a valid frame is ignored and never throws", () => {
	const odd = ["", "nonsense", "null", "7", '"text"', "[]", "{}", '{"type":"new"}', "[".repeat(9999)];
	const incomplete = ['{"type":"presence"}', '{"type":"constructor"}', '{"type":"pong","room":"tea","rooms":[]}'];
	const wrong = '{"type":"typing","room":7,"connectionId":"c","name":"n","sender":"s"}';
	equal(
		[...odd, ...incomplete, wrong].map(parseFrame).filter((frame) => frame !== undefined),
		[],
	);
});

claim("unknown fields are ignored, and optional ones may be missing", () => {
	const frame = { type: "left", room: "tea", current: null, colour: "green" };
	equal(parseFrame(JSON.stringify(frame)), frame);
	equal(parseFrame('{"type":"error","error":"No","code":"new_code"}').code, "new_code");
});

claim("API Gateway's own error is an internal error", () => {
	const { type, code } = parseFrame('{"message":"Internal server error","connectionId":"c","requestId":"r"}');
	equal([type, code], ["error", "internal"]);
});

// Storage and identity.

const denied = {
	getItem: () => null,
	key: () => null,
	length: 0,
	removeItem() {},
	setItem() {
		throw new DOMException("full", "QuotaExceededError");
	},
};

claim("a value that cannot be stored is kept in memory", () => {
	const store = new LocalStore({ area: denied, events: new EventTarget() });
	store.save("name", "Ada");
	equal([store.loadText("name"), store.keys("na")], ["Ada", ["name"]]);
	store.remove("name");
	equal(store.loadText("name"), undefined);
});

claim("another tab's change is reported by its key, and malformed values are ignored", () => {
	const { storage } = new Browser({ setTimeout: (act) => act() });
	const store = new LocalStore(storage.tab());
	const changed = [];
	store.watch((key) => changed.push(key));
	const other = storage.tab().area;
	other.setItem("chat.name", "5");
	other.setItem("elsewhere.name", '"x"');
	other.setItem("chat.broken", "{");
	equal(changed, ["name", "broken"]);
	equal([store.loadText("name"), store.loadFlag("name"), store.load("broken")], [undefined, false, undefined]);
	ok(store.isShared);
});

claim("a secret is generated once for all tabs, and a malformed one is replaced", () => {
	const { storage } = new Browser(new Clock());
	const secretOf = (tab) => new Credentials(new LocalStore(tab)).secret;
	const secret = secretOf(storage.tab());
	ok(/^[A-Za-z0-9_-]{32,128}$/.test(secret), secret);
	equal(secretOf(storage.tab()), secret);
	storage.tab().area.setItem("chat.secret", '"too short"');
	const replaced = secretOf(storage.tab());
	ok(replaced !== secret && replaced.length >= 32);
});

claim("ids are UUIDs of version 4, in lower case", () => {
	const ids = Array.from({ length: 100 }, uuid);
	const isUuid = (id) => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/.test(id);
	equal([new Set(ids).size, ids.filter((id) => !isUuid(id))], [100, []]);
});
