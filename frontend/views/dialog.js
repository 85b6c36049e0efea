/** A modal dialog with a title, closed by its ×, Escape or a press beside it. */

import { icon, make } from "./dom.js";

/** @param {string} title @param {(Node | string)[]} children @returns {HTMLDialogElement} in the page, not open yet */
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
