/** The settings dialog: theme, sound, notifications. */

import { allowNotifications, chime } from "./attention.js";
import { element, part } from "./dom.js";

export class SettingsDialog {
	#dialog = element("settings", HTMLDialogElement);
	#theme = element("theme", HTMLFieldSetElement);
	#problem = element("choiceProblem", HTMLElement);
	#settings;

	/** @param {Settings} settings @param {{showShortcuts: () => void}} actions */
	constructor(settings, { showShortcuts }) {
		this.#settings = settings;
		element("settingsButton", HTMLButtonElement).onclick = () => this.#open();
		element("shortcutsButton", HTMLButtonElement).onclick = () => {
			this.#dialog.close();
			showShortcuts();
		};
		this.#dialog.onclick = ({ target }) => {
			if (target === this.#dialog) this.#dialog.close(); // a click outside it
		};
		this.#theme.onchange = ({ target }) => {
			if (target instanceof HTMLInputElement) settings.theme = target.value;
		};
		this.#choice("sound").onchange = () => this.#setSound();
		this.#choice("notify").onchange = () => this.#setNotifications();
		settings.on("change", () => this.#show());
		this.#show();
	}

	/** @param {"sound" | "notify"} id */
	#choice(id) {
		return element(id, HTMLInputElement);
	}

	#open() {
		this.#problem.textContent = "";
		this.#show();
		this.#dialog.showModal();
	}

	#show() {
		const { theme, sound, notifications } = this.#settings;
		document.documentElement.dataset.theme = theme;
		part(this.#theme, `[value=${theme}]`, HTMLInputElement).checked = true;
		this.#choice("sound").checked = sound;
		this.#choice("notify").checked = notifications;
	}

	#setSound() {
		this.#settings.sound = this.#choice("sound").checked;
		if (this.#settings.sound) chime();
	}

	async #setNotifications() {
		const choice = this.#choice("notify");
		const problem = choice.checked ? await allowNotifications() : "";
		this.#problem.textContent = problem;
		choice.checked &&= !problem;
		this.#settings.notifications = choice.checked;
	}
}
