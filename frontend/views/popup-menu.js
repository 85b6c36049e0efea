/** A menu under the button that opened it. */

import { icon, make } from "./dom.js";

const MARGIN_PX = 8;

/** @typedef {{label: string, icon: string, act: () => void}} MenuItem */

export class PopupMenu {
	#items = make("div", { className: "menu" });
	#menu = make("div", { className: "panel popup", popover: "auto", tabIndex: -1 }, this.#items);

	/** @param {HTMLElement} parent within a dialog, the dialog: what is outside it is inert */
	constructor(parent) {
		parent.append(this.#menu);
	}

	/** @param {HTMLElement} opener @param {MenuItem[]} items */
	open(opener, items) {
		const buttons = items.map(({ label, icon: name, act }) => {
			const button = make("button", { type: "button", className: "quiet" }, icon(name), label);
			button.onclick = () => {
				this.#menu.hidePopover(); // the focus returns to the opener
				act();
			};
			return button;
		});
		this.#items.replaceChildren(...buttons);
		this.#menu.showPopover();
		const { top, bottom, right } = opener.getBoundingClientRect();
		const { offsetHeight: height, offsetWidth: width } = this.#menu;
		const below = bottom + height + MARGIN_PX < innerHeight;
		this.#menu.style.top = `${Math.max(MARGIN_PX, below ? bottom : top - height)}px`;
		this.#menu.style.left = `${Math.max(MARGIN_PX, Math.min(right - width, innerWidth - width - MARGIN_PX))}px`;
		buttons[0]?.focus();
	}
}
