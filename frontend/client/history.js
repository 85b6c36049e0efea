/** One room's messages: de-duplicates and orders them, fills gaps, and fetches pages on request. */

import { RoomOrder } from "./order.js";
import { asksToWait, ErrorCode } from "./protocol.js";
import { backoffMs, Timers } from "./timers.js";

const GRACE_MS = 1000; // posts from two functions may arrive out of order
const ANSWER_MS = 8000;
const MAX_FAULTS = 4;
const FILL_LIMIT = 100;

/** @param {Message[]} messages by rising seq */
const newestOf = (messages) => messages.at(-1)?.seq ?? 0;

export class RoomHistory {
	#options;
	#timers;
	/** @type {RoomOrder | undefined} */
	#order;
	/** Messages that arrived before the answer to the first join. @type {Message[]} */
	#early = [];
	/** @type {PendingPage[]} */
	#requests = [];
	#live = false;
	#filling = false;
	#hasReportedLost = false;

	/** @param {HistoryOptions} options */
	constructor(options) {
		this.#options = options;
		this.#timers = new Timers(options.clock);
	}

	/** The `after` of a join: the seq up to which nothing is missing; undefined before the first join. */
	get after() {
		return this.#order?.upTo;
	}

	/** @param {JoinedFrame} frame */
	resumes({ after, lastSeq }) {
		return this.#order !== undefined && (after ?? 0) <= lastSeq;
	}

	/** @param {JoinedFrame} frame */
	joined(frame) {
		const resumed = this.resumes(frame);
		const { messages, lastSeq, complete } = frame;
		this.#live = true;
		this.#hasReportedLost = this.#order === undefined; // on the first join nothing can be lost
		if (this.#order && !resumed) {
			// The room's log restarted: our messages have all expired. Joining again fetches the new ones.
			this.#reportLost();
			this.forget();
			return;
		}
		if (frame.lost) this.#reportLost();
		const order = this.#order ?? new RoomOrder((messages[0]?.seq ?? 1) - 1);
		this.#order = order;
		order.noteLatest(lastSeq); // the server may have read lastSeq after the messages
		this.#deliver([...messages, ...this.#early.splice(0)], !resumed);
		if (frame.after !== undefined) {
			order.settle(newestOf(messages));
			if (!complete) this.#fill();
		}
		this.#watch();
	}

	/** @param {Message} message */
	message(message) {
		if (this.#order) this.#deliver([message]);
		else this.#early.push(message);
		this.#watch();
	}

	/** @param {number} lastSeq the room's newest, according to the server */
	noteLatest(lastSeq) {
		this.#order?.noteLatest(lastSeq);
		this.#watch();
	}

	/** A page before a seq, after one, or the newest. Rejects if the room is paused or the server refuses.
	 *
	 * Requests are sent one at a time, and those that fill a gap go first. A search that awaits each page therefore delays
	 * other requests by one answer at most. A page may have fewer messages than `limit`: as many as fit into a frame.
	 * @param {PageRequest} frame */
	page(frame) {
		return this.#request(frame);
	}

	/** @param {HistoryFrame} page */
	answered(page) {
		const [request] = this.#requests;
		const { before, after } = request?.frame ?? {};
		if (!request || page.before !== before || page.after !== after) return;
		this.#next();
		request.resolve(page);
	}

	/** @param {ErrorFrame} error */
	refused({ code, retryAfterMs }) {
		const [request] = this.#requests;
		if (!request) return;
		if (code === ErrorCode.INTERNAL) request.faults += 1;
		const mayRetry = asksToWait(code) || (code === ErrorCode.INTERNAL && request.faults < MAX_FAULTS);
		if (mayRetry) {
			const wait = retryAfterMs ?? backoffMs(request.faults, this.#options.random);
			this.#timers.start("answer", wait, () => this.#post());
			return;
		}
		this.#next();
		request.reject(new Error(code));
	}

	pause() {
		this.#live = false;
		this.#early = [];
		this.#timers.cancelAll();
		for (const { reject } of this.#requests.splice(0)) reject(new Error("paused"));
	}

	forget() {
		this.pause();
		this.#order = undefined;
	}

	/** @param {Message[]} messages @param {boolean} [isFirstPage] */
	#deliver(messages, isFirstPage = false) {
		const fresh = (this.#order?.take(messages) ?? []).sort((a, b) => a.seq - b.seq);
		if (fresh.length) this.#options.deliver(fresh, isFirstPage);
	}

	#reportLost() {
		if (!this.#hasReportedLost) this.#options.lost();
		this.#hasReportedLost = true;
	}

	#watch() {
		if (!this.#live || !this.#order?.hasGap) this.#timers.cancel("grace");
		else if (!this.#timers.isRunning("grace")) this.#timers.start("grace", GRACE_MS, () => this.#fill());
	}

	async #fill() {
		const order = this.#order;
		if (!order || this.#filling) return;
		this.#filling = true;
		try {
			for (let complete = false; !complete; ) {
				const { upTo, latest } = order;
				const page = await this.#request({ after: upTo, limit: FILL_LIMIT }, true);
				if (page.lost) this.#reportLost();
				this.#deliver(page.messages);
				order.settle(newestOf(page.messages));
				complete = page.complete || order.upTo === upTo;
				if (complete) order.settle(latest); // messages that did not arrive have expired
			}
			this.#watch();
		} catch {
			// Paused: the next join resumes. Refused: the next message or pong shows the gap again.
		} finally {
			this.#filling = false;
		}
	}

	/** @param {PageRequest} frame @param {boolean} [isUrgent] @returns {Promise<HistoryFrame>} */
	#request(frame, isUrgent = false) {
		return new Promise((resolve, reject) => {
			if (!this.#live) return reject(new Error("paused"));
			const place = isUrgent ? 1 : this.#requests.length; // the first is in flight
			this.#requests.splice(place, 0, { frame, faults: 0, resolve, reject });
			if (this.#requests.length === 1) this.#post();
		});
	}

	#post() {
		const [request] = this.#requests;
		if (!request) return;
		this.#options.send({ action: "history", room: this.#options.room, ...request.frame });
		this.#timers.start("answer", ANSWER_MS, () => {
			this.#options.unanswered();
			this.#post();
		});
	}

	#next() {
		this.#timers.cancel("answer");
		this.#requests.shift();
		this.#post();
	}
}
