/** The message list on screen: which rows exist, where the reader is, what is unread. */

import { splitLinks } from "../model/links.js";
import { startsGroup } from "../model/message-list.js";
import { dayLabel, dayOf, fullTime, shortTime } from "../model/wording.js";
import { copy, fill, sign, ui } from "./elements.js";

const MAX_ROWS = 400;
const PAGE = 60;
const NEAR_END_PX = 80;
const NEAR_TOP_PX = 400;
const CONTEXT = 10;
const LEAST_SEEN_PX = 16;
const QUIET_MS = 500;

const log = ui.log;
/** @type {MessageList} */
let list;
/** @type {Map<Item, {row: any, look: string}>} */
const drawn = new Map();
/** @type {Item | undefined} */
let first;
let hasNewest = true;
let following = true;
let opening = true;
let frame = 0;
let more = 0;
let quiet = 0;

/** @type {Reader} */
let reader;
let nowOf = Date.now;
let onRead = () => {};
let onNearTop = () => {};

/** @param {Reader} given @param {{now: () => number, read: () => void, nearTop: () => void}} handlers */
export function watchReader(given, { now, read, nearTop }) {
	reader = given;
	nowOf = now;
	onRead = read;
	onNearTop = nearTop;
}

/** @param {MessageList} shown */
export function showList(shown) {
	list = shown;
	opening = true;
	showNewest();
}

export function showFirstUnread() {
	const item = list.firstUnread;
	if (!item) return;
	following = false;
	first = list.items[Math.max(0, list.items.indexOf(item) - CONTEXT)];
	keepQuiet();
	paint();
	log.scrollTop = drawn.get(item)?.row.offsetTop - log.clientHeight / 4;
	onScroll();
}

export function showNewest() {
	following = true;
	first = undefined;
	keepQuiet();
	paint();
}

export const isFollowing = () => following;

export const isReading = () => following && reader.isHere;

export function update() {
	frame ||= requestAnimationFrame(paint);
}

/** @param {number} [rows] */
export function grow(rows = -PAGE) {
	more = rows;
	keepQuiet();
	update();
}

log.onscroll = onScroll;
ui.jump.onclick = showNewest;
// A keyboard that opens, or a composer that grows, must not hide the newest row.
new ResizeObserver(() => following && scrollToEnd()).observe(log);

/** Rows that are not news are not read aloud. */
function keepQuiet() {
	clearTimeout(quiet);
	log.ariaLive = "off";
	quiet = setTimeout(() => {
		if (!opening) log.ariaLive = "polite";
	}, QUIET_MS);
}

function scrollToEnd() {
	log.scrollTop = log.scrollHeight;
}

function inView() {
	const [top, bottom] = [log.scrollTop, log.scrollTop + log.clientHeight - LEAST_SEEN_PX];
	const isInView = (/** @type {HTMLElement} */ row) => row.offsetTop + row.offsetHeight > top && row.offsetTop < bottom;
	const seqs = [...drawn].flatMap(([{ state, seq }, { row }]) => (state === "stored" && isInView(row) ? [seq] : []));
	return [Math.min(...seqs), Math.max(...seqs)];
}

export function look() {
	let isAbove = false;
	if (list.unread) {
		const [from, to] = inView();
		if (reader.isHere && list.see(from, to)) onRead();
		isAbove = list.read + 1 < from;
	}
	const { unread } = list;
	ui.missed.hidden = !unread || !isAbove;
	ui.catchUp.textContent = `${unread} new ↑`;
	ui.jump.hidden = following;
	ui.jump.textContent = unread && !isAbove ? `${unread} new ↓` : "Jump to newest ↓";
}

function onScroll() {
	const { items, complete } = list;
	const below = log.scrollHeight - log.clientHeight - log.scrollTop;
	const nearTop = log.scrollTop < NEAR_TOP_PX;
	following = hasNewest && below < NEAR_END_PX;
	if (!hasNewest && below < NEAR_TOP_PX) grow(PAGE);
	else if (nearTop && first !== items[0]) grow();
	else if (nearTop && !complete) onNearTop();
	look();
}

function firstShown() {
	const { items } = list;
	const known = first ? items.indexOf(first) : -1;
	const newestPage = items.length - PAGE;
	const start = known < 0 ? newestPage : following ? Math.min(known, newestPage) : known;
	const newest = Math.max(start, items.length - MAX_ROWS);
	return Math.max(0, following ? newest : Math.min(start + more, newest));
}

function paint() {
	cancelAnimationFrame(frame);
	const { items, complete } = list;
	if (opening && (list.lastSeq || list.complete)) {
		opening = false;
		keepQuiet();
		if (list.firstUnread) return showFirstUnread();
	}
	// The row at the top of the reader's view stays there: by its end, as lines above its text come and go.
	const end = (/** @type {any} */ row) => row.offsetTop + row.offsetHeight;
	const anchor = following ? undefined : [...log.children].find((row) => end(row) > log.scrollTop);
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
	let next = log.firstElementChild;
	const { firstNew } = list;
	for (const [index, item] of shown.entries()) {
		const row = draw(item, items[from + index - 1], firstNew);
		if (row === next) next = row.nextElementSibling;
		else log.insertBefore(row, next);
	}
	const empty = complete && items.every(({ state }) => state === "note");
	log.dataset.state = empty ? "empty" : complete && from === 0 ? "beginning" : "more";

	if (following) scrollToEnd();
	else if (anchor?.isConnected) log.scrollTop += end(anchor) - before;
	look();
}

/** The item's row, as it should look after `before`.
 * @param {Item} item @param {Item | undefined} before @param {Item | undefined} firstNew */
function draw(item, before, firstNew) {
	const { state, at, message, name, connectionId, problem } = item;
	const isNote = state === "note";
	const known = drawn.get(item);
	const row = known?.row ?? copy(isNote ? "note" : "row");
	const day = dayOf(before?.at ?? 0) === dayOf(at) ? "" : dayLabel(at, nowOf());
	const unread = firstNew === item ? "New" : "";
	const leads = day || unread || startsGroup(before, item) ? " leads" : "";
	const look = [state, at, name, connectionId, problem, day, leads, unread, isNote && message].join();
	if (known?.look === look) return row;
	drawn.set(item, { row, look });

	fill(row, { ".day": day, ".unread": unread });
	const [text, failure] = row.querySelectorAll(".text, .problem");
	if (isNote) {
		text.textContent = message;
		return row;
	}
	row.className = `row ${state}${leads}${item.own ? " own" : ""}`;
	row.dataset.id = item.messageId;
	sign(row, item);
	fill(row, { time: shortTime(at), ".sending": state === "pending" ? "Sending…" : "" });
	Object.assign(row.querySelector("time"), { title: fullTime(at), dateTime: new Date(at).toISOString() });
	if (!known) text.append(...splitLinks(message).map((piece) => (piece.isLink ? link(piece.text) : piece.text)));
	failure.replaceChildren();
	if (state === "failed") failure.append(`Not sent. ${problem}`, ui.failed.content.cloneNode(true));
	return row;
}

/** @param {string} href */
function link(href) {
	const made = document.createElement("a");
	return Object.assign(made, { href, textContent: href, target: "_blank", rel: "noopener noreferrer nofollow" });
}
