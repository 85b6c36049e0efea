/** Mentions: "@" and a known name. */

import { splitLinks } from "./links.js";
import { splitSections } from "./sections.js";
import { lengthOf, MAX_NAME_CHARACTERS } from "./text.js";
import { isWithinWord, OF_WORD } from "./words.js";

// A character with its marks, or a Hangul syllable with its letters: the units that NFC may compose.
const CHARACTER = /[\s\S][\p{M}\u1160-\u11ff]*/gu;
const AT = new RegExp(`(?<!${OF_WORD})@`, "uy");

/** @param {string} text */
const charactersOf = (text) => text.match(CHARACTER) ?? [];

/** Fold the case, spaces and composition of a character. @param {string} character */
const folded = (character) =>
	character
		.normalize("NFC")
		.toUpperCase()
		.toLowerCase()
		.normalize("NFC")
		.replace(/[^\S\r\n]/, " ");

/** A folded text, and the offset of each character: in the fold → in the text. @param {string} text */
function foldOf(text) {
	/** @type {Map<number, number>} */
	const places = new Map();
	let fold = "";
	let at = 0;
	for (const character of charactersOf(text)) {
		places.set(fold.length, at);
		fold += folded(character);
		at += character.length;
	}
	places.set(fold.length, at);
	return { fold, places };
}

/** @param {string} name */
export const foldedName = (name) => foldOf(name).fold;

/** Names by their first letter, the longest first. @param {string[]} names */
function candidatesOf(names) {
	const candidates = names.map((name) => ({ name, fold: foldedName(name), last: [...name].at(-1) ?? "" }));
	/** @type {Map<string, typeof candidates>} */
	const byFirst = new Map();
	for (const candidate of candidates.sort((a, b) => b.fold.length - a.fold.length)) {
		const first = candidate.fold[0];
		if (candidate.fold.trim()) byFirst.set(first, [...(byFirst.get(first) ?? []), candidate]);
	}
	return byFirst;
}

/** The mentions in prose, in order. If several names match, the longest wins.
 * @param {string} text @param {string[]} names @returns {{start: number, end: number, name: string}[]} */
export function findMentions(text, names) {
	if (!text.includes("@")) return [];
	const candidates = candidatesOf(names);
	const { fold, places } = foldOf(text);
	const mentions = [];
	let from = 0;
	for (let at = fold.indexOf("@"); at >= 0; at = fold.indexOf("@", from)) {
		from = at + 1;
		const start = places.get(at) ?? 0;
		AT.lastIndex = start;
		if (!AT.test(text)) continue;
		const found = candidates.get(fold[from])?.find((candidate) => {
			const to = from + candidate.fold.length;
			const fits = fold.startsWith(candidate.fold, from) && places.has(to);
			return fits && !isWithinWord(candidate.last, fold.slice(to, to + 2));
		});
		if (!found) continue;
		from += found.fold.length;
		mentions.push({ start, end: places.get(from) ?? text.length, name: found.name });
	}
	return mentions;
}

/** Whether a message mentions a name outside code, links and quotes.
 * @param {string} message @param {string} name @param {string[]} [names] other people's, which may start with this one */
export function mentionsName(message, name, names = []) {
	const own = foldedName(name);
	return splitSections(message)
		.filter(({ kind }) => kind === "prose")
		.flatMap(({ text }) => splitLinks(text))
		.some(
			({ text, href }) => !href && findMentions(text, [...names, name]).some((found) => foldedName(found.name) === own),
		);
}

/** The mention being typed before the caret. @param {string} text @param {number} caret @returns {Typed | undefined} */
export function mentionAt(text, caret) {
	const start = caret > 0 ? text.lastIndexOf("@", caret - 1) : -1;
	if (start < 0 || text[start - 1] === "/") return undefined; // part of a URL path
	AT.lastIndex = start;
	const typed = text.slice(start + 1, caret);
	const fits = lengthOf(typed) <= MAX_NAME_CHARACTERS && /^(?:\S+(?: \S+)?)?$/.test(typed);
	return AT.test(text) && fits ? { start, typed } : undefined;
}

/** Without case and accents. @param {string} text */
const plain = (text) =>
	text
		.normalize("NFKD")
		.replace(/\p{Script=Inherited}/gu, "")
		.toUpperCase()
		.toLowerCase()
		.normalize("NFC");

/** Names that start with the typed text or have a word that does, then those that contain it.
 * @param {string[]} names most likely first @param {string} typed @param {{limit?: number}} [options] */
export function completions(names, typed, { limit = 6 } = {}) {
	const wanted = plain(typed);
	/** @type {[string[], string[]]} */
	const [beginning, containing] = [[], []];
	for (const name of new Set(names)) {
		const within = plain(name);
		if (!name || !within.includes(wanted)) continue;
		let at = within.indexOf(wanted);
		while (at > 0 && isWithinWord(lastOf(within.slice(0, at)), within.slice(at))) at = within.indexOf(wanted, at + 1);
		(at < 0 ? containing : beginning).push(name);
	}
	return [...beginning, ...containing].slice(0, limit);
}

/** @param {string} text */
const lastOf = (text) => [...text].at(-1) ?? "";

/** Replace the typed part of a name with the name, and put the caret after it.
 * @param {string} text @param {number} caret @param {Pick<Typed, "start">} at @param {string} name */
export function complete(text, caret, { start }, name) {
	const mention = `${text.slice(0, start)}@${name} `;
	return { text: mention + text.slice(caret).replace(/^ /, ""), caret: mention.length };
}
