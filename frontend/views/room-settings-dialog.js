/** The settings of a private room: title, history, members with their roles, who is banned. */

import { count, ROLE_NAMES } from "../model/private-wording.js";
import { makeDialog } from "./dialog.js";
import { icon, make } from "./dom.js";
import { historyChoice, titleField } from "./new-room-dialog.js";
import { personRow } from "./person-row.js";
import { PopupMenu } from "./popup-menu.js";

export class RoomSettingsDialog {
	#title = titleField("roomTitleField", "");
	#history = historyChoice(false);
	#form = make("form", { method: "dialog", noValidate: true });
	#about = make("p");
	#membersTitle = make("h3");
	#members = make("ul", { className: "list" });
	#bannedTitle = make("h3", { textContent: "Banned" });
	#banned = make("ul", { className: "list" });
	#status = make("p", { className: "muted", role: "status" });
	#problem = make("p", { className: "problem", role: "alert" });
	#invite = make("button", { type: "button", className: "plain" }, icon("invite"), "Invite people");
	#leave = make("button", { type: "button", className: "plain" }, icon("leave"), "Leave room");
	#dialog;
	#menu;
	#actions;

	/** @param {RoomSettingsActions} actions */
	constructor(actions) {
		this.#actions = actions;
		this.#form.append(
			make("label", { htmlFor: this.#title.id, textContent: "Title" }),
			make("div", { className: "together" }, this.#title, make("button", { textContent: "Save" })),
			this.#history.label,
		);
		const save = () =>
			this.#run("Saving…", () => actions.edit(this.#title.value.trim(), this.#history.box.checked), "Saved.");
		this.#history.box.onchange = save;
		this.#form.onsubmit = (event) => {
			event.preventDefault();
			save();
		};
		this.#dialog = makeDialog(
			"Room settings",
			this.#form,
			this.#about,
			this.#problem,
			this.#status,
			this.#membersTitle,
			this.#members,
			this.#bannedTitle,
			this.#banned,
			make("div", { className: "buttons" }, this.#invite, this.#leave),
		);
		this.#dialog.tabIndex = -1; // focused instead of the title, which would open a phone's keyboard
		this.#menu = new PopupMenu(this.#dialog);
		this.#invite.onclick = () => {
			this.#dialog.close();
			actions.invite();
		};
		this.#leave.onclick = () => {
			this.#dialog.close();
			actions.leave();
		};
	}

	get isOpen() {
		return this.#dialog.open;
	}

	/** @param {Description} room */
	open(room) {
		this.#title.value = room.title ?? "";
		this.#history.box.checked = room.sharesHistory;
		this.#problem.textContent = this.#status.textContent = "";
		this.#members.replaceChildren();
		this.show(room, undefined);
		this.#dialog.showModal();
		this.#dialog.focus();
	}

	close() {
		this.#dialog.close();
	}

	/** @param {Description} room @param {MembersFrame | undefined} listed undefined until the server has answered */
	show(room, listed) {
		const isOwner = room.role === "owner";
		this.#form.hidden = !isOwner;
		this.#about.hidden = isOwner;
		const history = room.sharesHistory ? "see earlier messages" : "see only what is written after they join";
		this.#about.replaceChildren(make("strong", { textContent: room.title }), `. New members ${history}.`);
		this.#invite.hidden = room.role === "member";
		const { members = [], banned = [] } = listed ?? {};
		this.#membersTitle.textContent = count(listed ? members.length : room.memberCount, "member");
		if (!listed) return;
		const hadFocus = this.#members.contains(document.activeElement) || document.activeElement === document.body;
		this.#members.replaceChildren(...members.map((member) => this.#memberRow(member, room, members)));
		this.#bannedTitle.hidden = !banned.length;
		this.#banned.replaceChildren(...banned.map((account) => this.#bannedRow(account)));
		if (hadFocus) this.#dialog.focus();
	}

	/** @param {RoomMember} member @param {Description} room @param {RoomMember[]} members */
	#memberRow(member, room, members) {
		const isOwn = member.userId === this.#actions.ownId;
		const row = personRow(member, `${ROLE_NAMES[member.role]}${isOwn ? ", you" : ""}`);
		const items = this.#itemsFor(member, room, members);
		if (!items.length) return row;
		const more = make(
			"button",
			{ type: "button", className: "icon", ariaLabel: `${member.name}: actions` },
			icon("more"),
		);
		more.setAttribute("aria-haspopup", "true");
		more.onclick = () => this.#menu.open(more, items);
		row.append(more);
		return row;
	}

	/** What one may do with a member. @param {RoomMember} member @param {Description} room @param {RoomMember[]} members
	 * @returns {import("./popup-menu.js").MenuItem[]} */
	#itemsFor({ userId, name, role }, room, members) {
		const { setRole, message, ownId } = this.#actions;
		/** @type {(to: Role, label: string) => import("./popup-menu.js").MenuItem} */
		const make = (to, label) => ({
			label,
			icon: "role",
			act: () => this.#run("Changing the role…", () => setRole(userId, to)),
		});
		if (userId === ownId) {
			const hasOthers = members.some((each) => each.role === "owner" && each.userId !== userId);
			return role === "owner" && hasOthers ? [make("member", "Give up ownership")] : [];
		}
		const items = [{ label: `Message ${name}`, icon: "chat", act: () => message(userId) }];
		if (room.role === "owner") {
			if (role !== "owner") items.push(make("owner", "Make owner"));
			if (role !== "moderator") items.push(make("moderator", "Make moderator"));
			if (role !== "member") items.push(make("member", "Make member"));
		}
		if (room.role === "owner" || (room.role === "moderator" && role === "member")) {
			items.push({ label: "Remove", icon: "close", act: () => this.#remove({ userId, name }, false) });
			items.push({ label: "Ban", icon: "block", act: () => this.#remove({ userId, name }, true) });
		}
		return items;
	}

	/** @param {Account} account @param {boolean} isBan */
	async #remove({ userId, name }, isBan) {
		const { confirmRemoval, remove } = this.#actions;
		if (await confirmRemoval(name, isBan)) await this.#run(`Removing ${name}…`, () => remove(userId, isBan));
	}

	/** @param {Account} account */
	#bannedRow(account) {
		const row = personRow(account);
		const button = make("button", { type: "button", className: "quiet", textContent: "Unban" });
		button.ariaLabel = `Unban ${account.name}`;
		button.onclick = () => this.#run("Lifting the ban…", () => this.#actions.unban(account.userId));
		row.append(button);
		return row;
	}

	/** @param {string} doing @param {() => Promise<string>} act @param {string} [done] */
	async #run(doing, act, done = "") {
		this.#problem.textContent = "";
		this.#status.textContent = doing;
		this.#problem.textContent = await act();
		this.#status.textContent = this.#problem.textContent ? "" : done;
	}
}
