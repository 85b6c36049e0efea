/** The newest messages of the last rooms, kept in the browser: a page that is offline shows what it has. */

import { FRAMES } from "../client/protocol.js";
import { Timers } from "../client/timers.js";

const PREFIX = "archive.";
const INDEX = "archived-rooms";
const MAX_ROOMS = 10;
const MAX_MESSAGES = 50;
const MAX_CHARACTERS = 100_000; // in a room's JSON
const SAVE_MS = 2000;
const FORMER_MS = 60_000;

/** @param {OwnedMessage} message */
const timeOf = ({ timestamp }) => Date.parse(timestamp);

/** @param {unknown} value @returns {value is Message} */
function isMessage(value) {
	if (typeof value !== "object" || value === null) return false;
	const fields = new Map(Object.entries(value));
	return Object.entries(FRAMES.message).every(([field, check]) => check(fields.get(field)));
}

/** The newest messages, by rising seq. A room's log may restart at a lower seq: an older message with a higher seq is
 * from the previous log.
 * @param {OwnedMessage[]} messages */
function newestOf(messages) {
	const bySeq = new Map(messages.map((message) => [message.seq, message])); // the last copy wins
	const newest = [...bySeq.values()].reduce((a, b) => (timeOf(b) > timeOf(a) ? b : a), messages[0]);
	const isFormer = (/** @type {OwnedMessage} */ message) =>
		message.seq > newest.seq && timeOf(newest) - timeOf(message) > FORMER_MS;
	const current = [...bySeq.values()].filter((message) => !isFormer(message));
	return current.sort((a, b) => a.seq - b.seq).slice(-MAX_MESSAGES);
}

/** @param {OwnedMessage[]} messages by rising seq @returns {object} the stored form, without the oldest if it is too big */
function packed(messages) {
	const lengths = messages.map((message) => JSON.stringify(message).length + 1);
	let [first, room] = [messages.length, MAX_CHARACTERS - 200]; // for the surrounding JSON
	while (first > 0 && room >= lengths[first - 1]) {
		first -= 1;
		room -= lengths[first];
	}
	const senders = messages.filter(({ own }) => own).map(({ sender }) => sender); // an account may have several
	const sender = [...new Set(senders)];
	return { sender, messages: messages.slice(first).map(({ own: _, ...message }) => message) };
}

export class Archive {
	#storage;
	#timers;
	/** Room → its newest messages, not yet in storage. @type {Map<string, OwnedMessage[]>} */
	#unwritten = new Map();

	/** @param {ArchiveOptions} options */
	constructor({ storage, clock = globalThis }) {
		this.#storage = storage;
		this.#timers = new Timers(clock);
		const kept = new Set(this.#index);
		for (const key of storage.keys(PREFIX)) if (!kept.has(key.slice(PREFIX.length))) storage.remove(key);
	}

	/** Add messages to a room's archive. They are written within 2 s.
	 * @param {string} room @param {OwnedMessage[]} messages */
	save(room, messages) {
		if (!messages.length) return;
		const known = this.#unwritten.get(room) ?? this.restore(room);
		this.#unwritten.set(room, newestOf([...known, ...messages]));
		if (!this.#timers.isRunning(room)) this.#timers.start(room, SAVE_MS, () => this.#write(room));
	}

	/** Write everything now, because the page may be closing. */
	flush() {
		for (const room of [...this.#unwritten.keys()]) this.#write(room);
	}

	/** @param {string} room @returns {OwnedMessage[]} by rising seq */
	restore(room) {
		const unwritten = this.#unwritten.get(room);
		if (unwritten) return unwritten;
		const { sender, messages } = Object(this.#storage.load(PREFIX + room));
		if (!Array.isArray(messages)) return [];
		const sound = messages.filter((message) => isMessage(message) && message.room === room);
		return sound.length
			? newestOf(sound.map((message) => ({ ...message, own: [sender].flat().includes(message.sender) })))
			: [];
	}

	/** @param {string} room */
	forget(room) {
		this.#timers.cancel(room);
		this.#unwritten.delete(room);
		this.#storage.remove(PREFIX + room);
		this.#saveIndex(this.#index.filter((each) => each !== room));
	}

	/** Forgets all rooms: they belong to another server. */
	clear() {
		for (const room of new Set([...this.#index, ...this.#unwritten.keys()])) this.forget(room);
	}

	/** @param {string} room */
	#write(room) {
		this.#timers.cancel(room);
		this.#storage.save(PREFIX + room, packed(this.#unwritten.get(room) ?? []));
		this.#unwritten.delete(room);
		const rooms = [room, ...this.#index.filter((each) => each !== room)];
		for (const gone of rooms.slice(MAX_ROOMS)) this.#storage.remove(PREFIX + gone);
		this.#saveIndex(rooms.slice(0, MAX_ROOMS));
	}

	/** The archived rooms, last written first. @returns {string[]} */
	get #index() {
		const rooms = this.#storage.load(INDEX);
		return Array.isArray(rooms) ? rooms.filter((room) => typeof room === "string") : [];
	}

	/** @param {string[]} rooms */
	#saveIndex(rooms) {
		this.#storage.save(INDEX, rooms);
	}
}
