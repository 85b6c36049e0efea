/** Searches a room's history, from the newest message backwards. */

import { itemOf } from "./message-list.js";

const PAGE = 100;
const MAX_PAGES = 10; // of the 40 that the server allows at once; scrolling needs some too
const ENOUGH = 20;

/** Accents, vowel points and variation selectors, but not marks that make another letter, as in Devanagari and
 * Japanese. */
const ACCENTS = new RegExp(
	"[\\u0300-\\u036f\\u0483-\\u0487\\u0591-\\u05bd\\u05bf\\u05c1\\u05c2\\u05c4\\u05c5\\u05c7\\u0610-\\u061a\\u064b-\\u065f" +
		"\\u0670\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20ff\\ufe00-\\ufe0f\\ufe20-\\ufe2f]",
	"g",
);
const INVISIBLE = /[\u00ad\u200b-\u200f\u2060\ufeff]/g;
const ASCII = /^[\x20-\x7e]*$/;
const SPACES = /\s+/g;

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Fold text for comparison: ignores case, accents, width and line breaks. @param {string} text */
export function fold(text) {
	if (ASCII.test(text)) return text.toLowerCase().replace(SPACES, " ");
	const bare = text.normalize("NFKD").replace(ACCENTS, "").replace(INVISIBLE, "");
	const lower = bare.toUpperCase().toLowerCase().replaceAll("ς", "σ"); // so ß matches ss, and ς matches σ
	return lower.replace(ACCENTS, "").normalize("NFC").replace(SPACES, " ");
}

/** The words of a query, "phrases" and from:name. @param {string} query @returns {SearchQuery} */
export function parseQuery(query) {
	/** @type {SearchQuery} */
	const parsed = { words: [], from: [] };
	const parts = query.replace(/[“”„«»]/g, '"').matchAll(/(from:)?(?:"([^"]*)"|([^\s"]+))/gi);
	for (const [, isFrom, phrase, word] of parts) {
		const folded = fold(phrase ?? word).trim();
		if (folded) parsed[isFrom ? "from" : "words"].push(folded);
	}
	return parsed;
}

/** @param {Pick<Item, "message" | "name">} item @param {SearchQuery} query */
export function matches({ message, name }, { words, from }) {
	const [text, sender] = [fold(message), from.length ? fold(name) : ""];
	return words.every((word) => text.includes(word)) && from.every((part) => sender.includes(part));
}

/** Folded text, and where each of its UTF-16 units starts and ends in the original. @param {string} text */
function foldedWithPlaces(text) {
	let folded = "";
	/** @type {number[]} */
	const starts = [];
	/** @type {number[]} */
	const ends = [];
	for (const { segment, index } of segmenter.segment(text)) {
		const part = fold(segment);
		if (part === " " && folded.endsWith(" ")) continue;
		folded += part;
		for (let unit = 0; unit < part.length; unit += 1) {
			starts.push(index);
			ends.push(index + segment.length);
		}
	}
	return { folded, starts, ends };
}

/** The ranges of a query's words in a text, for highlighting: whole graphemes, in order, without overlaps.
 * @param {string} text @param {string} query @returns {[number, number][]} in UTF-16 units */
export function matchRanges(text, query) {
	const { folded, starts, ends } = foldedWithPlaces(text);
	/** @type {[number, number][]} */
	const found = [];
	for (const word of parseQuery(query).words) {
		for (let at = folded.indexOf(word); at >= 0; at = folded.indexOf(word, at + 1)) {
			found.push([starts[at], ends[at + word.length - 1]]);
		}
	}
	found.sort(([a, aEnd], [b, bEnd]) => a - b || aEnd - bEnd);
	/** @type {[number, number][]} */
	const ranges = [];
	for (const [start, end] of found) {
		const last = ranges.at(-1);
		if (last && start <= last[1]) last[1] = Math.max(last[1], end);
		else ranges.push([start, end]);
	}
	return ranges;
}

/** One search. Requests one page at a time, so filling gaps and scrolling are not held up. */
export class Search {
	room;
	query;
	#page;
	#parsed;
	/** Loaded items not searched yet, by rising seq. @type {Item[]} */
	#known;
	#complete;
	#before;
	#searchedTo = 0;
	#isCancelled = false;
	/** @type {Promise<SearchResult> | undefined} */
	#running;

	/** @param {SearchOptions} options */
	constructor({ page, room, query, live = [], complete = false }) {
		this.room = room;
		this.query = query;
		this.#page = page;
		this.#parsed = parseQuery(query);
		this.#known = live.filter(({ state }) => state === "stored");
		this.#before = this.#known[0]?.seq;
		this.#complete = complete || this.#before === 1 || this.isEmpty;
	}

	/** Whether the query has no words and no names. */
	get isEmpty() {
		return this.#parsed.words.length + this.#parsed.from.length === 0;
	}

	/** Continue the search: first the loaded items, then up to 10 older pages, until there are results to show. Rejects
	 * without a connection; the next call continues at the same place.
	 * @returns {Promise<SearchResult>} */
	more() {
		this.#running ??= this.#more().finally(() => {
			this.#running = undefined;
		});
		return this.#running;
	}

	/** End a running more() after its current page; the next call continues from there. */
	cancel() {
		this.#isCancelled = true;
	}

	async #more() {
		this.#isCancelled = false;
		const found = this.#match(this.#known.splice(0));
		const enough = found.length ? 1 : ENOUGH; // show results from loaded items at once
		for (let pages = 0; pages < MAX_PAGES && found.length < enough; pages += 1) {
			if (this.#complete || this.#isCancelled) break;
			const before = this.#before === undefined ? {} : { before: this.#before };
			try {
				const { messages, complete } = await this.#page({ ...before, limit: PAGE });
				this.#before = messages[0]?.seq ?? this.#before;
				this.#complete = complete || messages.length === 0;
				found.push(...this.#match(messages.map(itemOf)));
			} catch (error) {
				if (!found.length) throw error;
				break; // return what was found; the next call reports the error
			}
		}
		return { found, searchedTo: this.#searchedTo, complete: this.#complete };
	}

	/** @param {Item[]} items by rising seq @returns {Item[]} those that match, newest first */
	#match(items) {
		if (this.isEmpty) return [];
		this.#searchedTo = items[0]?.at ?? this.#searchedTo;
		return items.filter((item) => matches(item, this.#parsed)).reverse();
	}
}
