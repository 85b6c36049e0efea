/** Splits a message into prose, code and quotes, in time linear in its length. */

import { splitLinks } from "./links.js";

const BLOCK_FENCE = 3; // this many backticks or more make a block
const LANGUAGE = /^(?:[A-Za-z][\w+#.-]*)?[^\S\n]*\n/; // after the opening fence
// A comparison (">5"), a prompt (">>>") or a face (">_<") is not a quote.
const QUOTE = /(?:>(?=\s|$|\p{L})[^\n]*(?:\n|$))+/uy;

/** @param {string} text */
const isBlank = (text) => !/\S/.test(text);

/** @typedef {{start: number, end: number, body: string, isBlock: boolean}} Code */

/** As in CommonMark, code ends at the next run of as many backticks.
 * @param {string} text @returns {(from: number) => Code | undefined} finds the first code at or after an offset; call with rising offsets */
function codeFinder(text) {
	const runs = Array.from(text.matchAll(/`+/g), ({ 0: { length }, index }) => ({ start: index, length, closing: -1 }));
	/** @type {Map<number, number>} */
	const nextOfLength = new Map();
	for (const run of runs.toReversed()) {
		run.closing = nextOfLength.get(run.length) ?? -1;
		nextOfLength.set(run.length, run.start);
	}
	let next = 0;
	/** @type {Code | undefined} */
	let code;

	/** @param {(typeof runs)[number]} run @returns {Code | undefined} */
	function codeAt({ start, length, closing }) {
		if (closing < 0) return undefined;
		const body = text.slice(start + length, closing);
		const isBlock = length >= BLOCK_FENCE;
		return !isBlank(body) && (isBlock || !body.includes("\n"))
			? { start, end: closing + length, body, isBlock }
			: undefined;
	}

	return (from) => {
		if (code && code.start >= from) return code;
		code = undefined;
		while (next < runs.length && !code) {
			if (runs[next].start >= from) code = codeAt(runs[next]);
			next += 1;
		}
		return code;
	};
}

/** @param {Code} code @returns {Section} */
function codeSection({ body, isBlock }) {
	if (!isBlock) return { kind: "code", text: /^ .* $/.test(body) ? body.slice(1, -1) : body };
	const text = body.replace(LANGUAGE, "").replace(/\n[^\S\n]*$/, "");
	return { kind: "block", text: text || body.trim() };
}

/** @param {string} text @returns {Section[]} */
function proseAndCode(text) {
	const codeFrom = codeFinder(text);
	/** @type {Section[]} */
	const sections = [];
	let at = 0;
	for (let code = codeFrom(0); code; code = codeFrom(at)) {
		const before = text.slice(at, code.start);
		if (before) sections.push({ kind: "prose", text: before });
		sections.push(codeSection(code));
		at = code.end;
	}
	if (at < text.length) sections.push({ kind: "prose", text: text.slice(at) });
	return sections;
}

/** Splits the text of a quote. @param {string} text @returns {Section[]} */
export const splitCode = (text) => withoutBreaks(proseAndCode(text));

/** Splits a message; the text of a quote has no marks. @param {string} message @returns {Section[]} */
export function splitSections(message) {
	const text = message.replace(/\r\n?/g, "\n");
	const codeFrom = codeFinder(text);
	/** @type {Section[]} */
	const sections = [];
	let [plain, at, lineEnd] = [0, 0, 0];
	const endPlain = () => {
		for (const section of proseAndCode(text.slice(plain, at))) sections.push(section);
	};
	while (at < text.length) {
		const quoted = at === 0 || text[at - 1] === "\n" ? quoteAt(text, at) : undefined;
		if (quoted && isBlank(quoted.text)) {
			at = quoted.end;
		} else if (quoted) {
			endPlain();
			sections.push({ kind: "quote", text: quoted.text });
			at = plain = quoted.end;
		} else {
			// A ">" within code is code.
			if (at >= lineEnd) lineEnd = text.indexOf("\n", at) + 1 || text.length;
			const code = codeFrom(at);
			at = code && code.start < lineEnd ? code.end : lineEnd;
		}
	}
	endPlain();
	return withoutBreaks(sections);
}

/** @param {string} text @param {number} start */
function quoteAt(text, start) {
	QUOTE.lastIndex = start;
	const lines = QUOTE.exec(text)?.[0];
	return lines && { text: lines.replace(/^> ?/gm, "").replace(/\n$/, ""), end: start + lines.length };
}

/** Remove one line break next to blocks and quotes, which are on separate lines; a quote includes its last one.
 * @param {Section[]} sections @returns {Section[]} */
const withoutBreaks = (sections) =>
	sections.flatMap((section, index) => {
		if (section.kind !== "prose") return [section];
		const [before, after] = [sections[index - 1]?.kind, sections[index + 1]?.kind];
		let { text } = section;
		if (before === "block") text = text.replace(/^[^\S\n]*\n/, "");
		if (after === "block" || after === "quote") text = text.replace(/\n[^\S\n]*$/, "");
		return text ? [{ ...section, text }] : [];
	});

/** Apply a change to everything except code and links.
 * @param {string} message @param {(prose: string) => string} change */
export function mapProse(message, change) {
	const codeFrom = codeFinder(message);
	/** @param {string} prose */
	const changed = (prose) =>
		splitLinks(prose)
			.map(({ text, href }) => (href ? text : change(text)))
			.join("");
	let result = "";
	let at = 0;
	for (let code = codeFrom(0); code; code = codeFrom(at)) {
		result += changed(message.slice(at, code.start)) + message.slice(code.start, code.end);
		at = code.end;
	}
	return result + changed(message.slice(at));
}
