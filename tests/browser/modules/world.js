/** A world for the connection module: a clock, a network and a chat server of its own, all of them obedient to the test. */

import { newConnection } from "/connection.js";

/** Numbers from 0 to 1 that a seed determines (mulberry32). */
export function chance(seed) {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

export function ok(claim, said = "not so") {
	if (!claim) throw new Error(said);
}

export function equal(actual, expected) {
	const [found, wanted] = [actual, expected].map((value) => JSON.stringify(value));
	ok(found === wanted, `found ${found}, wanted ${wanted}`);
}

export class Clock {
	at = 1_700_000_000_000;
	Date = { now: () => this.at };
	#timers = new Map();
	#count = 0;

	setTimeout(act, ms) {
		this.#count += 1;
		this.#timers.set(this.#count, { at: this.at + Math.max(0, ms), act, id: this.#count });
		return this.#count;
	}

	clearTimeout(id) {
		this.#timers.delete(id);
	}

	/** How many wait. */
	get waiting() {
		return this.#timers.size;
	}

	/** Lets time pass; each timer runs in a task of its own, as in a browser. */
	async pass(ms) {
		const end = this.at + ms;
		await settled();
		for (;;) {
			let next;
			for (const timer of this.#timers.values()) if (timer.at <= end && !(next?.at <= timer.at)) next = timer;
			if (!next) break;
			this.#timers.delete(next.id);
			this.at = Math.max(this.at, next.at);
			next.act();
			await settled();
		}
		this.at = end;
	}
}

async function settled() {
	for (let turn = 0; turn < 8; turn += 1) await undefined;
}

/** The server as the README and the guarantees have it. Holes below what was read are closed when they are read. */
export class Server {
	rooms = new Map();
	sockets = new Set();
	heard = [];
	pageSize = 50;
	refusedPings = 0;
	/** Called first with each frame and its socket; true: the test has seen to it. */
	answers = () => false;
	/** How long a function takes to begin, and whether it dies between two of its steps. */
	startsAfter = () => 0;
	dies = () => false;

	constructor(clock) {
		this.clock = clock;
	}

	room(name) {
		if (!this.rooms.has(name)) this.rooms.set(name, { lastSeq: 0, messages: [], closed: new Set() });
		return this.rooms.get(name);
	}

	/** Somebody else says something. */
	say(room, ...texts) {
		return texts.map((text) => {
			const stored = this.store(room, text, `said-${room}-${this.room(room).lastSeq + 1}`, "somebodyelse");
			this.post(room, stored);
			return stored;
		});
	}

	store(name, message, messageId, connectionId, seq = ++this.room(name).lastSeq) {
		const room = this.room(name);
		const place = room.closed.has(seq) ? ++room.lastSeq : seq;
		const stored = {
			type: "message",
			messageId,
			room: name,
			seq: place,
			timestamp: "",
			message,
			connectionId,
			name: "",
		};
		room.messages.push(stored);
		room.messages.sort((a, b) => a.seq - b.seq);
		return stored;
	}

	find(messageId) {
		for (const room of this.rooms.values()) {
			const found = room.messages.find((one) => one.messageId === messageId);
			if (found) return found;
		}
		return undefined;
	}

	post(room, frame, but) {
		for (const socket of this.sockets) if (socket.room === room && socket !== but) socket.receive(frame);
	}

	sent(action) {
		return this.heard.filter((frame) => frame.action === action);
	}

	take(socket, frame) {
		this.heard.push(frame);
		if (this.answers(frame, socket)) return;
		this.clock.setTimeout(() => this[frame.action](socket, frame), this.startsAfter(frame));
	}

	join(socket, { room: name, after }) {
		this.enter(socket, name);
		const { lastSeq, messages } = this.room(name);
		const page = after === undefined ? this.newest(name) : this.after(name, after);
		socket.receive({ type: "joined", room: name, connectionId: socket.id, name: "", members: [], lastSeq, ...page });
		return messages;
	}

	enter(socket, name) {
		socket.room = name;
	}

	newest(name, before = Infinity) {
		const all = this.room(name).messages.filter(({ seq }) => seq < before);
		return { messages: all.slice(-this.pageSize), complete: all.length <= this.pageSize, lost: false };
	}

	after(name, after) {
		const room = this.room(name);
		const all = room.messages.filter(({ seq }) => seq > after);
		const messages = all.slice(0, this.pageSize);
		for (let seq = after + 1; seq < messages.at(-1)?.seq; seq += 1) {
			if (!messages.some((one) => one.seq === seq)) room.closed.add(seq);
		}
		return { messages, complete: all.length === messages.length, lost: after > room.lastSeq };
	}

	history(socket, { after, before }) {
		const page = after === undefined ? this.newest(socket.room, before) : this.after(socket.room, after);
		socket.receive({ type: "history", room: socket.room, after, before, ...page });
	}

	sendmessage(socket, { message, messageId, to }) {
		const known = this.find(messageId);
		if (known) return socket.receive(known);
		const room = to ?? socket.room;
		const seq = ++this.room(room).lastSeq;
		if (this.dies()) return undefined;
		// Between the two steps others may be faster, or close this place.
		this.clock.setTimeout(() => {
			const stored = this.find(messageId) ?? this.store(room, message, messageId, socket.id, seq);
			if (this.dies()) return;
			socket.receive(stored);
			this.post(room, stored, socket);
		}, this.startsAfter());
		return undefined;
	}

	ping(socket) {
		const now = this.clock.at;
		socket.pings = [...(socket.pings ?? []), now].filter((at) => at > now - 10_000);
		if (socket.pings.length > 20) this.refusedPings += 1;
		socket.receive({ type: "pong", room: socket.room, lastSeq: this.room(socket.room).lastSeq });
	}

	typing() {}
}

/** Between page and server. */
export class World {
	clock = new Clock();
	server = new Server(this.clock);
	/** Every socket that was ever made. */
	sockets = [];
	/** Whether new links can be made, whether frames are swallowed without a word, and how long each takes. */
	accepts = true;
	swallows = () => false;
	delays = () => 10;
	store = new Map();

	/** Makes a page's connection, and a view that shows what it tells. */
	page({ room = "tea", name = "Ada", random = () => 0.5, store = this.store, ...options } = {}) {
		const world = this;
		const WebSocket = class extends FakeSocket {
			constructor(url) {
				super(world, url);
			}
		};
		const kept = (key, otherwise) => JSON.parse(store.get(key) ?? "null") ?? otherwise;
		const keep = (key, value) => store.set(key, JSON.stringify(value));
		const parts = { url: "wss://chat", room, name, random, kept, keep, clock: this.clock, WebSocket };
		return new View(newConnection({ ...parts, ...options }));
	}

	/** Makes one that is in its room. */
	async joined(options) {
		const view = this.page(options);
		view.connection.connect();
		await this.clock.pass(100);
		equal(view.of("joined").length, 1);
		return view;
	}

	get socket() {
		return this.sockets.at(-1);
	}

	get open() {
		return this.sockets.filter(({ readyState }) => readyState < 2);
	}
}

class FakeSocket {
	readyState = 0;
	room = "lobby";
	onopen = null;
	onmessage = null;
	onclose = null;

	constructor(world, url) {
		this.world = world;
		this.url = url;
		world.sockets.push(this);
		this.id = `connection-${world.sockets.length}`;
		world.clock.setTimeout(() => (world.accepts ? this.#opened() : this.cut()), world.delays());
	}

	#opened() {
		if (this.readyState !== 0) return;
		this.readyState = 1;
		this.world.server.sockets.add(this);
		this.onopen?.();
	}

	send(data) {
		ok(this.readyState === 1, "sent over a socket that is not open");
		const { world } = this;
		if (world.swallows("up", JSON.parse(data))) return;
		world.clock.setTimeout(() => this.readyState < 3 && world.server.take(this, JSON.parse(data)), world.delays());
	}

	/** The server posts a frame. */
	receive(frame) {
		const { world } = this;
		if (this.readyState !== 1 || world.swallows("down", frame)) return;
		world.clock.setTimeout(() => this.readyState === 1 && this.hear(JSON.stringify(frame)), world.delays());
	}

	hear(data) {
		this.onmessage?.({ data });
	}

	/** The link breaks, and the page hears of it. */
	cut() {
		if (this.readyState === 3) return;
		this.readyState = 3;
		this.world.server.sockets.delete(this);
		this.onclose?.();
	}

	/** The page closes it; nothing is heard of that for a while. */
	close() {
		if (this.readyState < 2) this.world.clock.setTimeout(() => this.cut(), 1000);
		this.readyState = Math.max(2, this.readyState);
		this.world.server.sockets.delete(this);
	}
}

const EVENTS = "state joined messages pending failed discarded presence typing lost refused".split(" ");

/** Shows what a connection tells, as the page does: by room, in the order of seq. */
export class View {
	told = [];
	rooms = new Map();

	constructor(connection) {
		this.connection = connection;
		for (const type of EVENTS) {
			connection.addEventListener(type, ({ detail }) => {
				this.told.push({ ...detail, type });
				this[`on${type}`]?.(detail);
			});
		}
	}

	of(type) {
		return this.told.filter((one) => one.type === type);
	}

	get states() {
		return this.of("state").map(({ state }) => state);
	}

	/** A room's messages by messageId. */
	room(name = this.connection.room) {
		if (!this.rooms.has(name)) this.rooms.set(name, new Map());
		return this.rooms.get(name);
	}

	/** What is shown of a room, by rising seq; what is not stored yet last. */
	shown(name = this.connection.room) {
		return [...this.room(name).values()].sort((a, b) => a.seq - b.seq);
	}

	texts(name = this.connection.room) {
		return this.shown(name).map(({ message }) => message);
	}

	onjoined({ room, resumed }) {
		if (resumed) return;
		for (const one of this.shown(room)) if (one.seq < Infinity) this.room(room).delete(one.messageId);
	}

	onmessages({ room, messages }) {
		for (const one of messages) {
			ok(!(this.room(room).get(one.messageId)?.seq < Infinity), `told twice: ${JSON.stringify(one)}`);
			this.room(room).set(one.messageId, one);
		}
	}

	onpending({ messageId, room, text }) {
		this.room(room).set(messageId, { messageId, message: text, seq: Infinity, state: "pending" });
	}

	onfailed({ messageId, room }) {
		this.room(room).get(messageId).state = "failed";
	}

	ondiscarded({ messageId }) {
		for (const room of this.rooms.values()) room.delete(messageId);
	}
}
