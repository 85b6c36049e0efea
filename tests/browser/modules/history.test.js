/** A room's history: each message once, in order, with gaps filled, and older pages on request. */

import { claim } from "/claims.js";
import { equal, FAULT, first, GATEWAY_FAULT, LIMITED, MINUTE, ok, SECOND, texts, World } from "/world.js";

const rejects = (promise) =>
	promise.then(
		() => false,
		() => true,
	);
const older = (view, before, room = "tea") => view.client.page(room, { before });
const said = (page) => page.messages.map(({ message }) => message);

// Resuming.

claim("a returning client receives exactly what it missed, in order, then live messages", async () => {
	const world = new World();
	world.server.say("tea", "before");
	const view = await world.joined();
	world.socket.cut();
	world.server.say("tea", "one", "two", "three");
	await world.clock.pass(2 * SECOND);
	world.server.say("tea", "four", "five");
	await world.clock.pass(SECOND);
	equal(view.reported, ["before", "one", "two", "three", "four", "five"]);
	equal([world.server.sent("join")[1].after, view.of("lost")], [1, []]);
});

claim("a gap larger than a page is filled in order, page by page, while new messages arrive", async () => {
	const world = new World();
	world.server.say("tea", "before");
	const view = await world.joined();
	world.socket.cut();
	world.server.say("tea", ...texts("missed", 230));
	await world.clock.pass(1100);
	world.server.say("tea", "live");
	await world.clock.pass(5 * SECOND);
	equal(view.texts(), ["before", ...texts("missed", 230), "live"]);
	equal(
		world.server.sent("history").map(({ room, after }) => [room, after]),
		[51, 101, 151, 201].map((after) => ["tea", after]),
	);
});

claim("a first join returns the newest page, and older ones are loaded on request", async () => {
	const world = new World();
	world.server.say("tea", ...texts("old", 120));
	const view = await world.joined();
	equal([view.texts(), view.of("messages")[0].isFirstPage], [texts("old", 50, 71), true]);
	const asked = older(view, 71);
	await world.clock.pass(SECOND);
	const page = await asked;
	equal([said(page), page.complete, page.messages[0].own], [texts("old", 50, 21), false, false]);
	equal(world.server.sent("history"), [{ action: "history", room: "tea", before: 71 }]);
});

claim("messages that did not fit into the answer to a join are requested at once", async () => {
	const world = new World();
	const view = await world.joined();
	world.socket.cut();
	world.server.say("tea", "big", "bigger");
	world.server.answers = (frame, peer) => {
		if (frame.action !== "join") return false;
		const { deliver } = peer;
		peer.deliver = (joined) => deliver({ ...joined, messages: [], complete: false });
		world.server.answer(peer, frame);
		peer.deliver = deliver;
		return true;
	};
	await world.clock.pass(900);
	equal(view.texts(), ["big", "bigger"]);
});

claim("expired messages are reported as lost, once, and the remaining ones are shown", async () => {
	for (const pageSize of [50, 2]) {
		const world = new World();
		world.server.say("tea", "before");
		const view = await world.joined();
		world.socket.cut();
		world.server.pageSize = pageSize;
		world.server.say("tea", ...texts("missed", 9));
		world.server.expire("tea", 4);
		await world.clock.pass(5 * SECOND);
		equal(view.texts(), ["before", ...texts("missed", 6, 4)]);
		equal(view.of("lost"), [{ room: "tea" }]);
	}
});

claim("messages that expire during paging are reported as lost too", async () => {
	const world = new World();
	world.server.say("tea", "before");
	const view = await world.joined();
	world.socket.cut();
	world.server.pageSize = 2;
	world.server.say("tea", ...texts("missed", 6));
	world.server.answers = (frame) => frame.action === "history" && world.server.expire("tea", 5);
	await world.clock.pass(5 * SECOND);
	equal([view.texts(), view.of("lost").length], [["before", "missed 1", "missed 2", "missed 5", "missed 6"], 1]);
	world.socket.cut();
	world.server.say("tea", ...texts("again", 6));
	world.server.expire("tea", 8);
	world.server.answers = (frame) => frame.action === "history" && world.server.expire("tea", 12);
	await world.clock.pass(5 * SECOND);
	equal([view.texts().slice(-3), view.of("lost").length], [["again 2", "again 3", "again 6"], 2]);
});

claim("a first join reports no losses, even in a room whose messages have all expired", async () => {
	const world = new World();
	world.server.say("tea", ...texts("old", 500));
	world.server.expire("tea", 500);
	const view = await world.joined();
	world.server.say("tea", "new");
	await world.clock.pass(5 * SECOND);
	equal([view.texts(), view.of("lost")], [["new"], []]);
});

claim("a room whose log restarted is read from the start, and reported as a loss", async () => {
	const world = new World();
	world.server.say("tea", ...texts("former", 30));
	const view = await world.joined();
	world.socket.cut();
	world.server.clear();
	world.server.say("tea", ...texts("now", 3));
	await world.clock.pass(2 * SECOND);
	world.server.say("tea", "now 4");
	await world.clock.pass(SECOND);
	equal([view.texts(), view.of("lost").length], [texts("now", 4), 1]);
});

claim("another server starts a new count", async () => {
	const world = new World();
	world.server.say("tea", "one", "two");
	const view = await world.joined();
	view.connect("wss://elsewhere");
	await world.clock.pass(SECOND);
	equal(
		world.server.sent("join").map(({ after }) => after),
		[undefined, undefined],
	);
	equal(view.of("joined").at(-1).resumed, false);
});

// Order and gaps.

claim(
	"messages that overtake each other are each shown once, and a late one is not asked for within a second",
	async () => {
		const world = new World();
		const view = await world.joined();
		const [one, two, three] = ["1", "2", "3"].map((text) => world.server.store("tea", text));
		for (const frame of [one, three, three, one]) world.socket.receive(frame);
		await world.clock.pass(900);
		world.socket.receive(two);
		await world.clock.pass(5 * SECOND);
		equal([view.texts(), world.server.sent("history")], [["1", "2", "3"], []]);
	},
);

claim("a gap is requested once, after one second, and the missing messages are shown in order", async () => {
	const world = new World();
	const view = await world.joined();
	world.server.say("tea", "1");
	world.server.store("tea", "2");
	world.server.say("tea", "3");
	await world.clock.pass(900);
	equal(world.server.sent("history"), []);
	await world.clock.pass(200);
	equal(world.server.sent("history"), [{ action: "history", room: "tea", after: 1, limit: 100 }]);
	world.server.say("tea", "4");
	await world.clock.pass(20 * MINUTE);
	equal([view.texts(), world.server.sent("history").length], [["1", "2", "3", "4"], 1]);
});

claim("a gap that opens while another is being filled is filled too", async () => {
	const world = new World();
	const view = await world.joined();
	world.server.store("tea", "1");
	world.server.say("tea", "2");
	await world.clock.pass(1005);
	world.delays = () => 500;
	let isFirst = true;
	world.server.answers = (frame, peer) => {
		if (frame.action !== "history" || !isFirst) return false;
		isFirst = false;
		world.server.answer(peer, frame);
		world.server.store("tea", "3");
		world.delays = () => 10;
		world.server.say("tea", "4");
		return true;
	};
	await world.clock.pass(5 * SECOND);
	equal(view.texts(), ["1", "2", "3", "4"]);
});

claim("any pong, solicited or not, reveals missed messages in every room", async () => {
	for (const asked of [true, false]) {
		const world = new World();
		const view = await world.joined({ others: ["garden"] });
		for (const room of ["tea", "garden"]) world.server.store(room, "missed");
		const timestamp = "2026-01-01T00:00:00.000Z";
		const pong = { type: "pong", room: "tea", lastSeq: 1, timestamp, rooms: { tea: 1, garden: 1 } };
		if (asked) view.client.wake();
		else world.socket.receive(pong);
		await world.clock.pass(2 * SECOND);
		equal([view.texts("tea"), view.texts("garden")], [["missed"], ["missed"]]);
	}
});

claim("a message that arrives before the answer to the first join is shown with it", async () => {
	const world = new World();
	world.server.answers = (frame, peer) => {
		if (frame.action !== "join") return false;
		const { deliver } = peer;
		peer.deliver = (joined) => world.clock.setTimeout(() => deliver(joined), 50);
		world.server.answer(peer, frame);
		peer.deliver = deliver;
		world.server.say("tea", "early");
		return true;
	};
	const view = world.tab();
	view.connect();
	await world.clock.pass(300);
	equal([view.texts(), world.server.sent("history")], [["early"], []]);
});

claim("a message stored during a join is shown, whether or not it is posted", async () => {
	for (const again of [false, true]) {
		for (const posted of [false, true]) {
			const world = new World();
			if (again) world.server.say("tea", "before");
			const view = world.tab();
			if (again) {
				view.connect();
				await world.clock.pass(SECOND);
				world.socket.cut();
			}
			world.server.answers = (frame, peer) => {
				if (frame.action !== "join") return false;
				const { deliver } = peer;
				// The function reads the messages, then the newest seq; in between somebody says something.
				peer.deliver = (joined) => {
					const late = world.server.store("tea", "late");
					deliver({ ...joined, lastSeq: late.seq });
					if (posted) deliver(late);
				};
				world.server.answer(peer, frame);
				peer.deliver = deliver;
				return true;
			};
			view.connect();
			await world.clock.pass(5 * SECOND);
			equal(view.texts(), again ? ["before", "late"] : ["late"]);
			equal(world.server.sent("history").length, posted ? 0 : 1);
		}
	}
});

claim("a live message that arrives before the answer to a second join is shown once", async () => {
	const world = new World();
	world.server.say("tea", "one", "two");
	const view = await world.joined();
	world.server.answers = (frame, peer) => {
		if (frame.action !== "join") return false;
		const { deliver } = peer;
		peer.deliver = (joined) => world.clock.setTimeout(() => deliver(joined), 50);
		world.server.answer(peer, frame);
		peer.deliver = deliver;
		world.server.say("tea", "three");
		return true;
	};
	view.session.rename("Ada L.");
	await world.clock.pass(100);
	equal([view.reported, view.of("joined").at(-1).resumed, view.of("lost")], [["one", "two", "three"], true, []]);
});

claim("a gap that the server cannot fill is not requested forever", async () => {
	const world = new World();
	const view = await world.joined();
	world.server.answers = (frame, peer) => {
		if (frame.action !== "history") return false;
		peer.deliver({ type: "history", room: "tea", after: frame.after, messages: [], complete: false, lost: false });
		return true;
	};
	world.server.store("tea", "1");
	world.server.say("tea", "2");
	await world.clock.pass(MINUTE);
	equal([view.texts(), world.server.sent("history").length], [["2"], 1]);
});

// Requests.

claim("an older page and a gap requested together each get their own answer", async () => {
	const world = new World();
	world.server.say("tea", ...texts("old", 120));
	const view = await world.joined();
	world.server.store("tea", "missed");
	world.server.say("tea", "live");
	await world.clock.pass(1005);
	const asked = older(view, 71);
	await world.clock.pass(SECOND);
	equal([said(await asked), view.texts().slice(-2)], [texts("old", 50, 21), ["missed", "live"]]);
});

claim("a page is before a seq, after one, or the newest, and says whether it is complete", async () => {
	const world = new World();
	world.server.say("tea", ...texts("old", 120));
	const view = await world.joined();
	const ask = async (request) => {
		const asked = view.client.page("tea", request);
		await world.clock.pass(SECOND);
		return asked;
	};
	const after = await ask({ after: 9, limit: 3 });
	equal([said(after), after.complete, after.lost, after.messages[0].own], [texts("old", 3, 10), false, false, false]);
	equal(said(await ask({ before: 9, limit: 2 })), texts("old", 2, 7));
	equal(said(await ask({ limit: 1 })), ["old 120"]);
	world.server.expire("tea", 100);
	const lost = await ask({ after: 9 });
	equal([said(lost), lost.complete, lost.lost], [texts("old", 20, 101), true, true]);
	equal(view.reported.length, 50);
});

claim("a page that contains an unacknowledged message removes it from the outbox", async () => {
	const world = new World();
	const view = await world.joined();
	world.swallows = (way, frame) => way === "down" && frame.type === "message";
	const messageId = view.write("mine");
	await world.clock.pass(SECOND);
	equal(view.outbox.all.length, 1);
	const asked = view.client.page("tea");
	await world.clock.pass(SECOND);
	equal([(await asked).messages[0].messageId, view.outbox.all], [messageId, []]);
});

claim("a gap is filled before other waiting pages, which keep their order", async () => {
	const world = new World();
	world.server.say("tea", ...texts("old", 120));
	const view = await world.joined();
	world.server.store("tea", "missed");
	world.server.say("tea", "live");
	await world.clock.pass(990);
	world.delays = () => 200;
	const pages = [71, 61, 51].map((before) => older(view, before));
	await world.clock.pass(5 * SECOND);
	equal(
		(await Promise.all(pages)).map(said),
		[21, 11, 1].map((from) => texts("old", 50, from)),
	);
	equal(
		world.server.sent("history").map(({ before, after }) => before ?? `after ${after}`),
		[71, "after 120", 61, 51],
	);
});

claim("a late answer to an earlier request is not mistaken for the current one", async () => {
	const world = new World();
	world.server.say("tea", ...texts("old", 120));
	const view = await world.joined();
	const asked = older(view, 71);
	const late = { type: "history", room: "tea", messages: [], complete: true, lost: false };
	for (const of of [{ after: 115 }, { before: 50 }, { before: 71, room: "garden" }]) {
		world.socket.hear(JSON.stringify({ ...late, ...of }));
	}
	await world.clock.pass(SECOND);
	equal((await asked).messages.length, 50);
});

claim("a request for an older page ends when the connection breaks or the room is left", async () => {
	const world = new World();
	world.server.say("tea", ...texts("old", 120));
	const view = await world.joined();
	const cut = rejects(older(view, 71));
	world.socket.cut();
	ok(await cut);
	ok(await rejects(older(view, 71)));
	await world.clock.pass(2 * SECOND);
	ok(await rejects(older(view, 71, "garden")));
	world.swallows = (_way, frame) => frame.type === "history";
	const left = rejects(older(view, 71));
	view.open("garden");
	await world.clock.pass(SECOND);
	ok(await left);
});

async function askedAgain(answers, within) {
	const world = new World();
	world.server.say("tea", ...texts("old", 120));
	const view = await world.joined();
	first(world, "history", answers);
	const asked = older(view, 71);
	await world.clock.pass(within);
	equal((await asked).messages.length, 50);
	first(world, "history", answers);
	world.server.store("tea", "missed");
	world.server.say("tea", "live");
	await world.clock.pass(1100 + within);
	equal([view.texts().slice(-2), view.of("refused"), world.sockets.length], [["missed", "live"], [], 1]);
}

claim("a rate-limited page is requested again", () => askedAgain(LIMITED, 800));
claim("a page that met a server error is requested again", () => askedAgain(FAULT, 2100));
claim("a page that met a gateway error is requested again", () => askedAgain(GATEWAY_FAULT, 2100));
claim("a page without an answer is requested again", () => askedAgain([], 8100));

claim(
	"a page that meets one fault after another, or is refused for good, is given up, and the next one is asked for",
	async () => {
		for (const [code, times] of [
			["internal", 4],
			["bad_request", 1],
		]) {
			const world = new World();
			world.server.say("tea", ...texts("old", 120));
			const view = await world.joined();
			let left = times;
			world.server.answers = (frame, peer) => {
				if (frame.action !== "history" || left === 0) return false;
				left -= 1;
				world.server.refuse(peer, frame, code);
				return true;
			};
			const refused = rejects(older(view, 71));
			const next = older(view, 61);
			await world.clock.pass(20 * SECOND);
			ok(await refused);
			equal((await next).messages.length, 50);
		}
	},
);

claim("the history of a room that removed us is read after rejoining", async () => {
	const world = new World();
	const view = await world.joined();
	for (const peer of world.server.peers) peer.rooms.delete("tea");
	world.server.store("tea", "1");
	world.socket.receive(world.server.store("tea", "2"));
	await world.clock.pass(2 * SECOND);
	equal([view.texts(), world.server.sent("join").length], [["1", "2"], 2]);
});
