/** The state of the connection: the status pill, the server panel, and the banner when the connection is lost. */

import { urlProblem } from "../model/wording.js";
import { element } from "./dom.js";

const SECOND_MS = 1000;
const LABELS = { connected: "Connected", connecting: "Connecting…", disconnected: "Disconnected" };

export class ServerPanel {
	#pill = element("pill", HTMLElement);
	#status = element("status", HTMLElement);
	#panel = element("server", HTMLFormElement);
	#state = element("serverState", HTMLElement);
	#url = element("url", HTMLInputElement);
	#problem = element("urlProblem", HTMLElement);
	#connect = element("connect", HTMLButtonElement);
	#disconnect = element("disconnect", HTMLButtonElement);
	#banner = element("banner", HTMLElement);
	#bannerText = element("bannerText", HTMLElement);
	#countdown = element("countdown", HTMLElement);
	#ownServer = element("ownServer", HTMLElement);
	#retryAt = 0;
	#countdownTimer = 0;
	#actions;

	/** @param {ServerPanelActions} actions */
	constructor(actions) {
		this.#actions = actions;
		this.#panel.onsubmit = () => this.#submit();
		this.#disconnect.onclick = actions.disconnect;
		element("tryNow", HTMLButtonElement).onclick = actions.retry;
		this.#ownServer.onclick = actions.useDefault;
		this.#pill.onclick = ({ target }) => {
			if (target !== this.#pill && target !== this.#status) return; // the button opens the panel itself
			this.#panel.showPopover();
			this.#panel.focus();
		};
		document.addEventListener("visibilitychange", () => this.#count());
	}

	set url(url) {
		this.#url.value = url;
	}

	get url() {
		return this.#url.value;
	}

	#submit() {
		const url = this.#url.value.trim();
		const problem = urlProblem(url);
		this.showProblem(problem);
		if (problem) return;
		this.#panel.hidePopover();
		this.#actions.connect(url);
	}

	/** @param {string} problem what is wrong with the URL, or "" */
	showProblem(problem) {
		this.#problem.textContent = problem;
		this.#url.ariaInvalid = String(!!problem);
		if (!problem) return;
		this.#panel.showPopover();
		this.#url.focus();
	}

	/** @param {ServerView} view */
	show({ state, why, retryAt, isWaiting, isOffline, offersDefault }) {
		this.#pill.dataset.state = state;
		if (this.#status.textContent !== LABELS[state]) this.#status.textContent = LABELS[state];
		this.#state.textContent = why;
		this.#connect.disabled = state !== "disconnected";
		this.#disconnect.disabled = isOffline;
		this.#retryAt = retryAt;
		if (state === "connecting") return; // Keep the banner until the attempt has ended.
		this.#banner.hidden = !isWaiting;
		this.#bannerText.textContent = isWaiting ? why : "";
		this.#ownServer.hidden = !offersDefault;
		this.#count();
	}

	/** Whether hiding the banner would lose the focus. */
	get hasBannerFocus() {
		return this.#banner.contains(document.activeElement);
	}

	/** Count down while the page is visible. */
	#count() {
		clearTimeout(this.#countdownTimer);
		if (this.#banner.hidden || document.hidden) return;
		const left = Math.max(0, this.#retryAt - Date.now());
		this.#countdown.textContent = `Retrying in ${Math.ceil(left / SECOND_MS)} s.`;
		this.#countdownTimer = setTimeout(() => this.#count(), left % SECOND_MS || SECOND_MS);
	}
}
