/** URL fragments: #room, #room/123 for a message, #room-1a2b3c4d5e6=日本 for a room with a title, #~… for a private room
 * and #@… for a direct conversation. */

import { cleanName, MAX_NAME_CHARACTERS, roomFrom } from "./text.js";

const DEFAULT_ROOM = "lobby";
const RULE = "Room links contain only a–z, 0–9 and hyphens.";
const PRIVATE_KEY = /^[~@][a-z2-7]{26}$/;
/** Letters that the plain form would drop, apart from accents: 日本 2024 must not become the room 2024. */
const OTHER_LETTERS = /(?![a-z0-9])[\p{L}\p{N}]/u;

/** Whether it is the key of a private room or of a direct conversation. @param {string} room */
export const isPrivate = (room) => PRIVATE_KEY.test(room);

/** 11 base-36 digits, from two 32-bit hashes with different factors. @param {string} text */
function digest(text) {
	let [one, two] = [0xdeadbeef, 0x41c6ce57];
	for (let index = 0; index < text.length; index += 1) {
		const unit = text.charCodeAt(index);
		one = Math.imul(one ^ unit, 0x9e3779b1);
		two = Math.imul(two ^ unit, 0x5f356495);
		one ^= two >>> 15;
		two ^= one >>> 13;
	}
	return ((two >>> 0) * 2 ** 21 + (one >>> 11)).toString(36).padStart(11, "0");
}

/** @param {string} text */
const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** The room for a typed name. A name in another script becomes a title, and the same title gives everyone the same
 * room.
 * @param {string} typed @returns {{room: string, title?: string, problem: string}} no room if there is a problem */
export function roomFromTitle(typed) {
	if (isPrivate(typed)) return { room: typed, problem: "" };
	const room = roomFrom(typed);
	if (room && !OTHER_LETTERS.test(plain(typed))) return { room, problem: "" };
	const title = cleanName(typed.replace(/^[\s#]+/u, ""));
	if (title !== undefined) return { room: `room-${digest(title.normalize("NFKC").toLowerCase())}`, title, problem: "" };
	return { room: "", problem: `Enter a room name of 1 to ${MAX_NAME_CHARACTERS} visible characters.` };
}

/** Whether this is the room's title. Anyone can put a title into a link, so only one that leads to this room counts.
 * @param {string} room @param {unknown} title @returns {title is string} */
export function isTitleOf(room, title) {
	if (typeof title !== "string") return false;
	const made = roomFromTitle(title);
	return made.room === room && made.title === title;
}

/** Decode percent-encoded text; sequences that are not UTF-8 stay as they are. @param {string} text */
function decoded(text) {
	return text.replace(/(?:%[0-9a-f]{2})+/gi, (encoded) => {
		try {
			return decodeURIComponent(encoded);
		} catch {
			return encoded;
		}
	});
}

/** @param {string} digits @returns {number | undefined} */
function seqFrom(digits) {
	const seq = /^\d{1,16}$/.test(digits) ? Number(digits) : 0;
	return seq > 0 && Number.isSafeInteger(seq) ? seq : undefined;
}

/** Parse location.hash. Always yields a room.
 * @param {string} hash @returns {Address} */
export function parseAddress(hash) {
	const [, place, given] = decoded(hash).match(/^#?([^=]*)(?:=(.*))?$/su) ?? ["", "", ""];
	const [typed, ...rest] = place.split("/");
	const room = isPrivate(typed) ? typed : roomFrom(typed) || DEFAULT_ROOM;
	if (typed && room !== typed && (!roomFrom(typed) || OTHER_LETTERS.test(plain(typed)))) {
		return { room, problem: `${RULE} Opened #${room} instead.` };
	}
	const digits = rest.join("/");
	const seq = seqFrom(digits);
	/** @type {Address} */
	const address = { room };
	if (seq !== undefined) address.seq = seq;
	else if (digits) address.problem = `There is no message “${digits.slice(0, 20)}”. Opened #${room} instead.`;
	const title = cleanName(given ?? "");
	if (isTitleOf(room, title)) address.title = title;
	return address;
}

/** @param {string} room @param {{title?: string, seq?: number}} [what] @returns {string} with # */
export function addressOf(room, { title, seq } = {}) {
	const place = seq === undefined ? `#${room}` : `#${room}/${seq}`;
	return isTitleOf(room, title) ? `${place}=${encodeURIComponent(title)}` : place;
}
