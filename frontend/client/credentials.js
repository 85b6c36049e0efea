/** What a join says about us: a name and a secret, without what the server has refused. */

import { randomHex } from "./ids.js";

const SECRET = /^[A-Za-z0-9_-]{16,128}$/;
const SECRET_BYTES = 24;
const NAME = "name";
const WISHED_NAME = "wished-name";

export class Credentials {
	#storage;
	#acceptedName;
	/** @type {string | undefined} */
	#wishedName;
	#hasSecret = true;

	/** @param {LocalStore} storage */
	constructor(storage) {
		this.#storage = storage;
		this.#acceptedName = storage.loadText(NAME) ?? "";
		this.#wishedName = storage.loadText(WISHED_NAME);
	}

	get name() {
		return this.#wishedName ?? this.#acceptedName;
	}

	/** Made once for this browser; read anew for each join, so that tabs opened at once agree. */
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
	wish(name) {
		this.#wishedName = name;
		if (name === undefined) this.#storage.remove(WISHED_NAME);
		else this.#storage.save(WISHED_NAME, name);
	}

	/** @param {string} sent @param {string} accepted */
	accept(sent, accepted) {
		if (sent === this.#wishedName) this.wish(undefined);
		this.#accept(accepted);
	}

	/** @param {string} name */
	refuseName(name) {
		if (name === this.#wishedName) this.wish(undefined);
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
