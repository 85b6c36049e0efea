/** Messages that are not stored yet, in their order, kept over a reload of the tab. Knows no socket. */

/** @typedef {{messageId: string, room: string, text: string, at: number, failed?: boolean, tries?: number}} Unsent */

export const LIMIT = 100;
const KEY = "chat.outbox";

export class Outbox {
	/** @type {Unsent[]} */
	#unsent = [];
	/** @type {Storage} */
	#storage;

	/** @param {Storage} storage */
	constructor(storage) {
		this.#storage = storage;
		try {
			const kept = JSON.parse(storage.getItem(KEY) ?? "[]");
			if (Array.isArray(kept)) this.#unsent = kept.filter((one) => one?.messageId && one.room && one.text);
		} catch {
			// Not ours, or no longer readable: begin anew.
		}
	}

	get all() {
		return [...this.#unsent];
	}

	/** Whether no more can be taken. */
	get full() {
		return this.#unsent.length >= LIMIT;
	}

	/** @param {string} messageId */
	get = (messageId) => this.#unsent.find((one) => one.messageId === messageId);

	/** The first of a room's that may be sent. @param {string} room */
	next = (room) => this.#unsent.find((one) => one.room === room && !one.failed);

	/** @param {Unsent} unsent */
	add(unsent) {
		this.#unsent.push(unsent);
		this.#keep();
	}

	/** @param {string} messageId @returns {boolean} whether it was here */
	remove(messageId) {
		const before = this.#unsent.length;
		this.#unsent = this.#unsent.filter((one) => one.messageId !== messageId);
		if (this.#unsent.length < before) this.#keep();
		return this.#unsent.length < before;
	}

	/** @param {string} messageId @param {Partial<Unsent>} change */
	change(messageId, change) {
		Object.assign(this.get(messageId) ?? {}, change);
		this.#keep();
	}

	#keep() {
		try {
			this.#storage.setItem(KEY, JSON.stringify(this.#unsent));
		} catch {
			// The tab's storage is full or forbidden: the messages live as long as the page.
		}
	}
}
