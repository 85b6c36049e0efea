/** The fake server's private rooms and direct conversations, by the rules of docs/protocol.md. */

const PRIVATE = /^[~@][a-z2-7]{26}$/;
const ROLES = ["member", "moderator", "owner"];
const LETTERS = "abcdefghijklmnopqrstuvwxyz234567";
const MAX_MEMBERS = 100;
const HOUR_MS = 3_600_000;
const INVITATION_HOURS = 168;

const ERRORS = {
	sign_in_required: "Sign in first",
	no_such_room: "There is no such room, or you are not a member",
	no_such_invitation: "This invitation is not valid, or no longer",
	not_allowed: "Your role in this room does not allow this",
	not_a_member: "This account is not a member of the room",
	last_owner: "You are the last owner; make another member owner first",
	room_full: `A private room has at most ${MAX_MEMBERS} members`,
	invalid_title: "A title has 1 to 80 characters, at least one of them visible and none a control character",
};

/** A refusal. */
class Refused extends Error {}

/** Messages and people, as pages may have them. */
const accountOf = ({ userId, name }) => ({ userId, name });

/** 26 letters that stand for a text. */
function lettersOf(text) {
	let [state, made] = [7, ""];
	for (const one of `${text}${"·".repeat(26)}`) {
		state = (Math.imul(state, 31) + one.codePointAt(0)) >>> 0;
		made += LETTERS[(state >>> 15) % 32];
	}
	return made.slice(-26);
}

class Room {
	/** userId → {role, since}. */
	roles = new Map();
	/** Token → link. */
	links = new Map();
	/** userId → {by, expiresAt}: invited by name. */
	invited = new Map();
	/** userId → name. */
	banned = new Map();
	/** userId → the seq up to which it has read. */
	read = new Map();

	constructor(key, kind, title, sharesHistory) {
		Object.assign(this, { key, kind, title, sharesHistory });
	}

	get owners() {
		return [...this.roles.values()].filter(({ role }) => role === "owner").length;
	}
}

export class PrivateRooms {
	#server;
	/** @type {Map<string, Room>} */
	#rooms = new Map();
	/** userId → those whom it has blocked. */
	#blocked = new Map();
	#made = 0;

	constructor(server) {
		this.#server = server;
	}

	/** Whether a frame is about private rooms; then it is answered. */
	takes(peer, frame) {
		const isOwn = ["rooms", "createroom", "direct", "block"].includes(frame.action);
		const named = frame.to ?? frame.room ?? peer.current;
		if (!isOwn && !(typeof named === "string" && PRIVATE.test(named))) return false;
		const handler = HANDLERS[frame.action];
		if (!handler) return false;
		try {
			if (!peer.account) throw new Refused("sign_in_required");
			handler.call(this, peer, frame, named);
		} catch (error) {
			if (!(error instanceof Refused)) throw error;
			this.#server.refuse(peer, frame, error.message, ERRORS[error.message]);
		}
		return true;
	}

	/** The one gate: the room, for a member. */
	enter({ account }, key) {
		const room = this.#rooms.get(key);
		if (!room?.roles.has(account.userId)) throw new Refused("no_such_room");
		return room;
	}

	/** A room for those who have at least this role. */
	enterAs(peer, key, role) {
		const room = this.enter(peer, key);
		if (ROLES.indexOf(this.roleOf(peer, room)) < ROLES.indexOf(role)) throw new Refused("not_allowed");
		return room;
	}

	roleOf({ account }, room) {
		return room.roles.get(account.userId)?.role;
	}

	account(userId) {
		return [...this.#server.accounts.values()].find((each) => each?.userId === userId);
	}

	members(room) {
		return [...room.roles].map(([userId, { role }]) => {
			const { name, sender } = this.account(userId);
			return { userId, name, sender, role };
		});
	}

	people(room) {
		return this.members(room).map(({ userId, name, sender }) => ({ connectionId: userId, name, sender, userId }));
	}

	/** Post to all connections of accounts. */
	postTo(userIds, frame, except) {
		const wanted = new Set(userIds);
		for (const peer of this.#server.peers) {
			if (peer !== except && !peer.hasLapsed && wanted.has(peer.account?.userId)) peer.deliver(frame);
		}
	}

	post(room, frame, except) {
		this.postTo(room.roles.keys(), frame, except);
	}

	describe({ account }, room) {
		const { key, kind, title, sharesHistory } = room;
		const { role, since } = room.roles.get(account.userId);
		const visible = this.visible(room, account.userId);
		const { lastSeq } = this.#server.room(key);
		const read = room.read.get(account.userId) ?? since;
		const members = this.members(room);
		const named =
			kind === "direct" ? { with: accountOf(this.account(this.partnerOf(room, account.userId))) } : { title };
		const faces = members.slice(0, 4).map(({ userId, name, sender }) => ({ userId, name, sender }));
		const counts = { memberCount: members.length, members: faces, lastSeq };
		const unread = visible.filter(({ seq }) => seq > read).length;
		return { room: key, kind, ...named, role, sharesHistory, ...counts, unread, since };
	}

	partnerOf({ pair }, userId) {
		return pair.find((each) => each !== userId);
	}

	visible(room, userId) {
		const { since } = room.roles.get(userId);
		const { messages } = this.#server.room(room.key);
		return room.sharesHistory ? messages : messages.filter(({ seq }) => seq > since);
	}

	listOf(peer) {
		const { userId } = peer.account;
		const all = [...this.#rooms.values()];
		const now = this.#server.now();
		const invitations = all.flatMap(({ key, invited }) => {
			const invitation = invited.get(userId);
			if (!invitation || invitation.expires < now) return [];
			return [{ room: key, by: invitation.by, expiresAt: new Date(invitation.expires).toISOString() }];
		});
		return {
			type: "rooms",
			rooms: all.filter(({ roles }) => roles.has(userId)).map((room) => this.describe(peer, room)),
			invitations,
			blocked: [...(this.#blocked.get(userId) ?? [])].map((each) => accountOf(this.account(each))),
		};
	}

	membersFrame(peer, room) {
		const frame = { type: "members", room: room.key, members: this.members(room) };
		if (this.roleOf(peer, room) === "member") return frame;
		const now = this.#server.now();
		const open = [...room.links.values()].filter(({ uses, expires }) => uses > 0 && expires > now);
		return {
			...frame,
			banned: [...room.banned].map(([userId, name]) => ({ userId, name })),
			invites: open.map(({ inviteId, uses, expires, by }) => {
				return { inviteId, uses, expiresAt: new Date(expires).toISOString(), by };
			}),
		};
	}

	/** Put an account into a room. */
	admit(room, account, role, by) {
		const { userId, name } = account;
		room.invited.delete(userId);
		room.roles.set(userId, { role, since: this.#server.room(room.key).lastSeq });
		this.post(room, { type: "membership", room: room.key, userId, name, role, by });
	}

	/** Take an account out of a room. */
	dismiss(room, userId, by) {
		room.roles.delete(userId);
		for (const peer of this.#server.peers)
			if (peer.current === room.key && peer.account?.userId === userId) peer.current = null;
		const { name } = this.account(userId);
		this.postTo([userId], { type: "removed", room: room.key, userId });
		this.post(room, { type: "membership", room: room.key, userId, name, role: null, by });
	}

	/** A blocked partner loses the conversation; the other keeps it. */
	dismissPartner(room, userId) {
		if (room.roles.delete(userId)) this.postTo([userId], { type: "removed", room: room.key, userId });
	}

	hasBlocked(userId, other) {
		return this.#blocked.get(userId)?.has(other) ?? false;
	}

	// Requests.

	rooms(peer) {
		peer.deliver(this.listOf(peer));
	}

	read(peer, { seq }, key) {
		const room = this.enter(peer, key);
		const { userId } = peer.account;
		room.read.set(userId, Math.max(seq, room.read.get(userId) ?? 0));
	}

	createroom(peer, { title, sharesHistory = false }) {
		if (typeof title !== "string" || !title.trim() || [...title].length > 80) throw new Refused("invalid_title");
		this.#made += 1;
		const room = new Room(`~${lettersOf(`room ${this.#made}`)}`, "private", title, sharesHistory);
		this.#rooms.set(room.key, room);
		room.roles.set(peer.account.userId, { role: "owner", since: 0 });
		peer.deliver({ type: "room", ...this.describe(peer, room) });
	}

	direct(peer, { userId }) {
		const own = peer.account.userId;
		const other = this.account(userId);
		if (!other || userId === own || this.hasBlocked(userId, own)) throw new Refused("no_such_room");
		const key = `@${lettersOf([own, userId].sort().join())}`;
		const isNew = !this.#rooms.has(key);
		const room =
			this.#rooms.get(key) ?? Object.assign(new Room(key, "direct", undefined, true), { pair: [own, userId] });
		this.#rooms.set(key, room);
		for (const each of [own, userId]) if (!room.roles.has(each)) room.roles.set(each, { role: "member", since: 0 });
		peer.deliver({ type: "room", ...this.describe(peer, room) });
		if (isNew) this.describeTo(room, peer);
	}

	/** Post a room's description to its members. */
	describeTo(room, except) {
		for (const peer of this.#server.peers) {
			if (peer === except || !room.roles.has(peer.account?.userId)) continue;
			peer.deliver({ type: "room", ...this.describe(peer, room) });
		}
	}

	editroom(peer, { title, sharesHistory }, key) {
		const room = this.enterAs(peer, key, "owner");
		if (title !== undefined && (!title.trim() || [...title].length > 80)) throw new Refused("invalid_title");
		room.title = title ?? room.title;
		room.sharesHistory = sharesHistory ?? room.sharesHistory;
		peer.deliver({ type: "room", ...this.describe(peer, room) });
		this.describeTo(room, peer);
	}

	memberList(peer, _frame, key) {
		peer.deliver(this.membersFrame(peer, this.enter(peer, key)));
	}

	createinvite(peer, { uses = 1, hours = INVITATION_HOURS }, key) {
		const room = this.enterAs(peer, key, "moderator");
		this.#made += 1;
		const inviteId = lettersOf(`link ${this.#made}`);
		const token = `token-${this.#made}-${lettersOf(`token ${this.#made}`)}`;
		const expires = this.#server.now() + hours * HOUR_MS;
		room.links.set(token, { inviteId, uses, expires, by: peer.account.userId });
		const expiresAt = new Date(expires).toISOString();
		peer.deliver({ type: "invite", room: key, inviteId, token, uses, expiresAt });
	}

	revokeinvite(peer, { inviteId }, key) {
		const room = this.enterAs(peer, key, "moderator");
		for (const [token, link] of room.links) if (link.inviteId === inviteId) room.links.delete(token);
		peer.deliver(this.membersFrame(peer, room));
	}

	invite(peer, { name }, key) {
		const room = this.enterAs(peer, key, "moderator");
		const account = [...this.#server.accounts.values()].find((each) => each?.name === name);
		const own = peer.account.userId;
		const mayCome = account && !room.roles.has(account.userId) && !room.banned.has(account.userId);
		if (mayCome && !this.hasBlocked(account.userId, own)) {
			const expires = this.#server.now() + INVITATION_HOURS * HOUR_MS;
			const by = accountOf(peer.account);
			room.invited.set(account.userId, { by, expires });
			const expiresAt = new Date(expires).toISOString();
			this.postTo([account.userId], { type: "invitation", room: key, by, expiresAt });
		}
		peer.deliver({ type: "invited", room: key, name });
	}

	accept(peer, { token }, key) {
		const room = this.#rooms.get(key);
		const { userId } = peer.account;
		const given = token === undefined ? room?.invited.get(userId) : room?.links.get(token);
		const isOpen = given && given.expires > this.#server.now() && given.uses !== 0;
		if (!isOpen || room.banned.has(userId)) throw new Refused("no_such_invitation");
		if (room.roles.size >= MAX_MEMBERS) throw new Refused("room_full");
		if (given.uses) given.uses -= 1;
		if (!room.roles.has(userId)) this.admit(room, peer.account, "member", userId);
		peer.deliver({ type: "room", ...this.describe(peer, room) });
	}

	decline(peer, _frame, key) {
		this.#rooms.get(key)?.invited.delete(peer.account.userId);
		peer.deliver(this.listOf(peer));
	}

	setrole(peer, { userId, role }, key) {
		const room = this.enterAs(peer, key, "owner");
		const member = room.roles.get(userId);
		if (!member) throw new Refused("not_a_member");
		if (member.role === "owner" && role !== "owner" && room.owners === 1) throw new Refused("last_owner");
		member.role = role;
		const { name } = this.account(userId);
		this.post(room, { type: "membership", room: key, userId, name, role, by: peer.account.userId });
		peer.deliver(this.membersFrame(peer, room));
	}

	remove(peer, { userId, ban = false }, key) {
		const room = this.enterAs(peer, key, "moderator");
		const member = room.roles.get(userId);
		if (!member) throw new Refused("not_a_member");
		if (this.roleOf(peer, room) !== "owner" && member.role !== "member") throw new Refused("not_allowed");
		if (ban) room.banned.set(userId, this.account(userId).name);
		this.dismiss(room, userId, peer.account.userId);
		peer.deliver({ type: "removed", room: key, userId });
	}

	unban(peer, { userId }, key) {
		const room = this.enterAs(peer, key, "moderator");
		room.banned.delete(userId);
		peer.deliver(this.membersFrame(peer, room));
	}

	quit(peer, _frame, key) {
		const room = this.enter(peer, key);
		const { userId } = peer.account;
		const isLast = this.roleOf(peer, room) === "owner" && room.owners === 1 && room.roles.size > 1;
		if (isLast) throw new Refused("last_owner");
		this.dismiss(room, userId, userId);
	}

	block(peer, { userId, blocked }) {
		const own = peer.account.userId;
		const all = this.#blocked.get(own) ?? new Set();
		this.#blocked.set(own, all);
		if (blocked) all.add(userId);
		else all.delete(userId);
		const room = this.#rooms.get(`@${lettersOf([own, userId].sort().join())}`);
		if (blocked && room) this.dismissPartner(room, userId);
		peer.deliver(this.listOf(peer));
	}

	// What works as in other rooms.

	join(peer, { after }, key) {
		const room = this.enter(peer, key);
		peer.current = key;
		const members = this.people(room);
		const { lastSeq } = this.#server.room(key);
		const page = this.page(room, peer, { after });
		peer.deliver({
			type: "joined",
			room: key,
			...peer.person,
			members,
			memberCount: members.length,
			lastSeq,
			after,
			...page,
		});
	}

	leave(peer, _frame, key) {
		if (peer.current === key) peer.current = [...peer.rooms].at(-1) ?? null;
		peer.deliver({ type: "left", room: key, current: peer.current });
	}

	sendmessage(peer, { message, messageId }, key) {
		const room = this.enter(peer, key);
		const known = this.#server.room(key).messages.find((each) => each.messageId === messageId);
		const stored = known ?? this.#server.store(key, message, { messageId, ...peer.person });
		peer.deliver(stored);
		if (!known) this.post(room, stored, peer);
	}

	history(peer, { before, after, limit }, key) {
		const room = this.enter(peer, key);
		peer.deliver({ type: "history", room: key, before, after, ...this.page(room, peer, { before, after, limit }) });
	}

	page(room, { account }, { before = Infinity, after, limit = 50 }) {
		const visible = this.visible(room, account.userId);
		const all = visible.filter(({ seq }) => (after === undefined ? seq < before : seq > after));
		const size = Math.min(limit, this.#server.pageSize);
		const some = after === undefined ? all.slice(-size) : all.slice(0, size);
		return { messages: some.map(({ type: _, ...fields }) => fields), complete: all.length <= size, lost: false };
	}

	ping(peer, { roster }, key) {
		const room = this.enter(peer, key);
		const members = this.people(room);
		const rooms = Object.fromEntries([...peer.rooms, key].map((each) => [each, this.#server.room(each).lastSeq]));
		const timestamp = new Date(this.#server.now()).toISOString();
		const listed = roster === undefined ? {} : { roster: { room: key, memberCount: members.length, members } };
		peer.deliver({ type: "pong", room: key, lastSeq: rooms[key], timestamp, rooms, ...listed });
	}

	typing(peer, _frame, key) {
		this.post(this.enter(peer, key), { type: "typing", room: key, ...peer.person }, peer);
	}
}

/** Action → what answers it. */
const HANDLERS = Object.fromEntries(
	[
		...["rooms", "read", "createroom", "direct", "editroom", "createinvite", "revokeinvite", "invite", "accept"],
		...[
			"decline",
			"setrole",
			"remove",
			"unban",
			"quit",
			"block",
			"join",
			"leave",
			"sendmessage",
			"history",
			"typing",
			"ping",
		],
	].map((action) => [action, PrivateRooms.prototype[action]]),
);
HANDLERS.members = PrivateRooms.prototype.memberList;
