/** The dialog for making a private room. */

import { makeDialog } from "./dialog.js";
import { make } from "./dom.js";

const MAX_TITLE = 80;

/** @param {string} id @param {string} value */
export const titleField = (id, value) =>
	make("input", { id, value, maxLength: MAX_TITLE, autocomplete: "off", placeholder: "Team lunch" });

/** @param {boolean} checked */
export function historyChoice(checked) {
	const box = make("input", { type: "checkbox", checked });
	return { box, label: make("label", { className: "choice" }, box, " Show earlier messages to new members") };
}

export class NewRoomDialog {
	#title = titleField("newRoomTitle", "");
	#history = historyChoice(false);
	#problem = make("p", { className: "problem", role: "alert" });
	#create = make("button", { textContent: "Create" });
	#dialog;

	/** @param {(title: string, sharesHistory: boolean) => Promise<string>} create returns why it was refused, or "" */
	constructor(create) {
		const form = make(
			"form",
			{ method: "dialog", noValidate: true },
			make("label", { htmlFor: this.#title.id, textContent: "Title" }),
			this.#title,
			this.#history.label,
			make("p", { className: "muted", textContent: "Only people whom you invite can read the room." }),
			this.#problem,
			make("div", { className: "buttons" }, this.#create),
		);
		form.onsubmit = async (event) => {
			event.preventDefault();
			this.#create.disabled = true;
			const problem = await create(this.#title.value.trim(), this.#history.box.checked);
			this.#create.disabled = false;
			this.#problem.textContent = problem;
			if (problem) this.#title.focus();
			else this.#dialog.close();
		};
		this.#dialog = makeDialog("New private room", form);
	}

	open() {
		this.#title.value = this.#problem.textContent = "";
		this.#history.box.checked = false;
		this.#dialog.showModal();
		this.#title.focus();
	}
}
