/** Emoji by name. The table is loaded on first use. */

import { mapProse } from "./sections.js";
import { OF_WORD } from "./words.js";

const NAME = "[A-Za-z0-9_+-]";
const MAX_NAME_LENGTH = 40;
const MIN_TYPED = 2;
const UNFIT = 3;
const NAMES = new RegExp(`(?<!${OF_WORD}|:)(?::${NAME}+:)+(?!${OF_WORD}|:)`, "gu");
const TYPED = new RegExp(`(?<!${OF_WORD}|:):(${NAME}{${MIN_TYPED},${MAX_NAME_LENGTH}})$`, "u");

/** @typedef {{emoji: string, names: string[], words: string[]}} Entry */

/** The emoji and their names. */
export class EmojiTable {
	#import;
	/** @type {Promise<boolean> | undefined} */
	#loading;
	/** @type {Entry[]} */
	#entries = [];
	/** @type {Map<string, string>} */
	#byName = new Map();

	/** @param {() => Promise<{EMOJI: string}>} load */
	constructor(load) {
		this.#import = load;
	}

	/** Load the table once. Never rejects; after a failure, the next call tries again.
	 * @returns {Promise<boolean>} whether the table is loaded */
	load() {
		this.#loading ??= this.#import()
			.then(({ EMOJI }) => this.#parse(EMOJI))
			.catch(() => {
				this.#loading = undefined;
				return false;
			});
		return this.#loading;
	}

	/** @param {string} table */
	#parse(table) {
		this.#entries = table
			.trim()
			.split("\n")
			.map((line) => {
				const [[emoji, ...names], words = []] = line.split("|").map((part) => part.split(" "));
				return { emoji, names, words };
			});
		this.#byName = new Map(this.#entries.flatMap(({ emoji, names }) => names.map((name) => [name, emoji])));
		return true;
	}

	/** Replace names with emoji, except in code and links. Does not wait for the table: without it, the text stays
	 * unchanged. @param {string} text */
	replace(text) {
		return mapProse(text, (prose) =>
			prose.replace(NAMES, (names) => {
				if (!this.#byName.size) this.load(); // for the next message
				return names.replace(/:([^:]+):/g, (typed, name) => this.#byName.get(name.toLowerCase()) ?? typed);
			}),
		);
	}

	/** Emoji whose names start with the typed text, then those with a word in their name or keywords that does.
	 * @param {string} typed @param {{limit?: number}} [options] @returns {Promise<{name: string, emoji: string}[]>} */
	async completions(typed, { limit = 8 } = {}) {
		await this.load();
		const wanted = typed.toLowerCase();
		const found = this.#entries.flatMap((entry) => {
			const ranked = entry.names.map((name) => ({ name, emoji: entry.emoji, rank: rankOf(name, entry.words, wanted) }));
			const best = ranked.reduce((least, each) => (each.rank < least.rank ? each : least));
			return best.rank < UNFIT ? [best] : [];
		});
		found.sort((a, b) => a.rank - b.rank || a.name.length - b.name.length);
		return found.slice(0, limit).map(({ name, emoji }) => ({ name, emoji }));
	}
}

/** @param {string} name @param {string[]} words @param {string} wanted */
function rankOf(name, words, wanted) {
	if (name.startsWith(wanted)) return 0;
	if (name.split(/[_-]/).some((part) => part.startsWith(wanted))) return 1;
	return words.some((word) => word.startsWith(wanted)) ? 2 : UNFIT;
}

const table = new EmojiTable(() => import("./emoji-data.js"));

export const loadEmoji = () => table.load();
/** @param {string} text */
export const replaceShortcodes = (text) => table.replace(text);
/** @param {string} typed @param {{limit?: number}} [options] */
export const emojiCompletions = (typed, options) => table.completions(typed, options);

/** The emoji name being typed before the caret.
 * @param {string} text @param {number} caret @returns {Typed | undefined} */
export function shortcodeAt(text, caret) {
	const typed = text.slice(Math.max(0, caret - MAX_NAME_LENGTH - 3), caret).match(TYPED)?.[1];
	return typed === undefined ? undefined : { start: caret - typed.length - 1, typed };
}
