/** A modal dialog with a title, closed by its ×, Escape or a click outside it. */

import { icon, make } from "./dom.js";

/** @param {string} title @param {(Node | string)[]} children @returns {HTMLDialogElement} added to the page, not open */
export function makeDialog(title, ...children) {
	const close = make("button", { className: "icon", ariaLabel: "Close" }, icon("close"));
	const heading = make("header", {}, make("h2", { textContent: title }), close);
	const dialog = make("dialog", { className: "panel", ariaLabel: title }, heading, ...children);
	close.onclick = () => dialog.close();
	dialog.onclick = ({ target }) => {
		if (target === dialog) dialog.close();
	};
	document.body.append(dialog);
	return dialog;
}
