/** One room's messages and notes, in order, and what is unread of them. */

const MAX_KEPT = 3000;
const TRIM_AT = 3300;
const GROUP_MS = 5 * 60 * 1000;
const PEOPLE_IN_NOTE = 6;
const NOBODY = { connectionId: "", name: "", sender: "", own: false };

/** Whether an item opens a group: another sender, another name, or 5 minutes of silence.
 * @param {Pick<Item, "sender" | "name" | "at"> | undefined} before @param {Pick<Item, "sender" | "name" | "at">} item */
export const startsGroup = (before, item) =>
	before?.sender !== item.sender || before.name !== item.name || item.at - before.at > GROUP_MS;

/** @param {Item} item @param {number} seq */
const isOthersAfter = (item, seq) => item.state === "stored" && item.seq > seq && !item.own;

export class MessageList {
	/** @type {Item[]} */
	items = [];
	complete = false;
	read = 0;
	/** After which seq the line stands that says what is new. */
	line = Infinity;
	/** @type {Map<string, Item>} */
	#byId = new Map();
	#notes = 0;

	get lastSeq() {
		return this.items.findLast(({ state }) => state === "stored")?.seq ?? 0;
	}

	get firstSeq() {
		return this.items.find(({ state }) => state === "stored")?.seq ?? 0;
	}

	get unread() {
		const further = this.complete || !this.lastSeq ? 0 : Math.max(0, this.firstSeq - 1 - this.read);
		return this.items.reduce((sum, item) => sum + Number(isOthersAfter(item, this.read)), further);
	}

	/** The first of them; undefined if it is further up than what is known. */
	get firstUnread() {
		return this.#firstAfter(this.read);
	}

	get firstNew() {
		return this.#firstAfter(this.line);
	}

	/** @param {number} seq */
	#firstAfter(seq) {
		return this.#reachesTo(seq) ? this.items.find((item) => isOthersAfter(item, seq)) : undefined;
	}

	/** @param {number} seq */
	#reachesTo(seq) {
		return this.complete || this.firstSeq <= seq + 1;
	}

	/** @param {number} read @param {number} last */
	enter(read, last) {
		this.read = Math.min(read, last);
		if (this.read < last) this.line = this.read;
	}

	/** Everything from one seq to another was seen. What was jumped over to get there was not.
	 * @param {number} from @param {number} to */
	see(from, to) {
		const isNext = from <= this.read + 1 || (this.complete && from <= this.firstSeq);
		if (!isNext || to <= this.read) return false;
		this.read = to;
		this.#passOwn();
		return true;
	}

	#passOwn() {
		if (!this.#reachesTo(this.read)) return;
		for (const { state, seq, own } of this.items) {
			if (state !== "stored" || seq <= this.read) continue;
			if (!own) return;
			this.read = seq;
		}
	}

	/** A known item is changed in place, so that its row survives. @param {Item} item */
	put(item) {
		const known = this.#byId.get(item.messageId);
		if (known?.seq === item.seq) return Object.assign(known, item);
		this.remove(item.messageId);
		const kept = Object.assign(known ?? {}, item);
		const before = this.items.findLastIndex(({ seq }) => seq <= kept.seq);
		this.items.splice(before + 1, 0, kept);
		this.#byId.set(kept.messageId, kept);
		return kept;
	}

	/** @param {Unsent} unsent @param {Person} author
	 * @param {string} problem */
	putUnsent({ messageId, at, text: message }, author, problem) {
		if (this.#byId.get(messageId)?.state === "stored") return;
		const state = problem ? "failed" : "pending";
		this.put({ messageId, seq: Infinity, at, message, ...author, own: true, state, problem });
	}

	/** @param {OwnedMessage[]} messages by rising seq @param {boolean} [isAway] */
	store(messages, isAway = false) {
		const { read, lastSeq } = this;
		/** @type {Item | undefined} */
		let news;
		for (const { messageId, seq, timestamp, message, connectionId, name, sender, own } of messages) {
			const isNew = seq > Math.max(this.lastSeq, read) && !own;
			const at = Date.parse(timestamp);
			const item = this.put({ messageId, seq, at, message, connectionId, name, sender, own, state: "stored" });
			if (isNew) news = item;
		}
		if (news && isAway && read >= lastSeq) this.line = read;
		this.#passOwn();
		return news;
	}

	/** @param {string} message @param {number} at
	 * @param {boolean} [isPresence] somebody came or went: lines close together become one */
	note(message, at, isPresence = false) {
		const last = this.items.at(-1);
		if (isPresence && last?.people && at - last.at < GROUP_MS) {
			last.people = [...last.people.filter((each) => each !== message), message].slice(-PEOPLE_IN_NOTE);
			last.message = last.people.join(" · ");
			return;
		}
		this.#notes += 1;
		const [messageId, seq] = [`note-${this.#notes}`, this.lastSeq + 0.5];
		const people = isPresence ? [message] : undefined;
		this.put({ ...NOBODY, messageId, seq, at, message, people, state: "note" });
	}

	/** @param {string} messageId */
	remove(messageId) {
		if (this.#byId.delete(messageId)) this.items = this.items.filter((item) => item.messageId !== messageId);
	}

	/** @param {string} messageId */
	removeUnsent(messageId) {
		if (this.#byId.get(messageId)?.state !== "stored") this.remove(messageId);
	}

	/** @param {boolean} complete */
	reset(complete) {
		this.#keepOnly(this.items.filter(({ seq }) => seq === Infinity));
		this.complete = complete;
	}

	trim() {
		if (this.items.length < TRIM_AT) return;
		this.#keepOnly(this.items.slice(-MAX_KEPT));
		this.complete = false;
	}

	/** @param {Item[]} items */
	#keepOnly(items) {
		this.items = items;
		this.#byId = new Map(items.map((item) => [item.messageId, item]));
	}
}
