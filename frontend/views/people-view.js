/** The list of people in the room, and who is typing. */

import { typing } from "../model/wording.js";
import { cloneTemplate, element, setTexts } from "./dom.js";
import { showFace } from "./face.js";

const TYPING_MS = 5000;

export class PeopleView {
	#list = element("peopleList", HTMLUListElement);
	#count = element("count", HTMLElement);
	#total = element("total", HTMLElement);
	#rename;

	/** @param {{rename: () => void}} actions */
	constructor({ rename }) {
		this.#rename = rename;
	}

	/** @param {Present[]} people yourself first @param {number} count */
	show(people, count) {
		const hadFocus = this.#list.contains(document.activeElement);
		this.#list.replaceChildren(...people.map((person) => this.#row(person)));
		if (hadFocus) this.#list.querySelector("button")?.focus();
		this.#count.textContent = this.#total.textContent = `${count}`;
	}

	/** @param {Present} person */
	#row(person) {
		const row = cloneTemplate("person", HTMLLIElement);
		const [connectionId = ""] = person.connectionIds;
		showFace(row, { ...person, connectionId }, true);
		if (!person.isOwn) return row;
		const pencil = cloneTemplate("pencil", HTMLButtonElement);
		pencil.onclick = this.#rename;
		setTexts(row, { ".you": "you" });
		row.append(pencil);
		return row;
	}
}

export class TypingView {
	#line = element("typing", HTMLElement);
	/** @type {Map<string, {name: string, timer: number}>} */
	#typists = new Map();

	/** @param {Pick<Person, "sender" | "name">} person */
	start({ sender, name }) {
		clearTimeout(this.#typists.get(sender)?.timer);
		this.#typists.set(sender, { name, timer: setTimeout(() => this.stop(sender), TYPING_MS) });
		this.#show();
	}

	/** @param {string} sender */
	stop(sender) {
		clearTimeout(this.#typists.get(sender)?.timer);
		if (this.#typists.delete(sender)) this.#show();
	}

	clear() {
		for (const sender of this.#typists.keys()) this.stop(sender);
	}

	#show() {
		this.#line.textContent = typing([...this.#typists.values()].map(({ name }) => name));
	}
}
