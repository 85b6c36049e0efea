/** The parts of the page that are loaded on first use: search, the room switcher, the list of shortcuts, accounts. */

import { showToast } from "../views/toast.js";

/** A deployment may have deleted the modules of a page that is still open. @template T @param {Promise<T>} module */
async function loaded(module) {
	try {
		return await module;
	} catch (error) {
		showToast("Could not load this part of the page. Reload the page and try again.");
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

	/** @param {string} title of the room @param {boolean} atDate whether to focus the date field */
	async search(title, atDate) {
		const { SearchPanel } = await loaded(import("../views/search-panel.js"));
		const { Search } = await loaded(import("../model/search.js"));
		const { history, showDate, hrefOf } = this.#actions;
		const search = (/** @type {string} */ query) => new Search({ query, ...history() });
		this.#searchPanel ??= new SearchPanel({ search, showDate, hrefOf });
		this.#searchPanel.open(title, atDate);
	}

	closeSearch() {
		this.#searchPanel?.clear();
	}

	async switchRoom() {
		const { RoomSwitcher } = await loaded(import("../views/room-switcher.js"));
		this.#switcher ??= new RoomSwitcher({ rooms: this.#actions.destinations, open: this.#actions.open });
		this.#switcher.open();
	}

	/** Only on a page whose config.json has `signIn`. @param {import("./account.js").AccountOptions} options */
	async account(options) {
		const { Account } = await loaded(import("./account.js"));
		return new Account(options);
	}

	async showShortcuts() {
		(await loaded(import("../views/shortcuts-dialog.js"))).showShortcuts();
	}
}
