/** Joins, resumes and leaves the rooms of a connection, and emits what they send. */

import { Emitter } from "./emitter.js";
import { RoomHistory } from "./history.js";
import { Members } from "./members.js";
import { asksToWait, ErrorCode, MAX_LISTED_MEMBERS, MAX_ROOMS } from "./protocol.js";
import { backoffMs, Timers } from "./timers.js";

export const SessionState = Object.freeze({
	OFFLINE: "offline",
	CONNECTING: "connecting",
	WAITING: "waiting",
	JOINING: "joining",
	READY: "ready",
});

const RoomState = Object.freeze({
	OUTSIDE: "outside",
	JOINED: "joined",
	/** Joined, but must be joined again: the name has changed, or the room's log restarted. */
	STALE: "stale",
	REFUSED: "refused",
});

const ANSWER_MS = 8000;
const DEFAULT_WAIT_MS = 1000;
const MAX_FAULTS = 4;
const LATER_MS = 60_000; // a room in the background can wait
const TYPING_MS = 3000;
const DRIFT_MS = 700; // frames that arrive out of order may still be on their way
const DRIFT_SPREAD_MS = 600; // all members may have missed the same frame

class Room {
	/** @type {string} One of RoomState. */
	state = RoomState.OUTSIDE;
	members = new Members();
	faults = 0;

	/** @param {string} name @param {RoomHistory} history */
	constructor(name, history) {
		this.name = name;
		this.history = history;
	}

	get isJoined() {
		return this.state === RoomState.JOINED || this.state === RoomState.STALE;
	}
}

/** @extends {Emitter<SessionEvents>} */
export class Session extends Emitter {
	/** @type {string} One of SessionState. */
	state = SessionState.OFFLINE;
	current = "";
	connectionId = "";
	clockOffset = 0;
	sender = "";

	#transport;
	#credentials;
	#clock;
	#random;
	#timers;
	#url = "";
	/** @type {Map<string, Room>} */
	#rooms = new Map();
	/** @type {string[]} */
	#others = [];
	/** In flight; one at a time, so a room is left before another is joined. @type {Operation | undefined} */
	#operation;
	/** The token that this connection is signed in with, or "". */
	#presented = "";
	/** The account's. @type {string[]} */
	#senders = [];
	#maxRooms = MAX_ROOMS;

	/** @param {SessionOptions} options */
	constructor({ transport, credentials, clock, random }) {
		super();
		this.#transport = transport;
		this.#credentials = credentials;
		this.#clock = clock;
		this.#random = random;
		this.#timers = new Timers(clock);
		transport.pingFields = () => this.#rosterFields();
		transport.on("connecting", () => this.#setState(SessionState.CONNECTING));
		transport.on("open", () => this.#advance());
		transport.on("close", ({ renewing }) => this.#closed(renewing));
		transport.on("waiting", ({ retryAt }) => this.#setState(SessionState.WAITING, retryAt));
		transport.on("frame", (frame) => this.#receive(frame));
	}

	/** The server's time, in milliseconds since 1970; the page shows all times by this clock. */
	get now() {
		return this.#clock.Date.now() + this.clockOffset;
	}

	get name() {
		return this.#credentials.name;
	}

	/** The account; undefined for a guest. */
	get userId() {
		return this.#credentials.token ? this.#credentials.account?.userId : undefined;
	}

	/** @param {boolean} isTrusted whether the server may be given a token */
	set isTrusted(isTrusted) {
		this.#credentials.isTrusted = isTrusted;
	}

	/** Sign in, now and on each connection before any room is joined. @param {AccountToken} account */
	signIn(account) {
		this.#credentials.account = account;
		this.#advance();
	}

	/** @param {boolean} everywhere @returns {boolean} whether `signedout` can be expected */
	signOut(everywhere) {
		return this.#presented !== "" && this.#transport.send({ action: "signout", everywhere });
	}

	/** @param {string} sender */
	isOwn(sender) {
		return sender === this.sender || this.#senders.includes(sender);
	}

	/** @param {string} [url] @param {boolean} [now] false: only once it is called again */
	connect(url = this.#url, now = true) {
		if (url !== this.#url) for (const room of this.#rooms.values()) room.history.forget();
		this.#url = url;
		if (!now) return;
		try {
			this.#transport.connect(url);
		} catch {
			this.#setState(SessionState.OFFLINE);
			this.emit("refused", { code: "bad_url", error: "This is not a valid WebSocket URL" });
		}
	}

	disconnect() {
		this.#transport.disconnect();
		this.#setState(SessionState.OFFLINE);
	}

	/** @param {string} current @param {string[]} others */
	setRooms(current, others) {
		if (current !== this.current) this.#timers.cancel("fault");
		const room = this.#room(current);
		const isShownNow = current !== this.current && room.isJoined;
		if (current !== this.current && room.state === RoomState.REFUSED) room.state = RoomState.OUTSIDE;
		this.current = current;
		this.#others = others;
		if (isShownNow) this.#transport.check();
		this.#advance();
	}

	/** @param {string} name takes effect when the server accepts it */
	rename(name) {
		if (name === this.name) return;
		if (this.#credentials.token) {
			if (this.#presented && this.#transport.send({ action: "profile", name })) return;
			return this.emit("refused", { code: "offline", error: "Your name can be changed when you are connected" });
		}
		this.#credentials.request(name);
		for (const room of this.#rooms.values()) if (room.isJoined) room.state = RoomState.STALE;
		this.#advance();
	}

	/** @param {string} room */
	isIn(room) {
		return this.#rooms.get(room)?.isJoined ?? false;
	}

	/** @param {string} room @returns {{list: Person[], count: number}} */
	membersOf(room) {
		return this.#rooms.get(room)?.members ?? { list: [], count: 0 };
	}

	typing() {
		const isBig = this.membersOf(this.current).count > MAX_LISTED_MEMBERS;
		if (isBig || !this.isIn(this.current) || this.#timers.isRunning("typing")) return;
		this.#transport.send({ action: "typing", room: this.current });
		this.#timers.start("typing", TYPING_MS);
	}

	/** Rejects if the room is paused or left, or the server refuses.
	 * @param {string} room @param {PageRequest} request @returns {Promise<OwnedPage>} */
	async page(room, request) {
		const { messages, complete, lost } = await this.#room(room).history.page(request);
		return { messages: messages.map((message) => this.#owned(message)), complete, lost };
	}

	/** Send a frame of an account. @param {AccountFrame} frame @returns {boolean} whether it was sent */
	send(frame) {
		return this.#presented !== "" && this.#transport.send(frame);
	}

	/** Replace the members of a private room. @param {string} name @param {Person[]} members */
	setMembers(name, members) {
		const room = this.#rooms.get(name);
		if (!room?.isJoined) return;
		room.members.reset(members, members.length);
		this.emit("members", { room: name });
	}

	/** Forget a room and its messages. @param {string} name */
	drop(name) {
		this.#rooms.get(name)?.history.forget();
		this.#rooms.delete(name);
	}

	wake() {
		this.#transport.wake();
	}

	/** @param {boolean} isWatched */
	watch(isWatched) {
		this.#transport.watch(isWatched);
	}

	#rosterFields() {
		const room = this.#rooms.get(this.current);
		return room?.isJoined ? { room: room.name, roster: room.members.checksum } : {};
	}

	/** @param {string} name */
	#room(name) {
		const known = this.#rooms.get(name);
		if (known) return known;
		const history = new RoomHistory({
			room: name,
			clock: this.#clock,
			random: this.#random,
			send: (frame) => this.#transport.send(frame),
			deliver: (messages, isFirstPage) => {
				const owned = messages.map((message) => this.#owned(message));
				this.emit("messages", { room: name, messages: owned, isFirstPage });
			},
			lost: () => this.emit("lost", { room: name }),
			unanswered: () => this.#transport.check(),
		});
		const room = new Room(name, history);
		this.#rooms.set(name, room);
		return room;
	}

	/** @param {Message} message */
	#owned(message) {
		this.clockOffset = Math.max(this.clockOffset, this.#ahead(message.timestamp));
		return { ...message, own: this.isOwn(message.sender) };
	}

	/** @param {string} timestamp */
	#ahead(timestamp) {
		return Date.parse(timestamp) - this.#clock.Date.now();
	}

	/** @param {string} state @param {number} [retryAt] */
	#setState(state, retryAt) {
		if (state === this.state && retryAt === undefined) return;
		this.state = state;
		this.emit("state", { state, retryAt });
	}

	/** @param {boolean} renewing */
	#closed(renewing) {
		this.#timers.cancelAll();
		this.#operation = undefined;
		this.#presented = "";
		this.#maxRooms = MAX_ROOMS;
		for (const room of this.#rooms.values()) {
			room.state = RoomState.OUTSIDE;
			room.faults = 0;
			room.history.pause();
			if (!renewing) room.members.reset([], 0);
		}
	}

	#advance() {
		if (!this.#transport.isOpen) return;
		this.#setState(this.isIn(this.current) ? SessionState.READY : SessionState.JOINING);
		if (this.#operation || this.#timers.isRunning("rate limit") || this.#timers.isRunning("fault")) return;
		const { token, account } = this.#credentials;
		if (token !== this.#presented) {
			const { secret, name } = account ?? {};
			return this.#operate({ action: "signin", token, secret, name: name || undefined });
		}
		const wanted = [...new Set([this.current, ...this.#others])].slice(0, this.#maxRooms);
		const next = wanted
			.map((name) => this.#room(name))
			.find(({ state }) => state === RoomState.OUTSIDE || state === RoomState.STALE);
		const joined = [...this.#rooms.values()].filter((room) => room.isJoined);
		const excess = joined.find(({ name }) => !wanted.includes(name));
		const hasPlace = next?.isJoined || joined.length < this.#maxRooms;
		if (next && hasPlace) {
			this.#operate({ action: "join", room: next.name, ...this.#credentials.fields, after: next.history.after });
		} else if (excess) this.#operate({ action: "leave", room: excess.name });
	}

	/** @param {Operation} operation */
	#operate(operation) {
		this.#operation = operation;
		this.#transport.send(operation);
		this.#timers.start("answer", ANSWER_MS, () => {
			this.#operation = undefined;
			if (operation.room === undefined || operation.room === this.current) this.#transport.fail();
			else {
				this.#transport.check();
				this.#fault(this.#room(operation.room));
			}
		});
	}

	/** @param {string} action @param {string} [room] */
	#ended(action, room) {
		const operation = this.#operation;
		if (operation?.action !== action || operation.room !== room) return undefined;
		this.#timers.cancel("answer");
		this.#operation = undefined;
		return operation;
	}

	/** @param {ServerFrame} frame */
	#receive(frame) {
		this.emit("frame", frame);
		switch (frame.type) {
			case "joined":
				return this.#joined(frame);
			case "left":
				return this.#left(frame.room);
			case "message":
				this.#rooms.get(frame.room)?.history.message(frame);
				return this.emit("stored", { messageId: frame.messageId });
			case "history":
				return this.#rooms.get(frame.room)?.history.answered(frame);
			case "presence":
				return this.#presence(frame);
			case "typing":
				return this.isIn(frame.room) ? this.emit("typing", frame) : undefined;
			case "pong":
				return this.#pong(frame);
			case "signedin":
				return this.#signedIn(frame);
			case "signedout":
				return this.emit("signedout", frame);
			case "error":
				return this.#error(frame);
		}
	}

	/** @param {SignedInFrame} frame the answer to a sign-in, or news of the account's name */
	#signedIn(frame) {
		const { account } = this.#credentials;
		const operation = this.#ended("signin");
		if (operation?.action === "signin") this.#presented = operation.token;
		if (!account || !this.#presented) return;
		Object.assign(account, { name: frame.name, userId: frame.userId, secret: undefined });
		this.sender = frame.sender;
		this.#senders = frame.senders;
		this.emit("signedin", frame);
		this.#advance();
	}

	/** @param {JoinedFrame} frame */
	#joined(frame) {
		const operation = this.#ended("join", frame.room);
		const room = this.#rooms.get(frame.room);
		if (!room) return;
		const name = operation?.action === "join" ? operation.name : undefined;
		room.state = name === this.#credentials.fields.name ? RoomState.JOINED : RoomState.STALE;
		room.faults = 0;
		room.members.reset(frame.members, frame.memberCount);
		this.connectionId = frame.connectionId;
		this.sender = frame.sender;
		if (name !== undefined) this.#credentials.accept(name, frame.name);
		const resumed = room.history.resumes(frame);
		this.emit("joined", { ...frame, resumed });
		room.history.joined(frame);
		this.emit("entered", { room: room.name });
		if (room.history.after === undefined) room.state = RoomState.STALE; // the log restarted: join without `after`
		this.#advance();
	}

	/** @param {string} name */
	#left(name) {
		this.#ended("leave", name);
		const room = this.#rooms.get(name);
		if (room) this.#setOutside(room);
		this.#advance();
	}

	/** @param {Room} room */
	#setOutside(room) {
		room.state = RoomState.OUTSIDE;
		room.history.pause();
		room.members.reset([], 0);
	}

	/** @param {PresenceFrame} frame */
	#presence(frame) {
		const room = this.#rooms.get(frame.room);
		if (!room?.isJoined) return;
		const former = room.members.change(frame);
		this.emit("presence", { ...frame, former: former?.name });
		if (frame.room !== this.current || !room.members.hasDrifted) return;
		this.#timers.start("drift", DRIFT_MS + this.#random() * DRIFT_SPREAD_MS, () => {
			if (this.#rooms.get(this.current)?.members.hasDrifted) this.#transport.check();
		});
	}

	/** @param {PongFrame} frame */
	#pong({ timestamp, rooms, roster }) {
		this.clockOffset = this.#ahead(timestamp);
		for (const [name, lastSeq] of Object.entries(rooms)) this.#rooms.get(name)?.history.noteLatest(lastSeq);
		const room = this.#rooms.get(roster?.room ?? "");
		if (!roster || !room?.isJoined) return;
		const { members = room.members.list, memberCount } = roster;
		if (roster.members || memberCount !== room.members.count) {
			room.members.reset(members, memberCount);
			this.emit("members", { room: room.name });
		}
	}

	/** An error without an action may answer anything in flight, all of which is safe to send again.
	 * @param {ErrorFrame} error */
	#error(error) {
		const { action, room: name, messageId } = error;
		const room = this.#rooms.get(name ?? "");
		if (error.code === ErrorCode.SIGN_IN_REQUIRED) {
			const hasLapsed = this.#presented !== "";
			if (hasLapsed) {
				this.#transport.disconnect(); // What was in flight is sent again.
				this.#setState(SessionState.CONNECTING);
			}
			this.emit("signInRequired", { room: name, hasLapsed });
			if (hasLapsed) return;
		}
		if (action === "profile") this.emit("refused", error);
		if (error.code === ErrorCode.NOT_IN_ROOM && room?.isJoined) this.#setOutside(room);
		const answers = (/** @type {string} */ one) => (action === undefined ? messageId === undefined : action === one);
		if (action === "sendmessage" || action === undefined) this.emit("messageError", error);
		if (answers("history")) {
			for (const each of room ? [room] : this.#rooms.values()) each.history.refused(error);
		}
		const operation = this.#operation;
		if (operation && answers(operation.action) && this.#ended(operation.action, name ?? operation.room)) {
			this.#refused(operation, error);
		}
		this.#advance();
	}

	/** @param {Operation} operation @param {ErrorFrame} error */
	#refused(operation, error) {
		const { code, retryAfterMs = DEFAULT_WAIT_MS } = error;
		if (asksToWait(code)) return this.#timers.start("rate limit", retryAfterMs, () => this.#advance());
		if (operation.action === "signin") return this.#signInRefused(operation, error);
		const room = this.#room(operation.room);
		if (code === ErrorCode.INTERNAL) this.#fault(room);
		else if (operation.action === "leave") this.#setOutside(room);
		else if (code === ErrorCode.TOO_MANY_ROOMS) {
			this.#maxRooms = Math.max(1, [...this.#rooms.values()].filter((each) => each.isJoined).length);
			this.#fault(room);
		} else this.#fallBack(operation, room, error);
	}

	/** @param {SignInFrame} operation @param {ErrorFrame} error */
	#signInRefused(operation, error) {
		const { account } = this.#credentials;
		if (error.code === ErrorCode.INTERNAL) this.#transport.fail();
		else if (error.code === ErrorCode.SECRET_CLAIMED && operation.secret && account) account.secret = undefined;
		else {
			this.disconnect(); // not a guest by surprise
			this.emit("signInRefused", error);
		}
	}

	/** @param {JoinFrame} operation @param {Room} room @param {ErrorFrame} error */
	#fallBack(operation, room, error) {
		if (error.code === ErrorCode.INVALID_NAME && operation.name !== undefined) {
			this.#nameRefused(operation.name);
		} else if (error.code === ErrorCode.INVALID_SECRET && operation.secret !== undefined) {
			this.#credentials.refuseSecret();
			return;
		} else if (error.code === ErrorCode.SECRET_CLAIMED && operation.secret !== undefined) {
			this.#credentials.secretClaimed(operation.secret);
			return;
		} else if (room.isJoined) room.state = RoomState.JOINED;
		else {
			room.state = RoomState.REFUSED;
			this.emit("barred", { ...error, room: room.name });
		}
		this.emit("refused", error);
	}

	/** @param {string} name */
	#nameRefused(name) {
		this.#credentials.refuseName(name);
		for (const room of this.#rooms.values()) if (room.state === RoomState.STALE) room.state = RoomState.JOINED;
	}

	/** @param {Room} room */
	#fault(room) {
		room.faults += 1;
		if (room.faults < MAX_FAULTS) {
			this.#timers.start("fault", backoffMs(room.faults, this.#random), () => this.#advance());
			return;
		}
		room.faults = 0;
		if (room.name === this.current && !room.isJoined) this.#transport.fail();
		else if (room.state === RoomState.STALE) room.state = RoomState.JOINED;
		else if (room.isJoined) this.#setOutside(room);
		else {
			room.state = RoomState.REFUSED;
			this.#timers.start(`later ${room.name}`, LATER_MS, () => {
				if (room.state === RoomState.REFUSED) room.state = RoomState.OUTSIDE;
				this.#advance();
			});
		}
	}
}
