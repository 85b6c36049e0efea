/** A window onto a room's history, separate from the list of newest messages. */

import { itemOf, MessageList } from "./message-list.js";

const AROUND = 25;
const PAGE = 50;
const MAX_PROBES = 20;
const MAX_MISSES = 3; // guesses no better than bisection

/** @type {OwnedPage} */
const NOTHING = { messages: [], complete: true, lost: false };

/** @typedef {{seq: number, at: number}} Point a place in the log, and its time */

export class Past {
	list = new MessageList();
	room;
	#page;
	/** Counts openings: answers to an earlier one are dropped. */
	#opening = 0;
	/** @type {Promise<boolean> | undefined} */
	#loadingOlder;
	/** @type {Promise<boolean> | undefined} */
	#loadingNewer;

	/** @param {PastOptions} options */
	constructor({ page, room }) {
		this.#page = page;
		this.room = room;
		this.list.read = Number.MAX_SAFE_INTEGER; // only the live list counts unread messages
	}

	/** Show a message and those around it. Rejects without a connection, and leaves the window unchanged.
	 * @param {number} seq
	 * @returns {Promise<Item | undefined>} the message; the next newer one if it has expired; undefined if there is none,
	 * or if a later call has replaced this one */
	open(seq) {
		return this.#open(Math.max(1, seq), this.#begin());
	}

	/** Show the first message at or after a time, in milliseconds since 1970. Searches by seq: times rise with seqs, apart
	 * from a few milliseconds. Rejects like open().
	 * @param {number} time
	 * @returns {Promise<Item | undefined>} undefined if there is none; then the newest messages are shown */
	async openAt(time) {
		const opening = this.#begin();
		const newest = await this.#probe({});
		if (!newest || newest.at < time) {
			await this.#open((newest?.seq ?? 0) + 1, opening);
			return undefined;
		}
		const oldest = (await this.#probe({ after: 0 })) ?? newest;
		const isAfterOldest = oldest.at < time;
		const known = isAfterOldest ? await this.#narrow(oldest, newest, time, opening) : oldest.seq - 1;
		if (!(await this.#open(known + 1, opening))) return undefined;
		const find = () => this.list.items.find(({ seq, at }) => seq > known && at >= time);
		// With long messages a page may have only one.
		for (let pages = 0; !find() && pages < AROUND && (await this.newer()); pages += 1);
		return this.#opening === opening ? find() : undefined;
	}

	/** @returns {Promise<boolean>} whether older messages were loaded */
	older() {
		const loading = this.#loadingOlder ?? this.#readOlder();
		this.#loadingOlder = loading;
		return loading.finally(() => {
			if (this.#loadingOlder === loading) this.#loadingOlder = undefined;
		});
	}

	/** @returns {Promise<boolean>} whether newer messages were loaded */
	newer() {
		const loading = this.#loadingNewer ?? this.#readNewer();
		this.#loadingNewer = loading;
		return loading.finally(() => {
			if (this.#loadingNewer === loading) this.#loadingNewer = undefined;
		});
	}

	/** Whether no message is missing between the window and the live list.
	 * @param {MessageList} live */
	meets(live) {
		const { firstSeq, lastSeq } = this.list;
		if (!lastSeq || !live.lastSeq) return false;
		return live.firstSeq <= lastSeq + 1 && firstSeq <= live.lastSeq + 1;
	}

	/** Copy the window into the live list, which it must meet, so the page can continue there at the same place.
	 * @param {MessageList} live */
	mergeInto(live) {
		const { items, firstSeq, complete } = this.list;
		if (firstSeq <= live.firstSeq) live.complete ||= complete;
		for (const item of items) live.put({ ...item });
	}

	#begin() {
		this.#opening += 1;
		this.#loadingOlder = this.#loadingNewer = undefined;
		return this.#opening;
	}

	/** @param {number} seq @param {number} opening */
	async #open(seq, opening) {
		if (opening !== this.#opening) return undefined;
		const [before, after] = await Promise.all([
			seq > 1 ? this.#page({ before: seq, limit: AROUND }) : NOTHING,
			this.#page({ after: seq - 1, limit: AROUND + 1 }),
		]);
		if (opening !== this.#opening) return undefined;
		this.list.reset(before.complete);
		this.list.hasNewer = !after.complete;
		this.list.store([...before.messages, ...after.messages]);
		return this.list.items.find((item) => item.seq >= seq);
	}

	async #readOlder() {
		const { list } = this;
		if (list.complete || !list.firstSeq) return false;
		const opening = this.#opening;
		const { messages, complete } = await this.#page({ before: list.firstSeq, limit: PAGE });
		if (opening !== this.#opening) return false;
		list.store(messages);
		list.complete = complete;
		list.trimNewest();
		return messages.length > 0;
	}

	async #readNewer() {
		const { list } = this;
		if (!list.hasNewer || !list.lastSeq) return false;
		const opening = this.#opening;
		const { messages, complete } = await this.#page({ after: list.lastSeq, limit: PAGE });
		if (opening !== this.#opening) return false;
		list.store(messages);
		list.hasNewer = !complete;
		list.trim();
		return messages.length > 0;
	}

	/** @param {PageRequest} request @returns {Promise<Point | undefined>} */
	async #probe(request) {
		const { messages } = await this.#page({ ...request, limit: 1 });
		return messages.length ? itemOf(messages[0]) : undefined;
	}

	/** Find a time by interpolation, which is usually close, and then by bisection, which bounds the worst case.
	 * @param {Point} low before the time @param {Point} high at the time, or after it
	 * @param {number} time @param {number} opening
	 * @returns {Promise<number>} a seq before the time, from which the window reaches it */
	async #narrow(low, high, time, opening) {
		let misses = 0;
		for (let probes = 0; high.seq - low.seq > AROUND && probes < MAX_PROBES; probes += 1) {
			const range = high.seq - low.seq;
			const share = misses < MAX_MISSES ? (time - low.at) / (high.at - low.at) : 0.5;
			const middle = Math.min(high.seq - 1, Math.max(low.seq + 1, low.seq + Math.round(share * range)));
			const found = await this.#probe({ after: middle - 1 });
			if (opening !== this.#opening) break;
			if (found && found.at < time) low = found;
			else high = { seq: middle, at: found?.at ?? high.at }; // the message found may have a higher seq, if those between have expired
			if (high.seq - low.seq > range / 2) misses += 1;
		}
		return high.seq - low.seq > AROUND ? high.seq - 1 : low.seq;
	}
}
