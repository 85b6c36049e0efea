/** The drawer that searches the current room's history and jumps to a date. */

import { matchRanges } from "../model/search.js";
import { dateAndTime, isolated, shortDate } from "../model/wording.js";
import { icon, make } from "./dom.js";

const SNIPPET_BEFORE = 40;
const SNIPPET = 160;

/** Remove half of a surrogate pair at either end. @param {Node | string} node */
const whole = (node) => (typeof node === "string" ? node.replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, "") : node);

/** The text around the first match, with matches highlighted. @param {string} text @param {string} query */
function snippet(text, query) {
	const ranges = matchRanges(text, query);
	const from = Math.max(0, (ranges[0]?.[0] ?? 0) - SNIPPET_BEFORE);
	const to = Math.min(text.length, from + SNIPPET);
	/** @type {(Node | string)[]} */
	const nodes = [from > 0 ? "…" : ""];
	let at = from;
	for (const [start, end] of ranges) {
		if (start < at || end > to) continue;
		nodes.push(text.slice(at, start), make("mark", { textContent: text.slice(start, end) }));
		at = end;
	}
	return [...nodes, text.slice(at, to), to < text.length ? "…" : ""].map(whole);
}

export class SearchPanel {
	#title = make("h2");
	#query = make("input", { type: "search", id: "searchQuery", placeholder: "Words, or from:name" });
	#date = make("input", { type: "date", id: "searchDate" });
	#state = make("p", { className: "muted", ariaLive: "polite" });
	#results = make("ul", { className: "results" });
	#further = make("button", { className: "plain", textContent: "Search older messages", hidden: true });
	#panel;
	#actions;
	/** @type {Search | undefined} */
	#search;
	#found = 0;
	#isRunning = false;

	/** @param {SearchPanelActions} actions */
	constructor(actions) {
		this.#actions = actions;
		const close = make("button", { className: "icon", ariaLabel: "Close" }, icon("close"));
		const byWords = make(
			"form",
			{ method: "dialog" },
			make("label", { htmlFor: "searchQuery", textContent: "Search this room" }),
			make(
				"div",
				{ className: "together" },
				this.#query,
				make("button", { className: "plain", textContent: "Search" }),
			),
		);
		const byDate = make(
			"form",
			{ method: "dialog" },
			make("label", { htmlFor: "searchDate", textContent: "Jump to a date" }),
			make("div", { className: "together" }, this.#date, make("button", { className: "plain", textContent: "Go" })),
		);
		const header = make("header", {}, this.#title, close);
		this.#panel = make("aside", {
			className: "side",
			id: "search",
			popover: "auto",
			tabIndex: -1,
			ariaLabel: "Search",
		});
		this.#panel.append(header, byWords, byDate, this.#state, this.#results, this.#further);
		document.body.append(this.#panel);
		close.onclick = () => this.#panel.hidePopover();
		byWords.onsubmit = () => this.#start();
		byDate.onsubmit = () => {
			if (!this.#date.value) return;
			this.#panel.hidePopover();
			actions.showDate(new Date(`${this.#date.value}T00:00`).getTime());
		};
		this.#further.onclick = () => this.#more();
		this.#panel.onkeydown = (event) => {
			if (event.key !== "Escape" || event.isComposing) return;
			event.preventDefault(); // Escape in a search field would only clear it
			this.close();
		};
		this.#panel.addEventListener("toggle", ({ newState }) => {
			if (newState === "closed") this.#stop();
		});
	}

	/** @param {string} title of the room @param {boolean} atDate whether to focus the date field */
	open(title, atDate) {
		if (this.#title.textContent !== title) this.#reset();
		this.#title.textContent = title;
		this.#panel.showPopover();
		(atDate ? this.#date : this.#query).focus();
	}

	close() {
		this.#panel.hidePopover();
	}

	/** Close it and drop what was found: another room is shown, and it may have the same title. */
	clear() {
		this.close();
		this.#title.textContent = "";
		this.#reset();
	}

	/** Stop a running search: its pages would be fetched for nothing. */
	#stop() {
		if (!this.#isRunning) return;
		this.#search?.cancel();
		this.#search = undefined;
		this.#state.textContent = "Search stopped.";
		this.#further.hidden = true;
	}

	#reset() {
		this.#search?.cancel();
		this.#search = undefined;
		this.#isRunning = false;
		this.#found = 0;
		this.#query.value = this.#state.textContent = "";
		this.#results.replaceChildren();
		this.#further.hidden = true;
	}

	#start() {
		const query = this.#query.value.trim();
		this.#reset();
		this.#query.value = query;
		if (!query) return;
		this.#search = this.#actions.search(query);
		this.#more();
	}

	async #more() {
		const search = this.#search;
		if (!search) return;
		this.#isRunning = true;
		this.#state.textContent = "Searching…";
		this.#further.disabled = true;
		try {
			const { found, searchedTo, complete } = await search.more();
			if (search !== this.#search) return;
			this.#found += found.length;
			this.#results.append(...found.map((item) => this.#result(item)));
			const count = `${this.#found || "No"} message${this.#found === 1 ? "" : "s"} found`;
			this.#state.textContent = complete ? `${count}.` : `${count} since ${shortDate(searchedTo)}.`;
			this.#further.hidden = complete;
		} catch {
			if (search !== this.#search) return;
			this.#state.textContent = "Search interrupted. Try again when you are connected.";
			this.#further.hidden = false;
		} finally {
			if (search === this.#search) this.#isRunning = false;
			this.#further.disabled = false;
		}
	}

	/** @param {Item} item */
	#result({ seq, at, name, message }) {
		const link = make("a", { href: this.#actions.hrefOf(seq) });
		const when = make("time", { textContent: dateAndTime(at), dateTime: new Date(at).toISOString() });
		link.append(make("strong", { textContent: isolated(name) }), " ", when);
		link.append(make("span", { className: "snippet", dir: "auto" }, ...snippet(message, this.#query.value)));
		link.onclick = () => this.#panel.hidePopover();
		return make("li", {}, link);
	}
}
