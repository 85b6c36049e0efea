/** The link to the chat: it comes back by itself, loses nothing and shows nothing twice. Knows no DOM. */

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

/** @param {ConnectionOptions} options */
export function newConnection(options) {
	const { clock = globalThis, random = Math.random, kept, keep } = options;
	const outbox = new Outbox(options);
	/** Every connectionId that this tab has had: those rows are its own. @type {Set<string>} */
	const ids = new Set(Object.values(kept("connectionIds", [])));
	/** @type {Map<string, Timeline>} */
	const timelines = new Map();
	/** One of each kind at most. @type {Map<string, number>} */
	const timers = new Map();
	/** The pages of history asked for; the first is under way. @type {Question[]} */
	const questions = [];
	/** @param {Frame} one */
	const owned = (one) => ({ ...one, own: ids.has(one.connectionId) });
	const current = () => timelines.get(connection.room);
	let { url } = options;
	/** @type {WebSocket | undefined} */
	let socket;
	let failures = 0;
	/** The last join. One at a time: functions run side by side, and the last to end would win.
	 * @type {Frame} */
	let asked = {};
	/** Whether the server has us in the room. */
	let joined = false;
	/** Whether something may be lost since we were here. */
	let returned = false;
	let filling = false;
	/** What overtook the answer to the first join. @type {Frame[]} */
	let early = [];
	/** The last message sent. One at a time keeps their order. */
	let sending = "";

	/** @type {Connection} */
	const wishes = {
		state: "disconnected",
		room: options.room,
		name: options.name,
		connectionId: "",

		connect(to = url) {
			if (to !== url) timelines.clear(); // another server counts anew
			url = to;
			drop();
			open();
		},

		disconnect() {
			drop();
			failures = 0;
			setState("disconnected");
		},

		join(room) {
			connection.room = room;
			leave();
			join();
		},

		rename(name) {
			connection.name = name;
			join();
		},

		send(text) {
			if (outbox.full) {
				tell("refused", { code: "outbox_full", error: "Too many messages wait to be sent" });
				return undefined;
			}
			const messageId = uuid();
			tell("pending", outbox.put({ messageId, room: connection.room, text, at: clock.Date.now() }));
			flush();
			return messageId;
		},

		retry(messageId) {
			const unsent = outbox.all.get(messageId);
			if (unsent) tell("pending", outbox.put({ ...unsent, failed: false, faults: 0 }));
			flush();
		},

		discard(messageId) {
			if (outbox.remove(messageId)) tell("discarded", { messageId });
			flush();
		},

		typing() {
			if (!joined || timers.has("typing")) return;
			post({ action: "typing" });
			after("typing", TYPING_MS);
		},

		async older(room, before) {
			if (!joined || room !== connection.room) throw new Error("not now");
			const page = await history({ before });
			return { ...page, messages: page.messages.map(owned) };
		},

		wake() {
			if (connection.state === "waiting") open();
			else if (connection.state === "connected") ping();
		},
	};
	const connection = Object.assign(new EventTarget(), wishes);
	queueMicrotask(() => {
		for (const one of outbox.all.values()) {
			tell("pending", one);
			if (one.failed) tell("failed", { ...one, code: "internal" });
		}
	});
	return connection;

	// The link.

	function open() {
		clear();
		try {
			socket = new (options.WebSocket ?? WebSocket)(url);
		} catch {
			tell("refused", { code: "bad_url", error: "This is no WebSocket address" });
			return setState("disconnected");
		}
		if (connection.state !== "connected") setState("connecting"); // who renews a link stays connected
		after("connect", CONNECT_MS, lost);
		const opened = socket;
		opened.onopen = () => {
			if (opened !== socket) return;
			cancel("connect");
			setState("connected");
			after("stable", STABLE_MS, () => {
				failures = 0;
			});
			// Not all clients at once.
			after("renew", RENEW_MS - random() * 60_000, connection.connect);
			after("ping", HEARTBEAT_MS, ping);
			join();
		};
		opened.onmessage = ({ data }) => opened === socket && take(data);
		opened.onclose = () => opened === socket && lost();
	}

	/** Leaves the socket, whose later events are nobody's. */
	function drop() {
		const left = socket;
		socket = undefined;
		clear();
		leave();
		left?.close();
	}

	function lost() {
		drop();
		const wait = delayMs(failures, random);
		failures += 1;
		after("reconnect", wait, open);
		setState("waiting", clock.Date.now() + wait);
	}

	function ping() {
		after("ping", HEARTBEAT_MS, ping);
		if (timers.has("pong") || timers.has("rest")) return;
		post({ action: "ping" });
		after("pong", PONG_MS, lost);
		after("rest", PING_REST_MS);
	}

	/** @param {Frame} frame */
	function post(frame) {
		if (socket?.readyState === 1) socket.send(JSON.stringify(frame));
	}

	/** @param {string} data */
	function take(data) {
		let frame;
		try {
			frame = JSON.parse(data) ?? {};
		} catch {
			return;
		}
		cancel("pong"); // whatever comes, the link lives
		const { type, room } = frame;
		if (type === "joined") onJoined(frame);
		else if (type === "message") onMessages(room, [frame]);
		else if (type === "error") onError(frame);
		else if (frame.requestId)
			onError({ code: "internal" }); // API Gateway's own
		else if (room !== connection.room) return;
		else if (type === "history") onHistory(frame);
		else if (type === "pong") {
			timelines.get(room)?.heard(frame.lastSeq);
			watch();
		} else if (type === "presence" || type === "typing") tell(type, frame);
	}

	// The room.

	function join() {
		if (socket?.readyState !== 1 || timers.has("join")) return; // the answer brings the next
		const { room, name } = connection;
		asked = { room, name: name || undefined, after: timelines.get(room)?.contiguous };
		post({ action: "join", ...asked });
		after("join", ANSWER_MS, lost);
	}

	function leave() {
		joined = false;
		early = [];
		cancel("hole");
		cancel("answer");
		for (const { reject } of questions.splice(0)) reject(new Error("left"));
	}

	/** @param {Frame} frame */
	function onJoined(frame) {
		const { room, name = "", after } = asked;
		if (!timers.has("join") || frame.room !== room) return;
		cancel("join");
		if (room === connection.room) enter(frame, after);
		if (room !== connection.room || name !== connection.name) join();
	}

	/** @param {Frame} frame @param {number} [known] what was known of the room */
	function enter(frame, known) {
		const { room, connectionId, lastSeq, messages } = frame;
		connection.connectionId = connectionId;
		ids.add(connectionId);
		keep("connectionIds", [...ids].slice(-50));
		returned = known !== undefined;
		// A room that is not as far as we were lives another life.
		const resumed = known !== undefined && known <= lastSeq;
		if (!resumed) timelines.set(room, new Timeline(messages, lastSeq));
		joined = true;
		tell("joined", { ...frame, resumed });
		tellLost(frame.lost || !resumed);
		timelines.get(room)?.heard(lastSeq);
		onMessages(room, [...messages, ...early], resumed);
		if (resumed && !frame.complete) fill();
		after("ping", RECHECK_MS, ping);
		flush();
	}

	/** @param {boolean} isLost */
	function tellLost(isLost) {
		if (isLost && returned) tell("lost", { room: connection.room });
		returned &&= !isLost;
	}

	/** @param {string} room @param {Frame[]} messages @param {boolean} [whole] whether what lies between them is empty */
	function onMessages(room, messages, whole) {
		const timeline = timelines.get(room);
		if (!timeline && room === connection.room) early.push(...messages);
		const stored = messages.filter(({ messageId }) => outbox.remove(messageId));
		for (const { connectionId } of stored) ids.add(connectionId);
		// An acknowledgement is told in any case: its row is shown as pending.
		const told = new Set([...stored, ...(timeline?.take(messages) ?? [])]);
		if (whole) timeline?.answered(messages.at(-1)?.seq ?? 0);
		const inOrder = [...told].sort((a, b) => a.seq - b.seq).map(owned);
		if (inOrder.length) tell("messages", { room, messages: inOrder });
		if (stored.length) flush();
		watch();
	}

	/** Asks for what is missing, a moment after it was missed. */
	function watch() {
		if (!joined || !current()?.hasHole) cancel("hole");
		else if (!timers.has("hole")) after("hole", HOLE_MS, fill);
	}

	async function fill() {
		const timeline = current();
		if (!timeline || filling) return;
		filling = true;
		try {
			for (let more = true; more && joined && timeline === current(); ) {
				timeline.asked();
				const page = await history({ after: timeline.contiguous, limit: 100 });
				tellLost(page.lost);
				onMessages(page.room, page.messages, true);
				more = !page.complete && page.messages.length > 0;
			}
		} catch {} // The room was left; whoever comes back resumes.
		filling = false;
		watch();
	}

	/** Asks for a page of history until it comes; rejects when the room is left.
	 * @param {Frame} question @returns {Promise<Frame>} */
	function history(question) {
		return new Promise((resolve, reject) => {
			questions.push({ question, resolve, reject });
			if (questions.length === 1) ask();
		});
	}

	function ask() {
		if (!questions.length) return;
		post({ action: "history", ...questions[0].question });
		after("answer", ANSWER_MS, () => {
			ping(); // is the link dead, or only this frame lost?
			ask();
		});
	}

	/** @param {Frame} page */
	function onHistory(page) {
		const question = questions[0]?.question;
		// A late answer to an earlier question says nothing on this one.
		if (["after", "before"].some((end) => (page[end] ?? question?.[end]) !== question?.[end])) return;
		questions.shift()?.resolve(page);
		cancel("answer");
		ask();
	}

	/** An error that names no message answers what else is under way. @param {Frame} frame */
	function onError(frame) {
		const { code, messageId } = frame;
		const isFault = code === "internal";
		const isLimit = code === "rate_limited";
		const unsent = outbox.all.get(messageId);
		const faults = unsent?.faults ?? 0;
		const wait = frame.retryAfterMs ?? delayMs(faults, random);
		if (unsent) {
			const failed = isFault ? faults + 1 === MAX_FAULTS : !isLimit;
			outbox.put({ ...unsent, failed, faults: faults + Number(isFault) });
			if (failed) tell("failed", { ...unsent, ...frame });
			else after("sent", wait, flush);
			if (isLimit) tell("refused", frame);
			flush();
		} else if (messageId) return;
		else if (isFault && timers.has("join")) lost();
		else if (isLimit && timers.has("join")) after("join", wait, join);
		else if ((isFault || isLimit) && questions.length) after("answer", wait, ask);
		else if (!isFault) {
			cancel("join");
			tell("refused", frame);
			questions.shift()?.reject(new Error(code));
			ask();
		}
	}

	/** Sends the first message that waits, whichever room it was written in. */
	function flush() {
		const unsent = outbox.next;
		if (unsent?.messageId !== sending) cancel("sent"); // the last one waits no more
		if (!joined || !unsent || timers.has("sent")) return;
		const { messageId, room, text } = unsent;
		sending = messageId;
		post({ action: "sendmessage", message: text, messageId, to: room });
		after("sent", ANSWER_MS, () => {
			ping();
			flush();
		});
	}

	// Timers and events.

	/** @param {string} kind @param {number} ms @param {() => void} [act] */
	function after(kind, ms, act) {
		cancel(kind);
		const timer = clock.setTimeout(() => {
			timers.delete(kind);
			act?.();
		}, ms);
		timers.set(kind, timer);
	}

	/** @param {string} kind */
	function cancel(kind) {
		clock.clearTimeout(timers.get(kind));
		timers.delete(kind);
	}

	function clear() {
		for (const kind of timers.keys()) cancel(kind);
	}

	/** @param {Connection["state"]} state @param {number} [retryAt] */
	function setState(state, retryAt) {
		if (state === connection.state) return;
		connection.state = state;
		tell("state", { state, retryAt });
	}

	/** @param {string} type @param {object} detail */
	function tell(type, detail) {
		connection.dispatchEvent(new CustomEvent(type, { detail }));
	}
}
