/** The dialog for going to a room by part of its name, or opening a new one. */

import { makeDialog } from "./dialog.js";
import { closest, make } from "./dom.js";

const MAX_SHOWN = 8;
const IME = 229; // the keyCode while an input method handles the key

export class RoomSwitcher {
	#input = make("input", { type: "search", placeholder: "Room", ariaLabel: "Room", autocomplete: "off" });
	#list = make("ul", { role: "listbox", id: "switcherList", className: "options", ariaLabel: "Rooms" });
	#dialog = makeDialog("Go to a room", this.#input, this.#list);
	#selected = 0;
	#actions;

	/** @param {RoomSwitcherActions} actions */
	constructor(actions) {
		this.#actions = actions;
		this.#input.role = "combobox";
		this.#input.ariaExpanded = "true";
		this.#input.setAttribute("aria-controls", this.#list.id);
		this.#input.oninput = () => this.#draw();
		this.#input.onkeydown = (event) => this.#keyPressed(event);
		this.#list.onclick = (event) => {
			const option = closest(event, "li", HTMLLIElement);
			if (option) this.#choose(option);
		};
	}

	open() {
		this.#input.value = "";
		this.#draw();
		this.#dialog.showModal();
		this.#input.focus();
	}

	#draw() {
		const wanted = this.#input.value.trim().toLowerCase();
		const known = this.#actions
			.rooms()
			.filter(({ room, title }) => `${room} ${title}`.toLowerCase().includes(wanted))
			.slice(0, MAX_SHOWN);
		const options = known.map(({ room, title, unread }, index) =>
			this.#option(index, room, title || `#${room}`, unread ? `${unread} new` : ""),
		);
		if (wanted && !known.some(({ room, title }) => room === wanted || title.toLowerCase() === wanted)) {
			options.push(this.#option(options.length, this.#input.value, this.#input.value.trim(), "Open this room"));
		}
		this.#list.replaceChildren(...options);
		this.#select(0);
	}

	/** @param {number} index @param {string} value @param {string} label @param {string} hint */
	#option(index, value, label, hint) {
		const option = make("li", { id: `switcher-${index}`, role: "option" }, make("bdi", { textContent: label }), " ");
		option.append(make("span", { className: "muted", textContent: hint }));
		option.dataset.room = value;
		return option;
	}

	/** @param {number} index */
	#select(index) {
		this.#selected = index;
		const options = [...this.#list.children];
		for (const [at, option] of options.entries()) option.ariaSelected = String(at === index);
		this.#input.setAttribute("aria-activedescendant", options[index]?.id ?? "");
	}

	/** @param {KeyboardEvent} event */
	#keyPressed(event) {
		const { length } = this.#list.children;
		if (event.isComposing || event.keyCode === IME || !length) return;
		if (event.key === "ArrowDown") this.#select((this.#selected + 1) % length);
		else if (event.key === "ArrowUp") this.#select((this.#selected + length - 1) % length);
		else if (event.key === "Enter") this.#choose(this.#list.children[this.#selected]);
		else if (event.key === "Escape") this.#dialog.close();
		else return;
		event.preventDefault();
	}

	/** @param {Element | undefined} option */
	#choose(option) {
		if (!(option instanceof HTMLElement)) return;
		this.#dialog.close();
		this.#actions.open(option.dataset.room ?? "");
	}
}
