/** Rooms: the one that the URL names, the list with unread counts, opening, leaving and switching. */

import { Timers } from "../client/timers.js";
import { addressOf, isPrivate, parseAddress, roomFromTitle } from "../model/address.js";
import { showUnread } from "../views/attention.js";
import { closest } from "../views/dom.js";
import { closeDrawer } from "../views/drawers.js";
import { RoomPanel } from "../views/room-panel.js";
import { RoomsView } from "../views/rooms-view.js";
import { showToast } from "../views/toast.js";

const SAVE_MS = 1000;
const COUNTS_MS = 100;
const INVITATION = /^#invite=(~[a-z2-7]{26}\.[\w-]{16,128})$/;

export class Rooms {
	#chat;
	#visited;
	#settings;
	#actions;
	#timers = new Timers(globalThis);
	#list;
	#panel;
	/** An account's private rooms, once they are loaded. @type {PrivateDirectory | undefined} */
	#directory;
	/** An invitation from the URL: a room's key, a dot and a token. */
	invitation = "";

	/** @param {RoomsOptions} options */
	constructor({ chat, visited, settings, storage, ...actions }) {
		this.#chat = chat;
		this.#visited = visited;
		this.#settings = settings;
		this.#actions = actions;
		this.#list = new RoomsView({
			open: (typed) => this.open(typed),
			forget: (room) => this.#forget(room),
			markAllRead: () => {
				chat.markAllRead();
				this.#directory?.markAllRead();
			},
		});
		this.#panel = new RoomPanel({
			search: () => actions.search(false),
			jumpToDate: () => actions.search(true),
			copyRoomLink: actions.copyRoomLink,
			leave: () => this.leave(),
			setLevel: (level) => settings.setLevel(chat.room, level),
		});
		this.#takeInvitation();
		chat.room = parseAddress(location.hash).room;
		chat.on("changed", () => this.#showCountsSoon());
		settings.on("change", ({ setting }) => {
			if (setting !== "levels") return;
			this.#showPanel();
			this.#showCounts();
		});
		storage.watch((key) => {
			if (key !== "rooms") return;
			chat.readElsewhere(); // in another tab
			this.#showCounts();
		});
		addEventListener("hashchange", () => this.#followAddress());
		// A link to the current URL fires no hashchange, but must still go back to its message.
		addEventListener("click", (event) => {
			const link = closest(event, "a", HTMLAnchorElement);
			if (link?.hash && link.href === location.href) this.#followAddress();
		});
	}

	/** The current room's name for people. */
	get title() {
		return this.titleOf(this.#chat.room);
	}

	/** @param {string} room */
	titleOf(room) {
		if (isPrivate(room)) return this.#directory?.titleOf(room) ?? "Private room";
		return this.#visited.find(room)?.title ?? `#${room}`;
	}

	/** The URL fragment of a room or of one of its messages, with #. @param {string} room @param {number} [seq] */
	addressOf(room, seq) {
		return addressOf(room, { title: this.#visited.find(room)?.title, seq });
	}

	/** The full URL of the current room or of one of its messages. @param {number} [seq] */
	linkTo(seq) {
		return new URL(this.addressOf(this.#chat.room, seq), location.href).href;
	}

	/** List an account's private rooms, too. @param {PrivateDirectory} directory */
	include(directory) {
		this.#directory = directory;
		for (const group of directory.groups) this.#list.addGroup(group);
		this.refresh();
	}

	/** A title or a count has changed. */
	refresh() {
		this.#actions.titled(this.title);
		this.#showPanel();
		this.#showCounts();
	}

	/** The rooms in display order. @returns {RoomEntry[]} */
	get entries() {
		// For all rooms at once, because each look-up by name parses the stored list.
		const unread = new Map(
			this.#visited.all.map((visited) => [visited.room, this.#chat.unreadOf(visited.room, visited)]),
		);
		const open = this.#visited
			.byAttention((room) => unread.get(room) ?? 0)
			.filter(({ room }) => !isPrivate(room))
			.map(({ room, title = "" }) => ({
				room,
				title,
				href: addressOf(room, { title }),
				unread: unread.get(room) ?? 0,
				isMuted: this.#settings.levelOf(room) === "none",
			}));
		return [...open, ...(this.#directory?.entries ?? [])];
	}

	/** The rooms to switch to: most recently visited first, the current one last. @returns {RoomEntry[]} */
	get destinations() {
		const order = this.#visited.recent.filter((room) => room !== this.#chat.room);
		const last = order.length + 1;
		const place = (/** @type {RoomEntry} */ { room }) =>
			order.indexOf(room) + 1 || last + Number(room === this.#chat.room);
		return this.entries.sort((a, b) => place(a) - place(b));
	}

	/** Show the room that the URL names. */
	show() {
		const { title, seq, problem } = parseAddress(location.hash);
		this.#chat.open(this.#chat.room, title);
		this.#showPanel();
		this.#actions.shown(seq);
		this.#showCounts();
		if (problem) showToast(problem);
	}

	/** Open a room by its name or title. @param {string} typed @returns {string} why it could not be opened, or "" */
	open(typed) {
		const { room, title, problem } = roomFromTitle(typed);
		if (problem) return problem;
		location.hash = addressOf(room, { title });
		closeDrawer("rooms");
		this.#actions.opened();
		return "";
	}

	/** Leave the current room and go to the previous one. @returns {string} why it could not be left, or "" */
	leave() {
		const [left, next] = [this.#chat.room, this.#former];
		if (isPrivate(left)) return this.#directory?.leave(left) ?? "";
		if (next === left) return "This is your only room. Open another one first.";
		addEventListener("hashchange", () => this.#forget(left), { once: true });
		location.hash = this.addressOf(next);
		return "";
	}

	/** Go up or down the list. @param {number} step @param {boolean} onlyUnread */
	go(step, onlyUnread) {
		const { entries } = this;
		const at = entries.findIndex(({ room }) => room === this.#chat.room);
		const order = entries.map((_, index) => entries[(at + step * (index + 1) + entries.length * 2) % entries.length]);
		const next = order.find(({ room, unread }) => room !== this.#chat.room && (!onlyUnread || unread));
		if (next) location.hash = next.href;
	}

	/** Drop the message from the URL. */
	leaveMessage() {
		if (parseAddress(location.hash).seq === undefined) return;
		history.replaceState(null, "", this.addressOf(this.#chat.room));
	}

	/** Save how far the current room has been read, and update the counts. */
	saveRead() {
		this.#timers.cancel("save");
		this.#chat.saveRead();
		this.#showCounts();
	}

	/** Something was read: save it within a second. */
	readSoon() {
		if (!this.#timers.isRunning("save")) this.#timers.start("save", SAVE_MS, () => this.saveRead());
		this.#showCountsSoon();
	}

	/** The room that was open before this one, or the default room. */
	get #former() {
		return this.#visited.recent.find((room) => room !== this.#chat.room) ?? parseAddress("").room;
	}

	/** An invitation's token leaves the URL at once. */
	#takeInvitation() {
		const [, invitation] = location.hash.match(INVITATION) ?? [];
		if (!invitation) return false;
		this.invitation = invitation;
		history.replaceState(
			null,
			"",
			this.#chat.room ? this.addressOf(this.#chat.room) : location.pathname + location.search,
		);
		return true;
	}

	/** @param {string} room */
	#forget(room) {
		this.#chat.forget(room);
		this.#showPanel();
		this.#showCounts();
	}

	#followAddress() {
		if (this.#takeInvitation()) return this.#directory?.invited();
		const { room, seq, problem } = parseAddress(location.hash);
		if (room !== this.#chat.room) {
			this.saveRead();
			this.#chat.room = room;
			this.show();
			return;
		}
		if (problem) showToast(problem);
		this.#actions.followed(seq);
	}

	#showPanel() {
		const { room } = this.#chat;
		const level = this.#settings.levelOf(room);
		this.#panel.show({ title: this.title, href: this.linkTo(), level, mayLeave: this.#former !== room });
		this.#directory?.show(room);
	}

	#showCounts() {
		const { entries } = this;
		const unread = entries.reduce((sum, each) => sum + (each.isMuted ? 0 : each.unread), 0);
		showUnread(`${this.title} · Chat`, unread);
		this.#list.show(entries, this.#chat.room);
	}

	#showCountsSoon() {
		if (!this.#timers.isRunning("counts")) this.#timers.start("counts", COUNTS_MS, () => this.#showCounts());
	}
}
