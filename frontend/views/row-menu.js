/** A message's menu: copy its text or link, mention its author. */

import { element } from "./dom.js";

const MARGIN_PX = 8;

export class RowMenu {
	#menu = element("rowMenu", HTMLElement);
	#copyLink = element("copyLink", HTMLButtonElement);
	#mention = element("mention", HTMLButtonElement);
	/** The message whose menu it is. @type {Item | undefined} */
	item;
	/** @type {HTMLElement | undefined} */
	#opener;

	/** @param {RowMenuActions} actions */
	constructor({ copyText, copyLink, mention }) {
		const acts = { copyText, copyLink, mention };
		for (const [id, act] of Object.entries(acts)) {
			element(id, HTMLButtonElement).onclick = () => {
				this.#menu.hidePopover();
				if (this.item) act(this.item);
			};
		}
		this.#menu.addEventListener("toggle", ({ newState }) => {
			this.#opener?.classList.toggle("pressed", newState === "open");
		});
	}

	/** @param {Item} item @param {HTMLElement} opener the button that opened it */
	open(item, opener) {
		this.item = item;
		this.#opener = opener;
		this.#copyLink.hidden = item.state !== "stored";
		this.#mention.hidden = item.own;
		this.#menu.showPopover();
		const { top, bottom, left, right } = opener.getBoundingClientRect();
		const { offsetHeight: height, offsetWidth: width } = this.#menu;
		const below = bottom + height + MARGIN_PX < innerHeight;
		const start = item.own ? right - width : left;
		this.#menu.style.top = `${Math.max(MARGIN_PX, below ? bottom : top - height)}px`;
		this.#menu.style.left = `${Math.max(MARGIN_PX, Math.min(start, innerWidth - width - MARGIN_PX))}px`;
		this.#menu.querySelector("button")?.focus();
	}
}
