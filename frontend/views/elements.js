/** The page's elements by id, and how they are filled. */

import { chosenName, hue, shortId } from "../model/wording.js";

/** @type {Record<string, any>} */
export const ui = Object.fromEntries([...document.querySelectorAll("[id]")].map((each) => [each.id, each]));

/** @param {string} template */
export const copy = (template) => ui[template].content.firstElementChild.cloneNode(true);

/** Set texts by selector. One that stays is left alone: a live region would read it again.
 * @param {Element} element @param {Record<string, string>} texts */
export function fill(element, texts) {
	for (const [selector, words] of Object.entries(texts)) {
		const part = element.querySelector(selector);
		if (part && part.textContent !== words) part.textContent = words;
	}
}

const letters = new Intl.Segmenter();

/** Show who somebody is: name, short id, and an initial in the name's colour.
 * @param {any} element @param {Pick<Person, "name" | "connectionId">} person */
export function sign(element, person) {
	const [{ segment: initial = "" } = {}] = letters.segment(person.name.toUpperCase());
	fill(element, { ".face": initial, bdi: chosenName(person), ".id": shortId(person.connectionId) });
	element.querySelector(".face").style.setProperty("--hue", hue(person.name));
}
