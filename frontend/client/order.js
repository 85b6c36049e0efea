/** Tracks which of a room's messages have arrived. A jump in seq means that some are missing. */

export class RoomOrder {
	upTo;
	latest;
	/** @type {Set<number>} */
	#beyond = new Set();

	/** @param {number} upTo the seq up to which every message is known, or belongs to an older page
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
			this.noteLatest(seq);
			return this.#beyond.add(seq);
		});
		this.#advance();
		return fresh;
	}

	/** The server has sent everything up to `seq`: any message that did not arrive has expired. @param {number} seq */
	settle(seq) {
		this.upTo = Math.max(this.upTo, seq);
		this.#advance();
	}

	/** @param {number} seq */
	noteLatest(seq) {
		this.latest = Math.max(this.latest, seq);
	}

	#advance() {
		while (this.#beyond.delete(this.upTo + 1)) this.upTo += 1;
		for (const seq of this.#beyond) if (seq <= this.upTo) this.#beyond.delete(seq);
	}
}
