/** The welcome card on a first visit, which is also the form for changing your name. */

import { cleanName } from "../model/text.js";
import { nameProblem } from "../model/wording.js";
import { element } from "./dom.js";

export class NameForm {
	#form = element("nameForm", HTMLFormElement);
	#name = element("name", HTMLInputElement);
	#problem = element("nameProblem", HTMLElement);
	#room = element("welcomeRoom", HTMLElement);
	#actions;

	/** @param {NameFormActions} actions */
	constructor(actions) {
		this.#actions = actions;
		this.#form.onsubmit = () => this.#submit();
		this.#form.onkeydown = (event) => {
			if (event.key !== "Escape" || event.isComposing) return;
			event.preventDefault(); // not the page's Escape shortcut
			this.#close();
		};
		element("later", HTMLButtonElement).onclick = () => this.#close();
		element("copyRoomLink", HTMLButtonElement).onclick = actions.copyRoomLink;
	}

	/** @param {string} title of the room */
	showRoom(title) {
		this.#room.textContent = title;
	}

	/** @param {boolean} isFirstVisit */
	welcome(isFirstVisit) {
		this.#form.hidden = !isFirstVisit;
		this.#form.classList.toggle("first-visit", isFirstVisit);
	}

	/** @param {string} name the current one */
	open(name) {
		this.#form.hidden = false;
		this.#name.value = name;
		this.#name.focus();
		this.#name.select();
	}

	/** @param {string} problem why the server refused a name */
	showProblem(problem) {
		this.#form.hidden = false;
		this.#problem.textContent = problem;
	}

	#close() {
		this.#actions.dismissed();
		this.#hide();
	}

	#hide() {
		this.#problem.textContent = "";
		this.welcome(false);
		this.#actions.done();
	}

	#submit() {
		const name = cleanName(this.#name.value);
		this.#problem.textContent = nameProblem(this.#name.value);
		if (name === undefined) return this.#name.focus();
		this.#actions.rename(name);
		this.#hide();
	}
}
