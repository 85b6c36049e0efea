/** An in-memory chat server that implements docs/protocol.md, for module tests and, through fake_server.py, browser tests. */

const ROOM = /^[a-z0-9][a-z0-9-]{0,63}$/;
const SECRET = /^[A-Za-z0-9_-]{16,128}$/;
const MAX_ROOMS = 10;
const MAX_LISTED = 100;

/** The server side of a connection. */
class Peer {
	rooms = new Set();
	current = "lobby";
	/** Whether it is in the lobby only because it has not joined a room. */
	isImplicit = true;

	/** The account that it is signed in as. */
	account = undefined;
	hasLapsed = false;

	constructor(id, deliver) {
		this.id = id;
		this.deliver = deliver;
		this.name = id.slice(0, 8);
		this.sender = id;
	}

	get person() {
		const { name, sender } = this.account ?? this;
		return { connectionId: this.id, name, sender, ...(this.account && { userId: this.account.userId }) };
	}

	isIn(room) {
		return this.rooms.has(room) || (this.isImplicit && room === "lobby");
	}
}

export class FakeServer {
	peers = new Set();
	/** Every received frame. */
	heard = [];
	pageSize = 50;
	/** Called first with each frame and its peer; returns true if the test has answered it. */
	answers = () => false;
	/** Whether a function dies between storing a message and posting it. */
	dies = () => false;
	/** Access token → account: {userId, name, sender, senders}. */
	accounts = new Map();
	/** Whether guests are refused. */
	requiresSignIn = false;
	/** Answers what is about private rooms, if the test has them: private.js. */
	private = undefined;
	#rooms = new Map();

	constructor(now = Date.now) {
		this.now = now;
	}

	room(name) {
		if (!this.#rooms.has(name)) this.#rooms.set(name, { lastSeq: 0, messages: [], guests: [] });
		return this.#rooms.get(name);
	}

	/** The texts of a room's messages. */
	texts(name) {
		return this.room(name).messages.map(({ message }) => message);
	}

	/** The received frames of one action. */
	sent(action) {
		return this.heard.filter((frame) => frame.action === action);
	}

	// What others do.

	/** Another person sends a message. */
	say(room, ...texts) {
		return texts.map((text) => {
			const stored = this.store(room, text);
			this.post(room, stored);
			return stored;
		});
	}

	/** Store a message without posting it. */
	store(name, message, fields = {}) {
		const room = this.room(name);
		const seq = room.lastSeq + 1;
		const stored = {
			type: "message",
			messageId: `said-${name}-${seq}`,
			room: name,
			seq,
			timestamp: new Date(this.now()).toISOString(),
			message,
			connectionId: "somebodyelse",
			name: "Someone",
			sender: "somebody",
			...fields,
		};
		room.messages.push(stored);
		room.messages.sort((a, b) => a.seq - b.seq);
		room.lastSeq = Math.max(room.lastSeq, stored.seq);
		return stored;
	}

	/** Expire a room's messages up to a seq. */
	expire(name, upTo) {
		const room = this.room(name);
		room.messages = room.messages.filter(({ seq }) => seq > upTo);
	}

	/** Delete everything, as if the tables were recreated. */
	clear() {
		this.#rooms.clear();
	}

	post(room, frame, except) {
		for (const peer of this.peers) if (peer !== except && peer.isIn(room)) peer.deliver(frame);
	}

	// What a connection does.

	connect(id, deliver) {
		const peer = new Peer(id, deliver);
		this.peers.add(peer);
		return peer;
	}

	disconnect(peer) {
		if (!this.peers.delete(peer)) return;
		for (const room of peer.rooms) this.#tell(room, "leave", peer);
	}

	take(peer, frame) {
		this.heard.push(frame);
		if (!this.answers(frame, peer)) this.answer(peer, frame);
	}

	answer(peer, frame) {
		const actions = ["join", "leave", "sendmessage", "history", "typing", "ping", "signin", "signout", "profile"];
		const needsAccount = this.requiresSignIn || frame.action === "profile";
		const hasNone = peer.hasLapsed || (needsAccount && !peer.account);
		if (hasNone && frame.action !== "signin") {
			this.refuse(peer, frame, "sign_in_required", "Sign in first");
		} else if (this.private?.takes(peer, frame)) return;
		else if (actions.includes(frame.action)) this[frame.action](peer, frame);
		else this.refuse(peer, frame, "bad_request", "Invalid request");
	}

	refuse(peer, { action, room, to = room, messageId }, code, error = code, more = {}) {
		peer.deliver({ type: "error", error, code, action, room: to, messageId, ...more });
	}

	signin(peer, frame) {
		const account = this.accounts.get(frame.token);
		if (!account)
			return this.refuse(peer, frame, "invalid_token", "This sign-in is not valid or has expired; sign in again");
		const guest = frame.secret && `sender-of-${frame.secret}`;
		if (guest && !account.senders.includes(guest)) {
			if (this.#claimantOf(guest)) return this.refuse(peer, frame, "secret_claimed");
			account.senders.push(guest);
		}
		Object.assign(peer, { account, hasLapsed: false });
		peer.deliver(this.#signedIn(account));
	}

	signout(peer, { everywhere = false }) {
		const { account } = peer;
		const theirs = [...this.peers].filter((each) => each === peer || (everywhere && each.account === account));
		for (const each of theirs) each.deliver({ type: "signedout", everywhere });
	}

	profile(peer, frame) {
		const { name } = frame;
		if (!name || [...name].length > 40)
			return this.refuse(peer, frame, "invalid_name", "A name has 1 to 40 characters");
		const isTaken = [...this.accounts.values()].some((each) => each && each !== peer.account && each.name === name);
		if (isTaken) return this.refuse(peer, frame, "name_taken", "This name belongs to another account");
		peer.account.name = name;
		for (const each of this.peers) if (each.account === peer.account) each.deliver(this.#signedIn(peer.account));
		for (const room of peer.rooms) this.#tell(room, "rename", peer);
	}

	#signedIn({ userId, name, sender, senders, isNew }) {
		const until = new Date(this.now() + 3_600_000).toISOString();
		return { type: "signedin", userId, name, until, sender, senders, isNew };
	}

	/** The account that has taken over a guest. */
	#claimantOf(sender) {
		return [...this.accounts.values()].find((account) => account?.senders.includes(sender));
	}

	join(peer, frame) {
		const { room, after } = frame;
		const { name, secret } = peer.account ? {} : frame;
		if (!ROOM.test(room)) return this.refuse(peer, frame, "invalid_room");
		if (name !== undefined && (!name || [...name].length > 40)) return this.refuse(peer, frame, "invalid_name");
		if (secret !== undefined && !SECRET.test(secret)) return this.refuse(peer, frame, "invalid_secret");
		if (secret && this.#claimantOf(`sender-of-${secret}`)) return this.refuse(peer, frame, "secret_claimed");
		if (peer.rooms.size >= MAX_ROOMS && !peer.rooms.has(room)) return this.refuse(peer, frame, "too_many_rooms");
		const isNew = !peer.rooms.has(room);
		peer.isImplicit = false;
		if (secret) peer.sender = `sender-of-${secret}`;
		if (name !== undefined && name !== peer.name) {
			peer.name = name;
			for (const each of peer.rooms) this.#tell(each, "rename", peer);
		}
		peer.rooms.add(room);
		peer.current = room;
		if (isNew) this.#tell(room, "join", peer);
		const members = this.members(room);
		const { lastSeq } = this.room(room);
		const page = after === undefined ? this.#newest(room) : this.#after(room, after);
		const listed = { members: members.slice(0, MAX_LISTED), memberCount: members.length };
		peer.deliver({ type: "joined", room, ...peer.person, ...listed, lastSeq, after, ...page });
	}

	leave(peer, frame) {
		const { room } = frame;
		if (!peer.isIn(room)) return this.refuse(peer, frame, "not_in_room");
		peer.rooms.delete(room);
		peer.isImplicit = false;
		if (peer.current === room) peer.current = [...peer.rooms].at(-1) ?? null;
		this.#tell(room, "leave", peer);
		peer.deliver({ type: "left", room, current: peer.current });
	}

	sendmessage(peer, frame) {
		const { message, messageId, to: room = peer.current } = frame;
		if (!peer.isIn(room)) return this.refuse(peer, frame, "not_in_room");
		const known = this.room(room).messages.find((each) => each.messageId === messageId);
		if (known) {
			peer.deliver(known);
			this.post(room, this.#pong(room, [room]), peer);
			return;
		}
		const stored = this.store(room, message, { messageId, ...peer.person });
		if (this.dies()) return;
		peer.deliver(stored);
		if (this.dies()) return;
		this.post(room, stored, peer);
	}

	history(peer, frame) {
		const { room = peer.current, before, after, limit = 50 } = frame;
		if (!peer.isIn(room)) return this.refuse(peer, frame, "not_in_room");
		const page = after === undefined ? this.#newest(room, before, limit) : this.#after(room, after, limit);
		peer.deliver({ type: "history", room, before, after, ...page });
	}

	typing(peer, frame) {
		const { room = peer.current } = frame;
		if (!peer.isIn(room)) return this.refuse(peer, frame, "not_in_room");
		this.post(room, { type: "typing", room, ...peer.person }, peer);
	}

	ping(peer, frame) {
		const { room, roster } = frame;
		if (roster === undefined) return peer.deliver(this.#pong(peer.current, peer.rooms));
		if (!peer.isIn(room)) return this.refuse(peer, frame, "not_in_room");
		const members = this.members(room);
		const listed = members.slice(0, MAX_LISTED);
		const answer = { room, memberCount: members.length };
		if (checksumOf(listed) !== roster) answer.members = listed;
		peer.deliver({ ...this.#pong(peer.current, peer.rooms), roster: answer });
	}

	#pong(room, rooms) {
		const seqs = Object.fromEntries([...rooms].map((each) => [each, this.room(each).lastSeq]));
		const timestamp = new Date(this.now()).toISOString();
		return { type: "pong", room, lastSeq: seqs[room] ?? 0, timestamp, rooms: seqs };
	}

	/** A room's members. */
	members(room) {
		const joined = [...this.peers].filter((peer) => peer.isIn(room)).map(({ person }) => person);
		return [...this.room(room).guests, ...joined];
	}

	#tell(room, event, peer) {
		const memberCount = this.members(room).length;
		this.post(room, { type: "presence", room, event, ...peer.person, memberCount }, peer);
	}

	#newest(name, before = Infinity, limit = 50) {
		const all = this.room(name).messages.filter(({ seq }) => seq < before);
		const size = Math.min(limit, this.pageSize);
		return { messages: plain(all.slice(-size)), complete: all.length <= size, lost: false };
	}

	#after(name, after, limit = 100) {
		const { messages, lastSeq } = this.room(name);
		const all = messages.filter(({ seq }) => seq > after);
		const size = Math.min(limit, this.pageSize);
		const lost = after > lastSeq || (all[0]?.seq ?? lastSeq + 1) > after + 1;
		return { messages: plain(all.slice(0, size)), complete: all.length <= size, lost };
	}
}

/** The CRC-32 of a room's members. */
function checksumOf(members) {
	const fields = members.map(({ connectionId, name, sender, userId }) => [
		connectionId,
		name,
		sender,
		...(userId ? [userId] : []),
	]);
	const lines = fields.map((each) => `${each.join("\t")}\n`);
	let crc = -1;
	for (const byte of new TextEncoder().encode(lines.sort().join(""))) {
		crc ^= byte;
		for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 && 0xedb88320);
	}
	return ~crc >>> 0;
}

/** Messages within a page have no type. */
const plain = (messages) => messages.map(({ type: _, ...fields }) => fields);

/** A server without sockets: each call returns the frames to send, as [connection id, JSON]. */
export class Host {
	server = new FakeServer();
	#peers = new Map();
	/** userId → account. */
	#known = new Map();
	#made = [];

	connect(id) {
		const peer = this.server.connect(id, (frame) => this.#made.push([id, JSON.stringify(frame)]));
		this.#peers.set(id, peer);
	}

	disconnect(id) {
		this.server.disconnect(this.#peers.get(id));
		return this.#made.splice(0);
	}

	take(id, frame) {
		this.server.answer(this.#peers.get(id), frame);
		return this.#made.splice(0);
	}

	/** Another person sends a message, given as a whole frame. */
	say(frame) {
		this.server.post(frame.room, this.store(frame));
		return this.#made.splice(0);
	}

	/** Store a message without posting it. */
	store({ room, message, ...fields }) {
		return this.server.store(room, message, fields);
	}

	/** Send a frame to everyone in its room, or to everyone. */
	send(frame) {
		for (const peer of this.server.peers) if (!frame.room || peer.isIn(frame.room)) peer.deliver(frame);
		return this.#made.splice(0);
	}

	/** Accept an access token. */
	addAccount(token, account) {
		this.#known.set(account.userId, this.#known.get(account.userId) ?? account);
		this.server.accounts.set(token, this.#known.get(account.userId));
	}

	/** An account does something without a page. Returns the frames to send, and those that answer it. */
	act(userId, frame) {
		const answers = [];
		const peer = this.server.connect(`away-${userId}`, (answer) => answers.push(answer));
		peer.account = this.#known.get(userId);
		this.server.answer(peer, frame);
		this.server.peers.delete(peer);
		return [this.#made.splice(0), answers];
	}

	/** All sign-ins lapse, and none of the tokens is accepted again. */
	expireSignIns() {
		const { accounts, peers } = this.server;
		for (const token of accounts.keys()) accounts.set(token, undefined);
		for (const peer of peers) peer.hasLapsed = !!peer.account;
	}

	/** People in a room without a connection. */
	setGuests(room, guests) {
		this.server.room(room).guests = guests;
	}
}
