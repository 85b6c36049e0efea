/** The name and secret that a guest's join sends, without any that the server has refused; or the account. */

import { randomHex } from "./ids.js";

const SECRET = /^[A-Za-z0-9_-]{16,128}$/;
const SECRET_BYTES = 24;
const NAME = "name";
const REQUESTED_NAME = "requested-name";

export class Credentials {
	#storage;
	#acceptedName;
	/** @type {string | undefined} */
	#requestedName;
	#hasSecret = true;
	/** The account, while this tab is signed in. @type {AccountToken | undefined} */
	account;
	/** Whether the server may be given a token: only the deployed one. */
	isTrusted = true;

	/** @param {LocalStore} storage */
	constructor(storage) {
		this.#storage = storage;
		this.#acceptedName = storage.loadText(NAME) ?? "";
		this.#requestedName = storage.loadText(REQUESTED_NAME);
	}

	/** "" for a guest. */
	get token() {
		return (this.isTrusted && this.account?.token) || "";
	}

	get name() {
		if (this.token) return this.account?.name ?? "";
		return this.#requestedName ?? this.#acceptedName;
	}

	/** Generated once per browser; read again for each join, so tabs opened at the same time agree. */
	get secret() {
		const known = this.#storage.loadText("secret") ?? "";
		if (SECRET.test(known)) return known;
		const made = randomHex(SECRET_BYTES);
		this.#storage.save("secret", made);
		return made;
	}

	/** @returns {{name?: string, secret?: string}} */
	get fields() {
		if (this.token) return {};
		return { name: this.name || undefined, secret: this.#hasSecret ? this.secret : undefined };
	}

	/** @param {string | undefined} name */
	request(name) {
		this.#requestedName = name;
		if (name === undefined) this.#storage.remove(REQUESTED_NAME);
		else this.#storage.save(REQUESTED_NAME, name);
	}

	/** @param {string} sent @param {string} accepted */
	accept(sent, accepted) {
		if (sent === this.#requestedName) this.request(undefined);
		this.#accept(accepted);
	}

	/** @param {string} name */
	refuseName(name) {
		if (name === this.#requestedName) this.request(undefined);
		else this.#accept("");
	}

	/** @param {string} name */
	#accept(name) {
		this.#acceptedName = name;
		this.#storage.save(NAME, name);
	}

	refuseSecret() {
		this.#hasSecret = false;
	}

	/** Another tab may have a new one already. @param {string} secret that an account has taken over */
	secretClaimed(secret) {
		if (secret === this.secret) this.#storage.remove("secret");
	}
}
