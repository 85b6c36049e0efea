/** Copies several selected messages as one line each, without the page's layout. */

import { dayOf, shortDate } from "../model/wording.js";
import { part } from "./dom.js";

/** Put blocks and quotes on separate lines. @param {Node} node */
const textOf = (node) =>
	node instanceof HTMLPreElement || node instanceof HTMLQuoteElement ? `\n${node.textContent}\n` : node.textContent;

/** The selected part of a row's text. @param {Element} row @param {Range} selected */
function selectedText(row, selected) {
	const text = part(row, ".text", HTMLElement);
	const range = new Range();
	range.selectNodeContents(text);
	const starts = range.compareBoundaryPoints(Range.START_TO_START, selected) >= 0;
	const ends = range.compareBoundaryPoints(Range.END_TO_END, selected) <= 0;
	if (!starts) range.setStart(selected.startContainer, selected.startOffset);
	if (!ends) range.setEnd(selected.endContainer, selected.endOffset);
	return [...range.cloneContents().childNodes].map(textOf).join("");
}

/** @param {Element} row */
function author(row) {
	const name = part(row, "bdi", HTMLElement).textContent || part(row, ".id", HTMLElement).textContent;
	return name || "You";
}

/** The lines of several messages, with dates if they span more than one day. @param {Element[]} rows @param {Range} selected */
function linesOf(rows, selected) {
	let day = 0;
	const chosen = rows.flatMap((row) => {
		const text = selectedText(row, selected).trim();
		const time = part(row, "time", HTMLTimeElement);
		return text ? [{ at: Date.parse(time.dateTime), line: `${author(row)}, ${time.textContent}: ${text}` }] : [];
	});
	const days = new Set(chosen.map(({ at }) => dayOf(at)));
	return chosen.flatMap(({ at, line }) => {
		const isNewDay = days.size > 1 && dayOf(at) !== day;
		day = dayOf(at);
		return isNewDay ? [shortDate(at), line] : [line];
	});
}

/** Copy messages as "Ada, 1:49 PM: text". @param {HTMLElement} log */
export function watchCopying(log) {
	log.addEventListener("copy", (event) => {
		const selection = getSelection();
		if (!selection?.rangeCount || !event.clipboardData) return;
		const selected = selection.getRangeAt(0);
		const rows = [...log.querySelectorAll("article")].filter((row) => selected.intersectsNode(row));
		const lines = linesOf(rows, selected);
		if (lines.length < 2) return;
		event.clipboardData.setData("text/plain", lines.join("\n"));
		event.preventDefault();
	});
}
