/** The list of rooms with unread counts, a filter, and a form that opens a room. */

import { cloneTemplate, closest, element, part, setTexts } from "./dom.js";

const FILTER_FROM = 10;
const MOST = 99;

export class RoomsView {
	/** One list for each kind of room. @type {RoomGroup[]} */
	#groups = [{ list: element("roomList", HTMLUListElement) }];
	#filter = element("roomFilter", HTMLInputElement);
	#form = element("roomForm", HTMLFormElement);
	#newRoom = element("newRoom", HTMLInputElement);
	#problem = element("roomProblem", HTMLElement);
	#markAllRead = element("markAllRead", HTMLButtonElement);
	#badge = element("roomsBadge", HTMLElement);
	/** @type {RoomEntry[]} */
	#rooms = [];
	#current = "";

	/** @param {RoomsViewActions} actions */
	constructor({ open, forget, markAllRead }) {
		this.#filter.oninput = () => this.#draw();
		this.#filter.onkeydown = (event) => {
			if (event.key !== "Escape" || !this.#filter.value) return;
			event.preventDefault();
			this.#filter.value = "";
			this.#draw();
		};
		this.#markAllRead.onclick = markAllRead;
		this.#groups[0].list.onclick = (event) => {
			const button = closest(event, "button", HTMLButtonElement);
			if (!button) return;
			const item = button.parentElement;
			const next = item?.nextElementSibling ?? item?.previousElementSibling;
			forget(button.value);
			next?.querySelector("a")?.focus(); // the focused button is gone
		};
		this.#form.onsubmit = () => {
			const problem = open(this.#newRoom.value);
			this.#problem.textContent = problem;
			if (!problem) this.#newRoom.value = "";
		};
	}

	/** List the rooms of a kind apart. @param {RoomGroup} group */
	addGroup(group) {
		this.#groups.push(group);
		this.#draw();
	}

	/** @param {RoomEntry[]} rooms in display order @param {string} current */
	show(rooms, current) {
		this.#rooms = rooms;
		this.#current = current;
		this.#filter.hidden = rooms.length < FILTER_FROM;
		if (this.#filter.hidden) this.#filter.value = "";
		const others = rooms.some(({ room, unread, isMuted }) => unread && !isMuted && room !== current);
		this.#badge.hidden = !others;
		this.#markAllRead.hidden = !rooms.some(({ unread }) => unread);
		this.#draw();
	}

	#draw() {
		const wanted = this.#filter.value.trim().toLowerCase();
		const shown = this.#rooms.filter(
			({ room, title }) => room.includes(wanted) || title.toLowerCase().includes(wanted),
		);
		for (const group of this.#groups) {
			this.#drawGroup(
				group,
				shown.filter(({ kind }) => kind === group.kind),
			);
		}
	}

	/** Reuse the elements of rooms that stay, so the focus is not lost. @param {RoomGroup} group @param {RoomEntry[]} shown */
	#drawGroup({ list, extend }, shown) {
		/** @type {Map<string | undefined, HTMLElement>} */
		const gone = new Map();
		for (const item of list.children) if (item instanceof HTMLElement) gone.set(item.dataset.room, item);
		let next = list.firstElementChild;
		for (const entry of shown) {
			const known = gone.get(entry.room);
			const item = known ?? cloneTemplate("place", HTMLLIElement);
			gone.delete(entry.room);
			this.#drawRoom(item, entry);
			extend?.(item, entry);
			if (item === next) next = item.nextElementSibling;
			else if (!item.contains(document.activeElement)) list.insertBefore(item, next);
		}
		for (const item of gone.values()) item.remove();
	}

	/** @param {HTMLElement} item @param {RoomEntry} entry */
	#drawRoom(item, { room, kind, title, href, unread, isMuted }) {
		const link = part(item, "a", HTMLAnchorElement);
		const forget = part(item, "button", HTMLButtonElement);
		const isCurrent = room === this.#current;
		const name = title || room;
		item.dataset.room = forget.value = room;
		item.classList.toggle("has-unread", unread > 0 && !isMuted);
		item.classList.toggle("muted", isMuted);
		link.href = href;
		link.title = title && !kind ? `#${room}` : "";
		link.ariaCurrent = isCurrent ? "page" : null;
		link.ariaLabel = unread ? `${name} ${unread} new` : null;
		forget.ariaLabel = forget.title = `Leave ${name}`;
		forget.hidden = isCurrent || !!kind;
		setTexts(link, { ".label": name, ".badge": unread > MOST ? `${MOST}+` : unread ? `${unread}` : "" });
	}
}
