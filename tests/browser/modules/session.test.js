/** A session: rooms, names and people on one connection. */

import { claim } from "/claims.js";
import { equal, FAULT, first, LIMITED, MINUTE, ok, refuse, SECOND, texts, World } from "/world.js";

const joins = (world) => world.server.sent("join").map(({ room }) => room);
const names = (world) => world.server.sent("join").map(({ name }) => name);
const peerOf = (world) => [...world.server.peers].at(-1);
const roomsOf = (world) => [...peerOf(world).rooms].sort();
const INVALID_NAME = { type: "error", code: "invalid_name", error: "No such name" };

// Rooms.

claim(
	"the current room is joined first, then the others, and each again with `after` on a new connection",
	async () => {
		const world = new World();
		for (const [n, room] of ["tea", "garden", "hall"].entries()) world.server.say(room, ...texts(room, n + 1));
		const view = await world.joined({ others: ["garden", "hall"] });
		await world.clock.pass(SECOND);
		equal(joins(world), ["tea", "garden", "hall"]);
		view.open("hall", ["tea", "garden"]);
		world.socket.cut();
		await world.clock.pass(2 * SECOND);
		equal(
			world.server
				.sent("join")
				.slice(3)
				.map(({ room, after }) => [room, after]),
			[
				["hall", 3],
				["tea", 1],
				["garden", 2],
			],
		);
	},
);

claim("all rooms receive messages at once, and showing a joined one needs no join", async () => {
	const world = new World();
	const view = await world.joined({ others: ["garden"] });
	await world.clock.pass(SECOND);
	view.open("garden", ["tea"]);
	equal(view.session.state, "ready");
	world.server.say("tea", "in tea");
	world.server.say("garden", "in the garden");
	await world.clock.pass(SECOND);
	equal([view.texts("tea"), view.texts("garden"), joins(world).length], [["in tea"], ["in the garden"], 2]);
});

claim("at most 10 rooms are joined, and the least important is left before an eleventh", async () => {
	const world = new World();
	const rooms = texts("room", 12).map((room) => room.replace(" ", "-"));
	const view = await world.joined({ room: "room-1", others: rooms.slice(1) });
	await world.clock.pass(5 * SECOND);
	equal(roomsOf(world), rooms.slice(0, 10).sort());
	view.open("room-12", rooms.slice(0, 11));
	await world.clock.pass(SECOND);
	equal(roomsOf(world), ["room-12", ...rooms.slice(0, 9)].sort());
	equal([view.session.state, view.of("refused")], ["ready", []]);
	equal(world.server.sent("leave"), [{ action: "leave", room: "room-10" }]);
});

claim("a server's lower limit on rooms is respected", async () => {
	const world = new World();
	refuse(
		world,
		"join",
		{ type: "error", code: "too_many_rooms", error: "Too many" },
		({ room }) => peerOf(world).rooms.size >= 2 && !peerOf(world).rooms.has(room),
	);
	const view = await world.joined({ others: ["garden", "hall"] });
	await world.clock.pass(5 * SECOND);
	view.open("hall", ["tea", "garden"]);
	await world.clock.pass(5 * SECOND);
	equal([view.session.state, roomsOf(world)], ["ready", ["hall", "tea"]]);
});

claim("a forgotten room is left, and receives nothing until it is opened again", async () => {
	const world = new World();
	world.server.say("garden", "one");
	const view = await world.joined({ others: ["garden"] });
	await world.clock.pass(SECOND);
	view.open("tea");
	await world.clock.pass(SECOND);
	equal(roomsOf(world), ["tea"]);
	world.server.say("garden", "two");
	await world.clock.pass(SECOND);
	equal(view.texts("garden"), ["one"]);
	view.open("garden", ["tea"]);
	await world.clock.pass(SECOND);
	equal(view.texts("garden"), ["one", "two"]);
});

claim("of rooms opened in quick succession the last one ends up joined, in any order of answers", async () => {
	const world = new World();
	const view = await world.joined();
	const slow = { one: 900, two: 10, three: 300 };
	world.startsAfter = ({ room }) => slow[room] ?? 0;
	for (const room of ["one", "two", "three", "four"]) view.open(room);
	await world.clock.pass(5 * SECOND);
	equal([roomsOf(world), view.session.state], [["four"], "ready"]);
});

claim("switching away and quickly back ends in the current room", async () => {
	const world = new World();
	const view = await world.joined();
	for (const room of ["garden", "tea", "garden", "tea"]) view.open(room);
	await world.clock.pass(2 * SECOND);
	equal(roomsOf(world), ["tea"]);
	world.server.say("tea", "Hello");
	await world.clock.pass(SECOND);
	equal(view.texts("tea"), ["Hello"]);
});

claim("messages that arrive while a room is being joined or left are not lost", async () => {
	const world = new World();
	const view = await world.joined();
	const late = world.server.store("tea", "late");
	const { socket } = world;
	view.open("garden");
	await world.clock.pass(SECOND);
	socket.receive(late);
	await world.clock.pass(SECOND);
	equal([view.texts("garden"), view.texts("tea")], [[], ["late"]]);
	view.open("tea");
	await world.clock.pass(SECOND);
	equal(view.texts("tea"), ["late"]);
});

claim("messages in the lobby before the first join are shown only if it is open", async () => {
	const world = new World();
	const view = world.tab();
	world.startsAfter = ({ action }) => (action === "join" ? 500 : 0);
	view.connect();
	await world.clock.pass(100);
	world.server.say("lobby", "to the lobby");
	await world.clock.pass(SECOND);
	equal(view.reported, []);
});

// Joins that fail.

claim("a rate-limited join waits as long as the server asks", async () => {
	const world = new World();
	const view = world.tab();
	first(world, "join", LIMITED);
	view.connect();
	await world.clock.pass(700);
	equal(view.of("joined"), []);
	await world.clock.pass(100);
	equal([view.of("joined").length, world.sockets.length], [1, 1]);
});

claim(
	"a join of the current room that meets faults is tried a few times, then over new connections, later and later",
	async () => {
		const world = new World();
		const view = world.tab();
		refuse(world, "join", FAULT);
		view.connect();
		await world.clock.pass(MINUTE);
		const tries = world.server.sent("join").length;
		ok(tries > 8 && tries < 40, `${tries} tries`);
		ok(world.sockets.length > 2 && world.sockets.length < 12, `${world.sockets.length} connections`);
		world.server.answers = () => false;
		await world.clock.pass(20 * SECOND);
		equal(view.session.state, "ready");
	},
);

claim("a background room that fails to join is given up without side effects", async () => {
	const world = new World();
	refuse(world, "join", FAULT, ({ room }) => room === "garden");
	const view = await world.joined({ others: ["garden", "hall"] });
	await world.clock.pass(MINUTE);
	equal([roomsOf(world), joins(world).filter((room) => room === "garden").length], [["hall", "tea"], 4]);
	world.server.answers = () => false;
	view.open("garden", ["tea", "hall"]);
	await world.clock.pass(SECOND);
	equal([view.session.state, world.sockets.length], ["ready", 1]);
});

claim("a room that was given up is retried a minute later", async () => {
	const world = new World();
	refuse(world, "join", FAULT, ({ room }) => room === "garden");
	await world.joined({ others: ["garden"] });
	await world.clock.pass(30 * SECOND);
	world.server.answers = () => false;
	await world.clock.pass(MINUTE);
	equal(roomsOf(world), ["garden", "tea"]);
});

claim("an unanswered join of the current room is retried on a new connection", async () => {
	for (const room of ["tea", "garden"]) {
		const world = new World();
		first(world, "join", [], room);
		const view = world.tab({ others: ["garden"] });
		view.connect();
		await world.clock.pass(12 * SECOND);
		equal([roomsOf(world), world.sockets.length], [["garden", "tea"], room === "tea" ? 2 : 1]);
	}
});

claim("a room that the server has removed us from is rejoined as soon as it shows", async () => {
	const world = new World();
	const view = await world.joined();
	peerOf(world).rooms.clear();
	view.write("Hello");
	await world.clock.pass(SECOND);
	equal([world.server.texts("tea"), view.texts()], [["Hello"], ["Hello"]]);
	peerOf(world).rooms.clear();
	view.session.typing();
	await world.clock.pass(SECOND);
	equal(roomsOf(world), ["tea"]);
});

// Names and secrets.

/** A stored value. */
const kept = (world, key) => world.browser.storage.items.get(`chat.${key}`);

claim("a new name is only a request until the server accepts it", async () => {
	const world = new World();
	const view = world.tab({ name: "" });
	view.connect();
	await world.clock.pass(25);
	view.session.rename("Ada");
	view.session.rename("Ada L.");
	equal([kept(world, "name"), kept(world, "requested-name")], [undefined, '"Ada L."']);
	view.close();
	const again = await world.joined({ name: "" });
	equal([kept(world, "name"), kept(world, "requested-name"), again.session.name], ['"Ada L."', undefined, "Ada L."]);
	equal(names(world), [undefined, "Ada L."]);
	world.socket.cut();
	await world.clock.pass(2 * SECOND);
	equal(names(world).at(-1), "Ada L.");
});

claim("a name chosen during a join takes effect", async () => {
	const world = new World();
	const view = world.tab();
	view.connect();
	await world.clock.pass(25);
	view.session.rename("Ada L.");
	await world.clock.pass(SECOND);
	equal([names(world), kept(world, "name")], [["Ada", "Ada L."], '"Ada L."']);
});

claim("a new name is announced in every room", async () => {
	const world = new World();
	const view = await world.joined({ others: ["garden"] });
	await world.clock.pass(SECOND);
	view.session.rename("Ada L.");
	await world.clock.pass(SECOND);
	equal(
		[joins(world).slice(2), names(world).slice(2)],
		[
			["tea", "garden"],
			["Ada L.", "Ada L."],
		],
	);
	equal(view.session.membersOf("garden").list[0].name, "Ada L.");
});

claim("a refused name is reported and never sent again; the last accepted one stays", async () => {
	const world = new World();
	const view = await world.joined();
	refuse(world, "join", INVALID_NAME, ({ name }) => name === "???");
	view.session.rename("???");
	await world.clock.pass(SECOND);
	equal(
		[view.of("refused").map(({ code }) => code), view.of("named"), view.session.name],
		[["invalid_name"], [], "Ada"],
	);
	view.write("Hello");
	world.socket.cut();
	await world.clock.pass(MINUTE);
	equal(
		[names(world).filter((name) => name === "???").length, names(world).at(-1), view.texts()],
		[1, "Ada", ["Hello"]],
	);
});

claim("a saved name that the server refuses is dropped, and the rooms are joined without it", async () => {
	const world = new World();
	const view = world.tab({ name: "???", others: ["garden"] });
	refuse(world, "join", INVALID_NAME, ({ name }) => name === "???");
	view.connect();
	await world.clock.pass(MINUTE);
	equal(
		[view.session.state, roomsOf(world), names(world)],
		["ready", ["garden", "tea"], ["???", undefined, undefined]],
	);
	equal([kept(world, "name"), view.of("refused").length], ['""', 1]);
});

claim("a refused secret is no longer sent", async () => {
	const world = new World();
	const view = world.tab();
	refuse(world, "join", { type: "error", code: "invalid_secret", error: "No" }, ({ secret }) => secret !== undefined);
	view.connect();
	await world.clock.pass(SECOND);
	const secrets = world.server.sent("join").map(({ secret }) => secret);
	equal([view.session.state, secrets.length, secrets[1]], ["ready", 2, undefined]);
});

claim("own messages are recognised in another tab and on a later visit", async () => {
	const world = new World();
	const view = await world.joined();
	view.write("Mine");
	world.server.say("tea", "Yours");
	const other = await world.joined();
	await world.clock.pass(SECOND);
	view.crash();
	other.crash();
	const tomorrow = await world.joined();
	for (const each of [view, other, tomorrow]) {
		equal(
			each.shown().map(({ message, own }) => [message, own]),
			[
				["Yours", false],
				["Mine", true],
			],
		);
	}
});

claim("times follow the server's clock, learnt from its timestamps", async () => {
	const world = new World();
	const DAY = 24 * 60 * MINUTE;
	world.server.now = () => world.clock.at + DAY;
	world.server.say("tea", "Hello");
	const view = await world.joined();
	await world.clock.pass(SECOND);
	ok(Math.abs(view.session.clockOffset - DAY) < 2 * SECOND, `${view.session.clockOffset}`);
	world.server.now = () => world.clock.at - DAY;
	await world.clock.pass(9 * SECOND);
	ok(Math.abs(view.session.now - world.server.now()) < SECOND, `${view.session.clockOffset}`);
});

// People.

claim("presence and typing are reported only for joined rooms, with the former name", async () => {
	const world = new World();
	const view = await world.joined();
	const bo = world.server.connect("bo", () => {});
	world.server.take(bo, { action: "join", room: "tea", name: "Bo" });
	world.server.take(bo, { action: "join", room: "tea", name: "Bob" });
	world.server.take(bo, { action: "typing", room: "tea" });
	world.socket.receive({ type: "typing", room: "garden", ...bo.person });
	await world.clock.pass(100);
	equal(
		view.of("presence").map(({ event, name, former }) => [event, name, former]),
		[
			["join", "Bo", undefined],
			["rename", "Bob", "Bo"],
		],
	);
	equal(
		view.of("typing").map(({ room, name }) => [room, name]),
		[["tea", "Bob"]],
	);
});

const idsOf = (view, room = "tea") => view.session.membersOf(room).list.map(({ connectionId }) => connectionId);

claim("a presence frame that contradicts the list causes a check", async () => {
	const world = new World();
	const view = await world.joined();
	const guests = Array.from({ length: 3 }, (_, n) => world.server.connect(`guest-${n}`, () => {}));
	world.swallows = (_way, frame) => frame.event === "join" && frame.connectionId === "guest-0";
	for (const guest of guests) world.server.take(guest, { action: "join", room: "tea" });
	await world.clock.pass(1500);
	const { list, count } = view.session.membersOf("tea");
	equal([list.length, count], [4, 4]);
	world.swallows = (_way, frame) => frame.event === "leave" && frame.connectionId === "guest-1";
	world.server.disconnect(guests[1]);
	world.server.disconnect(guests[2]);
	await world.clock.pass(1500);
	equal(idsOf(view).sort(), ["connection-1", "guest-0"]);
	equal([joins(world).filter((room) => room === "tea").length, world.server.sent("ping").length], [4, 2]);
});

claim("the list of people is correct within 10 s, whatever was lost", async () => {
	const world = new World();
	const view = await world.joined({ random: () => 1 });
	world.swallows = (_way, { type }) => type === "presence";
	const bo = world.server.connect("bo", () => {});
	const cy = world.server.connect("cy", () => {});
	const changes = [
		() => world.server.take(bo, { action: "join", room: "tea", name: "Bo" }),
		() => world.server.take(bo, { action: "join", room: "tea", name: "Bob" }),
		() => {
			world.server.take(cy, { action: "join", room: "tea", name: "Cy" });
			world.server.disconnect(bo);
		},
	];
	for (const change of changes) {
		change();
		await world.clock.pass(10 * SECOND);
		equal(view.session.membersOf("tea").list, world.server.members("tea"));
	}
	equal([world.sockets.length, view.of("members").length, joins(world).length], [1, 3, 4]);
});

claim("a join that overtakes an earlier leave is corrected", async () => {
	const world = new World();
	const view = await world.joined();
	const gone = { connectionId: "gone", name: "Gone", sender: "gone" };
	world.server.post("tea", { type: "presence", room: "tea", event: "leave", ...gone, memberCount: 1 });
	world.server.post("tea", { type: "presence", room: "tea", event: "join", ...gone, memberCount: 2 });
	await world.clock.pass(100);
	equal(idsOf(view), ["connection-1", "gone"]);
	await world.clock.pass(10 * SECOND);
	equal(idsOf(view), ["connection-1"]);
});

claim("a room that is shown again shows its current members", async () => {
	const world = new World();
	const view = await world.joined({ others: ["garden"] });
	await world.clock.pass(SECOND);
	world.swallows = (_way, { type }) => type === "presence";
	world.server.take(
		world.server.connect("bo", () => {}),
		{ action: "join", room: "garden" },
	);
	await world.clock.pass(MINUTE);
	view.open("garden", ["tea"]);
	await world.clock.pass(1500);
	equal(idsOf(view, "garden"), ["connection-1", "bo"]);
});

claim("a count with members replaces the list", async () => {
	const world = new World();
	const view = await world.joined();
	const members = ["ada", "bo"].map((id) => ({ connectionId: id, name: id, sender: id }));
	world.server.post("tea", { type: "presence", room: "tea", event: "count", memberCount: 2, members });
	await world.clock.pass(100);
	equal(view.session.membersOf("tea").list, members);
});

claim("an unsolicited pong covers only its room", async () => {
	const world = new World();
	const view = await world.joined({ others: ["garden"] });
	await world.clock.pass(SECOND);
	world.server.store("garden", "missed");
	world.socket.receive({
		type: "pong",
		room: "garden",
		lastSeq: 1,
		timestamp: "2027-01-15T08:00:00Z",
		rooms: { garden: 1 },
	});
	await world.clock.pass(3 * SECOND);
	equal([view.texts("garden"), view.session.current, idsOf(view)], [["missed"], "tea", ["connection-1"]]);
});

claim("typing is sent at most once in three seconds, and only where it is shown", async () => {
	const world = new World();
	const view = world.tab();
	view.session.typing();
	view.connect();
	view.session.typing();
	await world.clock.pass(100);
	for (let n = 0; n < 60; n += 1) {
		view.session.typing();
		await world.clock.pass(100);
	}
	equal(world.server.sent("typing"), [
		{ action: "typing", room: "tea" },
		{ action: "typing", room: "tea" },
	]);
	world.server.room("tea").guests = Array.from({ length: 100 }, (_, n) => ({
		connectionId: `g${n}`,
		name: "",
		sender: "",
	}));
	world.socket.cut();
	await world.clock.pass(5 * SECOND);
	view.session.typing();
	await world.clock.pass(SECOND);
	equal(world.server.sent("typing").length, 2);
});
