/** A window onto a room's history: opened at a message or a time, grown at both ends, merged into the live list. */

import { claim } from "/claims.js";
import { itemOf, MessageList } from "/model/message-list.js";
import { Past } from "/model/past.js";
import { equal, MINUTE, ok, SECOND, texts, World } from "/world.js";

const START = Date.UTC(2026, 0, 1);
const seqs = (list) => list.items.map(({ seq }) => seq);
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, n) => from + n);
const rejects = (promise) =>
	promise.then(
		() => false,
		() => true,
	);

/** A server that computes its messages: `timeOf` rises with seq, and messages up to `expired` are gone. */
function log({ last, expired = 0, timeOf = (seq) => START + seq * MINUTE, fits = 100 }) {
	const asked = [];
	const message = (seq) => ({
		...{ messageId: `m${seq}`, room: "tea", seq, timestamp: new Date(timeOf(seq)).toISOString() },
		...{ message: `Message ${seq}`, connectionId: "ada", name: "Ada", sender: "a", own: false },
	});
	const page = async (request) => {
		asked.push(request);
		const { before = last + 1, after, limit = 50 } = request;
		const size = Math.min(limit, fits);
		if (after === undefined) {
			const to = Math.min(last, before - 1);
			const first = Math.max(expired + 1, to - size + 1);
			return { messages: range(first, to).map(message), complete: first <= expired + 1, lost: false };
		}
		const first = Math.max(after, expired) + 1;
		const to = Math.min(last, first + size - 1);
		return { messages: first > last ? [] : range(first, to).map(message), complete: to >= last, lost: after < expired };
	};
	return { page, asked, message, past: new Past({ page, room: "tea" }) };
}

/** The first seq at or after a time, by linear search. */
function firstAt({ last, expired = 0, timeOf = (seq) => START + seq * MINUTE }, time) {
	for (let seq = expired + 1; seq <= last; seq += 1) if (timeOf(seq) >= time) return seq;
	return undefined;
}

claim("a message is shown with its neighbours, in two requests", async () => {
	const { past, asked } = log({ last: 200 });
	const item = await past.open(100);
	equal([item.seq, seqs(past.list), asked.length], [100, range(75, 125), 2]);
	equal([past.list.complete, past.list.hasNewer, past.list.unread], [false, true, 0]);
});

claim("a window at either end of the room knows that there is nothing beyond it", async () => {
	const { past } = log({ last: 40 });
	equal([(await past.open(1)).seq, seqs(past.list)], [1, range(1, 26)]);
	equal([past.list.complete, past.list.hasNewer], [true, true]);
	equal([(await past.open(40)).seq, seqs(past.list)], [40, range(15, 40)]);
	equal([past.list.complete, past.list.hasNewer], [false, false]);
});

claim("for an expired message, the next newer one is found", async () => {
	const { past } = log({ last: 200, expired: 120 });
	equal([(await past.open(7)).seq, seqs(past.list), past.list.complete], [121, range(121, 146), true]);
});

claim("a message that never existed is not found, and the newest are shown", async () => {
	const { past } = log({ last: 30 });
	equal([await past.open(31), seqs(past.list), past.list.hasNewer], [undefined, range(6, 30), false]);
	equal([await past.open(Number.MAX_SAFE_INTEGER), past.list.lastSeq], [undefined, 30]);
	const empty = log({ last: 0 });
	equal([await empty.past.open(5), empty.past.list.items], [undefined, []]);
	equal([await empty.past.older(), await empty.past.newer()], [false, false]);
});

claim("pages shortened by long messages leave no gap", async () => {
	const { past } = log({ last: 60, fits: 3 });
	await past.open(30);
	equal(seqs(past.list), range(27, 32));
	while (await past.older());
	while (await past.newer());
	equal([seqs(past.list), past.list.complete, past.list.hasNewer], [range(1, 60), true, false]);
});

claim("a growing window sends one request per end, however often it is called, and none beyond the ends", async () => {
	const { past, asked } = log({ last: 100 });
	await past.open(50);
	const grown = await Promise.all([past.older(), past.older(), past.newer(), past.newer()]);
	equal([grown, seqs(past.list), asked.length], [[true, true, true, true], range(1, 100), 4]);
	equal([await past.older(), await past.newer(), asked.length], [false, false, 4]);
});

claim("the answer to an earlier opening is dropped once another has begun", async () => {
	const slow = log({ last: 500 });
	const waiting = [];
	const page = (request) => new Promise((resolve) => waiting.push(() => resolve(slow.page(request))));
	const past = new Past({ page, room: "tea" });
	const [first, second] = [past.open(100), past.open(300)];
	const timed = past.openAt(START);
	const third = past.open(400);
	while (waiting.length) {
		waiting.pop()();
		await new Promise((resolve) => setTimeout(resolve));
	}
	equal([await first, await second, await timed, (await third).seq], [undefined, undefined, undefined, 400]);
	equal(seqs(past.list), range(375, 425));
});

claim("losing the connection leaves a window unchanged, and it can be opened again", async () => {
	const { page } = log({ last: 200 });
	let isConnected = true;
	const past = new Past({
		page: (request) => (isConnected ? page(request) : Promise.reject(new Error("paused"))),
		room: "tea",
	});
	await past.open(100);
	isConnected = false;
	for (const ask of [() => past.open(9), () => past.openAt(START), () => past.older(), () => past.newer()]) {
		ok(await rejects(ask()));
	}
	equal(seqs(past.list), range(75, 125));
	isConnected = true;
	ok(await past.older());
});

claim("rows stay when another opening shows the same messages", async () => {
	const { past } = log({ last: 200 });
	const row = await past.open(100);
	await past.open(110);
	ok(past.list.items.includes(row));
});

claim("a window has a bounded number of messages, and knows at which end it dropped some", async () => {
	const { past } = log({ last: 20_000 });
	await past.open(10_000);
	for (let turn = 0; turn < 80; turn += 1) await past.older();
	ok(past.list.items.length <= 3300 && past.list.hasNewer);
	for (let turn = 0; turn < 80; turn += 1) await past.newer();
	const { items, firstSeq, lastSeq, complete } = past.list;
	ok(items.length <= 3300 && !complete);
	equal(items.length, lastSeq - firstSeq + 1);
});

claim("the page can switch to the live list once there is no gap between the two", async () => {
	const { past, message } = log({ last: 300 });
	const live = new MessageList();
	await past.open(200);
	ok(!past.meets(live), "nothing is known live");
	live.store(range(251, 300).map(message));
	ok(!past.meets(live), "226 to 250 are between");
	await past.newer();
	ok(past.meets(live));
	live.enter(300, 300);
	const row = live.items[0];
	past.mergeInto(live);
	equal(seqs(live), range(175, 300));
	ok(live.items.includes(row) && live.unread === 0);
});

claim("a window that ends right before the live list meets it; saved messages never do", async () => {
	const { past, message } = log({ last: 300 });
	await past.open(200);
	for (const [from, meets] of [
		[226, true],
		[227, false],
	]) {
		const live = new MessageList();
		live.store(range(from, 300).map(message));
		equal(past.meets(live), meets);
	}
	const saved = new MessageList();
	saved.preview(range(200, 300).map(message));
	ok(!past.meets(saved));
});

claim("a late post that the window already has is not new to the live list", async () => {
	const { past, message } = log({ last: 100 });
	await past.open(100);
	const live = new MessageList();
	live.enter(98, 98);
	live.store(range(51, 98).map(message));
	past.mergeInto(live);
	equal([live.unread, live.store([message(99)], true), live.items.length], [2, undefined, 50]);
});

// By date.

claim("the first message at or after a time is found, however uneven the times", async () => {
	const kinds = {
		even: (seq) => START + seq * MINUTE,
		nights: (seq) => START + seq * SECOND + Math.floor(seq / 100) * 12 * 60 * MINUTE,
		burst: (seq) => START + (seq < 900 ? seq : 900 + (seq - 900) * 1e6),
		late: (seq) => START + seq ** 3,
		atOnce: () => START,
	};
	for (const timeOf of Object.values(kinds)) {
		for (const expired of [0, 400]) {
			const of = { last: 1000, expired, timeOf };
			for (const seq of [1, 2, 401, 402, 500, 640, 899, 900, 901, 999, 1000]) {
				for (const shift of [-1, 0, 1]) {
					const { past, asked } = log(of);
					const time = timeOf(seq) + shift;
					equal((await past.openAt(time))?.seq, firstAt(of, time));
					ok(asked.length <= 20, `${asked.length} requests`);
				}
			}
		}
	}
});

claim("a day is found among a million messages in few requests", async () => {
	const { past, asked } = log({ last: 1_000_000 });
	equal((await past.openAt(START + 654_321 * MINUTE)).seq, 654_321);
	ok(asked.length <= 8, `${asked.length} requests`);
	const uneven = log({ last: 1_000_000, timeOf: (seq) => START + Math.floor(1000 * 1.00002 ** seq) });
	const time = START + Math.floor(1000 * 1.00002 ** 500_000);
	equal((await uneven.past.openAt(time)).seq, 500_000);
	ok(uneven.asked.length <= 24, `${uneven.asked.length} requests`);
});

claim(
	"a time before everything finds the oldest message, one after everything none, and shows the newest",
	async () => {
		const { past } = log({ last: 1000, expired: 300 });
		equal([(await past.openAt(0)).seq, past.list.complete], [301, true]);
		equal([await past.openAt(START + 1001 * MINUTE), past.list.lastSeq, past.list.hasNewer], [undefined, 1000, false]);
		equal(await log({ last: 0 }).past.openAt(START), undefined);
	},
);

claim("a day is found even if each message fills a page", async () => {
	const { past } = log({ last: 300, fits: 1 });
	equal((await past.openAt(START + 222 * MINUTE)).seq, 222);
	for (const time of [START + 201 * MINUTE, START + 215 * MINUTE + 1]) {
		equal((await past.openAt(time)).seq, firstAt({ last: 300 }, time));
	}
	equal(await past.openAt(Number.NaN), undefined);
});

claim("a day is found although clocks differ by milliseconds", async () => {
	const timeOf = (seq) => START + seq * 3 + (seq % 2 ? 4 : 0);
	for (const seq of [2, 101, 350, 490]) {
		const item = await log({ last: 500, timeOf }).past.openAt(timeOf(seq));
		ok(Math.abs(item.seq - seq) <= 2 && item.at >= timeOf(seq));
	}
});

claim("a room's history can be read while new messages arrive", async () => {
	const world = new World();
	world.server.say("tea", ...texts("old", 200));
	const view = await world.joined();
	const past = new Past({ page: (request) => view.client.page("tea", request), room: "tea" });
	const opened = past.open(100);
	world.server.say("tea", "live");
	await world.clock.pass(SECOND);
	equal([(await opened).message, past.list.items.length, view.texts().at(-1)], ["old 100", 51, "live"]);
	const cut = rejects(past.older());
	world.socket.cut();
	ok(await cut);
	await world.clock.pass(2 * SECOND);
	const live = new MessageList();
	live.store(view.shown().map((message) => message));
	for (let turn = 0; turn < 3 && !past.meets(live); turn += 1) {
		const grown = past.newer();
		await world.clock.pass(SECOND);
		ok(await grown);
	}
	past.mergeInto(live);
	equal(seqs(live), range(75, 201));
	equal(itemOf({ ...view.shown()[0] }).state, "stored");
});
