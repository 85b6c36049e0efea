/** The message list on screen: its rows, scrolling, and unread buttons. */

import { startsGroup } from "../model/message-list.js";
import { dayLabel, dayOf } from "../model/wording.js";
import { closest, element } from "./dom.js";
import { MessageRow } from "./message-row.js";

const MAX_ROWS = 400;
const PAGE = 60;
const NEAR_END_PX = 80;
const NEAR_EDGE_PX = 400;
const CONTEXT = 10;
const LEAST_SEEN_PX = 16;
const QUIET_MS = 500;

export class MessageListView {
	#log = element("log", HTMLElement);
	#empty = element("empty", HTMLElement);
	#missed = element("missed", HTMLElement);
	#catchUp = element("catchUp", HTMLElement);
	#jump = element("jump", HTMLElement);
	#options;
	/** @type {MessageList} */
	#list;
	/** @type {Map<Item, MessageRow>} */
	#rows = new Map();
	/** @type {Item | undefined} */
	#first;
	/** The message that the URL points to. @type {Item | undefined} */
	#target;
	#showsNewest = true;
	#isFollowing = true;
	#isOpening = true;
	#frame = 0;
	#more = 0;
	#quietTimer = 0;

	/** @param {MessageListOptions} options @param {MessageList} list */
	constructor(options, list) {
		this.#options = options;
		this.#list = list;
		this.#log.onscroll = () => this.#scrolled();
		this.#jump.onclick = () => options.toNewest();
		this.#catchUp.onclick = () => options.catchUp();
		element("markRead", HTMLElement).onclick = () => options.markRead();
		this.#log.onclick = (event) => this.#clicked(event);
		this.#log.onkeydown = (event) => this.#keyPressed(event);
		// An on-screen keyboard or a growing composer must not hide the newest row.
		new ResizeObserver(() => this.#isFollowing && this.#scrollToEnd()).observe(this.#log);
	}

	/** Whether the newest row is in view and stays in view as rows are added. */
	get isFollowing() {
		return this.#isFollowing;
	}

	/** Show another list, at its first unread message if it has one. @param {MessageList} list */
	show(list) {
		this.#list = list;
		this.#isOpening = true;
		this.showNewest();
	}

	/** Show a list at one of its messages. @param {MessageList} list @param {Item} item */
	showAt(list, item) {
		this.#list = list;
		this.#isOpening = false;
		this.#target = item;
		this.#place(item, 1 / 3);
		const active = document.activeElement;
		const isWriting = active instanceof HTMLTextAreaElement && active.value !== "";
		if (!isWriting) this.#focus(this.#rows.get(item)?.element, { preventScroll: true });
	}

	/** Switch to another list with the same messages, at the same scroll position. @param {MessageList} list */
	continueIn(list) {
		const top = this.#log.scrollTop;
		const shown = [...this.#rows];
		/** @param {Item | undefined} item */
		const same = (item) => list.items.find(({ messageId }) => messageId === item?.messageId);
		const [anchor, row] = shown.find(([, each]) => each.bottom > top) ?? [];
		const below = (row?.bottom ?? 0) - top;
		const focused = same(shown.find(([, { element: each }]) => each === document.activeElement)?.[0]);
		this.#list = list;
		this.#first = same(this.#first);
		this.#target = same(this.#target);
		this.#keepQuiet();
		this.#paint();
		const [there, focus] = [same(anchor), focused].map((item) => item && this.#rows.get(item));
		if (there) this.#log.scrollTop = there.bottom - below;
		focus?.element.focus({ preventScroll: true });
	}

	showFirstUnread() {
		const item = this.#list.firstUnread;
		if (item) this.#place(item, 1 / 4);
	}

	showNewest() {
		this.#isFollowing = true;
		this.#first = this.#target = undefined;
		this.#keepQuiet();
		this.#paint();
	}

	/** @param {Item} item @param {number} share of the log's height above it */
	#place(item, share) {
		this.#isFollowing = false;
		this.#first = this.#list.items[Math.max(0, this.#list.items.indexOf(item) - CONTEXT)];
		this.#keepQuiet();
		this.#paint();
		const top = this.#rows.get(item)?.element.offsetTop ?? 0;
		this.#log.scrollTop = top - this.#log.clientHeight * share;
		this.#scrolled();
	}

	/** Redraw in the next frame. */
	update() {
		this.#frame ||= requestAnimationFrame(() => this.#paint());
	}

	/** Show more rows at one end. @param {number} direction -1 for older ones, 1 for newer ones */
	grow(direction) {
		this.#more = direction * PAGE;
		this.#keepQuiet();
		this.update();
	}

	/** After the next redraw, load more if an end is near. */
	loadMoreSoon() {
		requestAnimationFrame(() => this.#scrolled());
	}

	/** Focus the user's last message. */
	focusLastOwn() {
		const item = [...this.#rows.keys()].findLast(({ own, state }) => own && state !== "note");
		if (item) this.#focus(this.#rows.get(item)?.element);
	}

	/** Mark the messages in view as read if someone is reading, and update the unread buttons. */
	markVisibleRead() {
		const list = this.#list;
		let isAbove = false;
		if (list.unread && !list.hasNewer) {
			const [from, to] = this.#inView();
			if (this.#options.isHere() && list.markSeen(from, to)) this.#options.read();
			isAbove = list.read + 1 < from;
		}
		const { unread, hasNewer } = list;
		this.#missed.hidden = !unread || !isAbove || hasNewer;
		this.#catchUp.textContent = `${unread} new ↑`;
		this.#jump.hidden = this.#isFollowing;
		this.#jump.textContent = unread && !isAbove && !hasNewer ? `${unread} new ↓` : "Jump to newest ↓";
	}

	/** Keep screen readers from reading out rows that are not new. */
	#keepQuiet() {
		clearTimeout(this.#quietTimer);
		this.#log.ariaLive = "off";
		this.#quietTimer = setTimeout(() => {
			if (!this.#isOpening && !this.#list.hasNewer) this.#log.ariaLive = "polite";
		}, QUIET_MS);
	}

	#scrollToEnd() {
		this.#log.scrollTop = this.#log.scrollHeight;
	}

	#inView() {
		const top = this.#log.scrollTop;
		const bottom = top + this.#log.clientHeight - LEAST_SEEN_PX;
		const seqs = [...this.#rows].flatMap(([{ state, seq }, row]) => {
			const isInView = row.bottom > top && row.element.offsetTop < bottom;
			return state === "stored" && isInView ? [seq] : [];
		});
		return [Math.min(...seqs), Math.max(...seqs)];
	}

	#scrolled() {
		const { items, complete, hasNewer } = this.#list;
		const log = this.#log;
		const below = log.scrollHeight - log.clientHeight - log.scrollTop;
		const isNearTop = log.scrollTop < NEAR_EDGE_PX;
		this.#isFollowing = this.#showsNewest && !hasNewer && below < NEAR_END_PX;
		if (below < NEAR_EDGE_PX && !this.#showsNewest) this.grow(1);
		else if (below < NEAR_EDGE_PX && hasNewer) this.#options.nearEnd();
		else if (isNearTop && this.#first !== items[0]) this.grow(-1);
		else if (isNearTop && !complete) this.#options.nearTop();
		this.markVisibleRead();
	}

	#firstShown() {
		const { items } = this.#list;
		const known = this.#first ? items.indexOf(this.#first) : -1;
		const newestPage = items.length - PAGE;
		const start = known < 0 ? newestPage : this.#isFollowing ? Math.min(known, newestPage) : known;
		const newest = Math.max(start, items.length - MAX_ROWS);
		return Math.max(0, this.#isFollowing ? newest : Math.min(start + this.#more, newest));
	}

	#paint() {
		cancelAnimationFrame(this.#frame);
		const { items, complete, lastSeq } = this.#list;
		if (this.#isOpening && (lastSeq || complete)) {
			this.#isOpening = false;
			this.#keepQuiet();
			if (this.#list.firstUnread) return this.showFirstUnread();
		}
		// Keep the top visible row in place, by its bottom edge, because the lines above its text change.
		const top = this.#log.scrollTop;
		const anchor = this.#isFollowing ? undefined : [...this.#rows.values()].find((row) => row.bottom > top);
		const before = anchor?.bottom ?? 0;
		const from = this.#firstShown();
		const shown = items.slice(from, from + MAX_ROWS);
		this.#frame = this.#more = 0;
		this.#first = shown[0];
		this.#showsNewest = from + shown.length === items.length;
		this.#draw(items, from, shown);
		const isEmpty = complete && items.every(({ state }) => state === "note");
		this.#empty.hidden = !isEmpty;
		this.#log.dataset.state = isEmpty ? "empty" : complete && from === 0 ? "beginning" : "more";

		if (this.#isFollowing) this.#scrollToEnd();
		else if (anchor?.element.isConnected) this.#log.scrollTop += anchor.bottom - before;
		this.markVisibleRead();
	}

	/** @param {Item[]} items @param {number} from @param {Item[]} shown */
	#draw(items, from, shown) {
		const staying = new Set(shown);
		for (const [item, row] of this.#rows) {
			if (staying.has(item)) continue;
			row.element.remove();
			this.#rows.delete(item);
		}
		// Rebuilt in row order, so searches find the first visible row first.
		const rows = new Map(this.#rows);
		this.#rows.clear();
		let next = this.#log.firstElementChild;
		const { firstNew } = this.#list;
		const people = this.#options.people();
		for (const [index, item] of shown.entries()) {
			const row = rows.get(item) ?? new MessageRow(item);
			this.#rows.set(item, row);
			row.draw({ ...this.#contextOf(item, items[from + index - 1], items[from + index + 1], firstNew), people });
			row.element.classList.toggle("target", item === this.#target);
			if (row.element === next) next = row.element.nextElementSibling;
			else this.#log.insertBefore(row.element, next);
		}
	}

	/** A row's appearance, which depends on its neighbours.
	 * @param {Item} item @param {Item | undefined} before @param {Item | undefined} after
	 * @param {Item | undefined} firstNew @returns {Omit<RowContext, "people">} */
	#contextOf(item, before, after, firstNew) {
		const day = dayOf(before?.at ?? 0) === dayOf(item.at) ? "" : dayLabel(item.at, this.#options.now());
		const unread = firstNew === item ? "New" : "";
		const endsDay = after && dayOf(after.at) !== dayOf(item.at);
		return {
			day,
			unread,
			isFirst: !!day || !!unread || startsGroup(before, item),
			isLast: !after || !!endsDay || firstNew === after || startsGroup(item, after),
			showsId: this.#options.isShared(item.name),
			href: this.#options.hrefOf(item.seq),
		};
	}

	/** @param {Event} event */
	#clicked(event) {
		const row = closest(event, "article", HTMLElement);
		const button = closest(event, "button", HTMLButtonElement);
		const item = [...this.#rows].find(([, { element: each }]) => each === row)?.[0];
		if (!item || !button) return;
		if (button.value === "retry") this.#options.retry(item.messageId);
		else if (button.value === "discard") this.#options.discard(item.messageId);
		else if (button.classList.contains("more")) this.#options.openMenu(item, button);
	}

	/** Arrow keys move between rows. @param {KeyboardEvent} event */
	#keyPressed(event) {
		const row = closest(event, "article", HTMLElement);
		const rows = [...this.#rows.values()].map((each) => each.element).filter((each) => each.matches("article"));
		const at = row ? rows.indexOf(row) : rows.length;
		const next = { ArrowUp: at - 1, ArrowDown: at + 1 }[event.key];
		if (next === undefined || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
		if (!rows[next] && !row) return;
		event.preventDefault();
		this.#focus(rows[next] ?? (event.key === "ArrowDown" ? this.#log : row));
	}

	/** Focus a row. Only its controls can be reached with Tab.
	 * @param {HTMLElement | undefined} row @param {FocusOptions} [options] */
	#focus(row, options) {
		for (const each of this.#log.querySelectorAll(".when, .more")) {
			if (each instanceof HTMLElement) each.tabIndex = row?.contains(each) && row !== this.#log ? 0 : -1;
		}
		row?.focus(options);
	}
}
