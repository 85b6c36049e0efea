/** The panel of the current room: its address, search, notifications, leaving. */

import { element, part } from "./dom.js";

export class RoomPanel {
	#panel = element("room", HTMLElement);
	#name = element("roomName", HTMLElement);
	#title = element("roomTitle", HTMLElement);
	#address = element("roomAddress", HTMLElement);
	#leave = element("roomLeave", HTMLButtonElement);
	#level = element("level", HTMLFieldSetElement);

	/** @param {RoomPanelActions} actions */
	constructor({ search, jumpToDate, copyAddress, leave, setLevel }) {
		const acts = { roomSearch: search, roomDate: jumpToDate, roomCopy: copyAddress, roomLeave: leave };
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
		this.#address.textContent = href;
		this.#leave.hidden = !mayLeave;
		part(this.#level, `[value=${level}]`, HTMLInputElement).checked = true;
	}
}
