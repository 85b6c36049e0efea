/** The state of the chat: each room's messages, people and unread count. */

import { Emitter } from "../client/emitter.js";
import { isPrivate } from "./address.js";
import { mentionsName } from "./mentions.js";
import { itemOf, MessageList } from "./message-list.js";
import { comparable, connectionsOf, people, personCount, sharedNames } from "./people.js";
import { Presence } from "./presence.js";
import { shouldNotify } from "./settings.js";
import { advice } from "./wording.js";

/** @extends {Emitter<ChatEvents>} */
export class Chat extends Emitter {
	#client;
	#visited;
	#settings;
	#archive;
	#isReading;
	#movements;
	/** @type {Map<string, MessageList>} */
	#lists = new Map();
	/** Names that more than one person in the room has, made comparable. @type {Set<string>} */
	#shared = new Set();
	/** The current room. */
	room = "";

	/** @param {ChatOptions} options */
	constructor({ client, visited, settings, archive, isReading, clock = globalThis }) {
		super();
		this.#client = client;
		this.#visited = visited;
		this.#settings = settings;
		this.#archive = archive;
		this.#isReading = isReading;
		this.#movements = new Presence({ show: (...moved) => this.#showMovement(...moved), clock });
		const { session, outbox } = client;
		session.on("joined", (frame) => this.#joined(frame));
		session.on("messages", (page) => this.#store(page));
		session.on("lost", ({ room }) => this.note("Some messages sent while you were away have expired.", room));
		session.on("presence", (frame) => this.#presence(frame));
		session.on("members", ({ room }) => this.#peopleChanged(room));
		outbox.on("changed", (unsent) => this.#showUnsent(unsent));
		outbox.on("removed", ({ messageId, room }) => {
			this.listOf(room).removeUnsent(messageId);
			this.emit("changed", { room });
		});
		for (const unsent of outbox.all) this.#showUnsent(unsent);
	}

	get now() {
		return this.#client.session.now;
	}

	get list() {
		return this.listOf(this.room);
	}

	/** @param {string} room */
	listOf(room) {
		const known = this.#lists.get(room);
		if (known) return known;
		const list = new MessageList();
		this.#lists.set(room, list);
		list.preview(this.#archive.restore(room));
		return list;
	}

	/** @param {string} room */
	peopleOf(room) {
		const { session } = this.#client;
		const members = session.membersOf(room);
		const present = people(members.list, session.sender);
		return { people: present, count: personCount(present, members) };
	}

	/** The names of the people in the current room and of the authors in its list. */
	get names() {
		const here = this.peopleOf(this.room).people.map(({ name }) => name);
		const authors = this.list.items.flatMap(({ state, name }) => (state === "note" ? [] : [name]));
		return [...new Set([...here, ...authors])];
	}

	/** Whether more than one person in the room has that name. @param {string} name */
	isShared(name) {
		return this.#shared.has(comparable(name));
	}

	/** @param {string} room @param {string} [title] */
	open(room, title) {
		this.room = room;
		this.#visited.visit(room, Date.now(), title);
		this.#findShared();
		this.followRooms();
		this.emit("opened", { room });
	}

	/** Join the most recently visited rooms, the current one first. Other private rooms need no join to be heard. */
	followRooms() {
		const others = this.#visited.recent.filter((room) => room !== this.room && !isPrivate(room));
		this.#client.setRooms(this.room, others);
	}

	/** @param {string} room @param {Pick<Visited, "last" | "read">} [visited] what storage has of it */
	unreadOf(room, visited = this.#visited.find(room)) {
		const list = this.#lists.get(room);
		const { last = 0, read = last } = visited ?? {};
		return list?.lastSeq && list.isLive ? list.unread : Math.max(0, last - read);
	}

	/** Save how far the current room has been read. */
	saveRead() {
		const { lastSeq, read } = this.list;
		if (!this.#client.session.isIn(this.room)) return;
		this.#visited.update(this.room, { last: lastSeq, read });
		this.emit("read", { room: this.room, read });
	}

	/** Apply what another tab has marked as read. */
	readElsewhere() {
		for (const { room, read = 0 } of this.#visited.all) this.#lists.get(room)?.markSeen(0, read);
		this.followRooms();
	}

	markAllRead() {
		this.#visited.markAllRead();
		for (const list of this.#lists.values()) list.markSeen(0, list.lastSeq);
		this.emit("changed", { room: this.room });
	}

	/** Leave a room. Its list stays in memory, because the client resumes from it if the room is opened again.
	 * @param {string} room */
	forget(room) {
		this.#visited.forget(room);
		this.#archive.forget(room);
		this.followRooms();
	}

	/** Drop all that the page has of a room, its unsent messages too. @param {string} room */
	drop(room) {
		const { session, outbox } = this.#client;
		for (const unsent of outbox.all) if (unsent.room === room) outbox.discard(unsent.messageId);
		this.#lists.delete(room);
		session.drop(room);
		this.forget(room);
	}

	/** Add a note to a room's conversation. @param {string} words @param {string} [room] */
	note(words, room = this.room) {
		this.listOf(room).note(words, this.now);
		this.emit("changed", { room });
	}

	/** @param {SessionEvents["joined"]} frame */
	#joined({ room, lastSeq, complete, resumed }) {
		const list = this.listOf(room);
		if (!resumed) list.reset(complete);
		const { read = lastSeq } = this.#visited.find(room) ?? {};
		list.enter(resumed ? Math.max(list.read, read) : read, lastSeq);
		this.#visited.joined(room, lastSeq);
		for (const unsent of this.#client.outbox.all) if (unsent.room === room) this.#showUnsent(unsent);
		this.#peopleChanged(room);
		this.emit("changed", { room });
	}

	/** @param {SessionEvents["messages"]} page */
	#store({ room, messages, isFirstPage }) {
		const list = this.listOf(room);
		const isCurrent = room === this.room;
		const isAway = !isCurrent || !this.#isReading();
		const known = Math.max(list.lastSeq, list.read);
		list.store(messages, isAway);
		if (!isCurrent) {
			list.trim();
			this.#visited.update(room, { last: list.lastSeq });
		}
		if (isCurrent || this.#visited.find(room)) this.#archive.save(room, messages); // unless the room was just left
		this.emit("stored", { room, messages });
		this.emit("changed", { room });
		if (isFirstPage || !isAway) return;
		const news = messages.filter(({ seq, own }) => seq > known && !own);
		const mention = this.#findMention(news);
		const item = mention ?? news.at(-1);
		if (!item || !shouldNotify(this.#settings.levelOf(room), !!mention)) return;
		this.emit("news", { room, item: itemOf(item), isMention: !!mention });
	}

	/** The last message that mentions this person. @param {OwnedMessage[]} messages */
	#findMention(messages) {
		const { name } = this.#client.session;
		if (name === "") return undefined;
		const { names } = this;
		return messages.findLast(({ message }) => mentionsName(message, name, names));
	}

	/** @param {Unsent} unsent */
	#showUnsent(unsent) {
		const { connectionId, name, sender, userId, clockOffset } = this.#client.session;
		const at = unsent.at + clockOffset;
		const problem = unsent.failure ? advice(unsent.failure) : "";
		this.listOf(unsent.room).putUnsent({ ...unsent, at }, { connectionId, name, sender, userId }, problem);
		this.emit("changed", { room: unsent.room });
	}

	/** @param {SessionEvents["presence"]} frame */
	#presence({ room, event, sender = "", name = "", former = "" }) {
		this.#peopleChanged(room);
		const { session } = this.#client;
		if (session.isOwn(sender) || event === "count") return;
		const tabs = connectionsOf(session.membersOf(room).list, sender);
		if (event === "rename") {
			if (!former || former === name) return;
			this.listOf(room).presence({ event, sender, name, former }, this.now);
			this.emit("changed", { room });
		} else if (event === "leave" ? tabs === 0 : tabs === 1 && !former) {
			this.#movements.report(room, { event, sender, name: name || former }, this.now);
		}
	}

	/** @param {string} room @param {Movement} movement @param {number} at */
	#showMovement(room, movement, at) {
		this.listOf(room).presence(movement, at);
		this.emit("changed", { room });
	}

	/** @param {string} room */
	#peopleChanged(room) {
		if (room !== this.room) return;
		this.#findShared();
		this.emit("people", { room });
	}

	#findShared() {
		this.#shared = sharedNames(this.peopleOf(this.room).people);
	}
}
