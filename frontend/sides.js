/** The two sides of the page: the rooms visited, and who is here. Knows no socket. */

import { element, face } from "./log.js";
import { visited } from "./settings.js";
import { chosenName, listed, shortId } from "./text.js";

const TYPING_MS = 5000;

/** The page's elements by id; index.html says of which kind they are.
 * @type {Record<string, any>} */
export const ui = Object.fromEntries([...document.querySelectorAll("[id]")].map((each) => [each.id, each]));

/** Draws the rooms visited, with what is unread in each.
 * @param {string} current @param {number} unreadHere */
export function showRooms(current, unreadHere) {
	const rows = visited().map(({ room, last, read }) => {
		const here = room === current;
		const unread = here ? unreadHere : last - read;
		const link = element("a", "", element("span", "label", room));
		link.href = `#${room}`;
		if (here) link.ariaCurrent = "page";
		if (unread > 0) link.append(" ", element("span", "badge", `${unread}`, element("span", "unseen", " new")));
		if (here) return element("li", "", link);
		const button = element("button", "forget", "×");
		button.value = room;
		button.ariaLabel = `Forget ${room}`;
		return element("li", "", link, button);
	});
	ui.roomList.replaceChildren(...rows);
	ui.roomsBadge.hidden = !visited().some(({ room, last, read }) => room !== current && last > read);
}

/** Who is here, and who is typing. */
export class People {
	/** @type {Map<string, string>} connectionId to name */
	#names = new Map();
	/** @type {Map<string, {name: string, timer: number}>} */
	#typing = new Map();
	#own = "";
	#count = 0;

	/** @param {Member[]} members @param {number} count @param {string} own */
	set(members, count, own) {
		this.#names = new Map(members.map(({ connectionId, name }) => [connectionId, name]));
		this.#own = own;
		this.#count = count;
		for (const id of this.#typing.keys()) this.typed(id);
		this.#show();
	}

	/** @param {Presence} presence */
	change({ event, connectionId, name, memberCount }) {
		if (event === "leave") {
			this.#names.delete(connectionId);
			this.typed(connectionId);
		} else if (connectionId) this.#names.set(connectionId, name);
		this.#count = memberCount ?? this.#count;
		this.#show();
	}

	/** @param {string} connectionId */
	name(connectionId) {
		return this.#names.get(connectionId);
	}

	/** @param {string} connectionId @param {string} name */
	types(connectionId, name) {
		clearTimeout(this.#typing.get(connectionId)?.timer);
		const timer = window.setTimeout(() => this.typed(connectionId), TYPING_MS);
		this.#typing.set(connectionId, { name, timer });
		this.#showTyping();
	}

	/** They stopped: sent it, left, or paused. @param {string} connectionId */
	typed(connectionId) {
		clearTimeout(this.#typing.get(connectionId)?.timer);
		if (this.#typing.delete(connectionId)) this.#showTyping();
	}

	#showTyping() {
		const names = [...this.#typing.values()].map(({ name }) => name);
		const verb = names.length === 1 ? "is" : "are";
		ui.typing.textContent = names.length ? `${listed(names)} ${verb} typing…` : "";
	}

	#show() {
		const rank = (/** @type {string} */ id) => Number(id !== this.#own);
		const members = [...this.#names].sort(([a, x], [b, y]) => rank(a) - rank(b) || x.localeCompare(y));
		const rows = members.map(([id, name]) => {
			const chosen = chosenName(name, id);
			const you = id === this.#own ? [" ", element("span", "you", "you")] : [];
			const who = element("span", "who", ...(chosen ? [element("bdi", "", chosen), " "] : []));
			who.append(element("span", "id", shortId(id)), ...you);
			return element("li", "", face(name), who);
		});
		ui.peopleList.replaceChildren(...rows);
		ui.count.textContent = ui.total.textContent = this.#count;
		const more = this.#count - rows.length;
		ui.peopleMore.textContent = more > 0 ? `and ${more} more` : "";
	}
}
