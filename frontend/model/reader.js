/** Whether someone is reading the page, and when the connection should be checked. */

import { Emitter } from "../client/emitter.js";
import { Timers } from "../client/timers.js";

const IDLE_MS = 10 * 60_000;
const CHECK_MS = 5000;
const JUMP_MS = 5000; // a timer this late means that the computer was asleep
const INPUT = ["keydown", "pointerdown", "pointermove", "wheel"];
const MOVED = ["focus", "blur"];
const NETWORK = ["online", "offline"];

/** @extends {Emitter<ReaderEvents>} */
export class Reader extends Emitter {
	#document;
	#clock;
	#timers;
	#isHere;
	#isWatching;
	#inputAt;

	/** @param {ReaderOptions} [options] */
	constructor({ document = globalThis.document, window = globalThis, clock = globalThis } = {}) {
		super();
		this.#document = document;
		this.#clock = clock;
		this.#timers = new Timers(clock);
		this.#inputAt = clock.Date.now();
		this.#isHere = this.isHere;
		this.#isWatching = this.isWatching;
		document.addEventListener("visibilitychange", () => this.#check());
		for (const type of MOVED) window.addEventListener(type, () => this.#check());
		for (const type of NETWORK) window.addEventListener(type, () => this.emit("wake", undefined));
		for (const type of INPUT) window.addEventListener(type, () => this.#input(), { passive: true });
		this.#tick();
	}

	/** Whether the page is visible and focused: new messages count as read and need no notification. */
	get isHere() {
		return !this.#document.hidden && this.#document.hasFocus();
	}

	/** Whether the page is visible and was used recently: the list of people must be current. */
	get isWatching() {
		return !this.#document.hidden && this.#clock.Date.now() - this.#inputAt < IDLE_MS;
	}

	#input() {
		this.#inputAt = this.#clock.Date.now();
		if (!this.#isWatching) this.#check();
	}

	#check() {
		const [wasHere, wasWatching] = [this.#isHere, this.#isWatching];
		this.#isHere = this.isHere;
		this.#isWatching = this.isWatching;
		if (this.#isHere && !wasHere) this.#inputAt = this.#clock.Date.now();
		if (this.#isHere !== wasHere || this.#isWatching !== wasWatching) this.emit("change", undefined);
		if (this.#isHere && !wasHere) this.emit("wake", undefined);
		if (!this.#timers.isRunning("check")) this.#tick();
	}

	#tick() {
		if (this.#document.hidden) return;
		const due = this.#clock.Date.now() + CHECK_MS;
		this.#timers.start("check", CHECK_MS, () => {
			if (Math.abs(this.#clock.Date.now() - due) > JUMP_MS) this.emit("wake", undefined);
			this.#check();
		});
	}
}
