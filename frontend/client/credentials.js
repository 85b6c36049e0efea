/** The name and secret that a join sends, without any that the server has refused. */

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

	/** @param {LocalStore} storage */
	constructor(storage) {
		this.#storage = storage;
		this.#acceptedName = storage.loadText(NAME) ?? "";
		this.#requestedName = storage.loadText(REQUESTED_NAME);
	}

	get name() {
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

	get fields() {
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
}
