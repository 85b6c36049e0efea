/** A simulated world for the page's client: clock, network, chat server and browser tabs. */

import { Client } from "/client/client.js";
import { LocalStore } from "/client/storage.js";
import { FakeServer } from "/server.js";

/** Seeded random numbers from 0 to 1 (mulberry32). */
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

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;

/** Numbered texts: `prefix from`, `prefix from+1` … */
export const texts = (prefix, count, from = 1) => Array.from({ length: count }, (_, n) => `${prefix} ${from + n}`);

/** Answer the first frame of an action with these frames instead of the server's; `room` limits it to a room. */
export function first(world, action, answers, room) {
	let done = false;
	world.server.answers = (frame, peer) => {
		if (done || frame.action !== action || (room && (frame.room ?? frame.to) !== room)) return false;
		done = true;
		const of = { action, room: frame.room ?? frame.to, messageId: frame.messageId };
		for (const answer of [answers].flat()) peer.deliver(answer.type === "error" ? { ...of, ...answer } : answer);
		return true;
	};
}

/** Answer every frame of an action with an error while `when` returns true. */
export function refuse(world, action, error, when = () => true) {
	world.server.answers = (frame, peer) => {
		if (frame.action !== action || !when(frame)) return false;
		peer.deliver({ action, room: frame.room ?? frame.to, messageId: frame.messageId, ...error });
		return true;
	};
}

export const LIMITED = { type: "error", code: "rate_limited", error: "Too many", retryAfterMs: 700 };
export const FAULT = { type: "error", code: "internal", error: "Something went wrong" };
export const GATEWAY_FAULT = { message: "Internal server error", connectionId: "c", requestId: "r" };

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

	/** The number of running timers. */
	get waiting() {
		return this.#timers.size;
	}

	/** Advance the clock; each timer runs in a separate task, as in a browser. */
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
	for (let turn = 0; turn < 12; turn += 1) await undefined;
}

/** A tab's view of the world's clock: its timers die with the tab. */
class TabClock {
	#clock;
	#timers = new Set();
	#dead = false;

	constructor(clock) {
		this.#clock = clock;
		this.Date = clock.Date;
	}

	setTimeout(act, ms) {
		if (this.#dead) return 0;
		const timer = this.#clock.setTimeout(() => {
			this.#timers.delete(timer);
			act();
		}, ms);
		this.#timers.add(timer);
		return timer;
	}

	clearTimeout(timer) {
		this.#timers.delete(timer);
		this.#clock.clearTimeout(timer);
	}

	get waiting() {
		return this.#timers.size;
	}

	die() {
		this.#dead = true;
		for (const timer of this.#timers) this.#clock.clearTimeout(timer);
	}
}

/** One browser's localStorage; other tabs get the event a moment later. */
class FakeStorage {
	items = new Map();
	#clock;
	#tabs = [];

	constructor(clock) {
		this.#clock = clock;
	}

	/** A tab's view of it. */
	tab() {
		const events = new EventTarget();
		const tell = (key) => {
			for (const other of this.#tabs) {
				if (other === events) continue;
				this.#clock.setTimeout(() => other.dispatchEvent(Object.assign(new Event("storage"), { key })), 5);
			}
		};
		const { items } = this;
		const area = {
			getItem: (key) => items.get(key) ?? null,
			key: (index) => [...items.keys()][index] ?? null,
			setItem(key, value) {
				if (items.get(key) === value) return;
				items.set(key, value);
				tell(key);
			},
			removeItem(key) {
				if (items.delete(key)) tell(key);
			},
			get length() {
				return items.size;
			},
		};
		this.#tabs.push(events);
		return { area, events, die: () => this.#tabs.splice(this.#tabs.indexOf(events), 1) };
	}
}

/** One browser's navigator.locks. */
export class FakeLocks {
	/** Lock name → requests; the first one holds the lock. */
	#queues = new Map();

	/** A tab's view of it. */
	tab() {
		const tab = {};
		return {
			request: (name, options, held) => this.#request(tab, name, options, held),
			die: () => {
				for (const queue of this.#queues.values()) {
					for (const one of queue.filter((each) => each.tab === tab)) this.#end(queue, one);
				}
			},
		};
	}

	#request(tab, name, { steal = false, signal }, held) {
		if (!this.#queues.has(name)) this.#queues.set(name, []);
		const queue = this.#queues.get(name);
		return new Promise((resolve, reject) => {
			const abort = () => reject(new DOMException("aborted", "AbortError"));
			const one = { tab, held, resolve, granted: false };
			if (steal && queue[0]?.granted) {
				const [holder] = queue.splice(0, 1);
				holder.abort();
			}
			one.abort = abort;
			queue.splice(steal ? 0 : queue.length, 0, one);
			signal?.addEventListener("abort", () => {
				if (one.granted) return;
				this.#end(queue, one);
				abort();
			});
			this.#grant(queue);
		});
	}

	#grant(queue) {
		const [one] = queue;
		if (!one || one.granted) return;
		one.granted = true;
		queueMicrotask(async () => {
			if (!queue.includes(one)) return;
			await one.held();
			if (queue.includes(one)) this.#end(queue, one);
			one.resolve();
		});
	}

	#end(queue, one) {
		const index = queue.indexOf(one);
		if (index < 0) return;
		queue.splice(index, 1);
		this.#grant(queue);
	}
}

/** A browser: the state that its tabs share. */
export class Browser {
	constructor(clock) {
		this.storage = new FakeStorage(clock);
		this.locks = new FakeLocks();
	}
}

/** The network between page and server. */
export class World {
	clock = new Clock();
	server = new FakeServer(() => this.clock.at);
	browser = new Browser(this.clock);
	/** Every socket ever created. */
	sockets = [];
	/** Whether connections can be made, whether frames are silently dropped, and the delay of each. */
	accepts = true;
	swallows = () => false;
	delays = () => 10;
	/** How long a function takes to start. */
	startsAfter = () => 0;

	/** Open a tab, and a view of what its client reports. */
	tab({
		room = "tea",
		others = [],
		name = "Ada",
		random = () => 0.5,
		browser = this.browser,
		locks = true,
		scope = "",
	} = {}) {
		const world = this;
		const clock = new TabClock(this.clock);
		const storage = browser.storage.tab();
		const lockTab = browser.locks.tab();
		const tab = { sockets: [], clock, storage, lockTab };
		const WebSocket = class extends FakeSocket {
			constructor(url) {
				super(world, url);
				tab.sockets.push(this);
			}
		};
		const store = new LocalStore({ ...storage, scope });
		if (name && store.loadText("name") === undefined) store.save("name", name);
		const client = new Client({ storage: store, random, clock, WebSocket, locks: locks ? lockTab : undefined });
		client.setRooms(room, others);
		return new View(client, tab);
	}

	/** Open a tab that has joined its room. */
	async joined(options) {
		const view = this.tab(options);
		view.connect();
		await this.clock.pass(100);
		equal(view.session.state, "ready");
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
	peer = undefined;
	onopen = null;
	onmessage = null;
	onclose = null;

	constructor(world, url) {
		if (!/^wss?:/.test(url)) throw new SyntaxError("not a WebSocket URL");
		this.world = world;
		this.url = url;
		world.sockets.push(this);
		this.id = `connection-${world.sockets.length}`;
		world.clock.setTimeout(() => (world.accepts ? this.#opened() : this.cut()), world.delays());
	}

	#opened() {
		if (this.readyState !== 0) return;
		this.readyState = 1;
		this.peer = this.world.server.connect(this.id, (frame) => this.receive(frame));
		this.onopen?.();
	}

	send(data) {
		ok(this.readyState === 1, "sent over a socket that is not open");
		const { world } = this;
		const frame = JSON.parse(data);
		if (world.swallows("up", frame)) return;
		const take = () => world.server.peers.has(this.peer) && world.server.take(this.peer, JSON.parse(data));
		world.clock.setTimeout(take, world.delays() + world.startsAfter(frame));
	}

	/** The server posts a frame. */
	receive(frame) {
		const { world } = this;
		if (this.readyState !== 1 || world.swallows("down", frame)) return;
		const data = JSON.stringify(frame);
		world.clock.setTimeout(() => this.readyState === 1 && this.hear(data), world.delays());
	}

	hear(data) {
		this.onmessage?.({ data });
	}

	/** The connection breaks, and the page is notified. */
	cut() {
		if (this.readyState === 3) return;
		this.#gone(3);
		this.onclose?.();
	}

	/** The page closes it; the close event takes a while. */
	close() {
		if (this.readyState < 2) this.world.clock.setTimeout(() => this.cut(), 1000);
		this.#gone(Math.max(2, this.readyState));
	}

	/** The tab is closed: it gets no more events. */
	die() {
		this.onopen = this.onmessage = this.onclose = null;
		this.#gone(3);
	}

	#gone(readyState) {
		this.readyState = readyState;
		if (this.peer) this.world.server.disconnect(this.peer);
	}
}

const SESSION_EVENTS = "state joined messages lost presence members typing refused".split(" ");
const OUTBOX_EVENTS = "changed removed delayed".split(" ");

/** Shows what a client reports, like the page: by room, in the order of seq. */
export class View {
	told = [];
	#rooms = new Map();

	constructor(client, tab) {
		this.client = client;
		this.session = client.session;
		this.outbox = client.outbox;
		this.tab = tab;
		for (const type of SESSION_EVENTS) this.session.on(type, (detail) => this.#hear(type, detail));
		for (const type of OUTBOX_EVENTS) this.outbox.on(type, (detail) => this.#hear(type, detail));
		for (const unsent of this.outbox.all) this.#hear("changed", unsent);
	}

	connect(url = "wss://chat") {
		this.session.connect(url);
	}

	/** Switch to another room, and stay in these. */
	open(room, others = []) {
		this.client.setRooms(room, others);
	}

	/** Write to the current room; returns the messageId. */
	write(text) {
		return this.client.write(text)?.messageId;
	}

	/** The user closes the tab. */
	close() {
		this.client.suspend();
		this.crash();
	}

	/** The browser's process dies. */
	crash() {
		for (const socket of this.tab.sockets) socket.die();
		this.tab.clock.die();
		this.tab.storage.die();
		this.tab.lockTab.die();
	}

	of(type) {
		return this.told.filter((one) => one.type === type).map(({ detail }) => detail);
	}

	get states() {
		return this.of("state").map(({ state }) => state);
	}

	/** Every text reported as stored, in order. */
	get reported() {
		return this.of("messages").flatMap(({ messages }) => messages.map(({ message }) => message));
	}

	/** A room's shown messages, by rising seq, unsent ones last. */
	shown(room = this.session.current) {
		return [...this.#room(room).values()].sort((a, b) => a.seq - b.seq || a.at - b.at);
	}

	texts(room) {
		return this.shown(room).map(({ message }) => message);
	}

	#room(name) {
		if (!this.#rooms.has(name)) this.#rooms.set(name, new Map());
		return this.#rooms.get(name);
	}

	#hear(type, detail) {
		this.told.push({ type, detail });
		if (type === "joined") this.#joined(detail);
		if (type === "messages") this.#messages(detail);
		if (type === "changed") this.#changed(detail);
		if (type === "removed") this.#removed(detail);
	}

	#joined({ room, resumed }) {
		if (resumed) return;
		for (const one of this.shown(room)) if (one.seq < Infinity) this.#room(room).delete(one.messageId);
	}

	#messages({ room, messages }) {
		for (const one of messages) {
			ok(!(this.#room(room).get(one.messageId)?.seq < Infinity), `reported twice: ${JSON.stringify(one)}`);
			this.#room(room).set(one.messageId, one);
		}
	}

	#changed({ messageId, room, text, at, failure }) {
		if (this.#room(room).get(messageId)?.seq < Infinity) return;
		const state = failure ? "failed" : "pending";
		this.#room(room).set(messageId, { messageId, message: text, seq: Infinity, at, state });
	}

	#removed({ messageId, room }) {
		if (this.#room(room).get(messageId)?.seq === Infinity) this.#room(room).delete(messageId);
	}
}
