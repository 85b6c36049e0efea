/** The chat client: reconnects, resumes and de-duplicates. */

import { Credentials } from "./credentials.js";
import { Outbox } from "./outbox.js";
import { newOwnership } from "./ownership.js";
import { Session, SessionState } from "./session.js";
import { Transport } from "./transport.js";

export class Client {
	session;
	outbox;
	#ownership;
	#current = "";
	/** @type {string[]} */
	#others = [];

	/** @param {ClientOptions} options */
	constructor({ storage, locks, WebSocket, clock = globalThis, random = Math.random }) {
		const transport = new Transport({ clock, random }, WebSocket);
		const session = new Session({ transport, credentials: new Credentials(storage), clock, random });
		const ownership = newOwnership("outbox", storage, clock, locks);
		const send = (/** @type {SendMessageFrame} */ frame) => transport.send(frame);
		const isIn = (/** @type {string} */ room) => session.isIn(room);
		const outbox = new Outbox({ storage, ownership, send, isIn, clock, random });
		this.session = session;
		this.outbox = outbox;
		this.#ownership = ownership;

		transport.on("close", () => outbox.disconnected());
		session.on("state", ({ state }) => this.#stateChanged(state));
		// After the page's own handlers, so a pending row becomes the stored message instead of being removed.
		session.on("messages", ({ messages }) => queueMicrotask(() => outbox.stored(messages)));
		session.on("stored", (message) => queueMicrotask(() => outbox.stored([message])));
		session.on("entered", () => queueMicrotask(() => outbox.flush()));
		session.on("barred", (refusal) => outbox.barred(refusal));
		session.on("messageError", (error) => outbox.refused(error));
		outbox.on("unanswered", () => transport.check());
		outbox.on("changed", () => this.#followRooms());
		outbox.on("removed", () => this.#followRooms());
		ownership.on("change", () => this.#followRooms());
	}

	/** @param {string} current @param {string[]} others */
	setRooms(current, others) {
		this.#current = current;
		this.#others = others;
		this.#followRooms();
	}

	/** @param {string} text 1 to 4,000 characters
	 * @returns {Unsent | undefined} undefined if the outbox is full */
	write(text) {
		return this.outbox.put(this.#current, text);
	}

	/** A page of a room's messages: before a seq, after one, or the newest. Rejects if the room is paused or left, or the
	 * server refuses.
	 * @param {string} room @param {PageRequest} [request] */
	async page(room, request = {}) {
		const page = await this.session.page(room, request);
		this.outbox.stored(page.messages);
		return page;
	}

	suspend() {
		this.outbox.disconnected();
		this.#ownership.release();
	}

	wake() {
		this.#stateChanged(this.session.state);
		this.session.wake();
	}

	/** Only a connected tab can send, so only a connected tab may own the outbox. @param {string} state */
	#stateChanged(state) {
		if (state === SessionState.JOINING || state === SessionState.READY) this.#ownership.want();
		else this.#ownership.release();
	}

	#followRooms() {
		const unsent = this.#ownership.owned ? this.outbox.rooms : [];
		this.session.setRooms(this.#current, [...unsent, ...this.#others]);
	}
}
