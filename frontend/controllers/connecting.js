/** Connecting: choosing the server, and showing the state of the connection. */

import { SessionState } from "../client/session.js";
import { ServerPanel } from "../views/server-panel.js";

const CONFIG_MS = 5000;

export class Connecting {
	#session;
	#storage;
	#panel;
	#actions;
	#deployed = "";
	/** @type {SignInConfig | undefined} */
	#signIn;
	#url = "";
	/** Whether this page has been connected to the server. */
	#hasConnected = false;
	#wasConnected = false;

	/** @param {ConnectingOptions} options */
	constructor({ session, storage, ...actions }) {
		this.#session = session;
		this.#storage = storage;
		this.#actions = actions;
		this.#panel = new ServerPanel({
			connect: (url) => this.#connect(url),
			disconnect: () => session.disconnect(),
			retry: () => session.connect(),
			useDefault: () => this.#connect(this.#deployed),
		});
		session.on("state", (event) => this.#stateChanged(event));
	}

	/** Connect to the server that the user entered, or else to the one in config.json. */
	async start() {
		const problem = await this.#load("default");
		const mayConnect = this.#deployed ? await this.#actions.configured(this.#signIn) : true;
		const url = this.#storage.loadText("url") || this.#deployed;
		if (url) this.#connect(url, mayConnect);
		else this.#panel.showProblem(problem);
	}

	/** @param {RequestCache} cache @returns {Promise<string>} what to show if there is no URL */
	async #load(cache) {
		try {
			const answer = await fetch("config.json", { cache, signal: AbortSignal.timeout(CONFIG_MS) });
			const { websocketUrl = "", signIn } = answer.ok ? await answer.json() : {};
			this.#deployed = String(websocketUrl);
			this.#signIn = signIn;
			return "No server configured. Enter a WebSocket URL.";
		} catch {
			return "Could not load the server configuration. Reload the page, or enter a WebSocket URL.";
		}
	}

	/** If a server cannot be reached it may have moved: config.json has its current URL. */
	async #lookForNewServer() {
		const former = this.#deployed;
		await this.#load("reload");
		if (this.#url === former && this.#deployed && this.#deployed !== former) this.#connect(this.#deployed);
	}

	/** @param {string} url @param {boolean} [now] */
	#connect(url, now = true) {
		if (url !== this.#url) this.#hasConnected = false;
		this.#url = this.#panel.url = url;
		this.#panel.showProblem("");
		this.#storage.save("url", url === this.#deployed ? "" : url);
		this.#session.isTrusted = url === this.#deployed;
		this.#session.connect(url, now);
	}

	/** Whether this browser has been connected to the server, now or on an earlier visit. */
	get #isKnown() {
		return this.#storage.loadText("server") === this.#url;
	}

	#connected() {
		if (!this.#isKnown && this.#storage.loadText("server")) this.#actions.serverChanged();
		this.#storage.save("server", this.#url);
		this.#hasConnected = true;
	}

	/** @param {SessionEvents["state"]} event */
	#stateChanged({ state, retryAt = 0 }) {
		const isConnected = state === SessionState.JOINING || state === SessionState.READY;
		const isConnecting = state === SessionState.CONNECTING;
		const isWaiting = state === SessionState.WAITING;
		const isOffline = state === SessionState.OFFLINE;
		if (isConnected && !this.#hasConnected) this.#connected();
		if (this.#wasConnected && !isConnected) this.#actions.left();
		this.#wasConnected = isConnected;
		const hadFocus = this.#panel.hasBannerFocus;
		this.#panel.show({
			state: isConnected ? "connected" : isConnecting ? "connecting" : "disconnected",
			why: isConnected ? "" : this.#why(isConnecting, isWaiting),
			retryAt,
			isWaiting,
			isOffline,
			offersDefault: !!this.#deployed && this.#url !== this.#deployed,
		});
		if (state === SessionState.READY) this.#actions.entered(hadFocus);
		if (isOffline) this.#actions.ended();
		if (isWaiting && this.#isKnown) this.#actions.waiting();
		if (isWaiting && !this.#hasConnected) this.#lookForNewServer();
	}

	/** @param {boolean} isConnecting @param {boolean} isWaiting */
	#why(isConnecting, isWaiting) {
		if (isConnecting) return "Connecting…";
		if (!isWaiting) return "You are not connected.";
		if (!navigator.onLine) return "You are offline. Your messages will be sent when you are back online.";
		if (this.#hasConnected) return "Connection lost. Your messages will be sent when you reconnect.";
		if (!this.#isKnown) return `Cannot reach ${this.#url}. Check the URL.`;
		const server = this.#url === this.#deployed ? "the server" : this.#url;
		return `Cannot reach ${server}. Your messages will be sent when you are connected.`;
	}
}
