/** What is known of a room's order: doubles, holes, and where to resume. Pure: knows neither clock nor socket. */

const MAY_BE_LATE = 20;

export class Timeline {
	/** Up to here all is known: read, or known to be empty. It is what `after` tells the server. */
	contiguous;
	/** The highest seq that the room is known to have given out. */
	last;
	/** Up to here it is older pages' business. */
	#start;
	/** What came beyond a hole, or late from before the start. @type {Set<number>} */
	#apart = new Set();
	/** What is missing up to here was asked for: once. */
	#asked = 0;

	/** Begins with the newest page. Its own holes are asked for: a message may be on its way.
	 * @param {Frame[]} messages by rising seq @param {number} lastSeq */
	constructor(messages, lastSeq) {
		this.#start = messages.length ? messages[0].seq - 1 : Math.max(0, lastSeq - MAY_BE_LATE);
		this.contiguous = this.#start;
		this.last = lastSeq;
	}

	/** Takes what came in any order and returns what is new of it. @param {Frame[]} messages */
	take(messages) {
		const fresh = messages.filter(({ seq }) => {
			if (this.#apart.has(seq) || this.#isRead(seq)) return false;
			this.last = Math.max(this.last, seq);
			return this.#apart.add(seq);
		});
		this.answered(0);
		return fresh;
	}

	/** The server has answered for all up to here: what did not come does not exist. @param {number} seq */
	answered(seq) {
		this.contiguous = Math.max(this.contiguous, seq);
		while (this.#apart.has(this.contiguous + 1)) this.contiguous += 1;
		for (const one of this.#apart) if (this.#isRead(one)) this.#apart.delete(one);
	}

	/** Notes what the server says is the newest: what is missing may be stored by now. @param {number} seq */
	heard(seq) {
		this.last = Math.max(this.last, seq);
		this.#asked = 0;
	}

	/** Whether something is missing that was not asked for. */
	get hasHole() {
		return this.last > Math.max(this.contiguous, this.#asked);
	}

	/** Notes that what is missing is asked for. */
	asked() {
		this.#asked = this.last;
	}

	/** @param {number} seq */
	#isRead = (seq) => seq > this.#start && seq <= this.contiguous;
}
