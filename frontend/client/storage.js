/** JSON values in localStorage or sessionStorage, or in memory if storage is denied or full. */

/** @param {"localStorage" | "sessionStorage"} name @returns {StorageArea | undefined} undefined if the browser denies it */
export function storageArea(name = "localStorage") {
	try {
		return globalThis[name];
	} catch {
		return undefined;
	}
}

const PREFIX = "chat.";

export class LocalStore {
	/** Keeps the keys of an account apart. */
	scope;
	#area;
	#prefix;
	#isSealed = false;
	/** @type {Map<string, string>} */
	#memory = new Map();
	#events;

	/** @param {{area?: StorageArea, events?: EventTarget, scope?: string}} [options] */
	constructor({ area = storageArea(), events = globalThis, scope = "" } = {}) {
		this.scope = scope;
		this.#prefix = PREFIX + scope;
		this.#area = area;
		this.#events = events;
	}

	get isShared() {
		return this.#area !== undefined;
	}

	/** @param {string} key @returns {unknown} */
	load(key) {
		const name = this.#prefix + key;
		try {
			return JSON.parse(this.#memory.get(name) ?? this.#area?.getItem(name) ?? "null") ?? undefined;
		} catch {
			return undefined;
		}
	}

	/** @param {string} key */
	loadText(key) {
		const value = this.load(key);
		return typeof value === "string" ? value : undefined;
	}

	/** @param {string} key */
	loadFlag(key) {
		return this.load(key) === true;
	}

	/** Save nothing more. */
	seal() {
		this.#isSealed = true;
	}

	/** @param {string} key @param {unknown} value */
	save(key, value) {
		if (this.#isSealed) return;
		const name = this.#prefix + key;
		const json = JSON.stringify(value);
		this.#memory.delete(name);
		try {
			if (!this.#area) throw new Error("denied");
			this.#area.setItem(name, json);
		} catch {
			this.#memory.set(name, json);
		}
	}

	/** @param {string} key */
	remove(key) {
		const name = this.#prefix + key;
		this.#memory.delete(name);
		this.#area?.removeItem(name);
	}

	/** @param {string} start @returns {string[]} */
	keys(start) {
		const names = new Set(this.#memory.keys());
		for (let index = 0; index < (this.#area?.length ?? 0); index += 1) names.add(this.#area?.key(index) ?? "");
		const whole = this.#prefix + start;
		return [...names].filter((name) => name.startsWith(whole)).map((name) => name.slice(this.#prefix.length));
	}

	/** @param {(key: string) => void} handler */
	watch(handler) {
		this.#events.addEventListener("storage", (event) => {
			const { key } = /** @type {StorageEvent} */ (event);
			if (key?.startsWith(this.#prefix)) handler(key.slice(this.#prefix.length));
		});
	}
}
