/** Whatever fails, everyone eventually shows all stored messages, once, in order, and nothing else. */

import { claim } from "/claims.js";
import { Browser, chance, equal, MINUTE, ok, SECOND, World } from "/world.js";

const ROOMS = ["tea", "garden", "hall"];
const SEEDS = 60;
const ACTIONS = 150;

/** Three people, one of them with two tabs, in three rooms, over a network and a server that fail at random. */
async function run(seed) {
	const random = chance(seed);
	const pick = (list) => list[Math.floor(random() * list.length)];
	const world = new World();
	const { server, clock } = world;
	let faulty = true;
	let stalled = false;
	const some = (likelihood) => faulty && random() < likelihood;
	world.delays = () => (faulty ? 1 + random() ** 4 * 900 : 10);
	world.startsAfter = () => (faulty ? random() ** 6 * 6000 : 5);
	world.swallows = (way, frame) =>
		stalled ||
		(way === "down" && ["message", "presence", "pong"].includes(frame.type) && some(0.05)) ||
		(way === "up" && some(0.02));
	server.dies = () => some(0.06);
	server.answers = (frame, peer) => {
		if (frame.action === "typing" || !some(0.05)) return false;
		const namesRoom = frame.action === "sendmessage" || frame.action === "history";
		const code = pick(namesRoom ? ["internal", "rate_limited", "busy", "not_in_room"] : ["internal", "rate_limited"]);
		if (code === "not_in_room") peer.rooms.delete(frame.room ?? frame.to);
		server.refuse(peer, frame, code, code, code === "rate_limited" || code === "busy" ? { retryAfterMs: 400 } : {});
		return true;
	};

	const open = (tab, room = pick(ROOMS)) => {
		const others = ROOMS.filter((each) => each !== room);
		tab.view ??= world.tab({ name: tab.name, browser: tab.browser, random, locks: tab.locks, room, others });
		tab.view.open(room, others);
		tab.view.connect();
	};
	const shared = new Browser(clock);
	const locks = seed % 2 === 0;
	const tabs = [shared, shared, new Browser(clock), new Browser(clock)].map((browser, n) => ({
		name: ["Ada", "Ada", "Bo", "Cy"][n],
		browser,
		locks,
	}));
	for (const tab of tabs) open(tab);

	const sent = [];
	let said = 0;
	const failed = new Set();
	const noteFailures = ({ view }) => {
		for (const { messageId, failure } of view.of("changed")) if (failure) failed.add(messageId);
	};
	const write = (tab) => {
		said += 1;
		const text = `${tab.name} ${said}`;
		const room = tab.view.session.current;
		const messageId = tab.view.write(text);
		if (messageId) sent.push({ tab, text, room, messageId });
	};
	const reopen = (tab, how) => {
		noteFailures(tab);
		tab.view[how]();
		tab.view = undefined;
		open(tab);
	};
	const actions = {
		write,
		others: () => server.say(pick(ROOMS), `somebody ${++said}`),
		many: () => {
			const room = pick(ROOMS);
			for (let n = 0; n < 60; n += 1) server.say(room, `somebody ${++said}`);
		},
		unheard: () => server.store(pick(ROOMS), `unheard ${++said}`),
		look: (tab) => open(tab),
		rename: ({ name, view }) => view.session.rename(`${name} ${++said}`),
		cut: () => pick(world.open)?.cut(),
		stall: () => {
			stalled = !stalled;
		},
		refuse: () => {
			world.accepts = !world.accepts;
		},
		wake: ({ view }) => view.client.wake(),
		older: ({ view }) => {
			const [oldest] = view.shown().filter(({ seq }) => seq < Infinity);
			if (oldest) view.client.page(view.session.current, { before: oldest.seq }).catch(() => {});
		},
		reload: (tab) => reopen(tab, "close"),
		crash: (tab) => reopen(tab, "crash"),
		disconnect: ({ view }) => view.session.disconnect(),
		connect: ({ view }) => view.connect(),
	};
	const likely = "write write write write write others others others many unheard look cut stall refuse".split(" ");
	const choices = [...likely, ...Object.keys(actions)];
	for (let n = 0; n < ACTIONS; n += 1) {
		actions[pick(choices)](pick(tabs));
		await clock.pass(random() ** 3 * 4000);
	}

	faulty = false;
	stalled = false;
	world.accepts = true;
	for (const { view } of tabs) if (view.session.state === "offline") view.connect();
	await clock.pass(2 * MINUTE);
	for (const { view } of tabs)
		for (const { messageId, failure } of view.outbox.all) if (failure) view.outbox.retry(messageId);
	await clock.pass(2 * MINUTE);
	for (const { view } of tabs) view.client.wake();
	await clock.pass(20 * SECOND);
	for (const { view } of tabs) {
		equal([view.session.state, view.outbox.all], ["ready", []]);
		for (const room of ROOMS) compare(server, room, view);
	}
	await compareMembers(world, tabs);
	for (const { text, room, messageId } of sent) {
		equal([text, server.room(room).messages.filter((one) => one.messageId === messageId).length], [text, 1]);
	}
	// What was never refused for good stands in the order in which it was written.
	for (const tab of tabs) noteFailures(tab);
	for (const room of ROOMS) {
		for (const tab of tabs) {
			const written = sent.filter((one) => one.tab === tab && one.room === room && !failed.has(one.messageId));
			const ids = new Set(written.map(({ messageId }) => messageId));
			const stored = server.room(room).messages.filter(({ messageId }) => ids.has(messageId));
			equal(
				stored.map(({ message }) => message),
				written.map(({ text }) => text),
			);
		}
	}
	equal(world.open.length, tabs.length);
	return sent.length;
}

/** People join and leave without presence frames: within 10 s every page shows its room's members. */
async function compareMembers(world, tabs) {
	const { server, clock } = world;
	world.swallows = (_way, frame) => frame.type === "presence";
	for (const [n, room] of ROOMS.entries()) {
		const guest = server.connect(`guest-${n}`, () => {});
		server.take(guest, { action: "join", room, name: `Guest ${n}` });
	}
	await clock.pass(10 * SECOND);
	const sorted = (people) => people.map((each) => Object.values(each).join()).sort();
	for (const { view } of tabs) {
		const { current } = view.session;
		const { list, count } = view.session.membersOf(current);
		equal([sorted(list), count], [sorted(server.members(current)), list.length]);
	}
}

function compare(server, room, view) {
	const begun = view.of("joined").findLast((one) => one.room === room && !one.resumed);
	const from = begun.messages[0]?.seq ?? begun.lastSeq + 1;
	const wanted = server.room(room).messages.filter(({ seq }) => seq >= from);
	const fields = ({ seq, message, messageId }) => [seq, message, messageId];
	equal(view.shown(room).map(fields), wanted.map(fields));
}

claim(
	"whatever fails on the way, in the end everybody shows all that was stored, once, in order, and nothing else",
	async () => {
		let sent = 0;
		for (let seed = 1; seed <= SEEDS; seed += 1) {
			try {
				sent += await run(seed);
			} catch (error) {
				throw new Error(`seed ${seed}: ${error.message}`);
			}
		}
		ok(sent > SEEDS * 20, `only ${sent} messages`);
	},
);
