/** One WebSocket at a time: heartbeat, reconnect with back-off, renewal before API Gateway closes it. */

import { Emitter } from "./emitter.js";
import { parseFrame } from "./protocol.js";
import { backoffMs, Timers } from "./timers.js";

const CONNECT_MS = 15_000;
const HEARTBEAT_MS = 5 * 60_000; // API Gateway closes a connection after 10 idle minutes
const WATCHED_MS = 7500; // the list of people must be correct within 10 s of a change
const WATCHED_SPREAD_MS = 1000;
const PONG_MS = 5000;
const PING_REST_MS = 1000; // the server allows one ping per second
const STABLE_MS = 10_000; // only a connection that lasts this long resets the back-off
const RENEW_MS = 115 * 60_000; // API Gateway closes every connection after 2 hours
const RENEW_SPREAD_MS = 60_000; // so clients do not all reconnect at once
const OPEN = 1; // WebSocket.OPEN

/** @extends {Emitter<TransportEvents>} */
export class Transport extends Emitter {
	/** @type {() => Omit<PingFrame, "action">} */
	pingFields = () => ({});

	#WebSocket;
	#clock;
	#random;
	#timers;
	#url = "";
	/** @type {WebSocket | undefined} */
	#socket;
	#opened = false;
	#isWatched = true;
	#isPingDue = false;
	#failures = 0;

	/** @param {Surroundings} surroundings @param {Socket} [WebSocket] */
	constructor({ clock, random }, WebSocket = globalThis.WebSocket) {
		super();
		this.#WebSocket = WebSocket;
		this.#clock = clock;
		this.#random = random;
		this.#timers = new Timers(clock);
	}

	get isOpen() {
		return this.#opened && this.#socket?.readyState === OPEN;
	}

	/** Connect now and stay connected, replacing an open connection. Throws a SyntaxError if the URL is malformed.
	 * @param {string} [url] */
	connect(url = this.#url) {
		this.#url = url;
		const renewing = this.isOpen;
		this.#drop(renewing);
		this.#open(renewing);
	}

	disconnect() {
		this.#drop(false);
		this.#failures = 0;
	}

	fail() {
		this.#drop(false);
		const wait = backoffMs(this.#failures, this.#random);
		this.#failures += 1;
		this.#timers.start("reconnect", wait, () => this.#open(false));
		this.emit("waiting", { retryAt: this.#clock.Date.now() + wait });
	}

	/** @param {ClientFrame} frame */
	send(frame) {
		if (!this.isOpen) return false;
		this.#socket?.send(JSON.stringify(frame));
		return true;
	}

	/** Ping the server; the connection fails if nothing arrives within PONG_MS. */
	check() {
		if (!this.isOpen) return;
		this.#scheduleHeartbeat();
		this.#isPingDue = this.#timers.isRunning("rest");
		if (this.#isPingDue) return;
		this.send({ action: "ping", ...this.pingFields() });
		if (!this.#timers.isRunning("pong")) this.#timers.start("pong", PONG_MS, () => this.fail());
		this.#timers.start("rest", PING_REST_MS, () => this.#isPingDue && this.check());
	}

	/** @param {boolean} isWatched */
	watch(isWatched) {
		if (isWatched === this.#isWatched) return;
		this.#isWatched = isWatched;
		if (isWatched) this.wake();
		else if (this.isOpen) this.#scheduleHeartbeat();
	}

	wake() {
		if (this.#timers.isRunning("reconnect")) this.#open(false);
		else this.check();
	}

	/** @param {boolean} renewing */
	#open(renewing) {
		this.#timers.cancelAll();
		const socket = new this.#WebSocket(this.#url);
		this.#socket = socket;
		if (!renewing) this.emit("connecting", undefined);
		this.#timers.start("connect", CONNECT_MS, () => this.fail());
		socket.onopen = () => socket === this.#socket && this.#up();
		socket.onmessage = ({ data }) => socket === this.#socket && this.#receive(data);
		socket.onclose = () => socket === this.#socket && this.fail();
	}

	#up() {
		this.#opened = true;
		this.#timers.cancel("connect");
		this.#timers.start("stable", STABLE_MS, () => {
			this.#failures = 0;
		});
		this.#timers.start("renew", RENEW_MS - this.#random() * RENEW_SPREAD_MS, () => this.connect());
		this.#scheduleHeartbeat();
		this.emit("open", undefined);
	}

	#scheduleHeartbeat() {
		const wait = this.#isWatched ? WATCHED_MS + this.#random() * WATCHED_SPREAD_MS : HEARTBEAT_MS;
		this.#timers.start("heartbeat", wait, () => this.check());
	}

	/** @param {unknown} data */
	#receive(data) {
		this.#timers.cancel("pong"); // any frame proves that the connection is alive
		const frame = parseFrame(data);
		if (frame) this.emit("frame", frame);
	}

	/** @param {boolean} renewing */
	#drop(renewing) {
		const [socket, opened] = [this.#socket, this.#opened];
		this.#socket = undefined;
		this.#opened = false;
		this.#timers.cancelAll();
		socket?.close();
		if (opened) this.emit("close", { renewing });
	}
}
