/** The dialog for inviting people to a private room: by name, or by a link. */

import { linkLine } from "../model/private-wording.js";
import { copyToClipboard } from "./clipboard.js";
import { makeDialog } from "./dialog.js";
import { closest, icon, make } from "./dom.js";

const HOUR = 1;
const DAY = 24;
/** @type {[number, string][]} */
const EXPIRIES = [
	[HOUR, "1 hour"],
	[DAY, "1 day"],
	[7 * DAY, "7 days"],
	[30 * DAY, "30 days"],
];
const MAX_USES = 100;

const problemLine = () => make("p", { className: "problem", role: "alert" });

export class InvitationDialog {
	#name = make("input", { id: "inviteName", autocomplete: "off", autocapitalize: "none" });
	#sent = make("p", { role: "status" });
	#nameProblem = problemLine();
	#expiry = make(
		"select",
		{ id: "inviteExpiry" },
		...EXPIRIES.map(([hours, label]) => make("option", { value: `${hours}`, textContent: label })),
	);
	#uses = make("input", {
		id: "inviteUses",
		type: "number",
		min: "1",
		max: `${MAX_USES}`,
		value: "1",
		inputMode: "numeric",
	});
	#linkProblem = problemLine();
	#link = make("input", { id: "inviteLink", readOnly: true });
	#made = make("div", { className: "made", hidden: true });
	#links = make("ul", { className: "list" });
	#linksTitle = make("h3", { textContent: "Open links" });
	#dialog;
	#actions;

	/** @param {InvitationActions} actions */
	constructor(actions) {
		this.#actions = actions;
		const copy = make("button", { type: "button", className: "plain" }, icon("copy"), "Copy");
		copy.onclick = () => copyToClipboard(this.#link.value, "Invitation link copied.");
		this.#made.append(
			make("label", { htmlFor: this.#link.id, textContent: "Invitation link. It is shown only now." }),
			make("div", { className: "together" }, this.#link, copy),
		);
		this.#link.onfocus = () => this.#link.select();
		this.#links.onclick = (event) => {
			const button = closest(event, "button", HTMLButtonElement);
			if (button) this.#revoke(button);
		};
		this.#dialog = makeDialog(
			"Invite people",
			this.#byName(),
			this.#byLink(),
			this.#made,
			this.#linksTitle,
			this.#links,
		);
	}

	#byName() {
		const form = make(
			"form",
			{ method: "dialog", noValidate: true },
			make("label", { htmlFor: this.#name.id, textContent: "Invite by name" }),
			make("div", { className: "together" }, this.#name, make("button", { textContent: "Invite" })),
			this.#sent,
			this.#nameProblem,
		);
		form.onsubmit = async (event) => {
			event.preventDefault();
			this.#sent.textContent = "";
			const name = this.#name.value.trim();
			const problem = name ? await this.#actions.invite(name) : "Enter the name of an account.";
			this.#nameProblem.textContent = problem;
			if (!problem) {
				this.#sent.textContent = "If an account with this name exists, it has been invited.";
				this.#name.value = "";
			}
			this.#name.focus();
		};
		return form;
	}

	#byLink() {
		const create = make("button", { className: "plain", textContent: "Create link" });
		const form = make(
			"form",
			{ method: "dialog", noValidate: true },
			make("h3", { textContent: "Invite by link" }),
			make("p", { className: "muted", textContent: "Anyone who has the link and an account can join." }),
			make(
				"div",
				{ className: "together pair" },
				make("div", {}, make("label", { htmlFor: this.#expiry.id, textContent: "Valid for" }), this.#expiry),
				make("div", {}, make("label", { htmlFor: this.#uses.id, textContent: "People" }), this.#uses),
				create,
			),
			this.#linkProblem,
		);
		form.onsubmit = async (event) => {
			event.preventDefault();
			const uses = Number(this.#uses.value);
			const isValid = Number.isInteger(uses) && uses >= 1 && uses <= MAX_USES;
			this.#linkProblem.textContent = isValid ? "" : `Enter a number of people from 1 to ${MAX_USES}.`;
			if (!isValid) return this.#uses.focus();
			create.disabled = true;
			const { link, problem } = await this.#actions.createLink(uses, Number(this.#expiry.value));
			create.disabled = false;
			this.#linkProblem.textContent = problem;
			this.#made.hidden = !link;
			this.#link.value = link;
			if (link) this.#link.focus();
		};
		return form;
	}

	open() {
		this.#name.value = this.#link.value = "";
		this.#uses.value = "1";
		this.#expiry.value = `${7 * DAY}`;
		this.#made.hidden = true;
		for (const line of [this.#sent, this.#nameProblem, this.#linkProblem]) line.textContent = "";
		this.showLinks([]);
		this.#dialog.showModal();
		this.#name.focus();
	}

	close() {
		this.#dialog.close();
	}

	/** @param {InviteLink[]} links */
	showLinks(links) {
		this.#linksTitle.hidden = !links.length;
		const rows = links.map((link, index) => {
			const button = make("button", {
				type: "button",
				className: "quiet",
				value: link.inviteId,
				textContent: "Revoke",
			});
			button.ariaLabel = `Revoke link ${index + 1}`;
			return make("li", {}, make("span", { className: "grow", textContent: linkLine(link) }), button);
		});
		this.#links.replaceChildren(...rows);
	}

	/** @param {HTMLButtonElement} button */
	async #revoke(button) {
		button.disabled = true;
		this.#linkProblem.textContent = await this.#actions.revoke(button.value);
		this.#made.hidden = true; // it may be the link that is gone
		this.#name.focus();
	}
}
