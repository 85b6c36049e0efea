/** The account button with its menu, and the card that asks to sign in. */

import { unsentWarning, WHY } from "../model/sign-in-wording.js";
import { element, icon, make } from "./dom.js";
import { showFace } from "./face.js";

const STYLES = "../styles/account.css";

/** The choice of a guest who has written something. */
function keepChoice() {
	const box = make("input", { type: "checkbox", checked: true });
	return { box, label: make("label", {}, box, "Keep my messages as mine") };
}

/** @param {string} symbol @param {string} label @param {() => void} act */
function item(symbol, label, act) {
	return make("button", { className: "quiet", type: "button", onclick: act }, icon(symbol), label);
}

/** A face without the page's templates. @param {Person} person */
function faceOf(person) {
	const face = make("span", { className: "face", ariaHidden: "true" });
	const row = make("p", { className: "who" }, face, make("bdi"), make("span", { className: "id" }));
	showFace(row, person, false);
	return { face, row };
}

export class AccountMenu {
	#actions;
	#button = make("button", { id: "accountButton", type: "button" });
	#panel = make("section", { id: "account", className: "panel", popover: "auto", tabIndex: -1, ariaLabel: "Account" });
	/** What other parts of the page have added. @type {HTMLElement[]} */
	#added = [];

	/** @param {AccountMenuActions} actions */
	constructor(actions) {
		this.#actions = actions;
		this.#panel.addEventListener("beforetoggle", ({ newState }) => {
			if (newState === "open") this.#draw();
		});
	}

	/** Show the button, once its styles are there. */
	async start() {
		const styles = make("link", { rel: "stylesheet", href: new URL(STYLES, import.meta.url).href });
		await new Promise((resolve) => {
			styles.onload = styles.onerror = resolve;
			document.head.append(styles);
		});
		this.refresh();
		element("peopleButton", HTMLElement).after(this.#button);
		element("server", HTMLElement).before(this.#panel);
	}

	/** Add an item above those that sign out. @param {{symbol: string, label: string, act: () => void}} what */
	add({ symbol, label, act }) {
		this.#added.push(item(symbol, label, () => this.#do(act)));
	}

	/** Draw the button again: the name has changed, or what a guest is asked. */
	refresh() {
		const { person, asks } = this.#actions.view();
		const hasPanel = !!person || asks;
		this.#button.popoverTargetElement = hasPanel ? this.#panel : null;
		this.#button.onclick = hasPanel ? null : () => this.#actions.signIn(true);
		this.#button.className = person ? "icon" : "sign-in";
		if (!person) return this.#button.replaceChildren("Sign in");
		this.#button.ariaLabel = `Account: ${person.name}`;
		this.#button.title = person.name;
		this.#button.replaceChildren(faceOf(person).face);
	}

	/** @param {() => void} act */
	#do(act) {
		this.#panel.hidePopover();
		act();
	}

	#draw() {
		const { person, unsent } = this.#actions.view();
		this.#panel.replaceChildren(...(person ? this.#ofAccount(person, unsent) : this.#ofGuest()));
	}

	#ofGuest() {
		const { box, label } = keepChoice();
		const go = make("button", { type: "button", textContent: "Continue to sign in" });
		go.onclick = () => this.#do(() => this.#actions.signIn(box.checked));
		return [make("h2", { textContent: "Sign in" }), make("p", { textContent: WHY }), label, go];
	}

	/** @param {Person} person @param {number} unsent */
	#ofAccount(person, unsent) {
		const { rename, signOut } = this.#actions;
		const out = item("leave", "Sign out", () => this.#do(() => signOut(false)));
		const everywhere = item("leave", "Sign out everywhere", () => this.#do(() => signOut(true)));
		const change = item("pencil", "Change name", () => this.#do(rename));
		const menu = make("div", { className: "menu" }, change, ...this.#added, out, everywhere);
		const warning = unsent ? [make("p", { className: "muted", textContent: unsentWarning(unsent) })] : [];
		return [faceOf(person).row, menu, ...warning];
	}
}

export class SignInCard {
	#card = make("section", { id: "signInCard", className: "card", hidden: true, ariaLabel: "Sign in" });
	#title = make("h2", { textContent: "Sign in to chat" });
	#words = make("p");
	#problem = make("p", { className: "problem", role: "alert" });
	#keep = keepChoice();
	#close = make("button", { className: "icon", type: "button", ariaLabel: "Close" }, icon("close"));

	/** @param {Pick<AccountMenuActions, "signIn">} actions */
	constructor({ signIn }) {
		const go = make("button", { type: "button", textContent: "Sign in" });
		go.onclick = () => signIn(this.#keep.box.checked);
		this.#close.onclick = () => this.hide();
		const texts = make("div", {}, this.#title, this.#words, this.#problem, this.#keep.label);
		this.#card.append(texts, go, this.#close);
		element("nameForm", HTMLElement).before(this.#card);
	}

	/** @param {{words: string, problem?: string, replaces: boolean, isAlone?: boolean, asks?: boolean}} what `replaces`:
	 * nothing can be written until then; `isAlone`: nor read; `asks`: about the guest's messages */
	show({ words, problem = "", replaces, isAlone = false, asks = false }) {
		this.#title.hidden = !isAlone;
		this.#card.classList.toggle("alone", isAlone);
		this.#words.textContent = words;
		this.#words.hidden = !words;
		this.#keep.label.hidden = !asks;
		this.#close.hidden = replaces;
		this.#card.classList.toggle("replaces", replaces);
		this.#card.hidden = false;
		this.#problem.textContent = problem; // last: what is not shown is not announced
	}

	hide() {
		this.#card.hidden = true;
		this.#problem.textContent = "";
	}
}
