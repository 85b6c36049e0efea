/** Accounts: signing in and out, and keeping this tab signed in. Loaded only if config.json has `signIn`. */

import { beginSignIn, leaveProblem, purge, redirectUri, Tokens, takeProblem } from "../client/sign-in.js";
import { PROBLEMS, REQUIRED, ROOM_REQUIRED } from "../model/sign-in-wording.js";
import { AccountMenu, SignInCard } from "../views/account-menu.js";
import { showToast } from "../views/toast.js";

const SIGN_OUT_MS = 3000;
const LAPSES_MS = 60_000; // two lapses within this time: renewing does not help
const WROTE = "wrote";

/**
 * @typedef {object} AccountOptions
 * @property {SignInConfig} config
 * @property {Client} client
 * @property {LocalStore} storage of the person
 * @property {LocalStore} device of everyone who uses this browser
 * @property {LocalStore} tab in sessionStorage
 * @property {() => void} rename opens the form for the name
 */

export class Account {
	menu;
	card;
	#config;
	#client;
	#session;
	#storage;
	#device;
	#tab;
	#tokens;
	#rename;
	#tabs = new BroadcastChannel("chat.accounts");
	#lapsedAt = 0;
	/** Whether a guest of this browser has written something. */
	#hasWritten;
	/** Whether the session is offline until there is a new token. */
	#awaitsToken = false;
	#isLeaving = false;

	/** @param {AccountOptions} options */
	constructor({ config, client, storage, device, tab, rename }) {
		const { session } = client;
		this.#config = config;
		this.#client = client;
		this.#session = session;
		this.#storage = storage;
		this.#device = device;
		this.#tab = tab;
		this.#rename = rename;
		this.#tokens = new Tokens({ config, tab });
		this.#hasWritten = !this.isSignedIn && (storage.loadFlag(WROTE) || hasOwnMessages(storage));
		const signIn = (/** @type {boolean} */ keep) => this.signIn(keep);
		const signOut = (/** @type {boolean} */ everywhere) => this.signOut(everywhere);
		this.menu = new AccountMenu({ signIn, rename, signOut, view: () => this.#view });
		this.card = new SignInCard({ signIn });
		this.#follow();
	}

	get isSignedIn() {
		return this.#tokens.account !== undefined;
	}

	/** @returns {Promise<boolean>} whether the page may connect now */
	async start() {
		const { account } = this.#tokens;
		const problem = takeProblem(this.#tab);
		await this.menu.start();
		if (!account) return this.#startAsGuest(problem);
		this.#tokens.watch();
		this.#present();
		this.#awaitsToken = this.#tokens.hasExpired;
		return !this.#awaitsToken;
	}

	/** Load what an account has besides public rooms. A guest with an invitation is asked to sign in.
	 * @param {PrivateRoomsParts} parts */
	async addRooms(parts) {
		const { tab, rooms } = parts;
		if (this.isSignedIn) return this.#openPrivateRooms(parts);
		addEventListener("hashchange", () => rooms.invitation && this.#inviteGuest(parts));
		if (rooms.invitation || tab.loadText("invitation")) await this.#inviteGuest(parts);
	}

	/** @param {PrivateRoomsParts} parts */
	async #openPrivateRooms(parts) {
		try {
			const { PrivateRoomsController } = await import("./private-rooms.js");
			const privateRooms = new PrivateRoomsController(parts);
			this.menu.add({ symbol: "block", label: "Blocked people", act: () => privateRooms.openBlocked() });
			await privateRooms.start();
		} catch (error) {
			showToast("Could not load the private rooms. Reload the page.");
			throw error;
		}
	}

	/** @param {PrivateRoomsParts} parts */
	async #inviteGuest(parts) {
		const { inviteGuest } = await import("./private-rooms.js");
		const replaces = this.#config.mode === "required";
		this.card.show({ words: inviteGuest(parts), replaces, asks: this.#asks });
	}

	/** Go to the login page, and come back to the same room. @param {boolean} keep whether the guest's messages become the
	 * account's */
	async signIn(keep) {
		if (!isSecureContext) return showToast("Signing in works only on a page with https.");
		try {
			const wishes = { hash: location.hash, keep, claims: keep && this.#asks };
			const url = await beginSignIn(this.#config, this.#tab, wishes);
			location.assign(url);
		} catch {
			showToast(PROBLEMS.unreachable);
		}
	}

	/** @param {boolean} everywhere */
	async signOut(everywhere) {
		if (this.#isLeaving) return;
		this.#isLeaving = true;
		const isTold = this.#session.signOut(everywhere) && (await this.#signedOut());
		if (isTold || !everywhere) return this.#leave();
		this.#isLeaving = false;
		showToast("Could not sign out everywhere. Try again when you are connected.");
	}

	/** @returns {Promise<boolean>} whether the server has answered */
	#signedOut() {
		return new Promise((resolve) => {
			this.#session.addEventListener("signedout", () => resolve(true), { once: true });
			setTimeout(() => resolve(false), SIGN_OUT_MS);
		});
	}

	#follow() {
		const [session, tokens, storage] = [this.#session, this.#tokens, this.#storage];
		session.on("signedin", (frame) => this.#signedIn(frame));
		session.on("signedout", () => this.#ended("everywhere"));
		session.on("signInRefused", () => this.#ended("ended"));
		session.on("signInRequired", (required) => this.#required(required));
		session.on("messages", ({ messages }) => {
			if (this.isSignedIn || this.#hasWritten || !messages.some(({ own }) => own)) return;
			this.#hasWritten = true;
			storage.save(WROTE, true);
			this.menu.refresh();
		});
		this.#client.outbox.on("changed", () => {
			if (!this.isSignedIn && !this.#hasWritten) this.menu.refresh();
		});
		tokens.on("renewed", () => {
			this.#present();
			if (!this.#awaitsToken) return;
			this.#awaitsToken = false;
			this.card.hide();
			session.connect();
		});
		tokens.on("expired", () => this.#await());
		tokens.on("delayed", () => {
			if (this.#awaitsToken || tokens.hasExpired) this.#await();
		});
		tokens.on("ended", () => this.#ended("ended"));
		addEventListener("online", () => {
			if (this.#awaitsToken) tokens.renew();
		});
		this.#tabs.onmessage = ({ data }) => {
			if (this.isSignedIn && data === this.#tokens.account?.userId) this.#ended("elsewhere", false);
		};
	}

	/** Give the token to the session. */
	#present() {
		const { account } = this.#tokens;
		if (!account) return;
		const { access: token, userId, claims } = account;
		const name = account.name || (this.#device.loadText("name") ?? "");
		this.#session.signIn({ token, userId, name, secret: claims ? this.#device.loadText("secret") : undefined });
	}

	/** @param {SignInProblem | undefined} problem @returns {boolean} */
	#startAsGuest(problem) {
		const words = problem ? PROBLEMS[problem] : "";
		const isRequired = this.#config.mode === "required";
		if (isRequired) this.#showRequired(words);
		else if (words) this.card.show({ words: "", problem: words, replaces: false, asks: this.#asks });
		return !isRequired;
	}

	/** @param {string} problem */
	#showRequired(problem) {
		this.card.show({ words: REQUIRED, problem, replaces: true, isAlone: true, asks: this.#asks });
	}

	/** @param {SignedInFrame} frame */
	#signedIn({ userId, name, isNew }) {
		const { account } = this.#tokens;
		if (!account) return;
		if (account.userId !== userId) return this.#ended("ended"); // this page's storage is another account's
		if (account.claims) this.#device.remove("secret"); // the next guest is another person
		this.#tokens.update({ name, claims: false });
		this.menu.refresh();
		if (isNew && name !== this.#device.loadText("name")) this.#rename(); // the server has made a name up
	}

	/** @param {SessionEvents["signInRequired"]} required */
	#required({ room, hasLapsed }) {
		if (!hasLapsed) {
			if (this.#config.mode === "required") return this.#showRequired("");
			const isHere = room === this.#session.current;
			if (isHere) this.card.show({ words: ROOM_REQUIRED, replaces: false, asks: this.#asks });
			return;
		}
		const now = Date.now();
		if (now - this.#lapsedAt < LAPSES_MS) return this.#ended("ended");
		this.#lapsedAt = now;
		this.#awaitsToken = true;
		this.#tokens.renew();
	}

	/** Stay offline until there is a new token. */
	#await() {
		this.#awaitsToken = true;
		this.#session.disconnect();
		this.card.show({ words: PROBLEMS.expired, replaces: true });
	}

	/** The sign-in is over, and not by the user in this tab. @param {SignInProblem} problem @param {boolean} [tellsTabs] */
	async #ended(problem, tellsTabs = true) {
		if (this.#isLeaving) return;
		await this.#leave(problem, tellsTabs);
	}

	/** Delete all that is the account's, and load the page anew: then nothing of it is in memory either.
	 * @param {SignInProblem} [problem] @param {boolean} [tellsTabs] */
	async #leave(problem, tellsTabs = true) {
		this.#isLeaving = true;
		const { userId } = this.#tokens.account ?? {};
		document.body.hidden = true;
		this.#session.disconnect();
		this.#storage.seal();
		const revoked = this.#tokens.revoke();
		purge(this.#device);
		for (const key of this.#tab.keys("")) this.#tab.remove(key);
		if (tellsTabs) this.#tabs.postMessage(userId);
		if (problem) leaveProblem(this.#tab, problem);
		const stopped = new Promise((resolve) => setTimeout(resolve, SIGN_OUT_MS));
		await Promise.race([revoked, stopped]);
		if (problem || !navigator.onLine) location.replace(redirectUri());
		else location.replace(this.#tokens.logoutUrl);
	}

	/** Whether a guest is asked what becomes of their messages. */
	get #asks() {
		return !this.isSignedIn && (this.#hasWritten || this.#client.outbox.all.length > 0);
	}

	/** @returns {AccountView} */
	get #view() {
		const { account } = this.#tokens;
		const { connectionId, sender } = this.#session;
		const person = account && { connectionId, sender, name: account.name, userId: account.userId };
		return { person, asks: this.#asks, unsent: this.#client.outbox.all.length };
	}
}

/** Whether the archive has messages of the guest. @param {LocalStore} storage */
function hasOwnMessages(storage) {
	return storage.keys("archive.").some((key) => [Object(storage.load(key)).sender ?? []].flat().length > 0);
}
