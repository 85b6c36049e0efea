/** Unsent messages, shared by all tabs. */

import { Emitter } from "./emitter.js";
import { uuid } from "./ids.js";
import { asksToWait, ErrorCode } from "./protocol.js";
import { backoffMs, Timers } from "./timers.js";

const CAPACITY = 100;
const ANSWER_MS = 8000;
const MAX_FAULTS = 4;
const MAX_AGE_MS = 24 * 60 * 60_000;
const PREFIX = "outbox.";

/** @param {unknown} value @returns {Unsent | undefined} */
function asUnsent(value) {
	const { messageId, room, text, at } = /** @type {Partial<Unsent>} */ (value ?? {});
	const isUnsent = [messageId, room, text].every((each) => each && typeof each === "string") && Number.isFinite(at);
	return isUnsent ? /** @type {Unsent} */ (value) : undefined;
}

/** @extends {Emitter<OutboxEvents>} */
export class Outbox extends Emitter {
	#storage;
	#ownership;
	#send;
	#isIn;
	#clock;
	#random;
	#timers;
	/** @type {Map<string, Unsent>} */
	#unsent = new Map();
	#inFlight = "";

	/** @param {OutboxOptions} options */
	constructor({ storage, ownership, send, isIn, clock, random }) {
		super();
		this.#storage = storage;
		this.#ownership = ownership;
		this.#send = send;
		this.#isIn = isIn;
		this.#clock = clock;
		this.#random = random;
		this.#timers = new Timers(clock);
		for (const key of storage.keys(PREFIX)) this.#read(key);
		storage.watch((key) => key.startsWith(PREFIX) && this.#read(key));
		ownership.on("change", () => this.flush());
	}

	get all() {
		return [...this.#unsent.values()].sort((a, b) => a.at - b.at || (a.messageId < b.messageId ? -1 : 1));
	}

	get rooms() {
		return [...new Set(this.all.flatMap(({ failure, room }) => (failure ? [] : [room])))];
	}

	/** @param {string} room @param {string} text @returns {Unsent | undefined} undefined if the outbox is full */
	put(room, text) {
		if (this.#unsent.size >= CAPACITY) return undefined;
		const unsent = this.#save({ messageId: uuid(), room, text, at: this.#lastPlace() });
		this.#ownership.take();
		this.flush();
		return unsent;
	}

	/** @param {string} messageId */
	retry(messageId) {
		const unsent = this.#unsent.get(messageId);
		if (!unsent) return;
		this.#save({ ...unsent, failure: undefined, faults: 0, at: this.#lastPlace() });
		this.#ownership.take();
		this.flush();
	}

	/** @param {string} messageId */
	discard(messageId) {
		this.#remove(messageId);
		this.flush();
	}

	/** @param {readonly {messageId: string}[]} messages */
	stored(messages) {
		const count = this.#unsent.size;
		for (const { messageId } of messages) this.#remove(messageId);
		if (this.#unsent.size < count) this.flush();
	}

	/** @param {ErrorFrame} error */
	refused({ error, code, retryAfterMs, messageId = this.#inFlight }) {
		const unsent = this.#unsent.get(messageId);
		if (!unsent) return;
		this.#answered(messageId);
		const mayRetry = code === ErrorCode.INTERNAL || code === ErrorCode.NOT_IN_ROOM;
		const faults = (unsent.faults ?? 0) + Number(mayRetry);
		const again = asksToWait(code) || (mayRetry && faults < MAX_FAULTS);
		const failure = again ? undefined : { code, error };
		this.#save({ ...unsent, sentAt: undefined, faults, failure });
		if (asksToWait(code)) this.emit("delayed", { code, error, retryAfterMs });
		if (again && code !== ErrorCode.NOT_IN_ROOM) this.#wait(retryAfterMs ?? backoffMs(faults, this.#random));
		else this.flush(); // rejoining the room flushes too
	}

	/** @param {Refusal & {room: string}} refusal */
	barred({ room, code, error }) {
		for (const unsent of this.all) {
			if (unsent.room === room && !unsent.failure) this.#save({ ...unsent, failure: { code, error } });
		}
	}

	disconnected() {
		const unsent = this.#unsent.get(this.#inFlight);
		this.#inFlight = "";
		this.#timers.cancelAll();
		if (unsent) this.#save({ ...unsent, sentAt: undefined });
	}

	flush() {
		if (!this.#ownership.owned || this.#inFlight || this.#timers.isRunning("wait")) return;
		this.#expire();
		const unsent = this.all.find(({ failure, room }) => !failure && this.#isIn(room));
		if (!unsent) return;
		const { messageId, room, text, sentAt = 0 } = unsent;
		const now = this.#clock.Date.now();
		const rest = Math.min(sentAt + ANSWER_MS - now, ANSWER_MS);
		if (rest > 0) return this.#wait(rest);
		if (!this.#send({ action: "sendmessage", message: text, messageId, to: room })) return;
		this.#inFlight = messageId;
		this.#save({ ...unsent, sentAt: now });
		this.#timers.start("answer", ANSWER_MS, () => {
			this.#inFlight = "";
			this.emit("unanswered", undefined);
			this.flush();
		});
	}

	/** A time after all other messages', even if the clock was set back. */
	#lastPlace() {
		return Math.max(this.#clock.Date.now(), (this.all.at(-1)?.at ?? 0) + 1);
	}

	#expire() {
		const oldest = this.#clock.Date.now() - MAX_AGE_MS;
		const failure = { code: "expired", error: "It was waiting for more than a day" };
		for (const unsent of this.all) if (!unsent.failure && unsent.at < oldest) this.#save({ ...unsent, failure });
	}

	/** @param {number} ms */
	#wait(ms) {
		this.#timers.start("wait", ms, () => this.flush());
	}

	/** @param {string} messageId */
	#answered(messageId) {
		if (messageId !== this.#inFlight) return;
		this.#inFlight = "";
		this.#timers.cancel("answer");
	}

	/** @param {Unsent} unsent */
	#save(unsent) {
		this.#unsent.set(unsent.messageId, unsent);
		this.#storage.save(PREFIX + unsent.messageId, unsent);
		this.emit("changed", unsent);
		return unsent;
	}

	/** @param {string} messageId */
	#remove(messageId) {
		if (!this.#unsent.has(messageId)) return;
		this.#storage.remove(PREFIX + messageId);
		this.#forget(messageId);
	}

	/** @param {string} messageId */
	#forget(messageId) {
		const room = this.#unsent.get(messageId)?.room;
		if (room === undefined) return;
		this.#unsent.delete(messageId);
		this.#answered(messageId);
		this.emit("removed", { messageId, room });
	}

	/** @param {string} key */
	#read(key) {
		const unsent = asUnsent(this.#storage.load(key));
		if (unsent) {
			this.#unsent.set(unsent.messageId, unsent);
			this.emit("changed", unsent);
		} else this.#forget(key.slice(PREFIX.length));
		this.flush();
	}
}
