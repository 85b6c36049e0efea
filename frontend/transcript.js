/** One room's messages and notes in the order they are shown. Pure: knows neither the DOM nor the socket. */

const MAX_KEPT = 3000;

export class Transcript {
	/** @type {Item[]} */
	items = [];
	/** @type {Map<string, Item>} */
	#byKey = new Map();
	/** Whether the server has nothing older. */
	complete = false;
	/** Up to which seq the reader had seen this room when joining it; Infinity once that is settled. */
	seen = Infinity;
	unread = 0;
	/** Where the unread messages begin. @type {Item | undefined} */
	unreadFrom;

	/** @param {string} key */
	get = (key) => this.#byKey.get(key);

	get lastSeq() {
		return this.items.findLast((item) => item.state === "stored")?.order ?? 0;
	}

	get firstSeq() {
		return this.items.find((item) => item.state === "stored")?.order;
	}

	/** Puts an item where its order says; a known one is changed in place, so that its row survives.
	 * @param {Item} item @returns {Item} the one kept */
	put(item) {
		const known = this.get(item.key);
		if (known?.order === item.order) return Object.assign(known, item);
		this.remove(item.key);
		const kept = Object.assign(known ?? {}, item);
		const before = this.items.findLastIndex(({ order }) => order <= kept.order);
		this.items.splice(before + 1, 0, kept);
		this.#byKey.set(kept.key, kept);
		return kept;
	}

	/** @param {string} key */
	remove(key) {
		if (this.#byKey.delete(key)) this.items = this.items.filter((item) => item.key !== key);
	}

	/** Forgets what the server can give again; what is not stored yet stays. */
	reset() {
		this.#keep(this.items.filter((item) => item.order === Infinity));
		this.unread = 0;
		this.unreadFrom = undefined;
	}

	/** Bounds the memory: the oldest go, and can be asked for again. */
	trim() {
		if (this.items.length > MAX_KEPT) this.#keep(this.items.slice(-MAX_KEPT));
	}

	/** @param {Item[]} items */
	#keep(items) {
		this.items = items;
		this.#byKey = new Map(items.map((item) => [item.key, item]));
		this.complete = false;
	}
}
