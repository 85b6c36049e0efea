/** The message box: its text, length, suggestions and keys. */

import { isSendable, lengthOf, messageFrom } from "../model/text.js";
import { counter } from "../model/wording.js";
import { Completion } from "./completion.js";
import { element } from "./dom.js";
import { announce } from "./toast.js";

const IME = 229; // the keyCode while an input method handles the key; Safari ends the composition first

export class Composer {
	#form = element("composer", HTMLFormElement);
	#box = element("message", HTMLTextAreaElement);
	#send = element("send", HTMLButtonElement);
	#counter = element("counter", HTMLElement);
	#problem = element("composerProblem", HTMLElement);
	#completion;
	#actions;
	#title = "";

	/** @param {ComposerActions} actions */
	constructor(actions) {
		this.#actions = actions;
		this.#completion = new Completion(this.#box, actions.names);
		this.#form.onsubmit = () => this.#submit();
		this.#box.onkeydown = (event) => this.#keyPressed(event);
		this.#box.oninput = () => {
			actions.changed(this.#box.value);
			if (this.#showLength()) actions.typing();
		};
	}

	get isAllowed() {
		return !this.#box.disabled;
	}

	get isEmpty() {
		return !this.#box.value;
	}

	/** @param {boolean} isAllowed */
	allow(isAllowed) {
		this.#box.disabled = this.#send.disabled = !isAllowed;
		this.#showPlaceholder();
	}

	/** @param {string} title of the room @param {string} draft */
	show(title, draft) {
		this.setText(draft);
		this.#completion.close();
		this.setTitle(title);
	}

	/** @param {string} title of the room */
	setTitle(title) {
		this.#title = title;
		this.#showPlaceholder();
	}

	/** @param {string} text */
	setText(text) {
		if (this.#box.value !== text) this.#box.value = text;
		this.#showLength();
	}

	/** Insert a word at the caret and focus the box. @param {string} word */
	insert(word) {
		const isBehindWord = /\S$/.test(this.#box.value.slice(0, this.#box.selectionStart));
		const text = isBehindWord ? ` ${word}` : word;
		this.#box.setRangeText(text, this.#box.selectionStart, this.#box.selectionEnd, "end");
		this.#box.dispatchEvent(new Event("input"));
		this.focus();
	}

	focus() {
		this.#box.focus();
	}

	/** @param {string} problem "" for none */
	showProblem(problem) {
		this.#problem.textContent = problem;
	}

	#showPlaceholder() {
		this.#box.placeholder = this.isAllowed ? `Message ${this.#title}` : "Not connected";
	}

	#showLength() {
		const message = messageFrom(this.#box.value);
		const words = counter(lengthOf(message));
		// Announced when it appears and when the limit is exceeded, not for each character.
		const kind = (/** @type {string | null} */ text) => text?.replace(/\d+ characters?/, "");
		if (words && kind(words) !== kind(this.#counter.textContent)) announce(words);
		this.#counter.textContent = words;
		return isSendable(message);
	}

	#submit() {
		this.focus();
		if (!this.isAllowed || !this.#showLength()) return;
		this.#completion.close();
		const problem = this.#actions.send(messageFrom(this.#box.value));
		this.showProblem(problem);
		if (!problem) this.setText("");
	}

	/** @param {KeyboardEvent} event */
	#keyPressed(event) {
		if (this.#completion.handleKey(event)) return;
		const isPlain = !event.shiftKey && !event.isComposing && event.keyCode !== IME;
		const isChord = event.altKey || event.ctrlKey || event.metaKey;
		if (event.key === "ArrowUp" && isPlain && !isChord && this.isEmpty) {
			event.preventDefault();
			this.#actions.toLastOwn();
		}
		if (event.key !== "Enter" || !isPlain || matchMedia("(pointer: coarse)").matches) return;
		event.preventDefault();
		this.#submit();
	}
}
