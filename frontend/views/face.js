/** Identifies a person: name, initial, colour, and the short id if the name is not enough. */

import { hueOf } from "../model/colours.js";
import { chosenName, shortId } from "../model/wording.js";
import { make, part, setTexts } from "./dom.js";

const letters = new Intl.Segmenter();

/** The badge of an account; styles/account.css draws it. */
export const badge = () => make("span", { className: "account" });

/** @param {Element} root @param {Pick<Person, "name" | "connectionId" | "sender" | "userId">} person
 * @param {boolean} showsId even if the person has chosen a name */
export function showFace(root, person, showsId) {
	const name = chosenName(person);
	const [{ segment: initial = "" } = {}] = letters.segment(person.name.toUpperCase());
	setTexts(root, { ".face": initial, bdi: name, ".id": name && !showsId ? "" : shortId(person.connectionId) });
	part(root, "bdi", HTMLElement).classList.toggle("account", !!person.userId);
	part(root, ".face", HTMLElement).style.setProperty("--hue", `${hueOf(person.sender)}`);
}
