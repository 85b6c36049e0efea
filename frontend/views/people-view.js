/** Who is in the room, and who is typing. */

import { typing } from "../model/wording.js";
import { copy, fill, sign, ui } from "./elements.js";

const TYPING_MS = 5000;

/** @type {Map<string, {name: string, timer: number}>} */
const typists = new Map();

/** Show who is here; oneself first. @param {{list: Person[], count: number}} members @param {string} own */
export function showPeople({ list, count }, own) {
	const isOwn = (/** @type {Person} */ { sender }) => Number(sender === own);
	const people = list.toSorted((a, b) => isOwn(b) - isOwn(a) || a.name.localeCompare(b.name));
	const rows = people.map((person) => {
		const row = copy("person");
		sign(row, person);
		if (isOwn(person)) fill(row, { ".you": "you" });
		return row;
	});
	ui.peopleList.replaceChildren(...rows);
	ui.count.textContent = ui.total.textContent = count;
}

/** @param {Person} person */
export function startTyping({ connectionId, name }) {
	clearTimeout(typists.get(connectionId)?.timer);
	typists.set(connectionId, { name, timer: setTimeout(stopTyping, TYPING_MS, connectionId) });
	showTyping();
}

/** @param {string} connectionId */
export function stopTyping(connectionId) {
	clearTimeout(typists.get(connectionId)?.timer);
	if (typists.delete(connectionId)) showTyping();
}

export function clearTyping() {
	for (const connectionId of typists.keys()) stopTyping(connectionId);
}

function showTyping() {
	ui.typing.textContent = typing([...typists.values()].map(({ name }) => name));
}
