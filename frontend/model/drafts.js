/** Drafts, one per room, shared by all tabs. */

import { Emitter } from "../client/emitter.js";

const DRAFT_PREFIX = "draft.";

/** @extends {Emitter<DraftEvents>} */
export class Drafts extends Emitter {
	#storage;

	/** @param {LocalStore} storage */
	constructor(storage) {
		super();
		this.#storage = storage;
		storage.watch((key) => {
			if (!key.startsWith(DRAFT_PREFIX)) return;
			const room = key.slice(DRAFT_PREFIX.length);
			this.emit("changed", { room, text: this.load(room) });
		});
	}

	/** @param {string} room */
	load(room) {
		return this.#storage.loadText(DRAFT_PREFIX + room) ?? "";
	}

	/** @param {string} room @param {string} text */
	save(room, text) {
		if (text) this.#storage.save(DRAFT_PREFIX + room, text);
		else this.#storage.remove(DRAFT_PREFIX + room);
	}
}
