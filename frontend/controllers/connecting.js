/** Connecting: which server, when, and what the page says of the connection. */

import { SessionState } from "../client/session.js";
import { ServerPanel } from "../views/server-panel.js";

const CONFIG_MS = 5000;

export class Connecting {
	#session;
	#storage;
	#panel;
	#actions;
	#deployed = "";
	#url = "";
	#wasReached = false;
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

	/** Connect to the server that the person entered, else to the one of config.json. */
	async start() {
		const problem = await this.#load("default");
		const url = this.#storage.loadText("url") || this.#deployed;
		if (url) this.#connect(url);
		else this.#panel.showProblem(problem);
	}

	/** @param {RequestCache} cache @returns {Promise<string>} what to say if there is no URL */
	async #load(cache) {
		try {
			const answer = await fetch("config.json", { cache, signal: AbortSignal.timeout(CONFIG_MS) });
			const { websocketUrl = "" } = answer.ok ? await answer.json() : {};
			this.#deployed = String(websocketUrl);
			return "No server configured. Enter a WebSocket URL.";
		} catch {
			return "Could not load the server’s address. Reload the page, or enter a WebSocket URL.";
		}
	}

	/** A server that is not reached may have moved: the deployed config tells where to. */
	async #lookForNewServer() {
		const former = this.#deployed;
		await this.#load("reload");
		if (this.#url === former && this.#deployed && this.#deployed !== former) this.#connect(this.#deployed);
	}

	/** @param {string} url */
	#connect(url) {
		if (url !== this.#url) this.#wasReached = false;
		this.#url = this.#panel.url = url;
		this.#panel.showProblem("");
		this.#storage.save("url", url === this.#deployed ? "" : url);
		this.#session.connect(url);
	}

	/** @param {SessionEvents["state"]} event */
	#stateChanged({ state, retryAt = 0 }) {
		const isConnected = state === SessionState.JOINING || state === SessionState.READY;
		const isConnecting = state === SessionState.CONNECTING;
		const isWaiting = state === SessionState.WAITING;
		const isOffline = state === SessionState.OFFLINE;
		if (isConnected) this.#wasReached = true;
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
		if (isWaiting && !this.#wasReached) this.#lookForNewServer();
	}

	/** @param {boolean} isConnecting @param {boolean} isWaiting */
	#why(isConnecting, isWaiting) {
		if (isConnecting) return "Connecting…";
		if (!isWaiting) return "You are not connected.";
		if (!navigator.onLine) return "You are offline. Your messages will be sent when you are back online.";
		if (this.#wasReached) return "The connection was lost. Your messages will be sent when it is back.";
		return `Cannot reach ${this.#url}. Check the URL.`;
	}
}
