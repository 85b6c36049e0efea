/** JSON values in localStorage, or in memory if storage is denied or full. */

/** @returns {StorageArea | undefined} undefined if the browser denies it */
function localArea() {
	try {
		return globalThis.localStorage;
	} catch {
		return undefined;
	}
}

const PREFIX = "chat.";

export class LocalStore {
	#area;
	/** @type {Map<string, string>} */
	#memory = new Map();
	#events;

	/** @param {{area?: StorageArea, events?: EventTarget}} [options] */
	constructor({ area = localArea(), events = globalThis } = {}) {
		this.#area = area;
		this.#events = events;
	}

	get isShared() {
		return this.#area !== undefined;
	}

	/** @param {string} key @returns {unknown} */
	load(key) {
		const name = PREFIX + key;
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

	/** @param {string} key @param {unknown} value */
	save(key, value) {
		const name = PREFIX + key;
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
		const name = PREFIX + key;
		this.#memory.delete(name);
		this.#area?.removeItem(name);
	}

	/** @param {string} start @returns {string[]} */
	keys(start) {
		const names = new Set(this.#memory.keys());
		for (let index = 0; index < (this.#area?.length ?? 0); index += 1) names.add(this.#area?.key(index) ?? "");
		const whole = PREFIX + start;
		return [...names].filter((name) => name.startsWith(whole)).map((name) => name.slice(PREFIX.length));
	}

	/** @param {(key: string) => void} handler */
	watch(handler) {
		this.#events.addEventListener("storage", (event) => {
			const { key } = /** @type {StorageEvent} */ (event);
			if (key?.startsWith(PREFIX)) handler(key.slice(PREFIX.length));
		});
	}
}
