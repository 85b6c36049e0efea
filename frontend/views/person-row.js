/** A row with an account's face, name and badge. */

import { cloneTemplate, make } from "./dom.js";
import { showFace } from "./face.js";

/** @param {Account & {sender?: string}} account @param {string} [detail] below the name */
export function personRow({ userId, name, sender }, detail = "") {
	const row = cloneTemplate("person", HTMLLIElement);
	showFace(row, { connectionId: userId, name, sender: sender ?? "", userId }, false);
	row.classList.toggle("plain-face", !sender); // the colour comes from the sender
	if (detail) row.querySelector(".who")?.append(make("span", { className: "detail", textContent: detail }));
	return row;
}
