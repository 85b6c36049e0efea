/** One room's messages and notes in the order they are shown. Pure: knows neither the DOM nor the socket. */

/** @typedef {object} Item
 * @property {string} key the messageId, or an id of the page's own for a note
 * @property {number} order seq; between two seqs for a note; Infinity until it is stored
 * @property {number} at ms since 1970
 * @property {string} text
 * @property {string} connectionId empty for a note
 * @property {string} name
 * @property {boolean} own
 * @property {'stored' | 'pending' | 'failed' | 'note'} state
 * @property {string} [problem] why it failed
 * @property {string[]} [people] who came and went, in a note of presence */

const MAX_KEPT = 3000;

export class Transcript {
	/** @type {Item[]} */
	items = [];
	/** @type {Map<string, Item>} */
	#byKey = new Map();
	/** Whether the server has nothing older. */
	complete = false;
	/** Up to which seq the reader knew this room before; Infinity until it is joined. */
	seen = Infinity;
	unread = 0;
	/** Where the unread messages begin. @type {Item | undefined} */
	unreadFrom;

	/** @param {string} key */
	get(key) {
		return this.#byKey.get(key);
	}

	get lastSeq() {
		return this.items.findLast((item) => item.state === "stored")?.order ?? 0;
	}

	get firstSeq() {
		return this.items.find((item) => item.state === "stored")?.order;
	}

	/** Puts an item where its order says; a known one is changed in place, so that its row survives.
	 * @param {Item} item @returns {Item} the one kept */
	put(item) {
		const known = this.#byKey.get(item.key);
		if (known && known.order === item.order) return Object.assign(known, item);
		if (known) this.remove(item.key);
		const kept = known ? Object.assign(known, item) : item;
		let at = this.items.length;
		while (at > 0 && this.items[at - 1].order > kept.order) at -= 1;
		this.items.splice(at, 0, kept);
		this.#byKey.set(kept.key, kept);
		return kept;
	}

	/** @param {string} key */
	remove(key) {
		const item = this.#byKey.get(key);
		if (item && this.#byKey.delete(key)) this.items.splice(this.items.lastIndexOf(item), 1);
	}

	/** Forgets what the server can give again; what is not sent yet stays. */
	reset() {
		this.#forget(this.items.filter((item) => item.order < Infinity));
		this.unread = 0;
		this.unreadFrom = undefined;
	}

	/** Bounds the memory: the oldest go, and can be asked for again. */
	trim() {
		if (this.items.length > MAX_KEPT) this.#forget(this.items.slice(0, -MAX_KEPT));
	}

	/** @param {Item[]} items */
	#forget(items) {
		for (const { key } of items) this.#byKey.delete(key);
		this.items = this.items.filter((item) => this.#byKey.has(item.key));
		this.complete = false;
	}
}
