import { claim } from "/claims.js";
import { chance, equal, ok, World } from "/world.js";

const ROOMS = ["tea", "garden", "hall"];
const SEEDS = 60;
const ACTIONS = 150;

/** Three people in three rooms, over a network and a server that fail by chance; then all is well, and all is compared. */
async function run(seed) {
	const random = chance(seed);
	const pick = (list) => list[Math.floor(random() * list.length)];
	const world = new World();
	const { server, clock } = world;
	const some = (likelihood) => faulty && random() < likelihood;
	let faulty = true;
	let stalled = false;
	world.delays = () => (faulty ? 1 + random() ** 4 * 900 : 10);
	world.swallows = (way, frame) =>
		stalled || (way === "down" && frame.type === "message" && some(0.05)) || (way === "up" && some(0.02));
	server.startsAfter = () => (faulty ? random() ** 6 * 6000 : 5);
	server.dies = () => some(0.06);
	server.answers = ({ action, messageId }, socket) => {
		if (action === "typing" || !some(0.04)) return false;
		const code = pick(["internal", "rate_limited"]);
		const retryAfterMs = code === "rate_limited" ? 400 : undefined;
		socket.receive({ type: "error", code, error: code, messageId, retryAfterMs });
		return true;
	};

	const people = ["Ada", "Bo", "Cy"].map((name) => {
		const store = new Map();
		const view = world.page({ name, store, random, room: pick(ROOMS) });
		view.connection.connect();
		return { name, store, view, sent: [] };
	});
	let said = 0;
	const actions = {
		send: ({ name, view, sent }) => {
			const text = `${name} ${++said}`;
			sent.push({ text, room: view.connection.room, messageId: view.connection.send(text) });
		},
		others: () => server.say(pick(ROOMS), `somebody ${++said}`),
		many: () => {
			const room = pick(ROOMS);
			for (let n = 0; n < 60; n += 1) server.say(room, `somebody ${++said}`);
		},
		hole: () => {
			server.room(pick(ROOMS)).lastSeq += 1;
		},
		join: ({ view }) => view.connection.join(pick(ROOMS)),
		rename: ({ name, view }) => view.connection.rename(`${name} ${++said}`),
		cut: () => pick(world.open)?.cut(),
		stall: () => {
			stalled = !stalled;
		},
		refuse: () => {
			world.accepts = !world.accepts;
		},
		wake: ({ view }) => view.connection.wake(),
		older: ({ view }) => {
			const first = view.shown().find(({ seq }) => seq < Infinity);
			if (first) view.connection.older(view.connection.room, first.seq).catch(() => {});
		},
		reload: (person) => {
			person.view.connection.disconnect();
			person.view = world.page({ ...person, random, room: person.view.connection.room });
			person.view.connection.connect();
		},
		disconnect: ({ view }) => view.connection.disconnect(),
		connect: ({ view }) => view.connection.connect(),
	};
	const likely = "send send send send send others others others many hole join cut stall refuse".split(" ");
	const choices = [...likely, ...Object.keys(actions)];
	for (let n = 0; n < ACTIONS; n += 1) {
		actions[pick(choices)](pick(people));
		await clock.pass(random() ** 3 * 4000);
	}

	faulty = false;
	stalled = false;
	world.accepts = true;
	for (const { view } of people) if (view.connection.state === "disconnected") view.connection.connect();
	await clock.pass(90_000);
	for (const { view } of people) {
		for (const one of view.of("failed")) view.connection.retry(one.messageId);
	}
	await clock.pass(90_000);
	for (const room of ROOMS) {
		for (const { view } of people) view.connection.join(room);
		await clock.pass(20_000);
		for (const person of people) compare(server, room, person);
	}
	equal(world.open.length, people.length);
	equal(server.refusedPings, 0);
	return people.reduce((sum, { sent }) => sum + sent.length, 0);
}

function compare(server, room, { view, sent }) {
	const { messages } = server.room(room);
	const begun = view.of("joined").findLast((one) => one.room === room && !one.resumed);
	const from = begun.messages[0]?.seq ?? begun.lastSeq - 19;
	const wanted = messages.filter(({ seq }) => seq >= from).map(({ seq, message }) => [seq, message]);
	const found = view.shown(room).filter(({ seq }) => !(seq < from));
	equal(
		found.map(({ seq, message }) => [seq, message]),
		wanted,
	);
	for (const one of view.shown(room)) equal(messages.find(({ seq }) => seq === one.seq)?.messageId, one.messageId);
	for (const { text, room: to, messageId } of sent) {
		if (to === room) equal([text, messages.filter((one) => one.messageId === messageId).length], [text, 1]);
	}
	const failed = new Set(view.of("failed").map(({ messageId }) => messageId));
	const own = sent.filter((one) => one.room === room && !failed.has(one.messageId)).map(({ text }) => text);
	if (!failed.size)
		equal(
			messages.map(({ message }) => message).filter((text) => own.includes(text)),
			own,
		);
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
