/** The message list on screen: which rows exist, where the reader is, what is unread. Knows no socket. */

import { page, ui } from "./page.js";
import { text } from "./text.js";

const MAX_ROWS = 400;
const PAGE = 60;
const NEAR_END_PX = 80;
const NEAR_TOP_PX = 400;
const QUIET_MS = 500;

const list = ui.log;
/** @type {Transcript} */
let transcript;
/** @type {Map<Item, {row: any, look: string}>} */
const drawn = new Map();
/** The first item shown. @type {Item | undefined} */
let first;
/** Whether the newest item was shown when last drawn; one that came since changes nothing. */
let hasNewest = true;
let frame = 0;
let more = 0;
let quiet = 0;

/** @type {Log} */
export const log = {
	following: true,

	get reading() {
		return log.following && !document.hidden;
	},

	read() {},

	older() {},

	show(shown) {
		transcript = shown;
		log.toNewest();
	},

	toNewest() {
		log.following = true;
		first = undefined;
		quietly();
		seen();
		paint();
	},

	update() {
		frame ||= requestAnimationFrame(paint);
	},

	grow(rows = -PAGE) {
		more = rows;
		quietly();
		log.update();
	},
};
list.onscroll = onScroll;
ui.jump.onclick = log.toNewest;
document.addEventListener("visibilitychange", seen);
// A keyboard that opens, or a composer that grows, must not hide the newest row.
new ResizeObserver(() => log.following && toEnd()).observe(list);

/** Rows that are no news are not read aloud. */
function quietly() {
	clearTimeout(quiet);
	list.ariaLive = "off";
	quiet = setTimeout(() => {
		list.ariaLive = "polite";
	}, QUIET_MS);
}

function toEnd() {
	list.scrollTop = list.scrollHeight;
}

function seen() {
	if (!log.reading) return;
	transcript.unread = 0;
	log.read();
}

function showJump() {
	const { unread } = transcript;
	ui.jump.hidden = log.following;
	ui.jump.textContent = unread ? `${unread} new ↓` : "Jump to newest ↓";
}

function onScroll() {
	const { items, complete } = transcript;
	const below = list.scrollHeight - list.clientHeight - list.scrollTop;
	const nearTop = list.scrollTop < NEAR_TOP_PX;
	const followed = log.following;
	log.following = hasNewest && below < NEAR_END_PX;
	if (log.following && !followed) seen();
	if (!hasNewest && below < NEAR_TOP_PX) log.grow(PAGE);
	else if (nearTop && first !== items[0]) log.grow();
	else if (nearTop && !complete) log.older();
	showJump();
}

/** The index of the first item to show. */
function firstShown() {
	const { items } = transcript;
	const known = first ? items.indexOf(first) : -1;
	const newestPage = items.length - PAGE;
	const start = known < 0 ? newestPage : log.following ? Math.min(known, newestPage) : known;
	const newest = Math.max(start, items.length - MAX_ROWS);
	return Math.max(0, log.following ? newest : Math.min(start + more, newest));
}

/** Draws what changed, once a frame however much arrives. */
function paint() {
	cancelAnimationFrame(frame);
	const { items, complete } = transcript;
	// The row at the top of the reader's view stays there: by its end, as lines above its text come and go.
	const end = (/** @type {any} */ row) => row.offsetTop + row.offsetHeight;
	const anchor = log.following ? undefined : [...list.children].find((row) => end(row) > list.scrollTop);
	const before = anchor && end(anchor);
	const from = firstShown();
	const shown = items.slice(from, from + MAX_ROWS);
	frame = more = 0;
	first = shown[0];
	hasNewest = from + shown.length === items.length;

	const staying = new Set(shown);
	for (const [item, { row }] of drawn) {
		if (staying.has(item)) continue;
		row.remove();
		drawn.delete(item);
	}
	let next = list.firstElementChild;
	for (const [index, item] of shown.entries()) {
		const row = draw(item, items[from + index - 1]);
		if (row === next) next = row.nextElementSibling;
		else list.insertBefore(row, next);
	}
	const empty = complete && items.every(({ state }) => state === "note");
	list.dataset.state = empty ? "empty" : complete && from === 0 ? "beginning" : "more";

	if (log.following) toEnd();
	else if (anchor?.isConnected) list.scrollTop += end(anchor) - before;
	showJump();
}

/** The item's row, as it should look after `before`. @param {Item} item @param {Item | undefined} before */
function draw(item, before) {
	const { state, at, message, name, problem } = item;
	const note = state === "note";
	const known = drawn.get(item);
	const row = known?.row ?? page.copy(note ? "note" : "row");
	const day = text.dayOf(before?.at ?? 0) === text.dayOf(at) ? "" : text.dayLabel(at, Date.now());
	const unread = transcript.unreadFrom === item ? "New" : "";
	const leads = day || unread || text.startsGroup(before, item) ? " leads" : "";
	const look = [state, at, name, problem, day, leads, unread, note && message].join();
	if (known?.look === look) return row;
	drawn.set(item, { row, look });

	page.fill(row, { ".day": day, ".unread": unread });
	const [said, failure] = row.querySelectorAll(".text, .problem");
	if (note) {
		said.textContent = message;
		return row;
	}
	row.className = `row ${state}${leads}${item.own ? " own" : ""}`;
	row.dataset.id = item.messageId;
	page.sign(row, item);
	page.fill(row, { time: text.shortTime(at), ".sending": state === "pending" ? "Sending…" : "" });
	row.querySelector("time").title = text.fullTime(at);
	if (!known) said.append(...text.pieces(message).map((piece) => (piece.isLink ? link(piece.text) : piece.text)));
	failure.replaceChildren();
	if (state === "failed") failure.append(`Not sent. ${problem}`, ui.failed.content.cloneNode(true));
	return row;
}

/** @param {string} href */
function link(href) {
	const made = document.createElement("a");
	return Object.assign(made, { href, textContent: href, target: "_blank", rel: "noopener noreferrer nofollow" });
}
