/** Join and leave notes, several as one line. */

import { Timers } from "../client/timers.js";
import { isolated } from "./wording.js";

const RELOAD_MS = 5000;

const VERBS = ["joined", "left", "joined and left", "left and came back"];

/** @param {Moved} first @param {Moved} last */
function verbOf(first, last) {
	if (first.event === "join") return last.event === "join" ? "joined" : "joined and left";
	return last.event === "leave" ? "left" : "left and came back";
}

/** @param {string[]} names @param {string} verb */
function clause(names, verb) {
	if (names.length > 2) return `${names.length} people ${verb}`;
	return `${names.map((name) => (name ? isolated(name) : "Someone")).join(" and ")} ${verb}`;
}

/** For example: Ada and Bo joined, 3 people left.
 * @param {Moved[]} movements at least one, in order */
export function presenceLine(movements) {
	/** @type {Map<string, string[]>} */
	const names = new Map(VERBS.map((verb) => [verb, []]));
	for (const sender of new Set(movements.map((moved) => moved.sender))) {
		const theirs = movements.filter((moved) => moved.sender === sender);
		const last = theirs[theirs.length - 1];
		names.get(verbOf(theirs[0], last))?.push(last.name);
	}
	const clauses = [...names].filter(([, who]) => who.length).map(([verb, who]) => clause(who, verb));
	return clauses.join(", ");
}

/** @param {Pick<Renaming, "former" | "name">} renaming */
export const renameLine = ({ former, name }) => `${isolated(former)} is now ${isolated(name)}`;

/** Delays each leave note, in case the person is only reloading the page. */
export class Presence {
	#show;
	#timers;

	/** @param {PresenceOptions} options */
	constructor({ show, clock = globalThis }) {
		this.#show = show;
		this.#timers = new Timers(clock);
	}

	/** @param {string} room @param {Movement} movement @param {number} at */
	report(room, movement, at) {
		const who = `${room} ${movement.sender}`;
		const isBack = movement.event === "join" && this.#timers.isRunning(who);
		this.#timers.cancel(who);
		if (movement.event === "leave") this.#timers.start(who, RELOAD_MS, () => this.#show(room, movement, at));
		else if (!isBack) this.#show(room, movement, at);
	}
}
