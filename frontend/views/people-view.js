/** The list of people in the room, and who is typing. */

import { typing } from "../model/wording.js";
import { cloneTemplate, element, setTexts } from "./dom.js";
import { badge, showFace } from "./face.js";

const TYPING_MS = 5000;
const AFTER_NAME = /(?<=\u2069)/u; // the end of an isolated name

export class PeopleView {
	#list = element("peopleList", HTMLUListElement);
	#count = element("count", HTMLElement);
	#total = element("total", HTMLElement);
	#rename;
	/** Adds to another person's row. @type {((row: HTMLElement, person: Present) => void) | undefined} */
	extend;

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
		showFace(row, { ...person, connectionId }, !person.userId); // the name of an account is unique
		if (!person.isOwn) {
			this.extend?.(row, person);
			return row;
		}
		const pencil = cloneTemplate("pencil", HTMLButtonElement);
		pencil.onclick = this.#rename;
		setTexts(row, { ".you": "you" });
		row.append(pencil);
		return row;
	}
}

export class TypingView {
	#line = element("typing", HTMLElement);
	/** @type {Map<string, {name: string, userId?: string, timer: number}>} */
	#typists = new Map();

	/** @param {Pick<Person, "sender" | "name" | "userId">} person */
	start({ sender, name, userId }) {
		clearTimeout(this.#typists.get(sender)?.timer);
		this.#typists.set(sender, { name, userId, timer: setTimeout(() => this.stop(sender), TYPING_MS) });
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
		const typists = [...this.#typists.values()];
		const pieces = typing(typists.map(({ name }) => name)).split(AFTER_NAME);
		const isAccount = (/** @type {number} */ index) => index < pieces.length - 1 && typists[index].userId;
		this.#line.replaceChildren(...pieces.flatMap((piece, index) => (isAccount(index) ? [piece, badge()] : [piece])));
	}
}
