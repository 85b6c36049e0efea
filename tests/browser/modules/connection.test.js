import { claim } from "/claims.js";
import { chance, equal, ok, View, World } from "/world.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const texts = (prefix, count, from = 1) => Array.from({ length: count }, (_, n) => `${prefix} ${from + n}`);
const toldTexts = (view) => view.of("messages").flatMap(({ messages }) => messages.map(({ message }) => message));
const ids = (frames) => frames.map(({ messageId }) => messageId);
const once = (act) => {
	let done = false;
	return (...given) => {
		if (done) return false;
		done = act(...given);
		return done;
	};
};

// Coming back.

claim(
	"whoever comes back after a cut gets exactly what was said meanwhile, in order, then what is said live",
	async () => {
		const world = new World();
		world.server.say("tea", "before");
		const view = await world.joined();
		world.socket.cut();
		view.told = [];
		world.server.say("tea", "one", "two", "three");
		await world.clock.pass(2 * SECOND);
		world.server.say("tea", "four", "five");
		await world.clock.pass(SECOND);
		equal(toldTexts(view), ["one", "two", "three", "four", "five"]);
		equal(world.server.sent("join")[1].after, 1);
		equal(view.of("lost"), []);
	},
);

claim("a gap larger than a page comes whole and in order, page by page, while others go on talking", async () => {
	const world = new World();
	world.server.say("tea", "before");
	const view = await world.joined();
	world.socket.cut();
	view.told = [];
	world.server.say("tea", ...texts("missed", 230));
	await world.clock.pass(1100);
	world.server.say("tea", "live");
	await world.clock.pass(5 * SECOND);
	equal(view.texts(), ["before", ...texts("missed", 230), "live"]);
	equal(
		toldTexts(view).filter((text) => text !== "live"),
		texts("missed", 230),
	);
	equal(
		world.server.sent("history").map(({ after }) => after),
		[51, 101, 151, 201],
	);
});

claim("a newcomer gets the newest page, and older ones on wish", async () => {
	const world = new World();
	world.server.say("tea", ...texts("old", 120));
	const view = await world.joined();
	equal(view.texts(), texts("old", 50, 71));
	const asked = view.connection.older("tea", 71);
	await world.clock.pass(SECOND);
	const page = await asked;
	equal(
		page.messages.map(({ message }) => message),
		texts("old", 50, 21),
	);
	equal([page.complete, page.messages[0].own], [false, false]);
});

claim("a page that the server could not fit into the frame of joining is asked for at once", async () => {
	const world = new World();
	const view = await world.joined();
	world.socket.cut();
	world.server.say("tea", "big", "bigger");
	world.server.answers = once((frame, socket) => {
		if (frame.action !== "join") return false;
		world.server.enter(socket, "tea");
		socket.receive({ type: "joined", room: "tea", connectionId: "c", lastSeq: 2, messages: [], complete: false });
		return true;
	});
	await world.clock.pass(900);
	equal(view.texts(), ["big", "bigger"]);
});

claim("lost history is said, once", async () => {
	const world = new World();
	const view = await world.joined();
	world.socket.cut();
	world.server.pageSize = 2;
	world.server.say("tea", ...texts("left of it", 6));
	const { after } = world.server;
	world.server.after = (...asked) => ({ ...after.apply(world.server, asked), lost: true });
	await world.clock.pass(5 * SECOND);
	equal(view.texts(), texts("left of it", 6));
	equal(
		view.of("lost").map(({ room }) => room),
		["tea"],
	);
});

claim("lost history is said even if only a later page tells", async () => {
	const world = new World();
	const view = await world.joined();
	world.socket.cut();
	world.server.pageSize = 2;
	world.server.say("tea", ...texts("left of it", 6));
	const { history } = world.server;
	world.server.history = (socket, frame) => history.call(world.server, { ...proxied(socket, { lost: true }) }, frame);
	await world.clock.pass(5 * SECOND);
	equal(view.of("lost").length, 1);
});
const proxied = (socket, more) => ({ room: socket.room, receive: (frame) => socket.receive({ ...frame, ...more }) });

claim("to a newcomer nothing is said of what he never saw", async () => {
	const world = new World();
	world.server.room("tea").lastSeq = 500;
	const { after } = world.server;
	world.server.after = (...asked) => ({ ...after.apply(world.server, asked), lost: true });
	const view = await world.joined();
	await world.clock.pass(5 * SECOND);
	equal(world.server.sent("history")[0].after, 480);
	equal(view.of("lost"), []);
});

claim("a room whose order went back begins anew, and that is said", async () => {
	const world = new World();
	world.server.say("tea", ...texts("former", 30));
	const view = await world.joined();
	world.socket.cut();
	world.server.rooms.clear();
	world.server.say("tea", ...texts("now", 3));
	await world.clock.pass(2 * SECOND);
	world.server.say("tea", "now 4");
	await world.clock.pass(SECOND);
	equal(view.texts(), texts("now", 4));
	equal(
		view.of("joined").map(({ resumed }) => resumed),
		[false, false],
	);
	equal(view.of("lost").length, 1);
});

claim("another server counts anew", async () => {
	const world = new World();
	world.server.say("tea", "one", "two");
	const view = await world.joined();
	view.connection.connect("wss://elsewhere");
	await world.clock.pass(SECOND);
	equal(
		world.server.sent("join").map(({ after }) => after),
		[undefined, undefined],
	);
	equal(view.of("joined").at(-1).resumed, false);
});

claim("a live message that overtakes the answer to a renaming does not make the room begin anew", async () => {
	const world = new World();
	world.server.say("tea", "one", "two");
	const view = await world.joined();
	world.server.answers = once((frame, socket) => {
		if (frame.action !== "join") return false;
		const page = world.server.after("tea", frame.after);
		world.server.say("tea", "three");
		socket.receive({ type: "joined", room: "tea", connectionId: "c", lastSeq: 2, ...page });
		return true;
	});
	view.connection.rename("Ada L.");
	await world.clock.pass(100);
	equal(view.texts(), ["one", "two", "three"]);
	equal(view.of("joined").at(-1).resumed, true);
	equal(view.of("lost"), []);
});

// Order, doubles, holes.

claim(
	"messages that come in another order are each told once, and a late one is not asked for within a second",
	async () => {
		const world = new World();
		const view = await world.joined();
		await world.clock.pass(3 * SECOND);
		const [one, two, three] = ["1", "2", "3"].map((text) => world.server.store("tea", text, `id-${text}`, "other"));
		for (const frame of [one, three, three, one]) world.socket.receive(frame);
		await world.clock.pass(900);
		world.socket.receive(two);
		await world.clock.pass(5 * SECOND);
		equal(view.texts(), ["1", "2", "3"]);
		equal(world.server.sent("history"), []);
	},
);

claim("a hole is asked for after one second, once, and then known to be empty", async () => {
	const world = new World();
	const view = await world.joined();
	await world.clock.pass(3 * SECOND);
	world.server.say("tea", "1");
	world.server.room("tea").lastSeq = 4; // 2, 3 and 4 were given out and never stored
	world.server.say("tea", "5");
	await world.clock.pass(900);
	equal(world.server.sent("history"), []);
	await world.clock.pass(200);
	equal(world.server.sent("history"), [{ action: "history", after: 1, limit: 100 }]);
	world.server.say("tea", "6");
	await world.clock.pass(20 * MINUTE);
	equal(world.server.sent("history").length, 1);
	equal(view.texts(), ["1", "5", "6"]);
	world.socket.cut();
	await world.clock.pass(2 * SECOND);
	equal(world.server.sent("join").at(-1).after, 6);
});

claim("what a hole held is told in its place", async () => {
	const world = new World();
	const view = await world.joined();
	world.server.store("tea", "1", "id-1", "other");
	world.server.store("tea", "2", "id-2", "other");
	world.server.say("tea", "3");
	await world.clock.pass(2 * SECOND);
	equal(view.texts(), ["1", "2", "3"]);
});

claim("a hole that opens while another is being asked for is not forgotten", async () => {
	const world = new World();
	const view = await world.joined();
	await world.clock.pass(3 * SECOND);
	world.server.store("tea", "1", "id-1", "other");
	world.server.say("tea", "2");
	await world.clock.pass(1005);
	world.delays = () => 500;
	world.server.answers = once((frame, socket) => {
		if (frame.action !== "history") return false;
		world.server.history(socket, frame);
		world.server.store("tea", "3", "id-3", "other");
		world.delays = () => 10;
		world.server.say("tea", "4");
		return true;
	});
	await world.clock.pass(5 * SECOND);
	equal(view.texts(), ["1", "2", "3", "4"]);
});

claim("a missed tail shows by the lastSeq of a pong", async () => {
	const world = new World();
	const view = await world.joined();
	await world.clock.pass(MINUTE);
	world.server.store("tea", "missed", "id-1", "other");
	view.connection.wake();
	await world.clock.pass(2 * SECOND);
	equal(view.texts(), ["missed"]);
});

claim("what the index did not show yet when the room was joined is found by a look soon after", async () => {
	const world = new World();
	const view = world.page();
	view.connection.connect();
	await world.clock.pass(100);
	world.server.store("tea", "late in the index", "id-1", "other");
	await world.clock.pass(3 * SECOND);
	equal(view.texts(), ["late in the index"]);
});

claim("a message that overtakes the answer to the first join is shown with it, and in no other room", async () => {
	for (const room of ["tea", "garden"]) {
		const world = new World();
		world.server.answers = once((frame, socket) => {
			if (frame.action !== "join") return false;
			world.server.enter(socket, "tea");
			const joined = { type: "joined", room: "tea", connectionId: "c", lastSeq: 0, ...world.server.newest("tea") };
			world.server.say("tea", "early");
			world.clock.setTimeout(() => socket.receive(joined), 50);
			return true;
		});
		const view = world.page();
		view.connection.connect();
		await world.clock.pass(40);
		if (room !== "tea") view.connection.join(room);
		await world.clock.pass(300);
		equal(view.texts(room), room === "tea" ? ["early"] : []);
	}
});

claim("a message that is stored late, below what a newcomer was given, is told", async () => {
	const world = new World();
	world.server.say("tea", ...texts("old", 60));
	world.server.room("tea").messages.splice(4, 1);
	const view = await world.joined();
	const late = world.server.store("tea", "late", "id-5", "other", 5);
	world.socket.receive(late);
	world.socket.receive(late);
	await world.clock.pass(SECOND);
	equal(view.texts()[0], "late");
});

claim("a hole in the page that a newcomer is given may still be filled", async () => {
	const world = new World();
	world.server.say("tea", "1");
	world.server.room("tea").lastSeq = 2;
	world.server.say("tea", "3");
	const view = await world.joined();
	world.socket.receive(world.server.store("tea", "2", "id-2", "other", 2));
	await world.clock.pass(3 * SECOND);
	equal(view.texts(), ["1", "2", "3"]);
	equal(world.server.sent("history"), []);
});

claim("a page that never fills the hole is not asked for without end", async () => {
	const world = new World();
	const view = await world.joined();
	await world.clock.pass(3 * SECOND);
	world.server.answers = (frame, socket) => {
		if (frame.action !== "history") return false;
		socket.receive({ type: "history", room: "tea", messages: [], complete: false });
		return true;
	};
	world.server.store("tea", "1", "id-1", "other");
	world.server.say("tea", "2");
	await world.clock.pass(MINUTE);
	equal(view.texts(), ["2"]);
	ok(world.server.sent("history").length < 3);
});

// Two questions.

claim("an older page and a hole asked for together each get their own answer", async () => {
	const world = new World();
	world.server.say("tea", ...texts("old", 120));
	const view = await world.joined();
	world.server.store("tea", "missed", "id-m", "other");
	world.server.say("tea", "live");
	await world.clock.pass(1005);
	const older = view.connection.older("tea", 71);
	await world.clock.pass(SECOND);
	equal(
		(await older).messages.map(({ message }) => message),
		texts("old", 50, 21),
	);
	equal(view.texts().slice(-2), ["missed", "live"]);
	equal(toldTexts(view).includes("old 70"), false);
});

claim("a late answer to an earlier question is not taken for the answer to this one", async () => {
	const world = new World();
	world.server.say("tea", ...texts("old", 120));
	const view = await world.joined();
	const older = view.connection.older("tea", 71);
	await world.clock.pass(1);
	const late = { type: "history", room: "tea", after: 115, messages: [], complete: true };
	world.socket.hear(JSON.stringify(late));
	world.socket.hear(JSON.stringify({ ...late, after: undefined, before: 50 }));
	world.socket.hear(JSON.stringify({ ...late, after: undefined, before: 71, room: "garden" }));
	await world.clock.pass(SECOND);
	equal((await older).messages.length, 50);
});

claim("a server that does not repeat the question is understood", async () => {
	const world = new World();
	world.server.say("tea", ...texts("old", 120));
	const { history } = world.server;
	world.server.history = (socket, frame) =>
		history.call(world.server, proxied(socket, { after: undefined, before: undefined }), frame);
	const view = await world.joined();
	world.server.store("tea", "missed", "id-m", "other");
	world.server.say("tea", "live");
	const older = view.connection.older("tea", 71);
	await world.clock.pass(3 * SECOND);
	equal((await older).messages.length, 50);
	equal(view.texts().slice(-2), ["missed", "live"]);
});

claim("whoever waits for an older page is told when the link breaks or the room is left", async () => {
	const world = new World();
	world.server.say("tea", ...texts("old", 120));
	const view = await world.joined();
	const failed = async (asked) =>
		asked.then(
			() => false,
			() => true,
		);
	const first = failed(view.connection.older("tea", 71));
	world.socket.cut();
	ok(await first);
	ok(await failed(view.connection.older("tea", 71)));
	await world.clock.pass(2 * SECOND);
	ok(await failed(view.connection.older("garden", 71)));
	const second = failed(view.connection.older("tea", 71));
	view.connection.join("garden");
	ok(await second);
});

/** Answers the first frame of an action otherwise. */
function first(world, action, answer) {
	world.server.answers = once((frame, socket) => {
		if (frame.action !== action) return false;
		for (const made of [answer].flat()) socket.receive(made);
		return true;
	});
}

async function askedAgain(answer, within) {
	const world = new World();
	world.server.say("tea", ...texts("old", 120));
	const view = await world.joined();
	first(world, "history", answer);
	const older = view.connection.older("tea", 71);
	await world.clock.pass(within);
	equal((await older).messages.length, 50);
	equal(view.of("refused"), []);
	equal(world.sockets.length, 1);
	first(world, "history", answer);
	world.server.store("tea", "missed", "id-m", "other");
	world.server.say("tea", "live");
	await world.clock.pass(1100 + within);
	equal(view.texts().slice(-2), ["missed", "live"]);
	equal(world.sockets.length, 1);
}
const LIMITED = { type: "error", code: "rate_limited", error: "Too many", retryAfterMs: 700 };
const FAULT = { type: "error", code: "internal", error: "Something went wrong" };
const GATEWAY = { message: "Internal server error", connectionId: "c", requestId: "r" };

claim("a page of history that was refused for coming too soon is asked for again", () => askedAgain(LIMITED, 800));
claim("a page of history that met a fault is asked for again", () => askedAgain(FAULT, 2100));
claim("a page of history that met a fault of the gateway is asked for again", () => askedAgain(GATEWAY, 2100));
claim("a page of history that nobody answered is asked for again", () => askedAgain([], 8100));

claim("a page of history that is refused for good is asked for no more, and the next one is", async () => {
	const world = new World();
	world.server.say("tea", ...texts("old", 120));
	const view = await world.joined();
	first(world, "history", { type: "error", code: "bad_request", error: "No" });
	const refused = view.connection.older("tea", 71).then(
		() => false,
		() => true,
	);
	const next = view.connection.older("tea", 61);
	await world.clock.pass(SECOND);
	ok(await refused);
	equal((await next).messages.length, 50);
	equal(
		view.of("refused").map(({ code }) => code),
		["bad_request"],
	);
});

// Rooms and names.

claim("of rooms joined in haste the last one wins, however the functions overtake each other", async () => {
	const world = new World();
	const view = await world.joined();
	const slow = { one: 900, two: 10, three: 300, four: 0 };
	world.server.startsAfter = ({ room } = {}) => slow[room] ?? 0;
	for (const room of ["one", "two", "three", "four"]) view.connection.join(room);
	await world.clock.pass(3 * SECOND);
	equal(world.socket.room, "four");
	equal(
		view.of("joined").map(({ room }) => room),
		["tea", "four"],
	);
	world.server.say("four", "Hello");
	await world.clock.pass(SECOND);
	equal(view.texts("four"), ["Hello"]);
});

claim("there and back again in haste ends where the user wishes", async () => {
	const world = new World();
	const view = await world.joined();
	for (const room of ["garden", "tea", "garden", "tea"]) view.connection.join(room);
	await world.clock.pass(SECOND);
	equal(world.socket.room, "tea");
	world.server.say("tea", "Hello");
	await world.clock.pass(SECOND);
	equal(view.texts("tea"), ["Hello"]);
});

claim("a late frame of a room that was left is told as that room's, once, and missed nowhere", async () => {
	const world = new World();
	const view = await world.joined();
	const late = world.server.store("tea", "late", "id-1", "other");
	const { socket } = world;
	view.connection.join("garden");
	await world.clock.pass(SECOND);
	socket.receive(late);
	await world.clock.pass(SECOND);
	equal([view.texts("garden"), view.texts("tea")], [[], ["late"]]);
	view.connection.join("tea");
	await world.clock.pass(SECOND);
	equal(view.texts("tea"), ["late"]);
});

claim("presence and typing are told of this room only", async () => {
	const world = new World();
	const view = await world.joined();
	for (const type of ["presence", "typing"]) {
		for (const room of ["tea", "garden"]) world.socket.receive({ type, room, connectionId: "c", name: "Bo" });
	}
	await world.clock.pass(100);
	equal(
		[...view.of("presence"), ...view.of("typing")].map(({ room }) => room),
		["tea", "tea"],
	);
});

claim("a name chosen while a join is under way is the one that counts", async () => {
	const world = new World();
	const view = world.page({ name: "" });
	view.connection.connect();
	await world.clock.pass(25);
	view.connection.rename("Ada");
	view.connection.rename("Ada L.");
	await world.clock.pass(SECOND);
	equal(
		world.server.sent("join").map(({ name }) => name),
		[undefined, "Ada L."],
	);
	world.socket.cut();
	await world.clock.pass(2 * SECOND);
	equal(world.server.sent("join").at(-1).name, "Ada L.");
});

claim("a refused name is said, and messages still go out", async () => {
	const world = new World();
	const view = await world.joined();
	first(world, "join", { type: "error", code: "invalid_name", error: "No such name" });
	view.connection.rename("???");
	await world.clock.pass(100);
	equal(
		view.of("refused").map(({ code }) => code),
		["invalid_name"],
	);
	view.connection.send("Hello");
	await world.clock.pass(100);
	equal(view.texts(), ["Hello"]);
	view.connection.rename("Ada L.");
	await world.clock.pass(MINUTE);
	equal(world.server.sent("join").at(-1).name, "Ada L.");
	equal(world.sockets.length, 1);
});

claim("a join that comes too soon waits as long as it is told to", async () => {
	const world = new World();
	const view = world.page();
	first(world, "join", LIMITED);
	view.connection.connect();
	await world.clock.pass(700);
	equal(view.of("joined"), []);
	await world.clock.pass(100);
	equal(view.of("joined").length, 1);
	equal(world.sockets.length, 1);
});

claim("a join that meets faults is tried over new links, later and later", async () => {
	const world = new World();
	const view = world.page();
	world.server.answers = (frame, socket) => frame.action === "join" && !socket.receive(FAULT);
	view.connection.connect();
	await world.clock.pass(MINUTE);
	ok(world.sockets.length > 4 && world.sockets.length < 12, `${world.sockets.length} links`);
	world.server.answers = () => false;
	await world.clock.pass(20 * SECOND);
	equal(view.of("joined").length, 1);
});

claim("a join that nobody answers is tried over another link", async () => {
	const world = new World();
	const view = world.page();
	first(world, "join", []);
	view.connection.connect();
	await world.clock.pass(10 * SECOND);
	equal(view.of("joined").length, 1);
	equal(world.sockets.length, 2);
});

// The outbox.

claim("a message is shown at once, and its row is the stored one's", async () => {
	const world = new World();
	const view = await world.joined();
	const messageId = view.connection.send("Hello");
	ok(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/.test(messageId), messageId);
	equal(
		view.shown().map(({ state }) => state),
		["pending"],
	);
	await world.clock.pass(100);
	equal(
		view.shown().map(({ seq, own }) => [seq, own]),
		[[1, true]],
	);
});

claim("messages go out one by one, in order, also while the first is answered slowly", async () => {
	const world = new World();
	const view = await world.joined();
	world.server.startsAfter = (frame) => (frame?.message === "1" ? 5000 : 0);
	for (const text of ["1", "2", "3"]) view.connection.send(text);
	await world.clock.pass(8 * SECOND);
	equal(
		world.server.room("tea").messages.map(({ message }) => message),
		["1", "2", "3"],
	);
	equal(world.server.sent("sendmessage").length, 3);
});

claim("a message whose answer was lost is sent again under its own id, stored once and told once", async () => {
	const world = new World();
	const view = await world.joined();
	await world.clock.pass(3 * SECOND);
	world.swallows = (way, frame) => way === "down" && frame.type === "message";
	view.connection.send("Hello");
	await world.clock.pass(SECOND);
	world.swallows = () => false;
	await world.clock.pass(10 * SECOND);
	equal(world.server.room("tea").messages.length, 1);
	equal(new Set(ids(world.server.sent("sendmessage"))).size, 1);
	ok(world.server.sent("sendmessage").length > 1);
	equal(toldTexts(view), ["Hello"]);
});

claim("a link cut while a message is under way: stored once, told once, and the next follows", async () => {
	for (const cutAfter of [1, 5, 11, 15, 21, 29]) {
		const world = new World();
		const view = await world.joined();
		view.connection.send("Hello");
		view.connection.send("Again");
		await world.clock.pass(cutAfter);
		world.socket.cut();
		await world.clock.pass(5 * SECOND);
		equal(
			world.server.room("tea").messages.map(({ message }) => message),
			["Hello", "Again"],
		);
		equal(toldTexts(view), ["Hello", "Again"]);
	}
});

claim("a message that stays unsent outlives a reload and goes out under its own id", async () => {
	const world = new World();
	const before = await world.joined();
	world.swallows = () => true;
	const messageId = before.connection.send("Hello");
	before.connection.send("Again");
	before.connection.disconnect();
	world.swallows = () => false;
	const view = world.page();
	await world.clock.pass(1);
	equal(view.texts(), ["Hello", "Again"]);
	view.connection.connect();
	await world.clock.pass(SECOND);
	equal(ids(world.server.room("tea").messages)[0], messageId);
	equal(
		view.shown().map(({ message, own, seq }) => [message, own, seq]),
		[
			["Hello", true, 1],
			["Again", true, 2],
		],
	);
});

claim("after a reload its own rows are still its own", async () => {
	const world = new World();
	const before = await world.joined();
	before.connection.send("Mine");
	world.server.say("tea", "Yours");
	await world.clock.pass(100);
	before.connection.disconnect();
	const view = await world.joined();
	equal(
		view
			.shown()
			.map(({ message, own }) => [message, own])
			.sort(),
		[
			["Mine", true],
			["Yours", false],
		],
	);
});

claim(
	"a tab that was duplicated sends the same messages again, and each is stored once and shown once in both",
	async () => {
		const world = new World();
		world.accepts = false;
		const original = world.page();
		for (const text of ["1", "2", "3"]) original.connection.send(text);
		const copy = world.page({ store: new Map(world.store) });
		await world.clock.pass(1);
		world.accepts = true;
		for (const { connection } of [original, copy]) connection.connect();
		await world.clock.pass(5 * SECOND);
		equal(world.server.room("tea").messages.length, 3);
		for (const view of [original, copy]) {
			equal(
				view.shown().map(({ own }) => own),
				[true, true, true],
			);
			equal(toldTexts(view).sort(), ["1", "2", "3"]);
		}
		equal(copy.connection.send("after") !== undefined, true);
	},
);

claim("what was written in another room goes there, without a visit", async () => {
	const world = new World();
	const view = await world.joined();
	world.socket.cut();
	view.connection.send("for tea");
	view.connection.join("garden");
	view.connection.send("for the garden");
	await world.clock.pass(3 * SECOND);
	equal(
		world.server
			.sent("join")
			.slice(1)
			.map(({ room }) => room),
		["garden"],
	);
	equal([view.texts("tea"), view.texts("garden")], [["for tea"], ["for the garden"]]);
	view.connection.join("tea");
	await world.clock.pass(3 * SECOND);
	equal(view.texts("tea"), ["for tea"]);
});

claim("a room switched while a message is under way leaves the message in its own", async () => {
	const world = new World();
	const view = await world.joined();
	world.server.startsAfter = (frame) => (frame?.action === "sendmessage" ? 500 : 0);
	view.connection.send("for tea");
	view.connection.join("garden");
	await world.clock.pass(3 * SECOND);
	equal(
		world.server.room("tea").messages.map(({ message }) => message),
		["for tea"],
	);
	equal(view.texts("tea"), ["for tea"]);
});

claim("a hundred messages wait at most, and all of them are sent in order", async () => {
	const world = new World();
	const view = world.page();
	for (const text of texts("waiting", 100)) ok(view.connection.send(text));
	equal(view.connection.send("one too many"), undefined);
	equal(
		view.of("refused").map(({ code }) => code),
		["outbox_full"],
	);
	let allowed = 10;
	world.server.answers = ({ action, messageId }, socket) => {
		if (action !== "sendmessage" || allowed-- > 0) return false;
		socket.receive({ ...LIMITED, messageId });
		allowed = 2;
		return true;
	};
	view.connection.connect();
	await world.clock.pass(2 * MINUTE);
	equal(
		world.server.room("tea").messages.map(({ message }) => message),
		texts("waiting", 100),
	);
	equal(view.texts(), texts("waiting", 100));
});

claim("a message that comes too soon waits as long as it is told to, and keeps its place", async () => {
	const world = new World();
	const view = await world.joined();
	world.server.answers = once(({ action, messageId }, socket) => {
		if (action !== "sendmessage") return false;
		socket.receive({ ...LIMITED, messageId, retryAfterMs: 3000 });
		return true;
	});
	view.connection.send("1");
	view.connection.send("2");
	await world.clock.pass(2900);
	equal(world.server.room("tea").messages, []);
	await world.clock.pass(SECOND);
	equal(view.texts(), ["1", "2"]);
	equal(view.of("failed"), []);
	equal(
		view.of("refused").map(({ code, retryAfterMs }) => [code, retryAfterMs]),
		[["rate_limited", 3000]],
	);
});

claim("a message that meets one fault after another fails, holds up no other, and can be tried again", async () => {
	const world = new World();
	const view = await world.joined();
	let broken = true;
	world.server.answers = ({ message, messageId }, socket) => {
		if (message !== "1" || !broken) return false;
		socket.receive({ ...FAULT, messageId });
		return true;
	};
	const messageId = view.connection.send("1");
	view.connection.send("2");
	await world.clock.pass(20 * SECOND);
	equal(
		view.of("failed").map((one) => [one.messageId, one.code, one.room]),
		[[messageId, "internal", "tea"]],
	);
	equal(world.server.sent("sendmessage").filter(({ message }) => message === "1").length, 4);
	broken = false;
	view.connection.retry(messageId);
	await world.clock.pass(SECOND);
	equal(view.texts(), ["2", "1"]);
	equal(new Set(ids(world.server.sent("sendmessage"))).size, 2);
});

claim("a message that is refused fails at once, is told of again after a reload, and can be discarded", async () => {
	const world = new World();
	const before = await world.joined();
	world.server.answers = ({ message, messageId }, socket) =>
		message === "bad" && !socket.receive({ type: "error", code: "message_too_long", error: "No", messageId });
	before.connection.send("bad");
	before.connection.send("good");
	await world.clock.pass(100);
	equal(before.texts(), ["good", "bad"]);
	before.connection.disconnect();
	const view = await world.joined();
	equal(
		view.shown().map(({ message, state }) => [message, state]),
		[
			["good", undefined],
			["bad", "failed"],
		],
	);
	view.connection.discard(view.shown()[1].messageId);
	equal(view.texts(), ["good"]);
	equal(world.server.sent("sendmessage").length, 2);
});

claim("a message discarded while it is under way makes room for the next", async () => {
	const world = new World();
	const view = await world.joined();
	world.swallows = (way, frame) => way === "up" && frame.message === "1";
	const messageId = view.connection.send("1");
	view.connection.send("2");
	view.connection.discard(messageId);
	await world.clock.pass(100);
	equal(view.texts(), ["2"]);
	view.connection.discard("unknown");
	view.connection.retry("unknown");
	equal(view.of("discarded").length, 1);
});

claim("an error of a message that waits no more changes nothing", async () => {
	const world = new World();
	const view = await world.joined();
	view.connection.send("1");
	await world.clock.pass(100);
	world.socket.receive({ ...FAULT, messageId: world.server.sent("sendmessage")[0].messageId });
	await world.clock.pass(MINUTE);
	equal([view.of("failed"), view.of("refused"), world.server.sent("sendmessage").length], [[], [], 1]);
});

claim("4,000 characters of four bytes each pass whole", async () => {
	const world = new World();
	const view = await world.joined();
	view.connection.send("🙂".repeat(4000));
	world.server.say("tea", "🙂".repeat(4000));
	await world.clock.pass(SECOND);
	equal(
		view.shown().map(({ message }) => message.length),
		[8000, 8000],
	);
});

// The link.

claim("every five quiet minutes a ping goes out, and its pong keeps the link", async () => {
	const world = new World();
	const view = await world.joined();
	await world.clock.pass(2 * SECOND);
	const before = world.server.sent("ping").length;
	await world.clock.pass(5 * MINUTE - 2 * SECOND);
	equal(world.server.sent("ping").length, before);
	await world.clock.pass(4 * SECOND);
	equal(world.server.sent("ping").length, before + 1);
	await world.clock.pass(95 * MINUTE);
	equal(world.server.sent("ping").length, before + 20);
	equal(view.states, ["connecting", "connected"]);
});

claim("the heartbeat goes on where the room is refused", async () => {
	const world = new World();
	const view = world.page();
	first(world, "join", { type: "error", code: "invalid_room", error: "No" });
	view.connection.connect();
	await world.clock.pass(11 * MINUTE);
	equal(world.server.sent("ping").length, 2);
	equal(view.of("refused").length, 1);
});

claim("a link that swallows frames without closing is detected within 5 s of a look at it", async () => {
	const world = new World();
	const view = await world.joined();
	await world.clock.pass(MINUTE);
	world.swallows = () => true;
	view.connection.wake();
	await world.clock.pass(4900);
	equal(view.connection.state, "connected");
	await world.clock.pass(200);
	equal(view.connection.state, "waiting");
	world.swallows = () => false;
	world.server.say("tea", "missed");
	await world.clock.pass(2 * SECOND);
	equal(view.texts(), ["missed"]);
	equal(world.open.length, 1);
});

claim("a link that swallows frames is detected by the next heartbeat, or by the next message", async () => {
	for (const sends of [false, true]) {
		const world = new World();
		const view = await world.joined();
		await world.clock.pass(MINUTE);
		world.swallows = () => true;
		if (sends) view.connection.send("Hello?");
		await world.clock.pass(sends ? 14 * SECOND : 5 * MINUTE + 6 * SECOND);
		ok(view.states.includes("waiting"));
	}
});

claim("whatever comes proves that the link lives", async () => {
	const world = new World();
	const view = await world.joined();
	await world.clock.pass(MINUTE);
	world.swallows = (_way, frame) => frame.type === "pong";
	view.connection.wake();
	await world.clock.pass(4 * SECOND);
	world.server.say("tea", "Hello");
	await world.clock.pass(MINUTE);
	equal(view.states, ["connecting", "connected"]);
});

claim("a wake-up while it waits tries at once", async () => {
	const world = new World();
	const view = await world.joined();
	world.accepts = false;
	world.socket.cut();
	await world.clock.pass(MINUTE);
	world.accepts = true;
	view.connection.wake();
	await world.clock.pass(100);
	equal(view.connection.state, "connected");
	equal(world.open.length, 1);
});

claim("a wake-up while it connects or is disconnected changes nothing", async () => {
	const world = new World();
	const view = world.page();
	view.connection.wake();
	await world.clock.pass(MINUTE);
	equal(world.sockets.length, 0);
	view.connection.connect();
	view.connection.wake();
	await world.clock.pass(SECOND);
	equal(world.sockets.length, 1);
	equal(view.states, ["connecting", "connected"]);
});

claim("a tab that flickers never comes near the server's limit for pings", async () => {
	const world = new World();
	const view = await world.joined();
	for (let n = 0; n < 600; n += 1) {
		view.connection.wake();
		await world.clock.pass(100);
	}
	equal(world.server.refusedPings, 0);
	ok(world.server.sent("ping").length <= 61);
});

claim("typing is told once in three seconds at most, and only where somebody can see it", async () => {
	const world = new World();
	const view = world.page();
	view.connection.typing();
	view.connection.connect();
	view.connection.typing();
	await world.clock.pass(100);
	for (let n = 0; n < 60; n += 1) {
		view.connection.typing();
		await world.clock.pass(100);
	}
	equal(world.server.sent("typing").length, 2);
});

claim("a link that closes twice gives one timer and one try", async () => {
	const world = new World();
	const view = await world.joined();
	const { socket } = world;
	const close = socket.onclose;
	socket.cut();
	close();
	close();
	equal(world.clock.waiting, 1);
	equal(view.of("state").filter(({ state }) => state === "waiting").length, 1);
	await world.clock.pass(5 * SECOND);
	equal(world.sockets.length, 2);
});

claim("while nothing answers it tries again after up to 20 s, with jitter, and says when", async () => {
	const random = chance(7);
	const world = new World();
	const view = world.page({ random });
	world.accepts = false;
	view.connection.connect();
	await world.clock.pass(10 * MINUTE);
	const waits = [];
	let at = world.clock.at - 10 * MINUTE;
	for (const { state, retryAt } of view.of("state")) {
		if (state === "waiting") waits.push(retryAt - at - 10);
		at = state === "waiting" ? retryAt : at;
	}
	for (const [n, wait] of waits.slice(0, 5).entries()) ok(wait >= 490 && wait <= 1000 * 2 ** n + 10, `${wait}`);
	ok(waits.every((wait) => wait <= 20_010));
	ok(Math.max(...waits) > 15_000 && Math.min(...waits.slice(6)) < 5000, `${waits}`);
});

claim("sockets that open and close at once are tried later and later", async () => {
	const world = new World();
	const view = world.page();
	world.server.answers = (frame, socket) => {
		world.server.join(socket, frame);
		world.clock.setTimeout(() => socket.cut(), 50);
		return true;
	};
	view.connection.connect();
	await world.clock.pass(5 * MINUTE);
	ok(world.sockets.length < 40, `${world.sockets.length} tries`);
});

claim("tries are forgotten once a link has lasted 10 s", async () => {
	for (const [up, wait] of [
		[9900, 750 + 500],
		[10_100, 750],
	]) {
		const world = new World();
		const view = await world.joined();
		world.socket.cut();
		await world.clock.pass(760 + up);
		equal(view.connection.state, "connected");
		world.socket.cut();
		equal(view.of("state").at(-1).retryAt - world.clock.at, wait);
	}
});

claim("connecting twice leaves one link", async () => {
	const world = new World();
	const view = world.page();
	view.connection.connect();
	view.connection.connect();
	await world.clock.pass(5);
	view.connection.connect();
	await world.clock.pass(2 * SECOND);
	view.connection.connect();
	await world.clock.pass(2 * SECOND);
	equal(world.open.length, 1);
	equal(view.connection.state, "connected");
	world.server.say("tea", "Hello");
	await world.clock.pass(100);
	equal(view.texts(), ["Hello"]);
});

claim("whoever disconnects, at whatever moment, stays so and leaves no link and no timer", async () => {
	for (const moment of [0, 5, 15, 25, 100, 3000]) {
		const world = new World();
		const view = world.page();
		view.connection.connect();
		await world.clock.pass(moment);
		view.connection.disconnect();
		view.connection.wake();
		await world.clock.pass(5 * SECOND);
		equal([view.connection.state, world.open.length, world.clock.waiting], ["disconnected", 0, 0]);
		view.connection.connect();
		await world.clock.pass(SECOND);
		equal(view.connection.state, "connected");
	}
});

claim("whoever disconnects while it waits stays so", async () => {
	const world = new World();
	const view = await world.joined();
	world.socket.cut();
	view.connection.disconnect();
	await world.clock.pass(MINUTE);
	equal([world.sockets.length, world.clock.waiting], [1, 0]);
});

claim("whoever disconnects while a page is being asked for stays so", async () => {
	const world = new World();
	const view = await world.joined();
	world.server.store("tea", "missed", "id-m", "other");
	world.server.say("tea", "live");
	world.swallows = (_way, frame) => frame.type === "history";
	await world.clock.pass(1025);
	equal(world.server.sent("history").length, 1);
	world.server.store("tea", "missed too", "id-n", "other");
	world.server.say("tea", "live too");
	await world.clock.pass(50);
	view.connection.disconnect();
	await world.clock.pass(MINUTE);
	equal([world.sockets.length, world.clock.waiting, view.connection.state], [1, 0, "disconnected"]);
});

claim("a link that does not open within 15 s is tried again", async () => {
	const world = new World();
	const view = world.page();
	world.delays = () => 60 * SECOND;
	view.connection.connect();
	await world.clock.pass(15_010);
	equal(view.connection.state, "waiting");
	world.delays = () => 10;
	await world.clock.pass(SECOND);
	equal(view.connection.state, "connected");
	await world.clock.pass(2 * MINUTE);
	equal(world.open.length, 1);
});

claim("what the user pressed Connect for is no address: that is said", () => {
	const world = new World();
	const WebSocket = class {
		constructor() {
			throw new SyntaxError("no address");
		}
	};
	const view = world.page({ WebSocket });
	view.connection.connect("nonsense");
	equal([view.of("refused")[0].code, view.connection.state, world.clock.waiting], ["bad_url", "disconnected", 0]);
});

claim("before two hours are over the link is renewed, and what is under way is neither lost nor doubled", async () => {
	for (const early of [0, 10, 20, 30, 40]) {
		const world = new World();
		const view = await world.joined({ random: () => 0 });
		await world.clock.pass(115 * MINUTE - 100 - early + 20);
		view.connection.send("Hello");
		view.connection.send("Again");
		await world.clock.pass(early);
		world.server.say("tea", "from another");
		await world.clock.pass(5 * SECOND);
		equal(world.sockets.length, 2);
		equal(world.open.length, 1);
		equal(toldTexts(view).sort(), ["Again", "Hello", "from another"]);
		equal(world.server.room("tea").messages.length, 3);
		equal(view.states, ["connecting", "connected"]);
	}
});

claim("not all clients renew their links at once", async () => {
	const world = new World();
	const random = chance(3);
	for (let n = 0; n < 20; n += 1) world.page({ random, store: new Map() }).connection.connect();
	await world.clock.pass(115 * MINUTE - 60 * SECOND);
	equal(world.sockets.length, 20);
	await world.clock.pass(30 * SECOND);
	ok(world.sockets.length > 24 && world.sockets.length < 36, `${world.sockets.length}`);
	await world.clock.pass(31 * SECOND);
	equal(world.sockets.length, 40);
});

claim("a renewal that fails is said and tried again like any lost link", async () => {
	const world = new World();
	const view = await world.joined();
	await world.clock.pass(100 * MINUTE);
	world.accepts = false;
	await world.clock.pass(16 * MINUTE);
	equal(view.connection.state, "waiting");
	world.accepts = true;
	await world.clock.pass(30 * SECOND);
	equal(view.connection.state, "connected");
});

claim("nothing that comes over a link makes the connection raise or stop", async () => {
	const world = new World();
	const view = await world.joined();
	const odd = [
		"",
		"nonsense",
		"null",
		"7",
		'"text"',
		"[]",
		"{}",
		'{"type":"new"}',
		'{"type":"presence"}',
		"[".repeat(9999),
	];
	for (const data of odd) world.socket.hear(data);
	world.socket.hear('{"type":"message","room":"elsewhere","seq":1,"messageId":"m","message":"?"}');
	world.socket.hear('{"type":"joined","room":"tea","connectionId":"c","lastSeq":9,"messages":[],"complete":true}');
	world.socket.hear('{"type":"history","room":"tea","messages":[],"complete":true}');
	world.socket.hear('{"type":"error","code":"internal","error":"of a ping"}');
	world.server.say("tea", "Hello");
	await world.clock.pass(SECOND);
	equal(view.texts(), ["Hello"]);
	equal(view.of("refused"), []);
	equal(world.server.sent("history"), []);
});

claim("a socket's frames that come after it was left are nobody's", async () => {
	const world = new World();
	const view = await world.joined();
	const { socket } = world;
	view.connection.disconnect();
	socket.hear(JSON.stringify(world.server.store("tea", "late", "id-1", "other")));
	equal(view.texts(), []);
	view.connection.connect();
	await world.clock.pass(SECOND);
	equal(view.texts(), ["late"]);
});

claim("two views of one connection's events are told the same", async () => {
	const world = new World();
	const view = await world.joined();
	const second = new View(view.connection);
	view.connection.send("Hello");
	await world.clock.pass(SECOND);
	equal(second.texts(), view.texts());
});
