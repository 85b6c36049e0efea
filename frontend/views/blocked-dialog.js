/** The list of people whom the account has blocked. */

import { makeDialog } from "./dialog.js";
import { make } from "./dom.js";
import { personRow } from "./person-row.js";

export class BlockedDialog {
	#list = make("ul", { className: "list" });
	#hint = make("p", { className: "muted" });
	#problem = make("p", { className: "problem", role: "alert" });
	#dialog = makeDialog("Blocked people", this.#hint, this.#list, this.#problem);
	#unblock;

	/** @param {(userId: string) => Promise<string>} unblock returns why it failed, or "" */
	constructor(unblock) {
		this.#unblock = unblock;
	}

	/** @param {Account[]} blocked */
	open(blocked) {
		this.#problem.textContent = "";
		this.show(blocked);
		this.#dialog.showModal();
	}

	/** @param {Account[]} blocked */
	show(blocked) {
		this.#hint.textContent = blocked.length
			? "They cannot send you direct messages or invitations."
			: "You have blocked nobody. People you block cannot send you direct messages or invitations.";
		const hadFocus = this.#list.contains(document.activeElement);
		const rows = blocked.map((account) => {
			const button = make("button", { type: "button", className: "quiet", textContent: "Unblock" });
			button.ariaLabel = `Unblock ${account.name}`;
			button.onclick = async () => {
				this.#problem.textContent = await this.#unblock(account.userId);
			};
			const row = personRow(account);
			row.append(button);
			return row;
		});
		this.#list.replaceChildren(...rows);
		if (hadFocus) this.#dialog.querySelector("button")?.focus();
	}
}
