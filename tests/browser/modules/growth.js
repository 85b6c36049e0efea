/** Measures how processing time grows with a message's length. */

import { ok } from "/world.js";

const LENGTHS = [8000, 128_000];
const MAX_RATIO = 48; // of time, where linear is 16 and quadratic 256
const NOISE_MS = 100;
const TRIES = 3;

/** Whether the time to process a repeated part is about linear in its length.
 * @param {string} part @param {(message: string) => unknown} act */
export function okLinear(part, act) {
	const [short, long] = LENGTHS.map((length) => {
		const message = part.repeat(length / part.length);
		const times = Array.from({ length: TRIES }, () => {
			const before = performance.now();
			act(message);
			return performance.now() - before;
		});
		return Math.min(...times);
	});
	ok(long < MAX_RATIO * short + NOISE_MS, `${JSON.stringify(part)}: ${short} ms, then ${long} ms`);
}
