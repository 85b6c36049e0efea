/** The drawers at the sides, which are columns where there is room, and the panels: where the keyboard's focus may go. */

import { element } from "./dom.js";

const DRAWERS = ["rooms", "people"];
const WIDE = matchMedia("(width >= 72rem)"); // as in styles/layout.css: the people are a column

/** Close a panel that the Tab key leaves, so that it covers nothing which has the focus. */
export function watchPanels() {
	addEventListener("keyup", ({ key, target }) => {
		const panel = document.querySelector(".panel:popover-open");
		if (key !== "Tab" || !(panel instanceof HTMLElement) || !(target instanceof Node)) return;
		if (!panel.contains(target)) panel.hidePopover();
	});
}

/** Make what lies beside an open drawer inert, and give an opened drawer the focus. */
export function watchDrawers() {
	const peopleButton = element("peopleButton", HTMLButtonElement);
	const follow = () => {
		peopleButton.disabled = WIDE.matches;
	};
	WIDE.onchange = follow;
	follow();
	for (const id of DRAWERS) {
		const drawer = element(id, HTMLElement);
		/** @param {boolean} isOpen */
		const hold = (isOpen) => {
			// Not <main> and the heading themselves: a page keeps both, whatever is open.
			for (const part of document.querySelectorAll("main > *, .bar button:not(h1 *), .side")) {
				if (part instanceof HTMLElement && part !== drawer) part.inert = isOpen;
			}
			element("roomButton", HTMLElement).tabIndex = isOpen ? -1 : 0;
		};
		drawer.onclick = ({ target }) => {
			if (target instanceof Element && target.closest("a")) drawer.hidePopover();
		};
		// The focus goes back before the toggle event comes.
		drawer.addEventListener("beforetoggle", ({ newState }) => {
			if (newState === "closed") hold(false);
		});
		drawer.addEventListener("toggle", ({ newState }) => {
			if (newState === "closed") return;
			if (!drawer.contains(document.activeElement)) drawer.focus();
			hold(true);
		});
	}
}

/** @param {string} id */
export function closeDrawer(id) {
	element(id, HTMLElement).hidePopover();
}
