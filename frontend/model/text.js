/** The rules for names, messages and rooms, the same as in functions/chat/protocol/text.py. */

export const MAX_MESSAGE_CHARACTERS = 4000;
export const MAX_NAME_CHARACTERS = 40;
const MAX_ROOM_CHARACTERS = 64;

// White_Space, and the byte-order mark.
const SPACE = "\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff";

// Default_Ignorable_Code_Point, control characters, and characters that render as nothing.
const INVISIBLE =
	"\\x00-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e" +
	"\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\uffa0\\ufff0-\\ufffb\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}" +
	"\\u{e0000}-\\u{e0fff}";

// Combining marks, which alone are not visible characters.
const COMBINING = "\\u0300-\\u036f\\u0483-\\u0489\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20ff\\ufe20-\\ufe2f";

const EDGES = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, "gu");
const SPACES = new RegExp(`[${SPACE}]+`, "gu");
const VISIBLE = new RegExp(`[^${SPACE}${INVISIBLE}${COMBINING}]`, "u");
const LONE_SURROGATE = /[\ud800-\udfff]/gu;

// Characters that copying leaves in text.
const PASTED = /[\u00ad\u200b\u2060\ufeff]/gu;

// The flags of England, Scotland and Wales.
const FLAG = /\u{1f3f4}[\u{e0061}-\u{e007a}\u{e0030}-\u{e0039}]{2,6}\u{e007f}/gu;

// Joiners and variation selectors, which emoji and some scripts need; other invisible characters allow impersonation.
const BELONGS = "\\u180b-\\u180d\\u180f\\u200c\\u200d\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}";
const UNFIT = new RegExp(`(?![${BELONGS}])[${INVISIBLE}\\u2028\\u2029]`, "u");

/** The number of characters, as the server counts them: code points. @param {string} text */
export const lengthOf = (text) => [...text].length;

/** @param {string} text */
export const trim = (text) => text.replace(EDGES, "");

/** @param {string} text */
export const isVisible = (text) => VISIBLE.test(text);

/** @param {string} typed */
export const messageFrom = (typed) => trim(typed).replace(LONE_SURROGATE, "\ufffd");

/** @param {string} text */
export const isSendable = (text) => isVisible(text) && lengthOf(text) <= MAX_MESSAGE_CHARACTERS;

/** A name in NFC, trimmed, with single spaces and without paste artefacts; undefined if it is invalid.
 * @param {string} given */
export function cleanName(given) {
	const name = trim(given.replace(PASTED, "").normalize("NFC"));
	const isUnfit = UNFIT.test(name.replace(FLAG, "\u{1f3f4}")) || name.search(LONE_SURROGATE) >= 0;
	if (isUnfit || !isVisible(name)) return undefined;
	const spaced = name.replace(SPACES, " ");
	return lengthOf(spaced) <= MAX_NAME_CHARACTERS ? spaced : undefined;
}

/** @param {string} typed */
export function roomFrom(typed) {
	const plain = typed.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
	return (plain.match(/[a-z0-9]+/g) ?? []).join("-").slice(0, MAX_ROOM_CHARACTERS).replace(/-$/, "");
}
