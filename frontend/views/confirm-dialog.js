/** Asks before something that cannot be undone. */

import { makeDialog } from "./dialog.js";
import { make } from "./dom.js";

/** @param {{title: string, text: string, action: string}} question `action`: the label of the button that goes on
 * @returns {Promise<boolean>} whether to go on */
export function confirmAction({ title, text, action }) {
	return new Promise((resolve) => {
		const cancel = make("button", { type: "button", className: "plain", textContent: "Cancel" });
		const go = make("button", { type: "button", className: "danger", textContent: action });
		const dialog = makeDialog(
			title,
			make("p", { textContent: text }),
			make("div", { className: "buttons" }, cancel, go),
		);
		cancel.onclick = () => dialog.close();
		go.onclick = () => {
			resolve(true);
			dialog.close();
		};
		dialog.onclose = () => {
			dialog.remove();
			resolve(false); // nothing, if it is resolved
		};
		dialog.showModal();
		cancel.focus();
	});
}

/** Tell something that must be read. @param {{title: string, text: string}} news @param {Node[]} more */
export function tell({ title, text }, ...more) {
	const close = make("button", { type: "button", textContent: "OK" });
	const dialog = makeDialog(
		title,
		make("p", { textContent: text }),
		...more,
		make("div", { className: "buttons" }, close),
	);
	close.onclick = () => dialog.close();
	dialog.onclose = () => dialog.remove();
	dialog.showModal();
	close.focus();
	return dialog;
}
