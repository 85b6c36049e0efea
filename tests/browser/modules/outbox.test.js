/** Unsent messages: sent once, in order, across lost connections, reloads and tabs. */

import { claim } from "/claims.js";
import { Browser, equal, FAULT, first, LIMITED, MINUTE, ok, refuse, SECOND, texts, World } from "/world.js";

const sent = (world) => world.server.sent("sendmessage");
const sentTexts = (world) => sent(world).map(({ message }) => message);
const shown = (view, room) => view.shown(room).map(({ message, state }) => [message, state ?? "stored"]);

// One tab.

claim("a message is shown at once and becomes the stored one", async () => {
	const world = new World();
	const view = await world.joined();
	view.write("Hello");
	equal(shown(view), [["Hello", "pending"]]);
	await world.clock.pass(100);
	equal(
		view.shown().map(({ seq, own }) => [seq, own]),
		[[1, true]],
	);
	equal([view.outbox.all, view.of("removed").length], [[], 1]);
});

claim("messages are sent one by one, in order, even if the first answer is slow", async () => {
	const world = new World();
	const view = await world.joined();
	world.startsAfter = ({ message }) => (message === "1" ? 5000 : 0);
	for (const text of ["1", "2", "3"]) view.write(text);
	await world.clock.pass(8 * SECOND);
	equal([world.server.texts("tea"), sent(world).length], [["1", "2", "3"], 3]);
});

claim("a message whose answer was lost is resent with the same id, stored once and shown once", async () => {
	const world = new World();
	const view = await world.joined();
	world.swallows = (way, frame) => way === "down" && frame.type === "message";
	view.write("Hello");
	await world.clock.pass(SECOND);
	world.swallows = () => false;
	await world.clock.pass(10 * SECOND);
	equal([world.server.texts("tea"), view.reported], [["Hello"], ["Hello"]]);
	equal([sent(world).length, new Set(sent(world).map(({ messageId }) => messageId)).size], [2, 1]);
});

claim(
	"if the connection breaks during a send, the message is stored and shown once, and the next follows",
	async () => {
		for (const cutAfter of [1, 5, 11, 15, 21, 29]) {
			const world = new World();
			const view = await world.joined();
			view.write("Hello");
			view.write("Again");
			await world.clock.pass(cutAfter);
			world.socket.cut();
			await world.clock.pass(5 * SECOND);
			equal(
				[world.server.texts("tea"), view.reported],
				[
					["Hello", "Again"],
					["Hello", "Again"],
				],
			);
		}
	},
);

claim("a message that was stored before the connection broke is not sent again", async () => {
	const world = new World();
	const view = await world.joined();
	view.write("Hello");
	await world.clock.pass(15);
	world.socket.cut();
	await world.clock.pass(5 * SECOND);
	equal([world.server.texts("tea"), view.reported, sent(world).length], [["Hello"], ["Hello"], 1]);
});

claim("unsent messages in another room are sent without visiting it", async () => {
	const world = new World();
	const view = await world.joined();
	world.socket.cut();
	view.write("for tea");
	view.open("garden");
	view.write("for the garden");
	await world.clock.pass(5 * SECOND);
	equal([world.server.texts("tea"), world.server.texts("garden")], [["for tea"], ["for the garden"]]);
	equal([view.texts("tea"), view.texts("garden")], [["for tea"], ["for the garden"]]);
});

claim("switching rooms during a send leaves the message in its room", async () => {
	const world = new World();
	const view = await world.joined();
	world.startsAfter = ({ action }) => (action === "sendmessage" ? 500 : 0);
	view.write("for tea");
	view.open("garden");
	await world.clock.pass(3 * SECOND);
	equal([world.server.texts("tea"), view.texts("tea")], [["for tea"], ["for tea"]]);
});

claim("a message stored long ago leaves the outbox and is not shown out of order", async () => {
	const world = new World();
	const before = await world.joined();
	world.swallows = (way) => way === "down";
	before.write("Hello");
	await world.clock.pass(100);
	before.crash();
	world.swallows = () => false;
	world.server.say("tea", ...texts("since", 60));
	const view = await world.joined();
	await world.clock.pass(20 * SECOND);
	equal([view.texts(), view.outbox.all], [texts("since", 50, 11), []]);
	equal(world.server.texts("tea").filter((text) => text === "Hello").length, 1);
});

claim("at most a hundred messages wait, and all are sent in order", async () => {
	const world = new World();
	const view = world.tab();
	for (const text of texts("waiting", 100)) ok(view.write(text));
	equal(view.write("one too many"), undefined);
	let allowed = 10;
	refuse(world, "sendmessage", LIMITED, () => {
		allowed -= 1;
		if (allowed < 0) allowed = 2;
		return allowed === 2;
	});
	view.connect();
	await world.clock.pass(2 * MINUTE);
	equal([world.server.texts("tea"), view.texts()], [texts("waiting", 100), texts("waiting", 100)]);
});

claim(
	"a message that comes too soon, or meets a busy room, waits as long as the server asks and keeps its place",
	async () => {
		for (const code of ["rate_limited", "busy"]) {
			const world = new World();
			const view = await world.joined();
			first(world, "sendmessage", { ...LIMITED, code, retryAfterMs: 3000 });
			view.write("1");
			view.write("2");
			await world.clock.pass(2900);
			equal(world.server.texts("tea"), []);
			await world.clock.pass(SECOND);
			equal(shown(view), [
				["1", "stored"],
				["2", "stored"],
			]);
			equal(
				view.of("delayed").map((one) => [one.code, one.retryAfterMs]),
				[[code, 3000]],
			);
		}
	},
);

claim("a message that keeps failing is given up, blocks no other, and can be retried", async () => {
	const world = new World();
	const view = await world.joined();
	refuse(world, "sendmessage", FAULT, ({ message }) => message === "1");
	const messageId = view.write("1");
	view.write("2");
	await world.clock.pass(20 * SECOND);
	equal(shown(view), [
		["2", "stored"],
		["1", "failed"],
	]);
	equal(sentTexts(world).filter((text) => text === "1").length, 4);
	equal(view.outbox.all[0].failure.code, "internal");
	world.server.answers = () => false;
	view.outbox.retry(messageId);
	await world.clock.pass(SECOND);
	equal([view.texts(), new Set(sent(world).map((frame) => frame.messageId)).size], [["2", "1"], 2]);
});

claim("a refused message fails at once, also after a reload, and can be discarded", async () => {
	const world = new World();
	const before = await world.joined();
	refuse(
		world,
		"sendmessage",
		{ type: "error", code: "message_too_long", error: "No" },
		({ message }) => message === "bad",
	);
	before.write("bad");
	before.write("good");
	await world.clock.pass(100);
	before.close();
	const view = await world.joined();
	equal(shown(view), [
		["good", "stored"],
		["bad", "failed"],
	]);
	view.outbox.discard(view.shown()[1].messageId);
	equal([view.texts(), sent(world).length, view.outbox.all], [["good"], 2, []]);
});

claim("discarding a message in flight lets the next one go", async () => {
	const world = new World();
	const view = await world.joined();
	world.swallows = (way, frame) => way === "up" && frame.message === "1";
	const messageId = view.write("1");
	view.write("2");
	view.outbox.discard(messageId);
	await world.clock.pass(100);
	equal(view.texts(), ["2"]);
	view.outbox.discard("unknown");
	view.outbox.retry("unknown");
	equal(view.outbox.all, []);
});

claim("an error for a message no longer in the outbox changes nothing", async () => {
	const world = new World();
	const view = await world.joined();
	view.write("1");
	await world.clock.pass(100);
	const [{ messageId }] = sent(world);
	world.socket.receive({ ...FAULT, action: "sendmessage", messageId });
	await world.clock.pass(MINUTE);
	equal([shown(view), sent(world).length], [[["1", "stored"]], 1]);
});

claim("a message in a room that keeps removing us eventually fails", async () => {
	const world = new World();
	const view = await world.joined();
	refuse(world, "sendmessage", { type: "error", code: "not_in_room", error: "No" });
	view.write("1");
	await world.clock.pass(MINUTE);
	equal([shown(view), sent(world).length], [[["1", "failed"]], 4]);
});

claim("messages for a room that refuses us fail and block no others", async () => {
	const world = new World();
	const view = world.tab({ room: "private" });
	view.write("1");
	refuse(world, "join", { type: "error", code: "forbidden", error: "Not for you" }, ({ room }) => room === "private");
	view.open("tea", ["private"]);
	view.write("2");
	view.connect();
	await world.clock.pass(SECOND);
	equal([shown(view, "private"), shown(view, "tea")], [[["1", "failed"]], [["2", "stored"]]]);
	equal(view.outbox.all[0].failure, { code: "forbidden", error: "Not for you" });
});

claim("4,000 four-byte characters arrive intact", async () => {
	const world = new World();
	const view = await world.joined();
	view.write("🙂".repeat(4000));
	world.server.say("tea", "🙂".repeat(4000));
	await world.clock.pass(SECOND);
	equal(
		view.texts().map(({ length }) => length),
		[8000, 8000],
	);
});

claim("malformed stored values are ignored", async () => {
	const world = new World();
	const { area } = world.browser.storage.tab();
	for (const [n, odd] of [
		"3",
		'"text"',
		"{}",
		"null",
		"[]",
		'{"messageId":"x","room":"tea","text":"","at":1}',
	].entries()) {
		area.setItem(`chat.outbox.${n}`, odd);
	}
	const view = await world.joined();
	await world.clock.pass(SECOND);
	equal([view.outbox.all, sent(world)], [[], []]);
});

// Closed tabs. Each claim holds with Web Locks, and without them on plain HTTP.

const withAndWithoutLocks = (test) => async () => {
	await test(true);
	await test(false);
};

claim(
	"what is unsent when the tab is closed goes out in the next one, under its own ids and in order",
	withAndWithoutLocks(async (locks) => {
		const world = new World();
		const before = await world.joined({ locks });
		world.swallows = () => true;
		const ids = [before.write("1"), before.write("2")];
		await world.clock.pass(100);
		before.close();
		world.swallows = () => false;
		await world.clock.pass(10 * MINUTE);
		const view = world.tab({ locks });
		equal(shown(view), [
			["1", "pending"],
			["2", "pending"],
		]);
		view.connect();
		await world.clock.pass(2 * SECOND);
		equal(
			world.server.room("tea").messages.map(({ messageId }) => messageId),
			ids,
		);
		equal(
			view.shown().map(({ message, own, seq }) => [message, own, seq]),
			[
				["1", true, 1],
				["2", true, 2],
			],
		);
	}),
);

claim(
	"of several tabs one sends, and the others show what it does",
	withAndWithoutLocks(async (locks) => {
		const world = new World();
		world.accepts = false;
		const [one, two, three] = [1, 2, 3].map(() => world.tab({ locks, random: Math.random }));
		for (const [n, view] of [one, two, three, one].entries()) {
			view.write(`${n + 1}`);
			await world.clock.pass(10);
		}
		for (const view of [one, two, three]) equal(view.texts(), ["1", "2", "3", "4"]);
		world.accepts = true;
		for (const view of [three, one, two]) view.connect();
		await world.clock.pass(10 * SECOND);
		equal(sentTexts(world), ["1", "2", "3", "4"]);
		for (const view of [one, two, three]) {
			equal(
				view.shown().map(({ seq, own }) => [seq, own]),
				[1, 2, 3, 4].map((seq) => [seq, true]),
			);
			equal(view.outbox.all, []);
		}
	}),
);

claim(
	"the tab that somebody writes in sends for itself, wherever the outbox was",
	withAndWithoutLocks(async (locks) => {
		const world = new World();
		const one = await world.joined({ locks });
		const two = await world.joined({ locks });
		await world.clock.pass(SECOND);
		const owner = () => [one, two].findIndex((view) => view.tab.sockets.includes(lastSender));
		let lastSender;
		world.server.answers = (frame, peer) => {
			if (frame.action === "sendmessage") lastSender = world.sockets.find((socket) => socket.peer === peer);
			return false;
		};
		for (const [n, view] of [one, two, one].entries()) {
			view.write(`${n}`);
			await world.clock.pass(SECOND);
			equal(owner(), [one, two].indexOf(view));
		}
		equal(sentTexts(world), ["0", "1", "2"]);
	}),
);

claim(
	"an owner that crashes is succeeded, and what it had under way is sent again only if it is not stored",
	withAndWithoutLocks(async (locks) => {
		for (const isStored of [true, false]) {
			const world = new World();
			const one = await world.joined({ locks });
			const two = await world.joined({ locks });
			await world.clock.pass(SECOND);
			world.swallows = (way, frame) =>
				frame.message === "1" && (way === "up" ? !isStored : frame.connectionId === one.session.connectionId);
			one.write("1");
			one.write("2");
			await world.clock.pass(100);
			one.crash();
			await world.clock.pass(100);
			world.swallows = () => false;
			await world.clock.pass(20 * SECOND);
			equal([world.server.texts("tea"), two.texts(), two.outbox.all], [["1", "2"], ["1", "2"], []]);
			equal(
				two.shown().map(({ own }) => own),
				[true, true],
			);
			ok(sentTexts(world).filter((text) => text === "1").length <= 2);
		}
	}),
);

claim(
	"a tab that takes over waits for the answer that the other tab is waiting for",
	withAndWithoutLocks(async (locks) => {
		const world = new World();
		const one = await world.joined({ locks });
		const two = await world.joined({ locks });
		await world.clock.pass(SECOND);
		world.startsAfter = ({ message }) => (message === "1" ? 3000 : 0);
		one.write("1");
		await world.clock.pass(100);
		two.write("2");
		await world.clock.pass(20 * SECOND);
		equal(
			[world.server.texts("tea"), sentTexts(world)],
			[
				["1", "2"],
				["1", "2"],
			],
		);
	}),
);

claim(
	"a tab that is disconnected does not keep what another one can send",
	withAndWithoutLocks(async (locks) => {
		const world = new World();
		const one = await world.joined({ locks });
		const two = await world.joined({ locks });
		one.session.disconnect();
		one.write("1");
		await world.clock.pass(10 * SECOND);
		equal([world.server.texts("tea"), two.texts(), one.outbox.all], [["1"], ["1"], []]);
	}),
);

claim("a message older than a day is not sent without a retry", async () => {
	const world = new World();
	const before = world.tab();
	before.write("yesterday");
	before.close();
	await world.clock.pass(25 * 60 * MINUTE);
	const view = await world.joined();
	view.write("today");
	await world.clock.pass(SECOND);
	equal(shown(view), [
		["today", "stored"],
		["yesterday", "failed"],
	]);
	view.outbox.retry(view.outbox.all[0].messageId);
	await world.clock.pass(SECOND);
	equal(view.texts(), ["today", "yesterday"]);
});

claim("without shared storage each tab sends its own messages", async () => {
	const world = new World();
	const views = [];
	for (const text of ["1", "2"]) {
		const browser = new Browser(world.clock);
		const { storage } = browser;
		browser.storage = {
			tab: () => ({ ...storage.tab(), area: undefined }),
		};
		const view = await world.joined({ browser });
		view.write(text);
		views.push(view);
		await world.clock.pass(SECOND);
	}
	equal(
		[world.server.texts("tea"), views.map((view) => view.outbox.all)],
		[
			["1", "2"],
			[[], []],
		],
	);
});
