/** Toasts, and announcements for screen readers. */

import { element } from "./dom.js";

const SHOWN_MS = 5000;

const toast = element("toast", HTMLElement);
const announcer = element("announcer", HTMLElement);
let timer = 0;

/** @param {string} words */
export function showToast(words) {
	clearTimeout(timer);
	toast.textContent = words;
	timer = setTimeout(() => toast.replaceChildren(), SHOWN_MS);
}

/** For screen readers only. @param {string} words */
export function announce(words) {
	announcer.textContent = words;
}
