/** The transport: heartbeat, dead connections, back-off, renewal, connecting and disconnecting. */

import { claim } from "/claims.js";
import { chance, equal, MINUTE, ok, refuse, SECOND, World } from "/world.js";

const pings = (world) => world.server.sent("ping").length;

// Alive or dead.

claim("a ping is sent every five idle minutes, and its pong keeps the connection", async () => {
	const world = new World();
	const view = await world.joined();
	view.session.watch(false);
	await world.clock.pass(5 * MINUTE - SECOND);
	equal(pings(world), 0);
	await world.clock.pass(2 * SECOND);
	equal(pings(world), 1);
	await world.clock.pass(95 * MINUTE);
	equal([pings(world), world.sockets.length], [20, 1]);
});

claim("while someone is watching, a ping checks the members every 8 s", async () => {
	const world = new World();
	const view = await world.joined();
	await world.clock.pass(MINUTE);
	equal(pings(world), 7);
	const { room, roster } = world.server.sent("ping")[0];
	equal([room, roster], ["tea", view.session.membersOf("tea").list.length && roster]);
	view.session.watch(false);
	await world.clock.pass(4 * MINUTE);
	equal(pings(world), 7);
	view.session.watch(true);
	await world.clock.pass(SECOND);
	equal(pings(world), 8);
});

claim("the heartbeat continues if the room is refused", async () => {
	const world = new World();
	const view = world.tab();
	refuse(world, "join", { type: "error", code: "invalid_room", error: "No" });
	view.session.watch(false);
	view.connect();
	await world.clock.pass(11 * MINUTE);
	equal([pings(world), view.of("refused").length], [2, 1]);
});

claim("a connection that swallows frames is replaced within 5 s of a check", async () => {
	const world = new World();
	const view = await world.joined();
	await world.clock.pass(MINUTE);
	world.swallows = () => true;
	view.client.wake();
	await world.clock.pass(4900);
	equal(view.session.state, "ready");
	await world.clock.pass(200);
	equal(view.session.state, "waiting");
	world.swallows = () => false;
	world.server.say("tea", "missed");
	await world.clock.pass(2 * SECOND);
	equal([view.texts(), world.open.length], [["missed"], 1]);
});

claim("a connection that swallows frames is detected by the heartbeat, or earlier by a message", async () => {
	for (const [text, within] of [
		["", 5 * MINUTE + 6 * SECOND],
		["Hello?", 14 * SECOND],
	]) {
		const world = new World();
		const view = await world.joined();
		view.session.watch(false);
		world.swallows = () => true;
		if (text) view.write(text);
		await world.clock.pass(within);
		ok(view.states.includes("waiting"));
	}
});

claim("any frame proves that the connection is alive", async () => {
	const world = new World();
	const view = await world.joined();
	world.swallows = (_way, frame) => frame.type === "pong";
	view.client.wake();
	await world.clock.pass(4 * SECOND);
	world.server.say("tea", "Hello");
	await world.clock.pass(3 * SECOND);
	equal(world.sockets.length, 1);
});

claim("rapid tab switching stays within the server's ping limit", async () => {
	const world = new World();
	const view = await world.joined();
	for (let n = 0; n < 600; n += 1) {
		view.client.wake();
		await world.clock.pass(100);
	}
	ok(pings(world) >= 50 && pings(world) <= 61, `${pings(world)} pings in a minute`);
});

claim("waking retries at once while waiting, and does nothing while connecting or disconnected", async () => {
	const world = new World();
	const view = world.tab();
	view.client.wake();
	await world.clock.pass(MINUTE);
	equal(world.sockets.length, 0);
	view.connect();
	view.client.wake();
	await world.clock.pass(SECOND);
	equal(world.sockets.length, 1);
	world.accepts = false;
	world.socket.cut();
	await world.clock.pass(MINUTE);
	world.accepts = true;
	view.client.wake();
	await world.clock.pass(100);
	equal([view.session.state, world.open.length], ["ready", 1]);
});

claim("no incoming data makes the client throw or stop", async () => {
	const world = new World();
	const view = await world.joined();
	const somebody = '"connectionId":"c","name":"n","sender":"s"';
	const elsewhere = `"messageId":"m","room":"elsewhere","seq":1,"timestamp":"2026-01-01T00:00:00Z","message":"?",${somebody}`;
	world.socket.hear(`{"type":"message",${elsewhere}}`);
	world.socket.hear('{"type":"history","room":"tea","messages":[],"complete":true,"lost":false}');
	world.socket.hear('{"type":"left","room":"elsewhere","current":null}');
	world.socket.hear('{"type":"error","code":"internal","error":"of a ping","action":"ping"}');
	world.socket.hear("nonsense");
	world.server.say("tea", "Hello");
	await world.clock.pass(SECOND);
	equal([view.texts(), view.of("refused"), world.server.sent("history")], [["Hello"], [], []]);
});

// Back-off.

claim("a connection that closes twice causes one retry", async () => {
	const world = new World();
	const view = await world.joined();
	const { socket } = world;
	const close = socket.onclose;
	socket.cut();
	close();
	close();
	equal([view.tab.clock.waiting, view.states.filter((state) => state === "waiting").length], [1, 1]);
	await world.clock.pass(5 * SECOND);
	equal(world.sockets.length, 2);
});

claim("without an answer it retries after up to 20 s, with jitter, and reports when", async () => {
	const world = new World();
	const view = world.tab({ random: chance(7) });
	world.accepts = false;
	view.connect();
	const waits = [];
	view.session.on("state", ({ state, retryAt }) => state === "waiting" && waits.push(retryAt - world.clock.at));
	await world.clock.pass(10 * MINUTE);
	for (const [n, wait] of waits.slice(0, 5).entries()) ok(wait >= 500 && wait <= 1000 * 2 ** n, `${wait}`);
	ok(waits.every((wait) => wait <= 20_000));
	ok(Math.max(...waits) > 15_000 && Math.min(...waits.slice(6)) < 5000, `${waits}`);
});

claim("sockets that open and close at once increase the back-off", async () => {
	const world = new World();
	const view = world.tab();
	world.server.answers = (frame, peer) => {
		world.server.answer(peer, frame);
		const { socket } = world;
		world.clock.setTimeout(() => socket.cut(), 50);
		return true;
	};
	view.connect();
	await world.clock.pass(5 * MINUTE);
	ok(world.sockets.length < 40, `${world.sockets.length} tries`);
});

claim("the back-off is reset once a connection has lasted 10 s", async () => {
	for (const [up, wait] of [
		[9900, 1250],
		[10_100, 750],
	]) {
		const world = new World();
		const view = await world.joined();
		world.socket.cut();
		await world.clock.pass(760 + up);
		equal(view.session.state, "ready");
		world.socket.cut();
		equal(view.of("state").at(-1).retryAt - world.clock.at, wait);
	}
});

claim("a connection that does not open within 15 s is retried", async () => {
	const world = new World();
	const view = world.tab();
	world.delays = () => MINUTE;
	view.connect();
	await world.clock.pass(15_010);
	equal(view.session.state, "waiting");
	world.delays = () => 10;
	await world.clock.pass(2 * MINUTE);
	equal([view.session.state, world.open.length], ["ready", 1]);
});

// Connecting and disconnecting.

claim("connecting twice leaves one connection", async () => {
	const world = new World();
	const view = world.tab();
	for (const wait of [0, 5, 2000, 2000]) {
		view.connect();
		await world.clock.pass(wait);
	}
	equal([world.open.length, view.session.state], [1, "ready"]);
	world.server.say("tea", "Hello");
	await world.clock.pass(100);
	equal(view.texts(), ["Hello"]);
});

claim("disconnecting at any moment is final and leaves no connection and no timer", async () => {
	for (const moment of [0, 5, 15, 25, 100, 3000]) {
		const world = new World();
		const view = world.tab();
		view.connect();
		await world.clock.pass(moment);
		view.session.disconnect();
		view.client.wake();
		await world.clock.pass(5 * SECOND);
		equal([view.session.state, world.open.length, view.tab.clock.waiting], ["offline", 0, 0]);
		view.connect();
		await world.clock.pass(SECOND);
		equal(view.session.state, "ready");
	}
});

claim("disconnecting while waiting or loading history is final", async () => {
	for (const waits of [true, false]) {
		const world = new World();
		const view = await world.joined();
		if (waits) world.socket.cut();
		else {
			world.server.store("tea", "missed");
			world.server.say("tea", "live");
			world.swallows = (_way, frame) => frame.type === "history";
			await world.clock.pass(1100);
			equal(world.server.sent("history").length, 1);
		}
		view.session.disconnect();
		await world.clock.pass(MINUTE);
		equal([world.sockets.length, view.tab.clock.waiting, view.session.state], [1, 0, "offline"]);
	}
});

claim("a malformed URL is refused without an attempt", () => {
	const world = new World();
	const view = world.tab();
	view.connect("bad:");
	equal([view.of("refused")[0].code, view.session.state, view.tab.clock.waiting], ["bad_url", "offline", 0]);
});

claim("frames from a dropped socket are ignored", async () => {
	const world = new World();
	const view = await world.joined();
	const { socket } = world;
	view.session.disconnect();
	socket.hear(JSON.stringify(world.server.store("tea", "late")));
	equal(view.texts(), []);
	view.connect();
	await world.clock.pass(SECOND);
	equal(view.texts(), ["late"]);
});

// Renewal.

claim(
	"before two hours are over the connection is renewed, and what is under way is neither lost nor doubled",
	async () => {
		for (const early of [0, 10, 20, 30, 40]) {
			const world = new World();
			const view = await world.joined({ random: () => 0 });
			await world.clock.pass(115 * MINUTE - 80 - early);
			view.write("Hello");
			view.write("Again");
			await world.clock.pass(early);
			world.server.say("tea", "from another");
			await world.clock.pass(5 * SECOND);
			equal([world.sockets.length, world.open.length], [2, 1]);
			equal(view.reported.sort(), ["Again", "Hello", "from another"]);
			equal(world.server.texts("tea").length, 3);
			equal([view.states.includes("waiting"), view.session.state], [false, "ready"]);
		}
	},
);

claim("clients renew their connections at different times", async () => {
	const world = new World();
	const random = chance(3);
	for (let n = 0; n < 20; n += 1) world.tab({ random }).connect();
	await world.clock.pass(114 * MINUTE);
	equal(world.sockets.length, 20);
	await world.clock.pass(30 * SECOND);
	ok(world.sockets.length > 24 && world.sockets.length < 36, `${world.sockets.length}`);
	await world.clock.pass(31 * SECOND);
	equal(world.sockets.length, 40);
});

claim("a failed renewal is reported and retried like any lost connection", async () => {
	const world = new World();
	const view = await world.joined();
	await world.clock.pass(100 * MINUTE);
	world.accepts = false;
	await world.clock.pass(16 * MINUTE);
	equal(view.session.state, "waiting");
	world.accepts = true;
	await world.clock.pass(30 * SECOND);
	equal(view.session.state, "ready");
});
