/** Suggestions above the message box: mentions, emoji and commands, chosen by key or pointer. */

import { commandCompletions } from "../model/commands.js";
import { emojiCompletions, shortcodeAt } from "../model/emoji.js";
import { complete, completions, mentionAt } from "../model/mentions.js";
import { cloneTemplate, closest, element, setTexts } from "./dom.js";

const MAX_SHOWN = 8;
const IME = 229; // the keyCode while an input method handles the key

export class Completion {
	#list = element("suggestions", HTMLUListElement);
	#box;
	#names;
	/** @type {Suggestion[]} */
	#suggestions = [];
	#selected = 0;
	#asked = 0;
	/** A text whose suggestions were dismissed or accepted: no suggestions until it changes. */
	#settled = "";

	/** @param {HTMLTextAreaElement} box @param {() => string[]} names who can be mentioned */
	constructor(box, names) {
		this.#box = box;
		this.#names = names;
		// A click must not move the focus out of the box.
		this.#list.onpointerdown = (event) => event.preventDefault();
		this.#list.onclick = (event) => {
			const option = closest(event, "li", HTMLLIElement);
			if (option) this.#choose([...this.#list.children].indexOf(option));
		};
		box.addEventListener("blur", () => this.close());
		box.addEventListener("selectionchange", () => this.update());
	}

	get isOpen() {
		return !this.#list.hidden;
	}

	close() {
		this.#asked += 1;
		this.#show([]);
	}

	/** Show suggestions for the text before the caret. */
	async update() {
		this.#asked += 1;
		const asked = this.#asked;
		const suggestions = document.activeElement === this.#box ? await this.#find() : [];
		if (asked === this.#asked) this.#show(suggestions);
	}

	/** @param {KeyboardEvent} event @returns {boolean} whether the key was handled */
	handleKey(event) {
		const isChord = event.shiftKey || event.altKey || event.ctrlKey || event.metaKey;
		if (!this.isOpen || isChord || event.isComposing || event.keyCode === IME) return false;
		const { length } = this.#suggestions;
		if (event.key === "ArrowDown") this.#select((this.#selected + 1) % length);
		else if (event.key === "ArrowUp") this.#select((this.#selected + length - 1) % length);
		else if (event.key === "Escape") this.#settle(this.#box.value);
		else if (event.key === "Enter" || event.key === "Tab") this.#choose(this.#selected);
		else return false;
		event.preventDefault();
		event.stopPropagation();
		return true;
	}

	/** @param {string} text */
	#settle(text) {
		this.#settled = text;
		this.close();
	}

	/** @returns {Promise<Suggestion[]>} */
	async #find() {
		const { value, selectionStart: caret, selectionEnd } = this.#box;
		if (caret !== selectionEnd || value === this.#settled) return [];
		this.#settled = "";
		const mention = mentionAt(value, caret);
		if (mention) {
			return completions(this.#names(), mention.typed, { limit: MAX_SHOWN }).map((name) => ({
				sign: "@",
				label: name,
				hint: "",
				result: complete(value, caret, mention, name),
			}));
		}
		const code = shortcodeAt(value, caret);
		if (code) {
			const found = await emojiCompletions(code.typed, { limit: MAX_SHOWN });
			return found.map(({ name, emoji }) => {
				const text = `${value.slice(0, code.start)}${emoji} ${value.slice(caret)}`;
				const result = { text, caret: code.start + emoji.length + 1 };
				return { sign: emoji, label: `:${name}:`, hint: "", result };
			});
		}
		if (!/^\/[a-z]*$/i.test(value)) return [];
		return commandCompletions(value.slice(1)).map(({ name, usage, does }) => {
			const text = `/${name} `;
			return { sign: "", label: usage, hint: does, result: { text, caret: text.length } };
		});
	}

	/** @param {Suggestion[]} suggestions */
	#show(suggestions) {
		this.#suggestions = suggestions;
		this.#list.hidden = !suggestions.length;
		const options = suggestions.map(({ sign, label, hint }, index) => {
			const option = cloneTemplate("suggestion", HTMLLIElement);
			option.id = `suggestion-${index}`;
			setTexts(option, { ".sign": sign, bdi: label, ".muted": hint });
			return option;
		});
		this.#list.replaceChildren(...options);
		this.#select(0);
	}

	/** @param {number} index */
	#select(index) {
		this.#selected = index;
		const options = [...this.#list.children];
		for (const [at, option] of options.entries()) option.ariaSelected = String(at === index);
		options[index]?.scrollIntoView({ block: "nearest" });
		if (options[index]) this.#box.setAttribute("aria-activedescendant", options[index].id);
		else this.#box.removeAttribute("aria-activedescendant");
	}

	/** @param {number} index */
	#choose(index) {
		const { result } = this.#suggestions[index] ?? {};
		if (!result) return this.close();
		this.#settle(result.text);
		this.#box.value = result.text;
		this.#box.setSelectionRange(result.caret, result.caret);
		this.#box.dispatchEvent(new Event("input"));
	}
}
