/** Shows who somebody is: name, initial and colour, and the short id where the name is not enough. */

import { hueOf } from "../model/colours.js";
import { chosenName, shortId } from "../model/wording.js";
import { fill, part } from "./dom.js";

const letters = new Intl.Segmenter();

/** @param {Element} root @param {Pick<Person, "name" | "connectionId" | "sender">} person
 * @param {boolean} showsId also for somebody who has chosen a name */
export function showFace(root, person, showsId) {
	const name = chosenName(person);
	const [{ segment: initial = "" } = {}] = letters.segment(person.name.toUpperCase());
	fill(root, { ".face": initial, bdi: name, ".id": name && !showsId ? "" : shortId(person.connectionId) });
	part(root, ".face", HTMLElement).style.setProperty("--hue", `${hueOf(person.sender)}`);
}
