/** The link to the chat: it comes back by itself, loses nothing and shows nothing twice. Knows no DOM.
 *
 * Events (CustomEvent): state, joined, messages, pending, failed, discarded, presence, typing, lost, refused.
 */

import { delayMs } from "./backoff.js";
import { Outbox } from "./outbox.js";
import { Timeline } from "./timeline.js";

const HEARTBEAT_MS = 5 * 60_000; // API Gateway cuts after 10 idle minutes
const PONG_MS = 5000; // a pong that takes longer means a dead link
const PING_REST_MS = 1000; // the server allows one a second
const RECHECK_MS = 1500; // after joining: an index may lag behind
const HOLE_MS = 1000; // what is missing may just be late
const STABLE_MS = 10_000; // only a link that lasted so long resets the back-off
const RENEW_MS = 115 * 60_000; // API Gateway cuts after 2 hours
const CONNECT_MS = 15_000;
const ANSWER_MS = 8000;
const TYPING_MS = 3000;
const MAX_FAULTS = 4;

const digit = () => (crypto.getRandomValues(new Uint8Array(1))[0] & 15).toString(16);
/** crypto.randomUUID is missing on a page that came over HTTP. */
const uuid = () => "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx".replace(/x/g, digit);

export class ChatConnection extends EventTarget {
	state = "disconnected";
	room;
	name;
	connectionId = "";
	/** @type {Required<ConnectionOptions>} */
	#with;
	/** @type {WebSocket | undefined} */
	#socket;
	#failures = 0;
	/** The last join. One at a time: functions run side by side, and the last to end would win.
	 * @type {{room?: string, name?: string, after?: number}} */
	#asked = {};
	/** Whether the server has us in the room. */
	#joined = false;
	/** Whether something may be lost since we were in this room before. */
	#returned = false;
	/** The pages of history asked for; the first is under way. @type {Question[]} */
	#questions = [];
	#filling = false;
	#outbox;
	/** The last message sent. One at a time keeps their order. */
	#sending = "";
	/** @type {Map<string, Timeline>} */
	#timelines = new Map();
	/** @type {Map<string, number>} */
	#timers = new Map();
	/** Every connectionId that this tab has had: those rows are its own. */
	#ids;

	/** @param {ConnectionOptions} options */
	constructor(options) {
		super();
		this.#with = { clock: globalThis, random: Math.random, WebSocket, ...options };
		this.room = options.room;
		this.name = options.name;
		this.#outbox = new Outbox(options);
		this.#ids = new Set(Object.values(options.kept("connectionIds", [])));
		queueMicrotask(() => {
			for (const one of this.#outbox.all) {
				this.#tell("pending", one);
				if (one.failed) this.#tell("failed", { ...one, code: "internal" });
			}
		});
	}

	/** The user wishes to be connected, now. @param {string} [url] */
	connect(url = this.#with.url) {
		if (url !== this.#with.url) this.#timelines.clear(); // another server counts anew
		this.#with.url = url;
		this.#drop();
		this.#open();
	}

	/** The user wishes not to be. */
	disconnect() {
		this.#drop();
		this.#failures = 0;
		this.#setState("disconnected");
	}

	/** @param {string} room */
	join(room) {
		this.room = room;
		this.#leave();
		this.#join();
	}

	/** @param {string} name */
	rename(name) {
		this.name = name;
		this.#join();
	}

	/** Sends as soon as it can be done, and again until it is stored or refused. @param {string} text
	 * @returns {string | undefined} its messageId; undefined: too many wait already */
	send(text) {
		if (this.#outbox.full) {
			this.#tell("refused", { code: "outbox_full", error: "Too many messages wait to be sent" });
			return undefined;
		}
		const unsent = { messageId: uuid(), room: this.room, text, at: this.#with.clock.Date.now() };
		this.#outbox.add(unsent);
		this.#tell("pending", unsent);
		this.#flush();
		return unsent.messageId;
	}

	/** @param {string} messageId */
	retry(messageId) {
		const unsent = this.#outbox.change(messageId, { failed: false, faults: 0 });
		if (unsent) this.#tell("pending", unsent);
		this.#flush();
	}

	/** @param {string} messageId */
	discard(messageId) {
		if (this.#outbox.remove(messageId)) this.#tell("discarded", { messageId });
		this.#flush();
	}

	typing() {
		if (!this.#joined || this.#timers.has("typing")) return;
		this.#post({ action: "typing" });
		this.#after("typing", TYPING_MS);
	}

	/** The page of messages before a seq; rejects when the link breaks. @param {string} room @param {number} before
	 * @returns {Promise<Frame>} */
	async older(room, before) {
		if (!this.#joined || room !== this.room) throw new Error("not now");
		const page = await this.#history({ before });
		return { ...page, messages: page.messages.map(this.#owned) };
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
			return this.#setState("disconnected");
		}
		this.#socket = socket;
		if (this.state !== "connected") this.#setState("connecting"); // who renews a link stays connected
		this.#after("connect", CONNECT_MS, this.#lost);
		socket.onopen = () => {
			if (socket !== this.#socket) return;
			this.#cancel("connect");
			this.#setState("connected");
			this.#after("stable", STABLE_MS, () => {
				this.#failures = 0;
			});
			// A little before the limit, and not all clients at once.
			this.#after("renew", RENEW_MS - this.#with.random() * 60_000, () => this.connect());
			this.#after("ping", HEARTBEAT_MS, this.#ping);
			this.#join();
		};
		socket.onmessage = ({ data }) => socket === this.#socket && this.#take(data);
		socket.onclose = () => socket === this.#socket && this.#lost();
	}

	/** Leaves the socket, whose later events are nobody's. */
	#drop() {
		const socket = this.#socket;
		this.#socket = undefined;
		this.#clear();
		this.#leave();
		socket?.close();
	}

	#lost = () => {
		this.#drop();
		const wait = delayMs(this.#failures, this.#with.random);
		this.#failures += 1;
		this.#after("reconnect", wait, () => this.#open());
		this.#setState("waiting", this.#with.clock.Date.now() + wait);
	};

	#ping = () => {
		this.#after("ping", HEARTBEAT_MS, this.#ping);
		if (this.#timers.has("pong") || this.#timers.has("rest")) return;
		this.#post({ action: "ping" });
		this.#after("pong", PONG_MS, this.#lost);
		this.#after("rest", PING_REST_MS);
	};

	/** @param {Frame} frame */
	#post(frame) {
		if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
	}

	/** @param {string} data */
	#take(data) {
		let frame;
		try {
			frame = JSON.parse(data) ?? {};
		} catch {
			return;
		}
		this.#cancel("pong"); // whatever comes, the link lives
		const { type, room } = frame;
		if (type === "joined") this.#onJoined(frame);
		else if (type === "message") this.#onMessages(room, [frame]);
		else if (type === "error") this.#onError(frame);
		else if (frame.requestId)
			this.#onError({ code: "internal" }); // API Gateway's own
		else if (room !== this.room) return;
		else if (type === "history") this.#onHistory(frame);
		else if (type === "pong") {
			this.#timeline?.heard(frame.lastSeq);
			this.#watch();
		} else if (type === "presence" || type === "typing") this.#tell(type, frame);
	}

	// The room.

	get #timeline() {
		return this.#timelines.get(this.room);
	}

	#join = () => {
		if (this.#socket?.readyState !== 1 || this.#timers.has("join")) return; // the answer brings the next
		this.#asked = { room: this.room, name: this.name || undefined, after: this.#timeline?.contiguous };
		this.#post({ action: "join", ...this.#asked });
		this.#after("join", ANSWER_MS, this.#lost);
	};

	#leave() {
		this.#joined = false;
		this.#cancel("hole");
		this.#cancel("answer");
		for (const { reject } of this.#questions.splice(0)) reject(new Error("the room was left"));
	}

	/** @param {Frame} frame */
	#onJoined(frame) {
		const { room, name = "", after } = this.#asked;
		if (!this.#timers.has("join") || frame.room !== room) return;
		this.#cancel("join");
		if (room === this.room) this.#enter(frame, after);
		if (room !== this.room || name !== this.name) this.#join();
	}

	/** @param {Frame} frame @param {number} [after] what was asked, in a room known before */
	#enter(frame, after) {
		const { room, connectionId, lastSeq, messages } = frame;
		this.connectionId = connectionId;
		this.#ids.add(connectionId);
		this.#with.keep("connectionIds", [...this.#ids].slice(-50));
		// A room that has not come as far as we were lives another life: it begins anew.
		const resumed = after !== undefined && after <= lastSeq;
		const timeline = (resumed && this.#timeline) || new Timeline(messages, lastSeq);
		this.#timelines.set(room, timeline);
		this.#joined = true;
		this.#returned = after !== undefined;
		this.#tell("joined", { ...frame, resumed });
		this.#tellLost(frame.lost || !resumed);
		timeline.heard(lastSeq);
		this.#onMessages(room, messages, resumed);
		if (resumed && !frame.complete) this.#fill();
		this.#after("ping", RECHECK_MS, this.#ping);
		this.#flush();
	}

	/** @param {boolean} lost */
	#tellLost(lost) {
		if (lost && this.#returned) this.#tell("lost", { room: this.room });
		this.#returned &&= !lost;
	}

	/** @param {string} room @param {Frame[]} messages @param {boolean} [whole] whether what lies between them is empty */
	#onMessages(room, messages, whole) {
		const timeline = this.#timelines.get(room);
		const stored = messages.filter(({ messageId }) => this.#outbox.remove(messageId));
		for (const { connectionId } of stored) this.#ids.add(connectionId);
		// An acknowledgement is told even if it was read before: its row may still be shown as pending.
		const told = new Set([...stored, ...(timeline?.take(messages) ?? [])]);
		if (whole) timeline?.answered(messages.at(-1)?.seq ?? 0);
		const inOrder = [...told].sort((a, b) => a.seq - b.seq).map(this.#owned);
		if (inOrder.length) this.#tell("messages", { room, messages: inOrder });
		if (stored.length) this.#flush();
		this.#watch();
	}

	/** @param {Frame} one */
	#owned = (one) => ({ ...one, own: this.#ids.has(one.connectionId) });

	/** Asks for what is missing, a moment after it was missed. */
	#watch() {
		if (!this.#joined || !this.#timeline?.hasHole) this.#cancel("hole");
		else if (!this.#timers.has("hole")) this.#after("hole", HOLE_MS, () => this.#fill());
	}

	async #fill() {
		const timeline = this.#timeline;
		if (!timeline || this.#filling) return;
		this.#filling = true;
		try {
			for (let more = true; more && this.#joined && timeline === this.#timeline; ) {
				timeline.asked();
				const { room, messages, complete, lost } = await this.#history({ after: timeline.contiguous, limit: 100 });
				this.#tellLost(lost);
				this.#onMessages(room, messages, true);
				more = !complete && messages.length > 0;
			}
		} catch {} // The room was left; whoever comes back resumes.
		this.#filling = false;
		this.#watch();
	}

	/** Asks for a page of history until it comes; rejects when the room is left.
	 * @param {Frame} question @returns {Promise<Frame>} */
	#history(question) {
		return new Promise((resolve, reject) => {
			this.#questions.push({ question, resolve, reject });
			if (this.#questions.length === 1) this.#ask();
		});
	}

	#ask = () => {
		if (!this.#questions.length) return;
		this.#post({ action: "history", ...this.#questions[0].question });
		this.#after("answer", ANSWER_MS, () => {
			this.#ping(); // is the link dead, or only this frame lost?
			this.#ask();
		});
	};

	/** @param {Frame} page */
	#onHistory(page) {
		const [asked] = this.#questions;
		// A late answer to an earlier question says nothing on this one.
		if (["after", "before"].some((end) => (page[end] ?? asked?.question[end]) !== asked?.question[end])) return;
		this.#questions.shift()?.resolve(page);
		this.#cancel("answer");
		this.#ask();
	}

	/** An error that names no message answers what else is under way. @param {Frame} frame */
	#onError(frame) {
		const { code, messageId } = frame;
		const isFault = code === "internal";
		const again = isFault || code === "rate_limited";
		const { faults = 0 } = this.#outbox.get(messageId) ?? {};
		const wait = frame.retryAfterMs ?? delayMs(faults, this.#with.random);
		if (messageId) {
			const failed = !again || (isFault && faults + 1 === MAX_FAULTS);
			const unsent = this.#outbox.change(messageId, { failed, faults: faults + Number(isFault) });
			if (unsent && failed) this.#tell("failed", { ...unsent, ...frame });
			else if (unsent) this.#after("sent", wait, this.#flush);
			if (unsent && again && !isFault) this.#tell("refused", frame);
			this.#flush();
		} else if (again && this.#timers.has("join")) {
			if (isFault) this.#lost();
			else this.#after("join", wait, this.#join);
		} else if (again && this.#questions.length) this.#after("answer", wait, this.#ask);
		else if (!isFault) {
			this.#cancel("join");
			this.#tell("refused", frame);
			this.#questions.shift()?.reject(new Error(code));
			this.#ask();
		}
	}

	/** Sends the first message that waits, whichever room it was written in. */
	#flush = () => {
		const unsent = this.#outbox.next;
		if (unsent?.messageId !== this.#sending) this.#cancel("sent"); // the last one waits no more
		if (!this.#joined || !unsent || this.#timers.has("sent")) return;
		const { messageId, room, text } = unsent;
		this.#sending = messageId;
		this.#post({ action: "sendmessage", message: text, messageId, to: room });
		this.#after("sent", ANSWER_MS, () => {
			this.#ping();
			this.#flush();
		});
	};

	// Timers, one of each kind at most, and events.

	/** @param {string} kind @param {number} ms @param {() => void} [act] */
	#after(kind, ms, act) {
		this.#cancel(kind);
		const timer = this.#with.clock.setTimeout(() => {
			this.#timers.delete(kind);
			act?.();
		}, ms);
		this.#timers.set(kind, timer);
	}

	/** @param {string} kind */
	#cancel(kind) {
		this.#with.clock.clearTimeout(this.#timers.get(kind));
		this.#timers.delete(kind);
	}

	#clear() {
		for (const kind of this.#timers.keys()) this.#cancel(kind);
	}

	/** @param {string} state @param {number} [retryAt] */
	#setState(state, retryAt) {
		if (state === this.state) return;
		this.state = state;
		this.#tell("state", { state, retryAt });
	}

	/** @param {string} type @param {object} detail */
	#tell(type, detail) {
		this.dispatchEvent(new CustomEvent(type, { detail }));
	}
}
