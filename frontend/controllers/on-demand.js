/** The parts of the page that are loaded when somebody first asks for them: search, the room switcher, the list of shortcuts. */

import { showToast } from "../views/toast.js";

/** After a deploy, a module of a page that was open may be gone. @template T @param {Promise<T>} module */
async function loaded(module) {
	try {
		return await module;
	} catch (error) {
		showToast("Could not load this part of the page. Reload the page, then try again.");
		throw error;
	}
}

export class OnDemand {
	#actions;
	/** @type {import("../views/search-panel.js").SearchPanel | undefined} */
	#searchPanel;
	/** @type {import("../views/room-switcher.js").RoomSwitcher | undefined} */
	#switcher;

	/** @param {OnDemandActions} actions */
	constructor(actions) {
		this.#actions = actions;
	}

	/** @param {string} title of the room @param {boolean} atDate whether to begin with the date */
	async search(title, atDate) {
		const { SearchPanel } = await loaded(import("../views/search-panel.js"));
		const { Search } = await loaded(import("../model/search.js"));
		const { history, showDate, hrefOf } = this.#actions;
		const search = (/** @type {string} */ query) => new Search({ query, ...history() });
		this.#searchPanel ??= new SearchPanel({ search, showDate, hrefOf });
		this.#searchPanel.open(title, atDate);
	}

	closeSearch() {
		this.#searchPanel?.close();
	}

	async switchRoom() {
		const { RoomSwitcher } = await loaded(import("../views/room-switcher.js"));
		this.#switcher ??= new RoomSwitcher({ rooms: this.#actions.destinations, open: this.#actions.open });
		this.#switcher.open();
	}

	async showShortcuts() {
		(await loaded(import("../views/shortcuts-dialog.js"))).showShortcuts();
	}
}
