/** One row of the message list: a message or a note. */

import { fullTime, shortTime } from "../model/wording.js";
import { cloneTemplate, element, part, setTexts } from "./dom.js";
import { showFace } from "./face.js";
import { showText } from "./text-view.js";

const FOLD_LINES = 15;
const FOLD_CHARACTERS = 1500;

/** @param {string} text */
const isLong = (text) => text.length > FOLD_CHARACTERS || text.split("\n", FOLD_LINES + 1).length > FOLD_LINES;

export class MessageRow {
	element;
	#item;
	#key = "";
	/** The name that was highlighted in the text. */
	#ownName = "";

	/** @param {Item} item */
	constructor(item) {
		this.#item = item;
		this.element =
			item.state === "note" ? cloneTemplate("note", HTMLParagraphElement) : cloneTemplate("row", HTMLElement);
	}

	get bottom() {
		return this.element.offsetTop + this.element.offsetHeight;
	}

	/** Redraw if anything has changed. @param {RowContext} context */
	draw({ day, unread, isFirst, isLast, showsId, href, people }) {
		const { state, at, message, name, connectionId, userId, problem } = this.#item;
		const key = [
			state,
			at,
			name,
			connectionId,
			userId,
			problem,
			day,
			unread,
			isFirst,
			isLast,
			showsId,
			people.ownName,
		].join();
		if (state === "note") return this.#drawNote(key + message, day, message);
		if (key === this.#key) return;
		const isNew = !this.#key;
		this.#key = key;
		this.#setClasses(isFirst, isLast);
		setTexts(this.element, { ".day": day, ".unread": unread });
		this.#drawMeta(showsId, href);
		if (isNew || people.ownName !== this.#ownName) this.#drawText(people, isNew);
		this.#drawProblem();
	}

	/** @param {string} key @param {string} day @param {string} message */
	#drawNote(key, day, message) {
		if (key === this.#key) return;
		this.#key = key;
		setTexts(this.element, { ".day": day, ".text": message });
	}

	/** @param {boolean} isFirst @param {boolean} isLast */
	#setClasses(isFirst, isLast) {
		const { classList, dataset } = this.element;
		const { state, own, messageId, seq } = this.#item;
		for (const each of ["stored", "pending", "failed"]) classList.toggle(each, each === state);
		classList.toggle("own", own);
		classList.toggle("first", isFirst);
		classList.toggle("last", isLast);
		dataset.id = messageId;
		if (state === "stored") dataset.seq = `${seq}`;
	}

	/** @param {boolean} showsId @param {string} href */
	#drawMeta(showsId, href) {
		const { state, at } = this.#item;
		showFace(this.element, this.#item, showsId);
		const time = part(this.element, "time", HTMLTimeElement);
		setTexts(this.element, { time: shortTime(at), ".state": state === "pending" ? "Sending…" : "" });
		time.title = `${fullTime(at)} ${showsId ? "" : this.#item.connectionId}`.trim();
		time.dateTime = new Date(at).toISOString();
		if (state === "stored") part(this.element, ".when", HTMLAnchorElement).href = href;
	}

	/** @param {RowContext["people"]} people @param {boolean} isNew */
	#drawText(people, isNew) {
		const { message, own } = this.#item;
		this.#ownName = people.ownName;
		const text = part(this.element, ".text", HTMLElement);
		showText(text, message, people);
		this.element.classList.toggle("mentions-me", !own && text.querySelector(":scope > .own-name") !== null);
		if (isNew && isLong(message)) this.#fold(text);
	}

	/** @param {HTMLElement} text */
	#fold(text) {
		const fold = part(this.element, ".fold", HTMLButtonElement);
		fold.hidden = false;
		/** @param {boolean} isFolded */
		const set = (isFolded) => {
			text.classList.toggle("folded", isFolded);
			fold.textContent = isFolded ? "Show more" : "Show less";
			fold.ariaExpanded = String(!isFolded);
		};
		fold.onclick = () => set(!text.classList.contains("folded"));
		set(true);
	}

	#drawProblem() {
		const { state, problem } = this.#item;
		const failure = part(this.element, ".problem", HTMLElement);
		failure.replaceChildren();
		if (state !== "failed") return;
		failure.append(`Not sent. ${problem} `, element("failed", HTMLTemplateElement).content.cloneNode(true));
	}
}
