/** What is said, and how: links, groups, days, addresses, names. Pure: knows no DOM. */

const MAX_MESSAGE = 4000;
const MAX_NAME = 40;
const COUNTER_FROM = 3600;
const GROUP_MS = 5 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;
const BIDI = "\u200e\u200f\u202a-\u202e\u2066-\u2069";
const UNFIT_FOR_NAME = new RegExp(`[\\p{Cc}${BIDI}]`, "u");
const PART = `\\([^\\s<>"()${BIDI}]*\\)|[^\\s<>"()${BIDI}`;
/** Brackets opened within an address are its own; the punctuation that ends it is its sentence's. */
const LINK = new RegExp(`\\b(https?://(?:${PART}])*(?:${PART}.,;:!?'*_~\\]}]))`, "gi");

/** @type {TextRules} */
export const text = {
	pieces: (message) =>
		message.split(LINK).map((piece, at) => ({ text: piece, isLink: at % 2 === 1 && URL.canParse(piece) })),

	dayOf: (at) => new Date(at).setHours(0, 0, 0, 0),

	startsGroup: (before, item) =>
		before?.connectionId !== item.connectionId || before.name !== item.name || item.at - before.at > GROUP_MS,

	dayLabel(at, now, locale) {
		const days = Math.round((text.dayOf(at) - text.dayOf(now)) / DAY_MS);
		if (days < -1) return new Intl.DateTimeFormat(locale, { dateStyle: "full" }).format(at);
		const near = new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(days, "day");
		return near[0].toLocaleUpperCase(locale) + near.slice(1);
	},

	shortTime: new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" }).format,
	fullTime: new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" }).format,

	shortId: (connectionId) => `[${connectionId.slice(0, 8)}...]`,

	chosenName: ({ name, connectionId }) => (name === connectionId.slice(0, 8) ? "" : name),

	isolated: (name) => `\u2068${name}\u2069`, // Unicode's FSI … PDI

	hue: (name) => ([...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 997, 7) * 29) % 360,

	addressProblem(address) {
		const url = /^wss?:\/\//i.test(address) && URL.canParse(address) ? new URL(address) : undefined;
		const isHere = ["localhost", "127.0.0.1", "[::1]"].includes(url?.hostname ?? "");
		if (url?.protocol === "wss:" || isHere) return "";
		return "The URL must begin with wss://, as in wss://example.com/production. Only a server on this machine may have ws://.";
	},

	roomFrom(typed) {
		const plain = typed.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
		return (plain.match(/[a-z0-9]+/g) ?? []).join("-").slice(0, 64).replace(/-$/, "");
	},

	nameProblem(name) {
		if (!name || [...name].length > MAX_NAME) return `Enter a name of 1 to ${MAX_NAME} characters.`;
		return UNFIT_FOR_NAME.test(name) ? "That name has invisible characters in it: type it by hand." : "";
	},

	counter(length) {
		const left = MAX_MESSAGE - length;
		if (left < 0) return `Characters too many: ${-left}. Shorten it, or send it in parts.`;
		return length < COUNTER_FROM ? "" : `Characters left: ${left}`;
	},

	sendable: (length) => length > 0 && length <= MAX_MESSAGE,

	typing(names) {
		if (names.length > 2) return "Several people are typing…";
		const who = names.map(text.isolated).join(" and ");
		return who && `${who} ${names.length > 1 ? "are" : "is"} typing…`;
	},

	advice({ code, error, retryAfterMs = 1000 }) {
		if (code === "rate_limited") return `Too much at once: the rest is sent in ${Math.ceil(retryAfterMs / 1000)} s.`;
		if (code === "internal") return "The server had a problem: retry in a moment.";
		return error.replace(/\.?$/, ".");
	},
};
