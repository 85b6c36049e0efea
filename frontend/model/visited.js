/** The rooms visited in this browser, and how far each has been read. */

import { isTitleOf } from "./address.js";

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
	/** Rooms in display order, the last one first; visiting a room must not move it. @type {string[]} */
	#listed = [];

	/** @param {LocalStore} storage */
	constructor(storage) {
		this.#storage = storage;
	}

	/** @returns {Visited[]} */
	get all() {
		const rooms = this.#storage.load(KEY);
		if (!Array.isArray(rooms)) return [];
		return rooms.filter(isVisited).map(({ title, ...visited }) => {
			return isTitleOf(visited.room, title) ? { ...visited, title } : visited;
		});
	}

	get recent() {
		return this.all.sort((a, b) => b.at - a.at).map(({ room }) => room);
	}

	/** Rooms with unread messages first; within each group the most recently visited first, as of when they were first
	 * listed.
	 * @param {(room: string) => number} unreadOf */
	byAttention(unreadOf) {
		for (const room of this.recent.reverse()) if (!this.#listed.includes(room)) this.#listed.push(room);
		const rooms = this.all.map((visited) => ({
			visited,
			hasUnread: unreadOf(visited.room) > 0,
			place: this.#listed.indexOf(visited.room),
		}));
		rooms.sort((a, b) => Number(b.hasUnread) - Number(a.hasUnread) || b.place - a.place);
		return rooms.map(({ visited }) => visited);
	}

	/** @param {string} room */
	find(room) {
		return this.all.find((each) => each.room === room);
	}

	/** @param {string} room @param {number} now @param {string} [title] saved if it is the room's */
	visit(room, now, title) {
		const rooms = this.all;
		const known = rooms.find((each) => each.room === room);
		const visited = known ?? { room, at: now, last: 0 };
		visited.at = now;
		if (isTitleOf(room, title)) visited.title = title;
		if (!known) rooms.push(visited);
		const longestAgo = rooms.length > MAX_ROOMS ? Math.min(...rooms.map(({ at }) => at)) : undefined;
		this.#save(rooms.filter(({ at }) => at !== longestAgo));
	}

	/** Update the newest seq and the newest read seq. Neither goes back, because other tabs may know more.
	 * @param {string} room @param {{last?: number, read?: number}} seqs */
	update(room, { last = 0, read }) {
		this.#change(room, (known) => {
			known.last = Math.max(known.last, last);
			if (read !== undefined) known.read = Math.max(known.read ?? 0, read);
		});
	}

	/** Set the newest seq, even to a lower one: the room's log may have restarted.
	 * @param {string} room @param {number} last */
	joined(room, last) {
		this.#change(room, (known) => {
			known.last = last;
			known.read = Math.min(known.read ?? last, last);
		});
	}

	/** Mark all known messages of all rooms as read. */
	markAllRead() {
		this.#save(this.all.map((known) => ({ ...known, read: Math.max(known.read ?? 0, known.last) })));
	}

	/** @param {string} room */
	forget(room) {
		this.#listed = this.#listed.filter((each) => each !== room);
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
