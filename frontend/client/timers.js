/** Named timers, and exponential back-off. */

const FLOOR_MS = 500;
const CEILING_MS = 20_000;

/** Jitter over the whole range, so clients that were disconnected together do not reconnect together.
 * @param {number} failures @param {() => number} random 0 to 1 */
export function backoffMs(failures, random) {
	const ceiling = Math.min(CEILING_MS, 2 * FLOOR_MS * 2 ** failures);
	return Math.round(FLOOR_MS + random() * (ceiling - FLOOR_MS));
}

export class Timers {
	#clock;
	/** @type {Map<string, number>} */
	#running = new Map();

	/** @param {Clock} clock */
	constructor(clock) {
		this.#clock = clock;
	}

	/** @param {string} name @param {number} ms @param {() => void} [act] */
	start(name, ms, act) {
		this.cancel(name);
		const timer = this.#clock.setTimeout(() => {
			this.#running.delete(name);
			act?.();
		}, ms);
		this.#running.set(name, timer);
	}

	/** @param {string} name */
	isRunning(name) {
		return this.#running.has(name);
	}

	/** @param {string} name */
	cancel(name) {
		this.#clock.clearTimeout(this.#running.get(name));
		this.#running.delete(name);
	}

	cancelAll() {
		for (const name of [...this.#running.keys()]) this.cancel(name);
	}
}
