/** The list of keyboard shortcuts and commands. */

import { COMMANDS } from "../model/commands.js";
import { SHORTCUTS } from "../model/shortcuts.js";
import { makeDialog } from "./dialog.js";
import { make } from "./dom.js";

/** @param {string} keys for example "Ctrl K" */
const keyNodes = (keys) =>
	keys.split(" ").flatMap((key) => (key === "/" ? [" or "] : [make("kbd", { textContent: key }), " "]));

/** @type {HTMLDialogElement | undefined} */
let dialog;

export function showShortcuts() {
	dialog ??= makeDialog(
		"Keyboard shortcuts",
		make(
			"dl",
			{ className: "shortcuts" },
			...SHORTCUTS.flatMap(({ keys, does }) => [make("dt", {}, ...keyNodes(keys)), make("dd", { textContent: does })]),
		),
		make("h2", { textContent: "Commands" }),
		make(
			"dl",
			{ className: "shortcuts" },
			...COMMANDS.flatMap(({ usage, does }) => [
				make("dt", {}, make("code", { textContent: usage })),
				make("dd", { textContent: does }),
			]),
		),
	);
	dialog.showModal();
}
