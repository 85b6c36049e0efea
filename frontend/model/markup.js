/** Parses a message into text, code, quotes, links, rooms and mentions, in linear time. */

import { splitLinks } from "./links.js";
import { findMentions, foldedName } from "./mentions.js";
import { splitCode, splitSections } from "./sections.js";
import { OF_WORD } from "./words.js";

// Without a letter it is an issue number or a date. `&#x27;` is HTML, `/#top` part of a URL, `##` a heading.
const ROOM = new RegExp(
	`(?<!${OF_WORD}|[#/&])#(?=[\\d-]*[A-Za-z])([A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?)(?!-*${OF_WORD})`,
	"gu",
);

// By ranges, so emoji newer than the browser's Unicode count too. Below U+1F000 many need a selector to be emoji.
const EMOJI_ALONE = "(?=\\p{Emoji_Presentation}|[\\u{1f000}-\\u{1ffff}]|.[\\ufe0f\\u{1f3fb}-\\u{1f3ff}])";
const AS_EMOJI = "\\p{Extended_Pictographic}\\ufe0f?[\\u{1f3fb}-\\u{1f3ff}]?";
const EMOJI = [
	"\\p{Regional_Indicator}{2}",
	"[0-9#*]\\ufe0f?\\u20e3",
	"\\u{1f3f4}[\\u{e0030}-\\u{e0039}\\u{e0061}-\\u{e007a}]{2,6}\\u{e007f}",
	`${EMOJI_ALONE}${AS_EMOJI}(?:\\u200d${AS_EMOJI}){0,5}`,
].join("|");
const EMOJI_ONLY = new RegExp(`^(?:(?:${EMOJI})[^\\S\\n]*){1,3}$`, "u");

/** @param {string} text @returns {boolean} whether it is one to three emoji and nothing else */
export const isEmojiOnly = (text) => EMOJI_ONLY.test(text.trim());

/** The pieces contain the message without the marks of code and quotes and the line breaks next to them.
 * @param {string} text @param {{names?: string[], ownName?: string}} [people] who can be mentioned
 * @returns {Piece[]} */
export function parse(text, { names = [], ownName = "" } = {}) {
	const known = { names: [...names, ownName], own: foldedName(ownName) };
	return splitSections(text).flatMap((section) =>
		section.kind === "quote"
			? [{ kind: "quote", pieces: splitCode(section.text).flatMap((inner) => piecesOf(inner, known)) }]
			: piecesOf(section, known),
	);
}

/** @typedef {{names: string[], own: string}} Known */

/** @param {Section} section @param {Known} known @returns {Piece[]} */
function piecesOf({ kind, text }, known) {
	if (kind === "code" || kind === "block") return [{ kind, text }];
	return joined(
		splitLinks(text).flatMap(({ text, href }) => (href ? [{ kind: "link", text, href }] : piecesOfProse(text, known))),
	);
}

/** @param {string} text @param {Known} known @returns {Piece[]} */
function piecesOfProse(text, { names, own }) {
	/** @type {{start: number, piece: Piece & {text: string}}[]} */
	const found = [];
	for (const { start, end, name } of findMentions(text, names)) {
		found.push({ start, piece: { kind: "mention", text: text.slice(start, end), isOwn: foldedName(name) === own } });
	}
	for (const { 0: shown, 1: room, index } of text.matchAll(ROOM)) {
		found.push({ start: index, piece: { kind: "room", text: shown, room: room.toLowerCase() } });
	}
	/** @type {Piece[]} */
	const pieces = [];
	let at = 0;
	for (const { start, piece } of found.sort((a, b) => a.start - b.start)) {
		if (start < at) continue; // a room within a name
		pieces.push({ kind: "text", text: text.slice(at, start) }, piece);
		at = start + piece.text.length;
	}
	return [...pieces, { kind: "text", text: text.slice(at) }];
}

/** Join adjacent texts and drop empty ones. @param {Piece[]} pieces */
function joined(pieces) {
	/** @type {Piece[]} */
	const result = [];
	for (const piece of pieces) {
		const last = result.at(-1);
		if (piece.kind === "text" && last?.kind === "text") last.text += piece.text;
		else if (piece.kind !== "text" || piece.text) result.push(piece);
	}
	return result;
}
