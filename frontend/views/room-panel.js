/** The current room's panel: link, search, notifications, leaving. */

import { element, part } from "./dom.js";

export class RoomPanel {
	#panel = element("room", HTMLElement);
	#name = element("roomName", HTMLElement);
	#title = element("roomTitle", HTMLElement);
	#link = element("roomLink", HTMLElement);
	#leave = element("roomLeave", HTMLButtonElement);
	#level = element("level", HTMLFieldSetElement);

	/** @param {RoomPanelActions} actions */
	constructor({ search, jumpToDate, copyRoomLink, leave, setLevel }) {
		const acts = { roomSearch: search, roomDate: jumpToDate, roomCopy: copyRoomLink, roomLeave: leave };
		for (const [id, act] of Object.entries(acts)) {
			element(id, HTMLButtonElement).onclick = () => {
				this.#panel.hidePopover();
				act();
			};
		}
		this.#level.onchange = ({ target }) => {
			if (target instanceof HTMLInputElement) setLevel(target.value);
		};
	}

	/** @param {{title: string, href: string, level: NotificationLevel, mayLeave: boolean}} room */
	show({ title, href, level, mayLeave }) {
		this.#name.textContent = this.#title.textContent = title;
		this.#link.textContent = href;
		this.#leave.hidden = !mayLeave;
		part(this.#level, `[value=${level}]`, HTMLInputElement).checked = true;
	}
}
