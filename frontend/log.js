/** The message list on screen: which rows exist, where the reader is, what is unread. Knows no socket. */

import { chosenName, dayLabel, dayOf, fullTime, hue, pieces, shortId, shortTime, startsGroup } from "./text.js";

/** @import { Transcript } from "./transcript.js" */

const MAX_ROWS = 400;
const PAGE = 60;
const NEAR_END_PX = 80;
const NEAR_TOP_PX = 400;
const QUIET_MS = 500;

/** An element with its class and content; text only ever becomes text.
 * @param {string} tag @param {string} name @param {...(Node | string)} content @returns {any} */
export function element(tag, name, ...content) {
	const made = document.createElement(tag);
	if (name) made.className = name;
	made.append(...content);
	return made;
}

/** A round initial in the name's colour. @param {string} name */
export function face(name) {
	const made = element("span", "face", [...name][0]?.toUpperCase() ?? "");
	made.style.setProperty("--hue", hue(name));
	made.ariaHidden = "true";
	return made;
}

/** Events: "older" (the reader nears the top), "read" (the newest row is seen), "retry" and "discard" with its key. */
export class Log extends EventTarget {
	#transcript;
	#box;
	#jump;
	/** @type {Map<Item, HTMLElement>} */
	#rows = new Map();
	/** How a row was drawn last: it is drawn again only when that changes. @type {WeakMap<Item, string>} */
	#drawn = new WeakMap();
	/** The first and the last item shown. @type {Item | undefined} */
	#first;
	/** @type {Item | undefined} */
	#last;
	/** Whether the reader is at the end, and stays there when more comes. */
	following = true;
	#frame = 0;
	#grow = 0;
	#quiet = 0;

	/** @param {Transcript} transcript @param {HTMLElement} box @param {HTMLElement} jump */
	constructor(transcript, box, jump) {
		super();
		this.#transcript = transcript;
		this.#box = box;
		this.#jump = jump;
		box.addEventListener("scroll", () => this.#scrolled(), { passive: true });
		box.addEventListener("click", ({ target }) => {
			const button = /** @type {Element} */ (target).closest("button");
			const detail = button?.parentElement?.parentElement?.dataset.key;
			if (button) this.dispatchEvent(new CustomEvent(button.value, { detail }));
		});
		jump.addEventListener("click", () => this.toNewest());
		document.addEventListener("visibilitychange", () => this.#seen());
		// A keyboard that opens, or a composer that grows, must not hide the newest row.
		new ResizeObserver(() => this.following && this.#toEnd()).observe(box);
	}

	/** Whether the newest row is before somebody's eyes. */
	get reading() {
		return this.following && !document.hidden;
	}

	/** Shows another room. @param {Transcript} transcript */
	show(transcript) {
		this.#transcript = transcript;
		this.toNewest();
	}

	toNewest() {
		this.following = true;
		this.#first = undefined;
		this.#quietly();
		this.#seen();
		this.#paint();
	}

	/** Draws what changed, once a frame however much arrives. */
	update() {
		this.#frame ||= requestAnimationFrame(() => this.#paint());
	}

	/** Shows more rows above (negative) or below; the reader's row stays where it is. @param {number} rows */
	grow(rows = -PAGE) {
		this.#grow = rows;
		this.#quietly();
		this.update();
	}

	/** Rows that are no news are not read aloud. */
	#quietly() {
		clearTimeout(this.#quiet);
		this.#box.ariaLive = "off";
		this.#quiet = window.setTimeout(() => {
			this.#box.ariaLive = "polite";
		}, QUIET_MS);
	}

	#toEnd() {
		this.#box.scrollTop = this.#box.scrollHeight;
	}

	#seen() {
		if (!this.reading) return;
		this.#transcript.unread = 0;
		this.dispatchEvent(new Event("read"));
		this.#showJump();
	}

	#showJump() {
		const { unread } = this.#transcript;
		this.#jump.hidden = this.following;
		this.#jump.textContent = unread ? `${unread} new ${unread > 1 ? "messages" : "message"} ↓` : "Jump to newest ↓";
	}

	#scrolled() {
		const { scrollTop, scrollHeight, clientHeight } = this.#box;
		const { items, complete } = this.#transcript;
		const below = scrollHeight - clientHeight - scrollTop;
		const atEnd = this.#last === items.at(-1);
		const followed = this.following;
		this.following = atEnd && below < NEAR_END_PX;
		if (this.following && !followed) this.#seen();
		if (!atEnd && below < NEAR_TOP_PX) this.grow(PAGE);
		else if (scrollTop < NEAR_TOP_PX && this.#first !== items[0]) this.grow();
		else if (scrollTop < NEAR_TOP_PX && !complete) this.dispatchEvent(new Event("older"));
		this.#showJump();
	}

	/** Which items have rows now: from, and up to but without. */
	#range() {
		const { items } = this.#transcript;
		const first = this.#first ? items.indexOf(this.#first) : -1;
		const from = first < 0 ? Math.max(0, items.length - PAGE) : first;
		if (this.following) return [Math.max(from, items.length - MAX_ROWS), items.length];
		if (this.#grow < 0) {
			const start = Math.max(0, from + this.#grow);
			return [start, Math.min(items.length, start + MAX_ROWS)];
		}
		const end = Math.min(
			items.length,
			this.#grow ? items.lastIndexOf(/** @type {Item} */ (this.#last)) + 1 + this.#grow : from + MAX_ROWS,
		);
		return [Math.max(from, end - MAX_ROWS), end];
	}

	#paint() {
		cancelAnimationFrame(this.#frame);
		this.#frame = 0;
		const { items, complete } = this.#transcript;
		const [from, to] = this.#range();
		this.#grow = 0;
		const shown = items.slice(from, to);
		const staying = new Set(shown);
		const anchor = this.following ? undefined : this.#anchor(staying);
		const before = anchor?.offsetTop ?? 0;

		for (const [item, row] of this.#rows) {
			if (staying.has(item)) continue;
			row.remove();
			this.#rows.delete(item);
		}
		let next = this.#box.firstElementChild;
		for (const [index, item] of shown.entries()) {
			const row = this.#row(item, items[from + index - 1]);
			if (row === next) next = row.nextElementSibling;
			else this.#box.insertBefore(row, next);
		}
		this.#first = shown[0];
		this.#last = shown.at(-1);
		const empty = complete && !items.some((item) => item.state !== "note");
		this.#box.dataset.state = empty ? "empty" : complete && from === 0 ? "beginning" : "more";

		if (this.following) this.#toEnd();
		else if (anchor) this.#box.scrollTop += anchor.offsetTop - before;
		this.#showJump();
	}

	/** The row at the top of the reader's view, of those that stay. @param {Set<Item>} staying */
	#anchor(staying) {
		const { scrollTop } = this.#box;
		const rows = /** @type {HTMLElement[]} */ ([...this.#box.children]);
		const kept = new Set([...staying].map((item) => this.#rows.get(item)));
		return rows.find((row) => kept.has(row) && row.offsetTop + row.offsetHeight > scrollTop);
	}

	/** The item's row, as it should look after `before`. @param {Item} item @param {Item | undefined} before */
	#row(item, before) {
		const row = this.#rows.get(item) ?? blank(item);
		this.#rows.set(item, row);
		const newDay = dayOf(before?.at ?? 0) !== dayOf(item.at);
		const day = newDay && dayLabel(item.at, Date.now());
		const leads = startsGroup(before, item);
		const unread = this.#transcript.unreadFrom === item;
		const note = item.state === "note";
		const drawn = [item.state, item.at, item.name, item.problem, day, leads, unread, note && item.text].join();
		if (row.firstChild && this.#drawn.get(item) === drawn) return row;
		this.#drawn.set(item, drawn);

		if (!row.firstChild)
			row.append(...(note ? [words(item)] : [face(item.name), element("span", "meta"), " ", words(item)]));
		line(row, "day", day);
		line(row, "unread", unread && "New");
		if (note) {
			const text = /** @type {HTMLElement} */ (row.querySelector(".text"));
			if (text.textContent !== item.text) text.textContent = item.text;
			return row;
		}
		row.className = `row ${item.state}${leads ? " leads" : ""}${item.own ? " own" : ""}`;
		row.querySelector(".meta")?.replaceChildren(...signature(item));
		row.querySelector(".problem")?.remove();
		if (item.state === "failed") row.append(" ", problem(item));
		return row;
	}
}

/** @param {Item} item */
function blank(item) {
	const row = item.state === "note" ? element("p", "note") : element("article", "row");
	row.dataset.key = item.key;
	return row;
}

/** A line across the list, above what the row says. @param {HTMLElement} row @param {string} name @param {string | false} text */
function line(row, name, text) {
	row.querySelector(`.${name}`)?.remove();
	if (text) row.prepend(element("span", `line ${name}`, text), " ");
}

/** @param {Item} item */
function words(item) {
	const said =
		item.state === "note" ? [item.text] : pieces(item.text).map(({ text, href }) => (href ? link(href) : text));
	const made = element("span", "text", ...said);
	made.dir = "auto";
	return made;
}

/** @param {string} href */
function link(href) {
	return Object.assign(element("a", "", href), { href, target: "_blank", rel: "noopener noreferrer nofollow" });
}

/** Who said it, and when: `10:42 Ada [abcd1234...]`. @param {Item} item */
function signature({ at, name, connectionId, state }) {
	const time = element("time", "", shortTime(at));
	time.dateTime = new Date(at).toISOString();
	time.title = fullTime(at);
	const chosen = chosenName(name, connectionId);
	const id = element("span", "id", shortId(connectionId));
	return [time, " ", ...(chosen ? [element("bdi", "", chosen), " "] : []), id, state === "pending" ? " Sending…" : ""];
}

/** @param {Item} item */
function problem(item) {
	const buttons = [
		["retry", "Retry"],
		["discard", "Delete"],
	].map(([value, name]) => Object.assign(element("button", "small", name), { value, type: "button" }));
	return element("span", "problem", `Not sent. ${item.problem} `, ...buttons);
}
