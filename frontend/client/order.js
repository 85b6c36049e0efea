/** Which of a room's messages are known. A jump in seq means that one was missed. */

export class RoomOrder {
	upTo;
	latest;
	/** @type {Set<number>} */
	#beyond = new Set();

	/** @param {number} upTo every message up to here is known, or left to older pages
	 * @param {number} [latest] */
	constructor(upTo, latest = upTo) {
		this.upTo = upTo;
		this.latest = Math.max(upTo, latest);
	}

	get hasGap() {
		return this.latest > this.upTo;
	}

	/** @template {{seq: number}} T @param {readonly T[]} messages @returns {T[]} */
	take(messages) {
		const fresh = messages.filter(({ seq }) => {
			if (seq <= this.upTo || this.#beyond.has(seq)) return false;
			this.heard(seq);
			return this.#beyond.add(seq);
		});
		this.#advance();
		return fresh;
	}

	/** The server has answered for everything up to `seq`: what did not come has expired. @param {number} seq */
	settle(seq) {
		this.upTo = Math.max(this.upTo, seq);
		this.#advance();
	}

	/** @param {number} seq */
	heard(seq) {
		this.latest = Math.max(this.latest, seq);
	}

	#advance() {
		while (this.#beyond.delete(this.upTo + 1)) this.upTo += 1;
		for (const seq of this.#beyond) if (seq <= this.upTo) this.#beyond.delete(seq);
	}
}
