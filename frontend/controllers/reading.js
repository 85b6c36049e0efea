/** Reading: the message list, loading older messages on scroll, permalinks, and what counts as read. */

/** @import { Past } from "../model/past.js" */

import { MessageListView } from "../views/message-list-view.js";
import { showToast } from "../views/toast.js";

export class Reading {
	#chat;
	#client;
	#view;
	/** The end at which messages are being loaded: -1 for older, 1 for newer, 0 for neither. */
	#loadingAt = 0;
	/** Set if the other end was reached while loading: it gets no further scroll event. */
	#loadOtherEnd = false;
	/** Identifies the jump in progress; until it ends, nothing on screen counts as read. @type {object | undefined} */
	#sought;
	/** The part of the history that is shown instead of the newest messages. @type {Past | undefined} */
	#past;
	#read;
	#leftMessage;

	/** @param {ReadingOptions} options */
	constructor({ chat, client, reader, hrefOf, read, leftMessage, openMenu, toComposer }) {
		this.#chat = chat;
		this.#client = client;
		this.#read = read;
		this.#leftMessage = leftMessage;
		this.#view = new MessageListView(
			{
				now: () => chat.now,
				isHere: () => reader.isHere && !this.#sought,
				isShared: (name) => chat.isShared(name),
				people: () => ({ names: chat.names, ownName: client.session.name }),
				hrefOf,
				read,
				nearTop: () => this.#readOlder(),
				nearEnd: () => this.#readNewer(),
				toNewest: () => this.toNewest(),
				catchUp: () => this.#catchUp(),
				markRead: () => {
					this.markRead();
					toComposer();
				},
				openMenu,
				retry: (messageId) => client.outbox.retry(messageId),
				discard: (messageId) => {
					client.outbox.discard(messageId);
					toComposer();
				},
			},
			chat.list,
		);
		chat.on("changed", ({ room }) => {
			if (room !== chat.room) return;
			if (this.#view.isFollowing) chat.list.trim();
			this.#view.update();
		});
		reader.on("change", () => this.#view.markVisibleRead());
	}

	/** Whether new messages scroll into view as they arrive. */
	get isFollowing() {
		return this.#view.isFollowing;
	}

	/** Show the current room, at its first unread message or at its end.
	 * @param {object} [sought] set if showMessage() follows once the room is joined */
	showRoom(sought) {
		this.#past = undefined;
		this.#sought = sought;
		this.#view.show(this.#chat.list);
	}

	toNewest() {
		if (this.#past) this.showRoom();
		this.#sought = undefined;
		this.#view.showNewest();
		this.#leftMessage();
	}

	toLastOwn() {
		this.#view.focusLastOwn();
	}

	markRead() {
		const { list } = this.#chat;
		list.markSeen(0, list.lastSeq);
		this.#view.markVisibleRead();
		this.#read();
	}

	/** Whether the list of the current room has the message. @param {number} seq */
	hasMessage(seq) {
		return this.#find(seq) !== undefined;
	}

	/** @param {number} seq */
	#find(seq) {
		return this.#chat.list.items.find((item) => item.state === "stored" && item.seq === seq);
	}

	/** Go to a message by its seq. @param {number} seq */
	async showMessage(seq) {
		const { list } = this.#chat;
		const known = this.#find(seq);
		if (known) {
			this.#past = this.#sought = undefined;
			return this.#view.showAt(list, known);
		}
		const item = await this.#openPast((past) => past.open(seq), "This message has expired or never existed.");
		if (item && item.seq !== seq) showToast("This message has expired. Showing the next one.");
	}

	/** Go to the first message of a day, or after it. @param {number} time milliseconds since 1970 */
	async showDate(time) {
		await this.#openPast((past) => past.openAt(time), "There are no messages from that day or later.");
	}

	/** @param {(past: Past) => Promise<Item | undefined>} open @param {string} problem the toast if there is no such message
	 * @returns {Promise<Item | undefined>} the message now shown */
	async #openPast(open, problem) {
		const { room } = this.#chat;
		const sought = {};
		this.#sought = sought;
		try {
			const { Past } = await import("../model/past.js");
			const past = new Past({ room, page: (request) => this.#client.page(room, request) });
			const item = await open(past);
			if (this.#sought !== sought) return undefined;
			if (!item) showToast(problem);
			else this.#showPast(past, item);
			return item;
		} catch {
			if (this.#sought === sought) showToast("Could not load the message. Try again when you are connected.");
			return undefined;
		} finally {
			if (this.#sought === sought) this.#endSearch();
		}
	}

	#endSearch() {
		this.#sought = undefined;
		this.#view.markVisibleRead();
	}

	/** @param {Past} past @param {Item} item */
	#showPast(past, item) {
		const { list } = this.#chat;
		this.#past = past;
		if (!past.meets(list)) return this.#view.showAt(past.list, item);
		this.#past = undefined;
		past.mergeInto(list);
		const same = list.items.find(({ messageId }) => messageId === item.messageId);
		if (same) this.#view.showAt(list, same);
	}

	async #readOlder() {
		return this.#load(async () => {
			const past = this.#past;
			if (past) return past.older();
			const { room, list } = this.#chat;
			const { messages, complete } = await this.#client.page(room, { before: list.firstSeq });
			list.store(messages);
			list.complete = complete;
		}, -1);
	}

	async #readNewer() {
		return this.#load(async () => {
			const past = this.#past;
			await past?.newer();
			const { list } = this.#chat;
			if (!past || this.#past !== past || !past.meets(list)) return;
			this.#past = undefined;
			past.mergeInto(list);
			this.#view.continueIn(list);
		}, 1);
	}

	/** @param {() => Promise<unknown>} load @param {number} direction */
	async #load(load, direction) {
		if (this.#loadingAt) {
			this.#loadOtherEnd ||= this.#loadingAt !== direction;
			return false;
		}
		this.#loadingAt = direction;
		try {
			await load();
			this.#view.grow(direction);
			return true;
		} catch {
			return false; // The connection was lost or the room was left: the next scroll tries again.
		} finally {
			this.#loadingAt = 0;
			if (this.#loadOtherEnd) this.#view.loadMoreSoon();
			this.#loadOtherEnd = false;
		}
	}

	async #catchUp() {
		const { list } = this.#chat;
		while (!list.firstUnread && list === this.#chat.list && (await this.#readOlder()));
		if (list === this.#chat.list) this.#view.showFirstUnread();
	}
}
