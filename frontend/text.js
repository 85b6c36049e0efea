/** Text rules of the page: links, groups, days, times, addresses, names. Pure: no DOM, no network, no storage. */

export const MAX_MESSAGE = 4000;
const COUNTER_FROM = 3600;
const GROUP_MS = 5 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;
const BIDI = "\u200e\u200f\u202a-\u202e\u2066-\u2069";
const LINK = new RegExp(`\\bhttps?://[^\\s<>"${BIDI}]+`, "gi");
const UNFIT_FOR_NAME = new RegExp(`[\\p{Cc}${BIDI}]`, "u");

/** An address without the punctuation that ends the sentence around it; a bracket opened within it is its own.
 * @param {string} url @returns {string} */
function withoutTail(url) {
	const last = url.slice(-1);
	const opening = { ")": "(", "]": "[", "}": "{" }[last];
	const unopened = opening && url.split(opening).length < url.split(last).length;
	return unopened || /[.,;:!?'*_~]/.test(last) ? withoutTail(url.slice(0, -1)) : url;
}

/** Splits a message into text and links; only http and https become links.
 * @param {string} text @returns {Piece[]} */
export function pieces(text) {
	const found = [];
	let end = 0;
	for (const match of text.matchAll(LINK)) {
		const href = withoutTail(match[0]);
		if (!URL.canParse(href)) continue;
		if (match.index > end) found.push({ text: text.slice(end, match.index) });
		found.push({ text: href, href });
		end = match.index + href.length;
	}
	if (end < text.length) found.push({ text: text.slice(end) });
	return found;
}

/** @param {number} at */
export const dayOf = (at) => new Date(at).setHours(0, 0, 0, 0);

/** Whether an item opens a group: another sender, another day, or 5 minutes of silence.
 * @param {Said | undefined} before @param {Said} item */
export const startsGroup = (before, item) =>
	before?.connectionId !== item.connectionId ||
	before.name !== item.name ||
	item.at - before.at > GROUP_MS ||
	dayOf(before.at) !== dayOf(item.at);

/** @param {number} at @param {number} now @param {string} [locale] */
export function dayLabel(at, now, locale) {
	const days = Math.round((dayOf(at) - dayOf(now)) / DAY_MS);
	if (days === 0 || days === -1) {
		const near = new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(days, "day");
		return near[0].toLocaleUpperCase(locale) + near.slice(1);
	}
	const year = new Date(at).getFullYear() === new Date(now).getFullYear() ? undefined : "numeric";
	return new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long", year }).format(at);
}

const SHORT = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
export const shortTime = (/** @type {number} */ at) => SHORT.format(at);
export const fullTime = (/** @type {number} */ at) => FULL.format(at);

/** @param {string} connectionId */
export const shortId = (connectionId) => `[${connectionId.slice(0, 8)}...]`;

/** The name somebody chose; empty where it is only the server's default.
 * @param {string} name @param {string} connectionId */
export const chosenName = (name, connectionId) => (name === connectionId.slice(0, 8) ? "" : name);

/** A name within a sentence: its direction of writing stays its own (Unicode's FSI … PDI).
 * @param {string} name */
export const isolated = (name) => `\u2068${name}\u2069`;

/** A name's hue in degrees, the same on every screen. @param {string} name */
export function hue(name) {
	let sum = 7;
	for (let at = 0; at < name.length; at += 1) sum = (sum * 31 + name.charCodeAt(at)) % 997;
	return (sum * 29) % 360;
}

/** What is wrong with a server's address, in words; empty when nothing is. @param {string} address */
export function addressProblem(address) {
	if (!/^wss?:\/\//i.test(address) || !URL.canParse(address)) {
		return "The URL must begin with wss:// and name a host, as in wss://example.com/production.";
	}
	const { protocol, hostname } = new URL(address);
	if (protocol === "wss:" || ["localhost", "127.0.0.1", "[::1]"].includes(hostname)) return "";
	return "The URL must begin with wss://. Only a server on this machine may have ws://.";
}

/** A room's name made of what somebody typed; empty when nothing of it is left. @param {string} text */
export const roomFrom = (text) =>
	text
		.normalize("NFKD")
		.replace(/\p{M}/gu, "")
		.toLowerCase()
		.replace(/[^a-z0-9]+/g, "-")
		.replace(/^-/, "")
		.slice(0, 64)
		.replace(/-$/, "");

/** @param {string} name */
export function nameProblem(name) {
	if (!name) return "Enter a name of 1 to 40 characters.";
	if ([...name].length > 40) return "That name is too long: 40 characters at most.";
	return UNFIT_FOR_NAME.test(name) ? "That name has invisible characters in it: type it by hand." : "";
}

/** How a message's length stands, in words; empty while that is no matter. @param {number} length */
export function counter(length) {
	const left = MAX_MESSAGE - length;
	if (left < 0) return `${-left} characters too many: shorten it, or send it in parts.`;
	return length < COUNTER_FROM ? "" : `${left} characters left`;
}

/** "Ada", "Ada and Bo", "Ada, Bo and 3 more". @param {string[]} names */
export function listed(names) {
	if (names.length < 3) return names.join(" and ");
	const rest = names.length === 3 ? names[2] : `${names.length - 2} more`;
	return `${names[0]}, ${names[1]} and ${rest}`;
}

/** Why something was refused, and what to do. @param {Refusal} refusal */
export function advice({ code, error, retryAfterMs = 1000 }) {
	if (code === "rate_limited") return `Too much at once: wait ${Math.ceil(retryAfterMs / 1000)} s, then retry.`;
	if (code === "message_too_long") return "Longer than 4,000 characters: send it in parts.";
	if (code === "internal") return "The server had a problem: retry in a moment.";
	return error.replace(/\.?$/, ".");
}
