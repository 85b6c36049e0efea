/** Keyboard focus in drawers (columns on wide screens) and panels. */

import { element } from "./dom.js";

const DRAWERS = ["rooms", "people"];

/** Close a panel when Tab leaves it, so it never covers the focused element. */
export function watchPanels() {
	addEventListener("keyup", ({ key, target }) => {
		const panel = document.querySelector(".panel:popover-open");
		if (key !== "Tab" || !(panel instanceof HTMLElement) || !(target instanceof Node)) return;
		if (!panel.contains(target)) panel.hidePopover();
	});
}

/** Focus a drawer when it opens, and make the rest of the page inert. */
export function watchDrawers() {
	for (const id of DRAWERS) {
		const drawer = element(id, HTMLElement);
		/** @param {boolean} isOpen */
		const setInert = (isOpen) => {
			// Not <main> and the heading themselves: a page must always have both.
			for (const part of document.querySelectorAll("main > *, .bar button:not(h1 *), .side")) {
				if (part instanceof HTMLElement && part !== drawer) part.inert = isOpen;
			}
			element("roomButton", HTMLElement).tabIndex = isOpen ? -1 : 0;
		};
		drawer.onclick = ({ target }) => {
			if (target instanceof Element && target.closest("a")) drawer.hidePopover();
		};
		// The focus returns before the toggle event fires.
		drawer.addEventListener("beforetoggle", ({ newState }) => {
			if (newState === "closed") setInert(false);
		});
		drawer.addEventListener("toggle", ({ newState }) => {
			if (newState === "closed") return;
			if (!drawer.contains(document.activeElement)) drawer.focus();
			setInert(true);
		});
	}
}

/** @param {string} id */
export function closeDrawer(id) {
	element(id, HTMLElement).hidePopover();
}
