/** An account's private rooms and direct conversations: titles, roles, unread counts, invitations, blocked people. */

import { ACCOUNT_FRAMES } from "../client/account-requests.js";
import { Emitter } from "../client/emitter.js";

const KEY = "private-rooms";
const STALE_MS = 5000;
const RESTART_STEP = 10_000; // a log that begins again skips more places than anyone could have missed
const { compare } = new Intl.Collator(undefined, { numeric: true });

/** A room's name for people. @param {Pick<Description, "kind" | "title" | "with">} description */
const nameOf = ({ kind, title, with: partner }) => (kind === "direct" ? partner?.name : title) ?? "";

/** @extends {Emitter<PrivateRoomsEvents>} */
export class PrivateRooms extends Emitter {
	#storage;
	#ownId;
	#clock;
	/** @type {Map<string, Description>} */
	#rooms = new Map();
	/** @type {Invitation[]} */
	invitations = [];
	/** @type {Account[]} */
	blocked = [];
	/** Room → account → its role, as far as it is known. @type {Map<string, Map<string, Role | undefined>>} */
	#roles = new Map();
	/** Room → when it was lost: a list that was read before may still come. @type {Map<string, number>} */
	#lostAt = new Map();

	/** @param {{storage: LocalStore, ownId: string, clock?: Pick<Clock, "Date">}} options */
	constructor({ storage, ownId, clock = globalThis }) {
		super();
		this.#clock = clock;
		this.#storage = storage;
		this.#ownId = ownId;
		const { rooms, blocked } = Object(storage.load(KEY));
		const frame = { rooms, invitations: [], blocked };
		if (!Object.entries(ACCOUNT_FRAMES.rooms).every(([field, check]) => check(Object(frame)[field]))) return;
		this.#rooms = new Map(rooms.map((/** @type {Description} */ each) => [each.room, each]));
		this.blocked = blocked;
	}

	/** Unread ones first, then by name. @param {RoomKind} kind @param {(room: string) => number} unreadOf */
	listOf(kind, unreadOf) {
		const listed = [...this.#rooms.values()].filter((each) => each.kind === kind);
		const hasUnread = (/** @type {Description} */ { room }) => Number(unreadOf(room) > 0);
		return listed.sort(
			(a, b) => hasUnread(b) - hasUnread(a) || compare(nameOf(a), nameOf(b)) || compare(a.room, b.room),
		);
	}

	/** @param {string} room @returns {Description | undefined} */
	find(room) {
		return this.#rooms.get(room);
	}

	/** @param {string} room */
	titleOf(room) {
		const known = this.#rooms.get(room);
		return known && nameOf(known);
	}

	/** The seq up to which a room is read. @param {string} room */
	readOf(room) {
		const { lastSeq = 0, unread = 0 } = this.#rooms.get(room) ?? {};
		return lastSeq - unread;
	}

	/** @param {string} userId */
	isBlocked(userId) {
		return this.blocked.some((each) => each.userId === userId);
	}

	/** Apply the server's list. Rooms for which it has no space follow one by one, so what it lacks need not be lost.
	 * @param {RoomsFrame} frame @returns {string[]} the known rooms that it lacks */
	list({ rooms, invitations, blocked }) {
		const stale = this.#clock.Date.now() - STALE_MS;
		const listed = rooms.filter(({ room }) => (this.#lostAt.get(room) ?? 0) <= stale);
		const names = new Set(listed.map(({ room }) => room));
		const known = new Set(this.invitations.map(({ room }) => room));
		for (const each of listed) this.#put(each);
		this.blocked = blocked;
		this.invitations = invitations;
		this.#changed();
		for (const each of invitations) if (!known.has(each.room)) this.emit("invitation", each);
		return [...this.#rooms.keys()].filter((room) => !names.has(room));
	}

	/** @param {RoomFrame} frame */
	describe({ type: _, ...description }) {
		this.invitations = this.invitations.filter(({ room }) => room !== description.room);
		this.#lostAt.delete(description.room);
		this.#put(description);
		this.#changed();
	}

	/** A message has arrived. @param {Pick<Message, "room" | "seq" | "userId" | "name">} message @param {boolean} isOwn
	 * @returns {boolean} whether its room is known */
	arrived({ room, seq, userId, name }, isOwn) {
		const known = this.#rooms.get(room);
		if (!known) return false;
		if (seq <= known.lastSeq) return true;
		if (known.with && known.with.userId === userId) known.with = { userId, name }; // the partner's new name
		const step = seq - known.lastSeq;
		known.unread = isOwn ? 0 : known.unread + (step < RESTART_STEP ? step : 1); // as the server counts
		known.lastSeq = seq;
		this.emit("change", undefined); // not saved: the next list is
		return true;
	}

	/** @param {string} room @param {number} seq up to which it is read @returns {boolean} whether that is news */
	read(room, seq) {
		const known = this.#rooms.get(room);
		if (!known || seq <= this.readOf(room)) return false;
		known.lastSeq = Math.max(known.lastSeq, seq);
		known.unread = known.lastSeq - seq;
		this.#changed();
		return true;
	}

	/** @param {InvitationFrame} frame */
	invite({ type: _, ...invitation }) {
		this.invitations = [...this.invitations.filter(({ room }) => room !== invitation.room), invitation];
		this.emit("invitation", invitation);
		this.emit("change", undefined);
	}

	/** The members that a room is known to have. @param {string} room @param {{userId?: string, role?: Role}[]} members */
	setRoles(room, members) {
		const former = this.#roles.get(room);
		this.#roles.set(
			room,
			new Map(members.flatMap(({ userId, role }) => (userId ? [[userId, role ?? former?.get(userId)]] : []))),
		);
	}

	/** Apply a change of membership. @param {MembershipFrame} frame
	 * @returns {"joined" | "left" | "removed" | Role | undefined} what happened; undefined: nothing new */
	change({ room, userId, role, by }) {
		const known = this.#rooms.get(room);
		const roles = this.#roles.get(room) ?? new Map();
		const wasMember = roles.has(userId);
		const former = roles.get(userId);
		if (role) roles.set(userId, role);
		else roles.delete(userId);
		this.#roles.set(room, roles);
		if (known && wasMember !== (role !== null)) known.memberCount = Math.max(roles.size, 1);
		if (known && role && userId === this.#ownId) known.role = role;
		this.#changed();
		if (!role) return wasMember || former ? (by === userId ? "left" : "removed") : undefined;
		if (!wasMember) return "joined";
		return role === former || (!former && role === "member") ? undefined : role;
	}

	/** The account has entered a room, on another device perhaps: the next list has it. @param {string} room */
	expect(room) {
		this.#lostAt.delete(room);
	}

	/** The account is no longer a member of a room. @param {string} room */
	lose(room) {
		const title = this.titleOf(room);
		this.#rooms.delete(room);
		this.#roles.delete(room);
		this.#lostAt.set(room, this.#clock.Date.now());
		this.#changed();
		this.emit("lost", { room, title: title ?? "" });
	}

	/** @param {Description} description */
	#put(description) {
		const known = this.#rooms.get(description.room);
		const lastSeq = Math.max(description.lastSeq, known?.lastSeq ?? 0); // a message may have overtaken the answer
		const read = Math.max(description.lastSeq - description.unread, this.readOf(description.room));
		this.#rooms.set(description.room, { ...description, lastSeq, unread: Math.max(0, lastSeq - read) });
	}

	#changed() {
		this.#storage.save(KEY, { rooms: [...this.#rooms.values()], blocked: this.blocked });
		this.emit("change", undefined);
	}
}
