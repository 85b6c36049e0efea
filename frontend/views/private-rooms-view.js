/** An account's rooms in the page: their lists, invitations, and what the heading and the room's panel say of them. */

import { hueOf } from "../model/colours.js";
import { count } from "../model/private-wording.js";
import { dateAndTime, isolated } from "../model/wording.js";
import { element, icon, make, part } from "./dom.js";
import "./icons.js";

const STYLES = "../styles/private-rooms.css";

/** @param {string} id @param {string} title @param {Node[]} more */
function heading(id, title, ...more) {
	return make("header", {}, make("h3", { id, textContent: title }), ...more);
}

/** @param {string} labelledBy */
function list(labelledBy) {
	const made = make("ul", { className: "list" });
	made.setAttribute("aria-labelledby", labelledBy);
	return made;
}

export class PrivateRoomsView {
	#actions;
	#rooms = list("privateTitle");
	#direct = list("directTitle");
	#directHint = make("p", {
		className: "muted",
		textContent: "To write to someone, choose them among the people in a room.",
	});
	#invitations = make("section", { className: "invitations", hidden: true });
	/** Elements of the page that are about public rooms. */
	#public = ["roomLink", "roomCopy", "share", "invite"].map((id) => element(id, HTMLElement));
	#lock = icon("lock");
	#about = make("p", { className: "muted", hidden: true });
	#empty = part(element("empty", HTMLElement), "p", HTMLElement);
	#emptyText = this.#empty.textContent;
	#inviteButton;
	/** In a room without messages. */
	#firstInvite = make("button", { className: "plain", type: "button", hidden: true, textContent: "Invite people" });
	#settingsButton;
	#blockButton;

	/** @param {PrivateRoomsViewActions} actions */
	constructor(actions) {
		this.#actions = actions;
		const add = make("button", { className: "icon", type: "button", id: "newPrivateRoom" }, icon("plus"));
		add.ariaLabel = add.title = "New private room";
		add.onclick = actions.create;
		const groups = make(
			"div",
			{ className: "groups" },
			make("section", {}, heading("privateTitle", "Private rooms", add), this.#rooms),
			make("section", {}, heading("directTitle", "Direct messages"), this.#direct, this.#directHint),
		);
		const open = element("roomList", HTMLElement);
		open.before(groups);
		groups.prepend(this.#invitations, open);
		const panel = part(element("room", HTMLElement), ".menu", HTMLElement);
		this.#inviteButton = this.#panelButton("invite", actions.invite);
		this.#settingsButton = this.#panelButton("settings", actions.settings);
		this.#blockButton = this.#panelButton("block", actions.block);
		element("roomLeave", HTMLElement).before(this.#inviteButton, this.#settingsButton, this.#blockButton);
		panel.before(this.#about);
		this.#inviteButton.append("Invite people");
		this.#settingsButton.append("Room settings");
		this.#firstInvite.onclick = actions.invite;
		element("invite", HTMLElement).after(this.#firstInvite);
		this.#lock.classList.add("lock");
		element("roomName", HTMLElement).before(this.#lock);
	}

	/** Load the styles. */
	async start() {
		const styles = make("link", { rel: "stylesheet", href: new URL(STYLES, import.meta.url).href });
		await new Promise((resolve) => {
			styles.onload = styles.onerror = resolve;
			document.head.append(styles);
		});
	}

	/** @param {string} symbol @param {() => void} act */
	#panelButton(symbol, act) {
		const button = make("button", { className: "quiet", type: "button", hidden: true }, icon(symbol));
		button.onclick = () => {
			element("room", HTMLElement).hidePopover();
			act();
		};
		return button;
	}

	/** @param {(room: string) => Description | undefined} find @returns {RoomGroup[]} */
	groups(find) {
		return [
			{ list: this.#rooms, kind: "private", extend: (item, { title }) => decorate(item, icon("lock"), title) },
			{
				list: this.#direct,
				kind: "direct",
				extend: (item, { room }) => {
					const partner = find(room)?.with;
					const sender = find(room)?.members.find(({ userId }) => userId === partner?.userId)?.sender;
					decorate(item, make("span", { className: "face", ariaHidden: "true" }));
					if (partner) drawFace(part(item, ".face", HTMLElement), partner.name, sender ?? partner.userId);
				},
			},
		];
	}

	/** @param {boolean} hasDirect */
	showHint(hasDirect) {
		this.#directHint.hidden = hasDirect;
	}

	/** The current room is shown. @param {string} room @param {Description | undefined} description @param {boolean} isBlocked */
	showRoom(room, description, isBlocked) {
		const kind = room.startsWith("~") ? "private" : room.startsWith("@") ? "direct" : "";
		for (const each of this.#public) each.hidden = kind !== "";
		this.#lock.toggleAttribute("hidden", kind !== "private");
		this.#about.hidden = !kind;
		const isModerator = description?.role === "owner" || description?.role === "moderator";
		this.#firstInvite.hidden = this.#inviteButton.hidden = kind !== "private" || !isModerator;
		this.#settingsButton.hidden = kind !== "private" || !description;
		const partner = description?.with;
		this.#blockButton.hidden = !partner;
		this.#blockButton.replaceChildren(icon("block"), `${isBlocked ? "Unblock" : "Block"} ${partner?.name ?? ""}`);
		if (kind === "direct") element("roomLeave", HTMLElement).hidden = true;
		else if (kind) element("roomLeave", HTMLElement).hidden = !description;
		const members = description ? `Private room, ${count(description.memberCount, "member")}` : "Private room";
		this.#about.textContent = kind === "direct" ? "Only the two of you can read this conversation." : members;
		this.#empty.textContent =
			kind === "direct"
				? "Only the two of you can read this conversation."
				: kind
					? "Only members can read this room."
					: this.#emptyText;
	}

	/** @param {Invitation[]} invitations */
	showInvitations(invitations) {
		const hadFocus = this.#invitations.contains(document.activeElement);
		this.#invitations.hidden = !invitations.length;
		this.#invitations.replaceChildren(...invitations.map((each) => this.#card(each)));
		if (hadFocus) element("rooms", HTMLElement).focus();
	}

	/** @param {Invitation} invitation */
	#card({ room, by, expiresAt }) {
		const problem = make("p", { className: "problem", role: "alert" });
		const [accept, decline] = ["Accept", "Decline"].map((textContent) =>
			make("button", { type: "button", textContent }),
		);
		decline.className = "plain";
		/** @param {(room: string) => Promise<string>} act */
		const run = async (act) => {
			accept.disabled = decline.disabled = true;
			problem.textContent = await act(room);
			accept.disabled = decline.disabled = false;
			if (problem.textContent) accept.focus();
		};
		accept.onclick = () => run(this.#actions.accept);
		decline.onclick = () => run(this.#actions.decline);
		const who = make(
			"p",
			{},
			make("bdi", { className: "account", textContent: by.name }),
			" invites you to a private room.",
		);
		const until = make("p", { className: "muted", textContent: `Until ${dateAndTime(Date.parse(expiresAt))}` });
		const card = make("article", { className: "invitation", ariaLabel: `Invitation from ${by.name}` });
		card.append(who, until, make("div", { className: "buttons" }, accept, decline), problem);
		return card;
	}
}

const letters = new Intl.Segmenter();

/** @param {HTMLElement} face @param {string} name @param {string} sender */
function drawFace(face, name, sender) {
	const [{ segment = "" } = {}] = letters.segment(name.toUpperCase());
	face.textContent = segment;
	face.style.setProperty("--hue", `${hueOf(sender)}`);
}

/** Put a mark before a room's name, once. @param {HTMLElement} item @param {Element} mark @param {string} [title] which
 * may be too long to be seen whole */
function decorate(item, mark, title = "") {
	const link = part(item, "a", HTMLAnchorElement);
	link.title = title;
	const known = link.querySelector(".face, svg");
	if (known) return;
	link.classList.add("of-account");
	part(link, ".label", HTMLElement).before(mark);
}

/** Adds a button with a menu to another person's row in the list of people.
 * @param {HTMLElement} row @param {Present} person @param {(opener: HTMLElement) => void} open */
export function addPersonButton(row, { name }, open) {
	const more = make("button", { type: "button", className: "icon", ariaLabel: `${name}: actions` }, icon("more"));
	more.setAttribute("aria-haspopup", "true");
	more.onclick = () => open(more);
	row.append(more);
}

/** Adds an action to the menu of messages. @param {string} symbol @param {() => void} act
 * @returns {(label: string) => void} names it; "" hides it */
export function messageAction(symbol, act) {
	const menu = element("rowMenu", HTMLElement);
	const button = make("button", { type: "button", className: "quiet" }, icon(symbol), make("span"));
	button.onclick = () => {
		menu.hidePopover();
		act();
	};
	part(menu, ".menu", HTMLElement).append(button);
	return (label) => {
		button.hidden = !label;
		part(button, "span", HTMLElement).textContent = label;
	};
}

/** The card of an invitation by link, above the composer. */
export class LinkCard {
	#problem = make("p", { className: "problem", role: "alert" });
	#join = make("button", { type: "button", textContent: "Join" });
	#later = make("button", { type: "button", className: "plain", textContent: "Not now" });
	#card = make("section", { className: "card", id: "invitationCard", hidden: true, ariaLabel: "Invitation" });

	/** @param {{join: () => Promise<string>, later: () => void}} actions */
	constructor({ join, later }) {
		const texts = [
			make("h2", { textContent: "You have been invited to a private room" }),
			make("p", { textContent: "Members will see your name. You can leave the room at any time." }),
		];
		this.#card.append(...texts, make("div", { className: "together" }, this.#join, this.#later), this.#problem);
		element("nameForm", HTMLElement).before(this.#card);
		this.#join.onclick = async () => {
			this.#join.disabled = true;
			const problem = await join();
			this.#join.disabled = false;
			if (!problem) return;
			this.#problem.textContent = problem;
			this.#later.focus();
		};
		this.#later.onclick = later;
	}

	show() {
		this.#problem.textContent = "";
		this.#card.hidden = false;
		this.#join.focus();
	}

	hide() {
		this.#card.hidden = true;
	}
}

/** Texts that were not sent, to copy. @param {string[]} texts */
export function unsentTexts(texts) {
	const box = make("textarea", { readOnly: true, value: texts.join("\n\n"), rows: 4, id: "unsentTexts" });
	return [make("label", { htmlFor: box.id, textContent: `Not sent: ${count(texts.length, "message")}` }), box];
}

/** @param {Invitation} invitation */
export const invitationTitle = ({ by }) => `${isolated(by.name)} invites you to a private room`;
