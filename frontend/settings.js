/** What this browser keeps for its user: address, name, rooms, choices, drafts. Knows nothing of the page. */

const MAX_ROOMS = 30;

/** Drafts and what the connection keeps belong to the tab, all else to the browser. @param {string} key */
const storage = (key) => (/^(draft\.|outbox|connectionIds)/.test(key) ? sessionStorage : localStorage);

/** @template T @param {string} key @param {T} otherwise @returns {T} */
export function kept(key, otherwise) {
	try {
		return JSON.parse(storage(key).getItem(`chat.${key}`) ?? "null") ?? otherwise;
	} catch {
		return otherwise;
	}
}

/** Storage may be full or forbidden: what is not kept is asked for again.
 * @param {string} key @param {unknown} value */
export function keep(key, value) {
	try {
		storage(key).setItem(`chat.${key}`, JSON.stringify(value));
	} catch {}
}

/** @returns {Visited[]} in the order of the first visit */
export const visited = () => kept("rooms", []);

/** Notes how far a room goes and is read; another tab may know more, so the larger number counts.
 * @param {string} room @param {number} last @param {number} read */
export function visit(room, last = 0, read = 0) {
	const rooms = visited();
	const known = rooms.find((each) => each.room === room) ?? { room, last, read };
	if (!rooms.includes(known)) rooms.push(known);
	known.last = Math.max(known.last, last);
	known.read = Math.max(known.read, read);
	keep("rooms", rooms.slice(-MAX_ROOMS));
}

/** @param {string} room */
export function forget(room) {
	const rest = visited().filter((each) => each.room !== room);
	keep("rooms", rest);
}
