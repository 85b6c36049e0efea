/** Messages that are not stored yet, in their order, kept over a reload of the tab. Knows no socket. */

const LIMIT = 100;

export class Outbox {
	/** By messageId. @type {Map<string, Unsent>} */
	all = new Map();
	#keep;

	/** @param {Keeping} keeping */
	constructor({ kept, keep }) {
		this.#keep = () => keep("outbox", [...this.all.values()]);
		for (const one of Object.values(kept("outbox", []))) {
			if (one?.messageId && one.room && one.text) this.all.set(one.messageId, one);
		}
	}

	get full() {
		return this.all.size >= LIMIT;
	}

	/** The first that may be sent. */
	get next() {
		return [...this.all.values()].find(({ failed }) => !failed);
	}

	/** Adds a message, or changes it in its place. @param {Unsent} unsent */
	put(unsent) {
		this.all.set(unsent.messageId, unsent);
		this.#keep();
		return unsent;
	}

	/** @param {string} messageId @returns {boolean} whether it was here */
	remove(messageId) {
		const was = this.all.delete(messageId);
		if (was) this.#keep();
		return was;
	}
}
