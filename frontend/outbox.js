/** Messages that are not stored yet, in their order, kept over a reload of the tab. Knows no socket. */

const LIMIT = 100;

export class Outbox {
	/** @type {Unsent[]} */
	all;
	#keep;

	/** @param {Keeping} keeping */
	constructor({ kept, keep }) {
		this.all = Object.values(kept("outbox", [])).filter((one) => one?.messageId && one.room && one.text);
		this.#keep = () => keep("outbox", this.all);
	}

	/** Whether no more can be taken. */
	get full() {
		return this.all.length >= LIMIT;
	}

	/** The first that may be sent. */
	get next() {
		return this.all.find(({ failed }) => !failed);
	}

	/** @param {string} messageId */
	get = (messageId) => this.all.find((one) => one.messageId === messageId);

	/** @param {Unsent} unsent */
	add(unsent) {
		this.all.push(unsent);
		this.#keep();
	}

	/** @param {string} messageId @returns {boolean} whether it was here */
	remove(messageId) {
		const rest = this.all.filter((one) => one.messageId !== messageId);
		if (rest.length === this.all.length) return false;
		this.all = rest;
		this.#keep();
		return true;
	}

	/** @param {string} messageId @param {Partial<Unsent>} change @returns {Unsent | undefined} */
	change(messageId, change) {
		const unsent = this.get(messageId);
		if (unsent) Object.assign(unsent, change);
		this.#keep();
		return unsent;
	}
}
