/** The rooms that were visited in this browser, and how far each was read. */

const KEY = "rooms";
const MAX_ROOMS = 30;

/** @param {unknown} value @returns {value is Visited} */
function isVisited(value) {
	const { room, at, read, last } = /** @type {Partial<Visited>} */ (value ?? {});
	const isSeq = (/** @type {unknown} */ seq) => Number.isSafeInteger(seq);
	return typeof room === "string" && isSeq(at) && isSeq(last) && (read === undefined || isSeq(read));
}

export class VisitedRooms {
	#storage;

	/** @param {LocalStore} storage */
	constructor(storage) {
		this.#storage = storage;
	}

	/** @returns {Visited[]} */
	get all() {
		const rooms = this.#storage.load(KEY);
		return Array.isArray(rooms) ? rooms.filter(isVisited) : [];
	}

	get recent() {
		return this.all.sort((a, b) => b.at - a.at).map(({ room }) => room);
	}

	/** @param {string} room */
	find(room) {
		return this.all.find((each) => each.room === room);
	}

	/** @param {string} room @param {number} now */
	visit(room, now) {
		const rooms = this.all;
		const known = rooms.find((each) => each.room === room);
		if (known) known.at = now;
		else rooms.push({ room, at: now, last: 0 });
		const longestAgo = rooms.length > MAX_ROOMS ? Math.min(...rooms.map(({ at }) => at)) : undefined;
		this.#save(rooms.filter(({ at }) => at !== longestAgo));
	}

	/** The room has messages up to `last`, and is read up to `read`. Other tabs may know more.
	 * @param {string} room @param {{last?: number, read?: number}} seqs */
	update(room, { last = 0, read }) {
		this.#change(room, (known) => {
			known.last = Math.max(known.last, last);
			if (read !== undefined) known.read = Math.max(known.read ?? 0, read);
		});
	}

	/** The room has messages up to `last`, even if more were known: it may have begun anew.
	 * @param {string} room @param {number} last */
	joined(room, last) {
		this.#change(room, (known) => {
			known.last = last;
			known.read = Math.min(known.read ?? last, last);
		});
	}

	/** @param {string} room */
	forget(room) {
		this.#save(this.all.filter((each) => each.room !== room));
	}

	/** @param {string} room @param {(known: Visited) => void} act */
	#change(room, act) {
		const rooms = this.all;
		for (const known of rooms) if (known.room === room) act(known);
		this.#save(rooms);
	}

	/** @param {Visited[]} rooms */
	#save(rooms) {
		this.#storage.save(KEY, rooms);
	}
}
