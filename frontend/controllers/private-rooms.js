/** Private rooms and direct conversations of an account. Loaded only when it is signed in, or to invite a guest. */

import { AccountRequests, NO_SUCH_ROOM, RequestError } from "../client/account-requests.js";
import { asksToWait } from "../client/protocol.js";
import { Timers } from "../client/timers.js";
import { isPrivate } from "../model/address.js";
import { mentionsName } from "../model/mentions.js";
import { itemOf } from "../model/message-list.js";
import { PrivateRooms } from "../model/private-rooms.js";
import { lostLine, membershipLine, quoted, removalQuestion, requestProblem } from "../model/private-wording.js";
import { shouldNotify } from "../model/settings.js";
import { notify } from "../views/attention.js";
import { BlockedDialog } from "../views/blocked-dialog.js";
import { copyToClipboard } from "../views/clipboard.js";
import { confirmAction, tell } from "../views/confirm-dialog.js";
import { element, icon, make } from "../views/dom.js";
import { closeDrawer } from "../views/drawers.js";
import { InvitationDialog } from "../views/invitation-dialog.js";
import { NewRoomDialog } from "../views/new-room-dialog.js";
import { PopupMenu } from "../views/popup-menu.js";
import {
	addPersonButton,
	invitationTitle,
	LinkCard,
	messageAction,
	PrivateRoomsView,
	unsentTexts,
} from "../views/private-rooms-view.js";
import { RoomSettingsDialog } from "../views/room-settings-dialog.js";
import { showToast } from "../views/toast.js";

const READ_MS = 2000; // at most one `read` a room in this time
const LIST_MS = 1000; // frames about unknown rooms come in bursts
const FOLLOW_MS = 1500; // from a list to the descriptions for which it had no space
const DEFAULT_ROOM = "lobby";
const INVITATION = "invitation";
const INVITED_GUEST = "You have been invited to a private room. Sign in to join it.";

/** A guest must sign in first; the invitation waits in this tab.
 * @param {Pick<PrivateRoomsParts, "rooms" | "tab">} parts @returns {string} what to tell the guest, or "" */
export function inviteGuest({ rooms, tab }) {
	if (rooms.invitation) tab.save(INVITATION, rooms.invitation);
	rooms.invitation = "";
	return tab.loadText(INVITATION) ? INVITED_GUEST : "";
}

export class PrivateRoomsController {
	#session;
	#outbox;
	#chat;
	#rooms;
	#visited;
	#settings;
	#storage;
	#tab;
	#showPeople;
	#requests;
	#model;
	#view;
	#timers = new Timers(globalThis);
	#ownId;
	/** Rooms that have been joined since the page was opened: the chat model has their messages. @type {Set<string>} */
	#opened = new Set();
	/** Room → the seq that the server is to be told as read. @type {Map<string, number>} */
	#unsaid = new Map();
	/** Room → how far the chat model knows it to be read. @type {Map<string, number>} */
	#shared = new Map();
	#isListDue = false;
	/** Known rooms that the last list lacks and that have not followed it. @type {Set<string>} */
	#unlisted = new Set();
	/** Rooms that are being left here. @type {Set<string>} */
	#leaving = new Set();
	/** The last answer about each room's members. @type {Map<string, MembersFrame>} */
	#members = new Map();
	#settingsDialog;
	/** @type {InvitationDialog | undefined} */
	#invitationDialog;
	/** @type {BlockedDialog | undefined} */
	#blockedDialog;
	/** @type {NewRoomDialog | undefined} */
	#newRoomDialog;
	#linkCard = new LinkCard({ join: () => this.#joinByLink(), later: () => this.#endInvitation() });
	#personMenu = new PopupMenu(element("people", HTMLElement)); // in the drawer: what is outside it would close it;

	/** @param {PrivateRoomsParts} parts */
	constructor({ client, storage, tab, chat, rooms, visited, settings, people, rowMenu, showPeople }) {
		const { session, outbox } = client;
		this.#session = session;
		this.#outbox = outbox;
		this.#chat = chat;
		this.#rooms = rooms;
		this.#visited = visited;
		this.#settings = settings;
		this.#storage = storage;
		this.#tab = tab;
		this.#showPeople = showPeople;
		this.#ownId = session.userId ?? "";
		this.#requests = new AccountRequests({ session });
		this.#model = new PrivateRooms({ storage, ownId: this.#ownId });
		this.#view = new PrivateRoomsView({
			create: () => this.#create(),
			invite: () => this.#invite(),
			settings: () => this.#openSettings(),
			block: () => this.#toggleBlock(),
			accept: (room) => this.#accept({ action: "accept", room }),
			decline: (room) => this.#ask({ action: "decline", room }),
		});
		this.#settingsDialog = this.#makeSettings();
		this.groups = this.#view.groups((room) => this.#model.find(room));
		people.extend = (row, person) => this.#extendPerson(row, person);
		this.#extendMessageMenu(rowMenu);
		this.#follow();
	}

	async start() {
		await this.#view.start();
		this.#rooms.include(this);
		this.#showLists();
		if (isPrivate(this.#chat.room)) this.#roomOpened(this.#chat.room);
		if (this.#rooms.invitation || this.#tab.loadText(INVITATION)) this.invited();
		this.#showPeople();
	}

	/** For the account's menu. */
	openBlocked() {
		this.#blockedDialog ??= new BlockedDialog((userId) => this.#ask({ action: "block", userId, blocked: false }));
		this.#blockedDialog.open(this.#model.blocked);
	}

	// What controllers/rooms.js asks.

	/** @type {RoomGroup[]} */
	groups;

	/** @returns {RoomEntry[]} */
	get entries() {
		const unreadOf = (/** @type {string} */ room) => this.#unreadOf(room);
		const kinds = /** @type {const} */ (["private", "direct"]);
		return kinds.flatMap((kind) =>
			this.#model.listOf(kind, unreadOf).map(({ room }) => ({
				room,
				kind,
				title: this.titleOf(room),
				href: this.#rooms.addressOf(room),
				unread: this.#unreadOf(room),
				isMuted: this.#settings.levelOf(room) === "none",
			})),
		);
	}

	/** @param {string} room */
	titleOf(room) {
		return this.#model.titleOf(room) || (room.startsWith("@") ? "Direct message" : "Private room");
	}

	markAllRead() {
		for (const { room } of this.entries) {
			const { lastSeq } = this.#model.find(room) ?? {};
			if (lastSeq) this.#readUpTo(room, lastSeq);
		}
	}

	/** @param {string} room */
	leave(room) {
		if (room.startsWith("@")) return "You cannot leave a direct conversation. You can block the other person.";
		this.#leave(room);
		return "";
	}

	/** @param {string} room */
	show(room) {
		const description = this.#model.find(room);
		this.#view.showRoom(room, description, this.#model.isBlocked(description?.with?.userId ?? ""));
	}

	invited() {
		if (this.#rooms.invitation) this.#tab.save(INVITATION, this.#rooms.invitation);
		const { room } = this.#invitation;
		if (!this.#model.find(room)) return this.#linkCard.show();
		this.#endInvitation();
		this.#open(room);
	}

	// Frames.

	#follow() {
		const session = this.#session;
		session.on("frame", (frame) => this.#receive(/** @type {ServerFrame | AccountServerFrame} */ (frame)));
		session.on("signedin", () => {
			this.#list(true);
			for (const room of this.#unsaid.keys()) this.#sayRead(room);
		});
		this.#chat.on("opened", ({ room }) => this.#roomOpened(room));
		this.#chat.on("read", ({ room, read }) => {
			if (isPrivate(room)) this.#readUpTo(room, read);
		});
		this.#model.on("change", () => this.#changedSoon());
		this.#model.on("lost", ({ room, title }) => this.#lost(room, title));
		this.#model.on("invitation", (invitation) => {
			const words = `${invitationTitle(invitation)}.`;
			showToast(words);
			if (this.#settings.notifications && document.hidden) notify(words, "", () => {});
		});
		document.addEventListener("visibilitychange", () => {
			if (!document.hidden) this.#list();
		});
	}

	/** @param {ServerFrame | AccountServerFrame} frame */
	#receive(frame) {
		switch (frame.type) {
			case "rooms":
				return this.#listedRooms(frame);
			case "room":
				this.#unlisted.delete(frame.room);
				return this.#model.describe(frame);
			case "members":
				return this.#listed(frame);
			case "membership":
				return this.#membershipChanged(frame);
			case "removed":
				return frame.userId === this.#ownId ? this.#model.lose(frame.room) : undefined;
			case "invitation":
				return this.#model.invite(frame);
			case "message":
				return isPrivate(frame.room) ? this.#arrived(frame) : undefined;
			case "joined":
				return isPrivate(frame.room) ? this.#joined(frame) : undefined;
			case "error":
				if (frame.action === "rooms" && asksToWait(frame.code)) return this.#listLater(frame.retryAfterMs);
				return frame.code === NO_SUCH_ROOM ? this.#barred(frame) : undefined;
		}
	}

	/** Ask for the rooms: at once, and once more after the interval if they were wanted again within it. */
	#list(isNewConnection = false) {
		this.#isListDue = this.#timers.isRunning("list") && !isNewConnection;
		if (this.#isListDue) return;
		this.#session.send({ action: "rooms" });
		this.#timers.start("list", LIST_MS, () => this.#isListDue && this.#list());
	}

	/** @param {number} [waitMs] */
	#listLater(waitMs = LIST_MS) {
		this.#timers.start("list", waitMs, () => this.#list());
	}

	/** Of the rooms that the list lacks, those that do not follow are asked for: a refusal says that they are lost.
	 * @param {RoomsFrame} frame */
	#listedRooms(frame) {
		this.#unlisted = new Set(this.#model.list(frame));
		for (const { room } of this.#visited.all) {
			const isLeft = isPrivate(room) && !this.#model.find(room) && room !== this.#chat.room;
			if (isLeft) this.#chat.drop(room); // by an earlier visit
		}
		if (!this.#unlisted.size) return this.#timers.cancel("verify");
		this.#timers.start("verify", FOLLOW_MS, () => {
			for (const room of this.#unlisted) this.#session.send({ action: "members", room });
		});
	}

	/** @param {MembersFrame} frame */
	#listed(frame) {
		const { room, members } = frame;
		this.#members.set(room, frame);
		this.#model.setRoles(room, members);
		const people = members.map(({ userId, name, sender }) => ({ connectionId: userId, name, sender, userId }));
		this.#session.setMembers(room, people);
		this.#showDialogs();
	}

	/** @param {MembershipFrame} frame */
	#membershipChanged(frame) {
		const { room, userId, name, role } = frame;
		const isOwn = userId === this.#ownId;
		if (isOwn && !role) return this.#model.find(room) && this.#model.lose(room);
		if (isOwn) this.#model.expect(room);
		if (!this.#model.find(room)) return this.#list();
		const what = this.#model.change(frame);
		if (what && this.#session.isIn(room)) this.#chat.note(membershipLine(what, name, isOwn), room);
		// The frame has no sender, which the list of people needs; the settings may be open.
		const isShown = this.#session.isIn(room) || (this.#settingsDialog.isOpen && room === this.#chat.room);
		if (what && isShown) this.#session.send({ action: "members", room });
	}

	/** @param {MessageFrame} message */
	#arrived(message) {
		const { room } = message;
		const own = this.#session.isOwn(message.sender);
		const isNew = message.seq > (this.#model.find(room)?.lastSeq ?? 0);
		if (!this.#model.arrived(message, own)) this.#list();
		if (this.#opened.has(room) || own || !isNew) return; // the chat model tells of opened rooms
		const isMention = mentionsName(message.message, this.#session.name, [this.#session.name]);
		if (!shouldNotify(this.#settings.levelOf(room), isMention)) return;
		this.#chat.emit("news", { room, item: itemOf({ ...message, own }), isMention });
	}

	/** @param {JoinedFrame} frame */
	#joined({ room, members }) {
		this.#opened.add(room);
		this.#model.setRoles(room, members);
		if (!this.#model.find(room)) this.#list();
	}

	/** @param {ErrorFrame} error */
	#barred({ action = "", room = "" }) {
		if (!isPrivate(room) || action === "accept") return;
		if (this.#model.find(room)) return this.#model.lose(room);
		if (room === this.#chat.room) this.#close(room, () => showToast("There is no such room, or you are not a member."));
	}

	// Reading.

	/** @param {string} room */
	#unreadOf(room) {
		if (this.#opened.has(room) && this.#session.isIn(room)) return this.#chat.unreadOf(room);
		return this.#model.find(room)?.unread ?? 0;
	}

	/** Before it is joined: what the account has read on any device counts as read. @param {string} room */
	#roomOpened(room) {
		if (!isPrivate(room)) return;
		this.#visited.update(room, { last: this.#model.find(room)?.lastSeq, read: this.#model.readOf(room) });
	}

	/** @param {string} room @param {number} seq */
	#readUpTo(room, seq) {
		if (!this.#model.read(room, seq)) return;
		this.#unsaid.set(room, seq);
		if (!this.#timers.isRunning(`read ${room}`)) this.#sayRead(room);
	}

	/** @param {string} room */
	#sayRead(room) {
		const seq = this.#unsaid.get(room);
		if (seq === undefined || !this.#session.send({ action: "read", room, seq })) return;
		this.#unsaid.delete(room);
		this.#timers.start(`read ${room}`, READ_MS, () => this.#sayRead(room));
	}

	// Showing.

	#changedSoon() {
		if (!this.#timers.isRunning("change")) this.#timers.start("change", 0, () => this.#showLists());
	}

	#showLists() {
		for (const room of this.#opened) {
			const read = this.#model.readOf(room);
			if (read === this.#shared.get(room)) continue;
			this.#shared.set(room, read);
			this.#visited.update(room, { read });
			const list = this.#chat.listOf(room);
			if (list.markSeen(0, read)) this.#chat.emit("changed", { room });
		}
		this.#view.showInvitations(this.#model.invitations);
		this.#view.showHint(this.#model.listOf("direct", () => 0).length > 0);
		this.#rooms.refresh();
		this.#showDialogs();
		this.#blockedDialog?.show(this.#model.blocked);
	}

	#showDialogs() {
		const { room } = this.#chat;
		const description = this.#model.find(room);
		const listed = this.#members.get(room);
		if (!description) return;
		if (this.#settingsDialog.isOpen) this.#settingsDialog.show(description, listed);
		this.#invitationDialog?.showLinks(listed?.invites ?? []);
	}

	// Requests.

	/** @param {AccountFrame} frame @returns {Promise<string>} why it failed, or "" */
	async #ask(frame) {
		return (await this.#answer(frame)).problem;
	}

	/** @param {AccountFrame} frame @returns {Promise<{answer?: AccountServerFrame, problem: string}>} */
	async #answer(frame) {
		try {
			return { answer: await this.#requests.request(frame), problem: "" };
		} catch (error) {
			if (!(error instanceof RequestError)) throw error;
			return { problem: requestProblem(error.problem, frame.action) };
		}
	}

	/** A change after which the list of members is asked for again. @param {AccountFrame & {room: string}} frame */
	async #change(frame) {
		const problem = await this.#ask(frame);
		const { room } = frame;
		if (!problem) await this.#ask({ action: "members", room });
		return problem;
	}

	/** @param {string} room */
	#open(room) {
		closeDrawer("rooms");
		closeDrawer("people");
		location.hash = this.#rooms.addressOf(room);
	}

	#create() {
		this.#newRoomDialog ??= new NewRoomDialog(async (title, sharesHistory) => {
			if (!title) return "Enter a title of 1 to 80 visible characters.";
			const { answer, problem } = await this.#answer({ action: "createroom", title, sharesHistory });
			if (answer?.type === "room") this.#open(answer.room);
			return problem;
		});
		closeDrawer("rooms");
		this.#newRoomDialog.open();
	}

	/** @param {string} userId */
	async #message(userId) {
		const { answer, problem } = await this.#answer({ action: "direct", userId });
		if (answer?.type === "room") this.#open(answer.room);
		else showToast(problem);
	}

	/** @param {AccountFrame & {room: string}} frame */
	async #accept(frame) {
		const problem = await this.#ask(frame);
		if (!problem) this.#open(frame.room);
		return problem;
	}

	// Invitations by link.

	get #invitation() {
		const [room, token = ""] = (this.#tab.loadText(INVITATION) ?? "").split(".");
		return { room, token };
	}

	async #joinByLink() {
		const problem = await this.#accept({ action: "accept", ...this.#invitation });
		if (!problem) this.#endInvitation();
		return problem;
	}

	#endInvitation() {
		this.#rooms.invitation = "";
		this.#tab.remove(INVITATION);
		this.#linkCard.hide();
	}

	#invite() {
		const { room } = this.#chat;
		this.#invitationDialog ??= new InvitationDialog({
			invite: (name) => this.#ask({ action: "invite", room: this.#chat.room, name }),
			createLink: (uses, hours) => this.#createLink(uses, hours),
			revoke: (inviteId) => this.#ask({ action: "revokeinvite", room: this.#chat.room, inviteId }),
		});
		this.#invitationDialog.open();
		this.#ask({ action: "members", room });
	}

	/** @param {number} uses @param {number} hours */
	async #createLink(uses, hours) {
		const { room } = this.#chat;
		const { answer, problem } = await this.#answer({ action: "createinvite", room, uses, hours });
		if (answer?.type !== "invite") return { link: "", problem };
		this.#ask({ action: "members", room });
		const url = new URL(location.href);
		url.hash = `invite=${room}.${answer.token}`;
		return { link: url.href, problem };
	}

	// Settings, members, leaving.

	#makeSettings() {
		const at = () => ({ room: this.#chat.room });
		return new RoomSettingsDialog({
			ownId: this.#ownId,
			edit: (title, sharesHistory) => this.#ask({ action: "editroom", ...at(), title, sharesHistory }),
			setRole: (userId, role) => this.#ask({ action: "setrole", ...at(), userId, role }),
			unban: (userId) => this.#ask({ action: "unban", ...at(), userId }),
			confirmRemoval: (name, isBan) => confirmAction(removalQuestion(name, isBan)),
			remove: (userId, isBan) => this.#change({ action: "remove", ...at(), userId, ban: isBan || undefined }),
			message: (userId) => {
				this.#settingsDialog.close();
				this.#message(userId);
			},
			invite: () => this.#invite(),
			leave: () => this.#leave(this.#chat.room),
		});
	}

	#openSettings() {
		const { room } = this.#chat;
		const description = this.#model.find(room);
		if (!description) return;
		this.#members.delete(room);
		this.#settingsDialog.open(description);
		this.#ask({ action: "members", room });
	}

	/** @param {string} room */
	async #leave(room) {
		const title = this.titleOf(room);
		const { answer } = await this.#answer({ action: "members", room });
		const members = answer?.type === "members" ? answer.members : [];
		const isLastOwner = members.every(({ role, userId }) => (role === "owner") === (userId === this.#ownId));
		if (members.length > 1 && isLastOwner) {
			const text = "You are the only owner of this room. Make another member owner first, in the room’s settings.";
			tell({ title: `Leave ${quoted(title)}`, text });
			return;
		}
		const text =
			members.length === 1
				? "You are the only member. Nobody can read the room after you leave."
				: "You will not see its messages any more. To come back you need a new invitation.";
		if (!(await confirmAction({ title: `Leave ${quoted(title)}?`, text, action: "Leave room" }))) return;
		this.#leaving.add(room);
		const problem = await this.#ask({ action: "quit", room });
		this.#leaving.delete(room);
		if (problem) tell({ title: `Leave ${quoted(title)}`, text: problem });
	}

	// The end of a membership.

	/** Close a room and drop what the page has of it. @param {string} room @param {() => void} [then] */
	#close(room, then = () => {}) {
		if (room === this.#chat.room) {
			this.#settingsDialog.close();
			this.#invitationDialog?.close();
		}
		this.#exit(room, () => {
			this.#chat.drop(room);
			this.#storage.remove(`draft.${room}`);
			this.#settings.setLevel(room, "all");
			this.#opened.delete(room);
			this.#members.delete(room);
			this.#shared.delete(room);
			this.#unsaid.delete(room);
			this.#rooms.refresh();
			then();
		});
	}

	/** Go to another room if this one is shown, then act. It is gone, so the Back button must not lead to it.
	 * @param {string} room @param {() => void} act */
	#exit(room, act) {
		if (room !== this.#chat.room) return act();
		const former = this.#visited.recent.find((each) => each !== room) ?? DEFAULT_ROOM;
		addEventListener("hashchange", act, { once: true });
		location.replace(this.#rooms.addressOf(former));
	}

	/** @param {string} room @param {string} title */
	#lost(room, title) {
		const unsent = this.#outbox.all.filter((each) => each.room === room);
		const texts = [...unsent.map(({ text }) => text), this.#storage.loadText(`draft.${room}`) ?? ""].filter(Boolean);
		for (const { messageId } of unsent) this.#outbox.discard(messageId);
		const isShown = room === this.#chat.room;
		const isWanted = this.#leaving.has(room);
		this.#close(room, () => {
			if (texts.length) this.#offerTexts(lostLine(room, title), texts);
			else if (isWanted) showToast(`You have left ${quoted(title)}.`);
			else if (isShown) tell({ title: "This room is closed", text: lostLine(room, title) });
			else showToast(lostLine(room, title));
		});
	}

	/** @param {string} text @param {string[]} texts */
	#offerTexts(text, texts) {
		const copy = make("button", { type: "button", className: "plain" }, icon("copy"), "Copy");
		copy.onclick = () => copyToClipboard(texts.join("\n\n"), "Text copied.");
		tell({ title: "This room is closed", text }, ...unsentTexts(texts), copy);
	}

	// People.

	/** @param {HTMLElement} row @param {Present} person */
	#extendPerson(row, person) {
		const { userId, name } = person;
		if (!userId || userId === this.#ownId) return;
		const items = () => [
			{ label: `Message ${name}`, icon: "chat", act: () => this.#message(userId) },
			this.#blockItem({ userId, name }),
		];
		addPersonButton(row, person, (opener) => this.#personMenu.open(opener, items()));
	}

	/** @param {Account} person */
	#blockItem(person) {
		const isBlocked = this.#model.isBlocked(person.userId);
		const label = `${isBlocked ? "Unblock" : "Block"} ${person.name}`;
		return { label, icon: "block", act: () => this.#block(person, !isBlocked) };
	}

	/** @param {Account} person @param {boolean} blocked */
	async #block({ userId, name }, blocked) {
		const text =
			"They cannot send you direct messages or invitations any more. You can unblock them in your account’s menu.";
		if (blocked && !(await confirmAction({ title: `Block ${name}?`, text, action: "Block" }))) return;
		const problem = await this.#ask({ action: "block", userId, blocked });
		showToast(problem || `${name} is ${blocked ? "blocked" : "no longer blocked"}.`);
	}

	#toggleBlock() {
		const partner = this.#model.find(this.#chat.room)?.with;
		if (partner) this.#block(partner, !this.#model.isBlocked(partner.userId));
	}

	/** @param {PrivateRoomsParts["rowMenu"]} rowMenu */
	#extendMessageMenu(rowMenu) {
		const author = () => {
			const { own = true, userId = "", name = "" } = rowMenu.item ?? {};
			return own || !userId ? undefined : { userId, name };
		};
		/** @param {(person: Account) => void} act */
		const withAuthor = (act) => () => {
			const person = author();
			if (person) act(person);
		};
		const nameMessage = messageAction(
			"chat",
			withAuthor(({ userId }) => this.#message(userId)),
		);
		const nameBlock = messageAction(
			"block",
			withAuthor((person) => this.#blockItem(person).act()),
		);
		element("rowMenu", HTMLElement).addEventListener("beforetoggle", ({ newState }) => {
			if (newState !== "open") return;
			const person = author();
			const isPartner = this.#model.find(this.#chat.room)?.with?.userId === person?.userId;
			nameMessage(person && !isPartner ? `Message ${person.name}` : "");
			nameBlock(person ? this.#blockItem(person).label : "");
		});
	}
}
