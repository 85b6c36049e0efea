/** What is known of a room's order: doubles, holes, and where to resume. Pure: knows neither clock nor socket. */

export class Timeline {
	/** Everything up to here is known: read, or known to be empty. It is what `after` tells the server. */
	contiguous = 0;
	/** The highest seq that the room is known to have given out. */
	last = 0;
	/** What came beyond a hole. @type {Set<number>} */
	#beyond = new Set();
	/** For which `last` the tip was asked for: once each. */
	#tipAsked = 0;

	/** Begins with the newest page. Its own holes are asked for: a message may be on its way.
	 * @param {{seq: number}[]} messages by rising seq @param {number} lastSeq */
	begin(messages, lastSeq) {
		this.contiguous = messages.length ? messages[0].seq - 1 : Math.max(0, lastSeq - 20);
		this.last = lastSeq;
		this.#beyond.clear();
		this.#tipAsked = 0;
	}

	/** Takes what came in any order and returns what is new of it, by rising seq.
	 * @template {{seq: number}} T @param {T[]} messages @returns {T[]} */
	take(messages) {
		const fresh = new Map(
			messages.filter(({ seq }) => seq > this.contiguous && !this.#beyond.has(seq)).map((one) => [one.seq, one]),
		);
		for (const seq of fresh.keys()) this.#beyond.add(seq);
		this.#advance();
		return [...fresh.values()].sort((a, b) => a.seq - b.seq);
	}

	/** The server has answered for all up to here: what did not come does not exist.
	 * @param {number} seq */
	answered(seq) {
		if (seq <= this.contiguous) return;
		this.contiguous = seq;
		for (const one of this.#beyond) if (one <= seq) this.#beyond.delete(one);
		this.#advance();
	}

	/** Notes the room's newest seq, told by somebody else. @param {number} seq */
	heard(seq) {
		this.last = Math.max(this.last, seq);
	}

	/** Whether something is missing that has not been asked for. */
	get hasHole() {
		return this.#beyond.size > 0 || (this.last > this.contiguous && this.last > this.#tipAsked);
	}

	/** Notes that what is missing is being asked for. */
	asked() {
		this.#tipAsked = this.last;
	}

	/** Lets the tip be asked for once more, as whoever wrote it may have stored it since. */
	askAgain() {
		this.#tipAsked = 0;
	}

	#advance() {
		while (this.#beyond.delete(this.contiguous + 1)) this.contiguous += 1;
		this.last = Math.max(this.last, this.contiguous, ...this.#beyond);
	}
}
