/** The link to the chat: it comes back by itself, loses nothing and shows nothing twice. Knows no DOM.
 *
 * Events (CustomEvent): state, joined, messages, pending, failed, discarded, presence, typing, lost, refused.
 */

import { delayMs } from "./backoff.js";
import { Outbox } from "./outbox.js";
import { Timeline } from "./timeline.js";

export const HEARTBEAT_MS = 5 * 60_000; // API Gateway cuts after 10 idle minutes
export const PONG_MS = 5000; // a pong that takes longer means a dead link
export const HOLE_MS = 1000;
export const RECHECK_MS = 1500; // once after joining: an index may lag behind
export const STABLE_MS = 10_000; // only a link that lasted so long resets the back-off
export const RENEW_MS = 115 * 60_000; // API Gateway cuts after 2 hours
export const CONNECT_MS = 15_000;
export const ACK_MS = 8000;
const TYPING_MS = 3000;
const MAX_TRIES = 6;
const IDS = "chat.connectionIds";

/** An id that no other message has; crypto.randomUUID is missing on a page that came over HTTP. */
function uuid() {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	bytes[6] = (bytes[6] & 0x0f) | 0x40;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
	return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

/** @typedef {Record<string, any>} Frame */
/** @typedef {{url: string, room: string, name: string, storage: Storage, WebSocket?: typeof WebSocket,
 *   now?: () => number, random?: () => number, setTimeout?: (act: () => void, ms: number) => number,
 *   clearTimeout?: (timer: number) => void}} Options */

export class ChatConnection extends EventTarget {
	state = "disconnected";
	room = "";
	name = "";
	/** @type {string | undefined} */
	connectionId;
	/** @type {Required<Options>} */
	#with;
	/** @type {WebSocket | undefined} */
	#socket;
	#tries = 0;
	#joined = false;
	/** @type {Map<string, number>} */
	#timers = new Map();
	/** @type {Map<string, Timeline>} */
	#timelines = new Map();
	/** @type {Outbox} */
	#outbox;
	/** The message under way. @type {string | undefined} */
	#sending;
	/** The `after` of the question under way for what is missing. @type {number | undefined} */
	#filling;
	/** @type {{resolve: (page: Frame) => void, reject: (error: Error) => void} | undefined} */
	#older;
	#typedAt = Number.NEGATIVE_INFINITY;
	/** Every connectionId that this tab has had: those rows are its own. @type {Set<string>} */
	#ids;

	/** @param {Options} options */
	constructor(options) {
		super();
		this.#with = {
			WebSocket: globalThis.WebSocket,
			now: () => Date.now(),
			random: Math.random,
			setTimeout: (act, ms) => globalThis.setTimeout(act, ms),
			clearTimeout: (timer) => globalThis.clearTimeout(timer),
			...options,
		};
		this.room = options.room;
		this.name = options.name;
		this.#outbox = new Outbox(options.storage);
		this.#ids = new Set((options.storage.getItem(IDS) ?? "").split(" ").filter(Boolean));
		queueMicrotask(() => {
			for (const one of this.#outbox.all) this.#tell(one.failed ? "failed" : "pending", this.#described(one));
		});
	}

	/** The user wishes to be connected, now. @param {string} [url] */
	connect(url) {
		if (url) this.#with.url = url;
		if (this.state === "connected" || this.state === "connecting") this.#drop();
		this.#open();
	}

	/** The user wishes not to be. */
	disconnect() {
		this.#drop();
		this.#tries = 0;
		this.#setState("disconnected");
	}

	/** @param {string} room */
	join(room) {
		this.room = room;
		this.#sendJoin();
	}

	/** @param {string} name */
	rename(name) {
		this.name = name;
		this.#sendJoin();
	}

	/** Sends as soon as it can be done, and again until it is stored or refused.
	 * @param {string} text @returns {string | undefined} its messageId; undefined: too many wait already */
	send(text) {
		if (this.#outbox.full) {
			this.#tell("refused", { code: "outbox_full", error: "Too many messages wait to be sent" });
			return undefined;
		}
		const unsent = { messageId: uuid(), room: this.room, text, at: this.#with.now() };
		this.#outbox.add(unsent);
		this.#tell("pending", unsent);
		this.#flush();
		return unsent.messageId;
	}

	/** @param {string} messageId */
	retry(messageId) {
		const unsent = this.#outbox.get(messageId);
		if (!unsent) return;
		this.#outbox.change(messageId, { failed: false, tries: 0 });
		this.#tell("pending", unsent);
		this.#flush();
	}

	/** @param {string} messageId */
	discard(messageId) {
		if (this.#sending === messageId) this.#sending = undefined;
		if (this.#outbox.remove(messageId)) this.#tell("discarded", { messageId });
		this.#flush();
	}

	typing() {
		if (!this.#joined || this.#with.now() - this.#typedAt < TYPING_MS) return;
		this.#typedAt = this.#with.now();
		this.#post({ action: "typing" });
	}

	/** The page of messages before a seq; rejects when the link breaks. @param {string} room @param {number} before
	 * @returns {Promise<Frame>} */
	older(room, before) {
		if (!this.#joined || room !== this.room || this.#older) return Promise.reject(new Error("not now"));
		return new Promise((resolve, reject) => {
			this.#older = { resolve, reject };
			this.#after("older", ACK_MS, () => this.#endOlder());
			this.#post({ action: "history", before });
		});
	}

	/** The tab is seen again, or the network is back: look at once whether the link still is. */
	wake() {
		if (this.state === "waiting") this.#open();
		else if (this.state === "connected") this.#ping();
	}

	// The link.

	#open() {
		this.#clear();
		let socket;
		try {
			socket = new this.#with.WebSocket(this.#with.url);
		} catch {
			this.#tell("refused", { code: "bad_url", error: "This is no WebSocket address" });
			this.#setState("disconnected");
			return;
		}
		this.#socket = socket;
		this.#setState("connecting");
		this.#after("connect", CONNECT_MS, () => this.#lost());
		socket.onopen = () => {
			if (socket !== this.#socket) return;
			this.#cancel("connect");
			this.#setState("connected");
			this.#after("stable", STABLE_MS, () => {
				this.#tries = 0;
			});
			// A little before the limit, and not all clients at once.
			this.#after("renew", RENEW_MS - this.#with.random() * 60_000, () => this.connect());
			this.#sendJoin();
			this.#beat();
		};
		socket.onmessage = ({ data }) => socket === this.#socket && this.#take(data);
		socket.onclose = () => socket === this.#socket && this.#lost();
		socket.onerror = () => {}; // a close follows
	}

	/** Leaves the socket, whose later events are nobody's. */
	#drop() {
		const socket = this.#socket;
		this.#socket = undefined;
		this.#joined = false;
		this.#sending = undefined;
		this.#filling = undefined;
		this.#clear();
		this.#endOlder();
		socket?.close();
	}

	#lost() {
		this.#drop();
		const wait = delayMs(this.#tries, this.#with.random);
		this.#tries += 1;
		this.#after("reconnect", wait, () => this.#open());
		this.#setState("waiting", this.#with.now() + wait);
	}

	#beat() {
		this.#after("beat", HEARTBEAT_MS, () => {
			this.#ping();
			this.#beat();
		});
	}

	#ping() {
		this.#post({ action: "ping" });
		if (!this.#timers.has("pong")) this.#after("pong", PONG_MS, () => this.#lost());
	}

	/** @param {Frame} frame */
	#post(frame) {
		if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
	}

	// What comes.

	/** @param {unknown} data */
	#take(data) {
		let frame;
		try {
			frame = JSON.parse(String(data));
		} catch {
			return;
		}
		this.#cancel("pong"); // whatever comes, the link lives
		if (frame?.type === "joined") this.#onJoined(frame);
		else if (frame?.type === "message") this.#onMessages(frame.room, [frame]);
		else if (frame?.type === "history") this.#onHistory(frame);
		else if (frame?.type === "pong") this.#onPong(frame);
		else if (frame?.type === "error") this.#onError(frame);
		else if (["presence", "typing"].includes(frame?.type) && frame.room === this.room) this.#tell(frame.type, frame);
	}

	#sendJoin() {
		if (this.state !== "connected") return;
		this.#joined = false;
		this.#sending = undefined;
		this.#filling = undefined;
		this.#endOlder();
		const after = this.#timelines.get(this.room)?.contiguous;
		this.#post({ action: "join", room: this.room, name: this.name || undefined, after });
		this.#after("join", ACK_MS, () => this.#lost());
	}

	/** @param {Frame} frame */
	#onJoined(frame) {
		if (frame.room !== this.room) return; // of a room that was left meanwhile
		this.#cancel("join");
		this.connectionId = frame.connectionId;
		this.name = frame.name;
		this.#ids.add(frame.connectionId);
		try {
			this.#with.storage.setItem(IDS, [...this.#ids].slice(-50).join(" "));
		} catch {
			// Without storage a reload forgets which rows were its own.
		}
		const known = this.#timelines.get(frame.room);
		const resumed = known !== undefined && known.contiguous <= frame.lastSeq;
		const timeline = resumed ? known : new Timeline();
		this.#timelines.set(frame.room, timeline);
		if (!resumed) timeline.begin(frame.messages, frame.lastSeq);
		timeline.heard(frame.lastSeq);
		timeline.askAgain();
		this.#joined = true;
		this.#tell("joined", { ...frame, resumed });
		if (known && frame.lost) this.#tell("lost", { room: frame.room });
		const last = frame.messages.at(-1)?.seq;
		this.#onMessages(frame.room, frame.messages, resumed ? last : undefined);
		if (resumed && !frame.complete) this.#fill();
		this.#after("recheck", RECHECK_MS, () => this.#ping());
		this.#flush();
	}

	/** @param {string} room @param {Frame[]} messages @param {number} [answered] up to where the server has told all */
	#onMessages(room, messages, answered) {
		const timeline = this.#timelines.get(room);
		const acknowledged = messages.filter(({ messageId }) => this.#outbox.remove(messageId));
		const own = new Set(acknowledged.map(({ messageId }) => messageId));
		const fresh = timeline?.take(/** @type {{seq: number}[]} */ (messages)) ?? [];
		if (answered) timeline?.answered(answered);
		// A repeated acknowledgement of a row that is still shown as pending is told too.
		const told = messages.filter((one) => fresh.includes(/** @type {any} */ (one)) || own.has(one.messageId));
		if (told.length) {
			told.sort((a, b) => a.seq - b.seq);
			this.#tell("messages", { room, messages: told.map((one) => this.#owned(one, own)) });
		}
		if (this.#sending && own.has(this.#sending)) {
			this.#sending = undefined;
			this.#cancel("ack");
		}
		if (own.size) this.#flush();
		this.#watch();
	}

	/** @param {Frame} one @param {Set<string>} [own] */
	#owned = (one, own) => ({ ...one, own: Boolean(own?.has(one.messageId)) || this.#ids.has(one.connectionId) });

	/** Asks for what is missing, a moment after it was missed: it may just be late. */
	#watch() {
		if (!this.#timelines.get(this.room)?.hasHole) this.#cancel("hole");
		else if (!this.#timers.has("hole")) this.#after("hole", HOLE_MS, () => this.#fill());
	}

	#fill() {
		const timeline = this.#timelines.get(this.room);
		if (!this.#joined || !timeline || this.#filling !== undefined) return;
		timeline.asked();
		this.#filling = timeline.contiguous;
		this.#post({ action: "history", after: timeline.contiguous, limit: 100 });
		this.#after("fill", ACK_MS, () => this.#refill());
	}

	#refill() {
		this.#filling = undefined;
		this.#timelines.get(this.room)?.askAgain();
		this.#watch();
	}

	/** @param {Frame} frame */
	#onHistory(frame) {
		if (frame.room !== this.room) return;
		const first = frame.messages[0]?.seq ?? Number.POSITIVE_INFINITY;
		const timeline = this.#timelines.get(frame.room);
		// Two questions may be under way: what lies above the `after` that was asked is the answer to that.
		if (this.#filling !== undefined && first > this.#filling) {
			const asked = this.#filling;
			this.#filling = undefined;
			this.#cancel("fill");
			if (frame.lost && asked > 0) this.#tell("lost", { room: frame.room });
			this.#onMessages(frame.room, frame.messages, frame.messages.at(-1)?.seq);
			if (!frame.complete && timeline && timeline.contiguous > asked) this.#fill();
		} else if (this.#older) {
			this.#cancel("older");
			this.#older.resolve({ ...frame, messages: frame.messages.map((/** @type {Frame} */ one) => this.#owned(one)) });
			this.#older = undefined;
		}
	}

	#endOlder() {
		this.#cancel("older");
		this.#older?.reject(new Error("the link broke"));
		this.#older = undefined;
	}

	/** @param {Frame} frame */
	#onPong(frame) {
		const timeline = this.#timelines.get(frame.room);
		if (frame.room !== this.room || !timeline) return;
		timeline.heard(frame.lastSeq);
		timeline.askAgain();
		this.#watch();
	}

	/** @param {Frame} frame */
	#onError(frame) {
		const unsent = this.#outbox.get(frame.messageId);
		const again = frame.code === "rate_limited" || frame.code === "internal";
		const wait = frame.retryAfterMs ?? 1000 + this.#with.random() * 1000;
		if (unsent) {
			this.#sending = undefined;
			const tries = (unsent.tries ?? 0) + (frame.code === "internal" ? 1 : 0);
			this.#outbox.change(unsent.messageId, { tries, failed: !again || tries >= MAX_TRIES });
			this.#cancel("ack");
			if (unsent.failed) this.#tell("failed", { ...unsent, ...this.#reason(frame) });
			if (again && !unsent.failed) this.#after("ack", wait, () => this.#flush());
			else this.#flush();
		} else if (!this.#joined && again) this.#after("join", wait, () => this.#sendJoin());
		else if (this.#filling !== undefined && again) this.#after("fill", wait, () => this.#refill());
		else if (frame.code !== "rate_limited") {
			this.#cancel("join");
			this.#tell("refused", this.#reason(frame));
		}
	}

	/** @param {Frame} frame */
	#reason = ({ error, code, retryAfterMs }) => ({ error, code, retryAfterMs });

	/** @param {import("./outbox.js").Unsent} unsent */
	#described = (unsent) => ({ ...unsent, error: "It was not stored", code: "internal" });

	/** Sends the first message that waits, one at a time: that keeps their order. */
	#flush() {
		if (!this.#joined || this.#sending || this.#timers.has("ack")) return;
		const unsent = this.#outbox.next(this.room);
		if (!unsent) return;
		this.#sending = unsent.messageId;
		this.#post({ action: "sendmessage", message: unsent.text, messageId: unsent.messageId });
		this.#after("ack", ACK_MS, () => {
			this.#sending = undefined;
			this.#ping(); // is the link dead, or only this frame lost?
			this.#flush();
		});
	}

	// Timers: one of each kind at most.

	/** @param {string} kind @param {number} ms @param {() => void} act */
	#after(kind, ms, act) {
		this.#cancel(kind);
		const timer = this.#with.setTimeout(() => {
			this.#timers.delete(kind);
			act();
		}, ms);
		this.#timers.set(kind, timer);
	}

	/** @param {string} kind */
	#cancel(kind) {
		const timer = this.#timers.get(kind);
		if (timer !== undefined) this.#with.clearTimeout(timer);
		this.#timers.delete(kind);
	}

	#clear() {
		for (const kind of [...this.#timers.keys()]) this.#cancel(kind);
	}

	/** @param {string} state @param {number} [retryAt] */
	#setState(state, retryAt) {
		if (state === this.state && state !== "waiting") return;
		this.state = state;
		this.#tell("state", { state, retryAt });
	}

	/** @param {string} type @param {object} detail */
	#tell(type, detail) {
		this.dispatchEvent(new CustomEvent(type, { detail }));
	}
}
