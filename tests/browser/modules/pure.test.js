import { delayMs } from "/backoff.js";
import { claim } from "/claims.js";
import { Outbox } from "/outbox.js";
import { Timeline } from "/timeline.js";
import { chance, equal, ok } from "/world.js";

const numbered = (...seqs) => seqs.map((seq) => ({ seq }));
const seqs = (messages) => messages.map(({ seq }) => seq);

claim("a delay lies between half a second and a ceiling that doubles up to 20 s", () => {
	const random = chance(1);
	for (let tries = 0; tries < 2000; tries += 1) {
		const ceiling = Math.min(20_000, 1000 * 2 ** tries);
		equal(
			delayMs(tries, () => 0),
			500,
		);
		equal(
			delayMs(tries, () => 1),
			ceiling,
		);
		const delay = delayMs(tries, random);
		ok(delay >= 500 && delay <= ceiling && Number.isInteger(delay));
	}
});

claim("delays of clients that were cut off together are spread over the whole range", () => {
	const random = chance(2);
	const tenths = new Set(Array.from({ length: 500 }, () => Math.floor((delayMs(9, random) - 500) / 1950)));
	equal([...tenths].filter((tenth) => tenth < 10).length, 10);
});

claim("whatever order messages come in, each is new once and the end is contiguous", () => {
	for (let seed = 1; seed <= 300; seed += 1) {
		const random = chance(seed);
		const pick = (n) => Math.floor(random() * n);
		const start = pick(50);
		const count = 1 + pick(30);
		const all = Array.from({ length: count }, (_, n) => start + 1 + n);
		const timeline = new Timeline([], start && start + 20);
		equal(timeline.contiguous, start);
		const fresh = [];
		const doubled = [...all, ...all.filter(() => random() < 0.5)].sort(() => random() - 0.5);
		while (doubled.length) {
			const before = timeline.contiguous;
			fresh.push(...seqs(timeline.take(numbered(...doubled.splice(0, 1 + pick(5))))));
			ok(timeline.contiguous >= before, "went back");
			for (let seq = start + 1; seq <= timeline.contiguous; seq += 1) ok(fresh.includes(seq), `skipped ${seq}`);
		}
		equal(
			fresh.toSorted((a, b) => a - b),
			all,
		);
		equal(timeline.contiguous, start + count);
	}
});

claim("a double within one page is new once", () =>
	equal(seqs(new Timeline([], 0).take(numbered(1, 2, 2, 1))), [1, 2]),
);

claim("a timeline begins with the newest page and takes its holes for holes", () => {
	const page = numbered(81, 82, 84);
	const timeline = new Timeline(page, 85);
	equal(seqs(timeline.take(page)), [81, 82, 84]);
	equal(timeline.contiguous, 82);
	ok(timeline.hasHole);
});

claim("what the server has answered for is no hole any more, and what stands beyond it counts", () => {
	const timeline = new Timeline([], 0);
	timeline.take(numbered(1, 4, 5, 8));
	timeline.answered(3);
	equal(timeline.contiguous, 5);
	timeline.answered(2);
	equal(timeline.contiguous, 5);
	ok(timeline.hasHole);
	timeline.answered(8);
	ok(!timeline.hasHole);
	equal(seqs(timeline.take(numbered(3, 6, 8, 9))), [9]);
});

claim("what is missing is asked for once, until more is missing or the server is heard of again", () => {
	const timeline = new Timeline([], 0);
	timeline.take(numbered(1, 3));
	ok(timeline.hasHole);
	timeline.asked();
	ok(!timeline.hasHole);
	timeline.take(numbered(5));
	ok(timeline.hasHole);
	timeline.asked();
	timeline.heard(5);
	ok(timeline.hasHole);
});

claim("a tail that the server tells of is missing", () => {
	const timeline = new Timeline([], 0);
	timeline.heard(2);
	ok(timeline.hasHole);
	timeline.take(numbered(1, 2));
	ok(!timeline.hasHole);
	timeline.heard(1);
	ok(!timeline.hasHole);
});

claim("one that comes late from before the newest page is new, once, and fills no hole", () => {
	const page = numbered(81, 82);
	const timeline = new Timeline(page, 82);
	timeline.take(page);
	equal(seqs(timeline.take(numbered(60))), [60]);
	equal(seqs(timeline.take(numbered(60))), []);
	equal([timeline.contiguous, timeline.hasHole], [82, false]);
});

/** A tab's storage, as JSON. */
function storage(filled = {}) {
	const store = new Map(Object.entries(filled));
	const kept = (key, otherwise) => JSON.parse(store.get(key) ?? "null") ?? otherwise;
	return { kept, keep: (key, value) => store.set(key, JSON.stringify(value)) };
}
const unsent = (n) => ({ messageId: `id-${n}`, room: "tea", text: `${n}`, at: n });

claim("the outbox keeps its order and its changes over a reload", () => {
	const tab = storage();
	const outbox = new Outbox(tab);
	for (const n of [1, 2, 3]) outbox.put(unsent(n));
	outbox.put({ ...unsent(1), failed: true });
	ok(outbox.remove("id-2"));
	ok(!outbox.remove("id-2"));
	const again = new Outbox(tab);
	equal([...again.all.values()], [{ ...unsent(1), failed: true }, unsent(3)]);
	equal(again.next, unsent(3));
	again.put(unsent(1));
	equal(again.next, unsent(1));
});

claim("the outbox takes a hundred", () => {
	const outbox = new Outbox(storage());
	for (let n = 0; n < 99; n += 1) outbox.put(unsent(n));
	ok(!outbox.full);
	outbox.put(unsent(99));
	ok(outbox.full);
});

claim("what the storage holds of somebody else's is left out of the outbox", () => {
	for (const odd of ["3", '"text"', "{}", "[null, 7, {}]", '{"a": [1]}', '[{"messageId": "x"}]']) {
		equal(new Outbox(storage({ outbox: odd })).next, undefined);
	}
});
