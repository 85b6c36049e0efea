/** One room's messages and notes, in order, with the unread count. */

import { presenceLine, renameLine } from "./presence.js";
import { dayOf } from "./wording.js";

const MAX_KEPT = 3000;
const TRIM_AT = 3300;
const GROUP_MS = 5 * 60 * 1000;
const RETURN_MS = 30_000;
const MAX_MOVEMENTS = 200;
const NOBODY = { connectionId: "", name: "", sender: "", own: false };

/** Whether an item starts a group: another sender, another name, or 5 minutes later.
 * @param {GroupItem | undefined} before @param {GroupItem} item */
export const startsGroup = (before, item) =>
	before?.sender !== item.sender ||
	before.name !== item.name ||
	before.userId !== item.userId ||
	item.at - before.at > GROUP_MS;

/** @param {Item} item @param {number} seq */
const isOthersAfter = (item, seq) => item.state === "stored" && item.seq > seq && !item.own;

/** @param {OwnedMessage} message @returns {Item} */
export function itemOf({ messageId, seq, timestamp, message, connectionId, name, sender, userId, own }) {
	const at = Date.parse(timestamp);
	return { messageId, seq, at, message, connectionId, name, sender, userId, own, state: "stored" };
}

export class MessageList {
	/** @type {Item[]} */
	items = [];
	/** Nothing older exists. */
	complete = false;
	/** Newer messages exist: this list is a part of the history. */
	hasNewer = false;
	/** False until the room is joined; the list then shows what an earlier visit saved. */
	isLive = true;
	read = 0;
	/** The seq above the "New" line. */
	line = Infinity;
	/** @type {Map<string, Item>} */
	#byId = new Map();
	/** The items before a reset, reused for the same messages so they keep their rows. @type {Map<string, Item>} */
	#former = new Map();
	#notes = 0;

	/** 0 for a preview: the room may have changed since. */
	get lastSeq() {
		return this.isLive ? this.#lastSeq : 0;
	}

	get #lastSeq() {
		return this.items.findLast(({ state }) => state === "stored")?.seq ?? 0;
	}

	get firstSeq() {
		return this.isLive ? (this.items.find(({ state }) => state === "stored")?.seq ?? 0) : 0;
	}

	get unread() {
		if (!this.isLive) return 0;
		const further = this.complete || !this.lastSeq ? 0 : Math.max(0, this.firstSeq - 1 - this.read);
		return this.items.reduce((sum, item) => sum + Number(isOthersAfter(item, this.read)), further);
	}

	/** The first unread message; undefined if it is not loaded. */
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
		return this.isLive && (this.complete || this.firstSeq <= seq + 1);
	}

	/** @param {number} read @param {number} last */
	enter(read, last) {
		this.read = Math.min(read, last);
		if (this.read < last) this.line = this.read;
	}

	/** Mark a range of seqs as seen, unless there are unread messages before it.
	 * @param {number} from @param {number} to */
	markSeen(from, to) {
		if (!this.isLive) return false;
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

	/** Updates a known item in place, so its row survives. @param {Item} item */
	put(item) {
		const known = this.#byId.get(item.messageId);
		if (known?.seq === item.seq) return Object.assign(known, item);
		this.remove(item.messageId);
		const kept = Object.assign(known ?? this.#former.get(item.messageId) ?? {}, item);
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
		for (const message of messages) {
			const isNew = message.seq > Math.max(this.lastSeq, read) && !message.own;
			const item = this.put(itemOf(message));
			if (isNew) news = item;
		}
		this.#former.clear();
		if (news && isAway && read >= lastSeq) this.line = read;
		this.#passOwn();
		return news;
	}

	/** Show what an earlier visit saved until the first join. None of it is new or unread.
	 * @param {OwnedMessage[]} messages by rising seq */
	preview(messages) {
		if (!messages.length || this.items.some(({ state }) => state === "stored")) return;
		this.isLive = false;
		for (const message of messages) this.put(itemOf(message));
	}

	/** @param {string} message @param {number} at */
	note(message, at) {
		this.#note({ message, at });
	}

	/** Someone joined, left or changed their name. Joins and leaves between two messages on the same day share one line;
	 * leaving and returning, or joining and leaving, within 30 s shows nothing.
	 * @param {Movement | Renaming} change @param {number} at */
	presence(change, at) {
		if (change.event === "rename") return this.#note({ message: renameLine(change), at });
		const moved = { event: change.event, sender: change.sender, name: change.name, at };
		if (this.#cancels(moved)) return;
		const last = this.items.findLast(({ seq }) => seq < Infinity);
		const run = last?.movements && dayOf(last.at) === dayOf(at) ? last : undefined;
		const movements = [...(run?.movements ?? []), moved].slice(-MAX_MOVEMENTS);
		const shown = { message: presenceLine(movements), at, movements };
		if (run) Object.assign(run, shown);
		else this.#note(shown);
	}

	/** Whether a movement undoes the same person's last one; then neither is shown. @param {Moved} moved */
	#cancels({ event, sender, at }) {
		/** @param {Moved} moved */
		const isTheirs = (moved) => moved.sender === sender;
		const note = this.items.findLast(({ movements }) => movements?.some(isTheirs));
		const former = note?.movements?.findLast(isTheirs);
		if (!note?.movements || !former || former.event === event || Math.abs(at - former.at) > RETURN_MS) return false;
		const movements = note.movements.filter((each) => each !== former);
		if (movements.length) Object.assign(note, { movements, message: presenceLine(movements) });
		else this.remove(note.messageId);
		return true;
	}

	/** @param {Pick<Item, "message" | "at" | "movements">} shown */
	#note(shown) {
		this.#notes += 1;
		this.put({ ...NOBODY, ...shown, messageId: `note-${this.#notes}`, seq: this.#lastSeq + 0.5, state: "note" });
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
		this.#former = this.#byId;
		this.isLive = true;
		this.#keepOnly(this.items.filter(({ seq }) => seq === Infinity));
		this.complete = complete;
	}

	trim() {
		if (this.items.length < TRIM_AT) return;
		this.#keepOnly(this.items.slice(-MAX_KEPT));
		this.complete = false;
	}

	/** Like trim(), at the other end. */
	trimNewest() {
		if (this.items.length < TRIM_AT) return;
		this.#keepOnly(this.items.slice(0, MAX_KEPT));
		this.hasNewer = true;
	}

	/** @param {Item[]} items */
	#keepOnly(items) {
		this.items = items;
		this.#byId = new Map(items.map((item) => [item.messageId, item]));
	}
}
