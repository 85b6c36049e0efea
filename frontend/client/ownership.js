/** Elects one tab as the owner: by Web Locks, or else by a lease in localStorage. */

import { Emitter } from "./emitter.js";
import { randomHex } from "./ids.js";
import { Timers } from "./timers.js";

const LEASE_MS = 6000; // after a crash, how long until another tab takes over
const RENEW_MS = 2000;
const SETTLE_MS = 150; // by then, other tabs' processes have seen a write

/** The browser passes the lock on when its tab closes, reloads or crashes.
 * @implements {Ownership} @extends {Emitter<OwnershipEvents>} */
export class LockOwnership extends Emitter {
	owned = false;
	#locks;
	#name;
	/** @type {(() => void) | undefined} */
	#end;

	/** @param {string} name @param {Locks} locks */
	constructor(name, locks) {
		super();
		this.#name = name;
		this.#locks = locks;
	}

	want() {
		if (!this.#end) this.#request(false);
	}

	take() {
		if (this.owned || !this.#end) return;
		this.#end();
		this.#request(true);
	}

	release() {
		this.#end?.();
		this.#end = undefined;
		this.#setOwned(false);
	}

	/** @param {boolean} steal */
	async #request(steal) {
		const waiting = new AbortController();
		/** @type {() => void} */
		let unlock = () => {};
		const end = () => {
			waiting.abort();
			unlock();
		};
		this.#end = end;
		try {
			await this.#locks.request(this.#name, steal ? { steal } : { signal: waiting.signal }, () => {
				if (this.#end !== end) return Promise.resolve();
				const held = new Promise((resolve) => {
					unlock = () => resolve(undefined);
				});
				this.#setOwned(true);
				return /** @type {Promise<void>} */ (held);
			});
		} catch (error) {
			const wasTaken = error instanceof DOMException && error.name === "AbortError";
			if (this.#end === end && !wasTaken) this.#end = undefined; // for example, the page is closing
		}
		if (this.#end !== end) return;
		this.#setOwned(false);
		this.#request(false);
	}

	/** @param {boolean} owned */
	#setOwned(owned) {
		if (owned === this.owned) return;
		this.owned = owned;
		this.emit("change", { owned });
	}
}

/** A lease is written, then read back: if two tabs write at once, the last one gets it.
 * @implements {Ownership} @extends {Emitter<OwnershipEvents>} */
export class LeaseOwnership extends Emitter {
	#key;
	#storage;
	#clock;
	#timers;
	#id = randomHex(8);
	#wanted = false;
	#held = false;

	/** @param {string} name @param {LocalStore} storage @param {Clock} clock */
	constructor(name, storage, clock) {
		super();
		this.#key = `lease.${name}`;
		this.#storage = storage;
		this.#clock = clock;
		this.#timers = new Timers(clock);
		storage.watch((key) => key === this.#key && this.#check());
	}

	/** Read from the lease each time: a tab with throttled timers may have lost it unnoticed. */
	get owned() {
		return this.#held && this.#holder() === this.#id;
	}

	want() {
		if (this.#wanted) return;
		this.#wanted = true;
		this.#check();
	}

	take() {
		if (this.#wanted && !this.#held) this.#claim();
	}

	release() {
		this.#wanted = false;
		this.#timers.cancelAll();
		if (this.#holder() === this.#id) this.#storage.remove(this.#key);
		this.#setHeld(false);
	}

	/** @returns {string | undefined} */
	#holder() {
		const lease = /** @type {{owner?: unknown, until?: unknown} | undefined} */ (this.#storage.load(this.#key));
		const left = Number(lease?.until) - this.#clock.Date.now();
		const isValid = left > 0 && left <= LEASE_MS; // more than LEASE_MS is left only if the clock was set back
		return isValid ? String(lease?.owner) : undefined;
	}

	#check() {
		if (!this.#wanted) return;
		const holder = this.#holder();
		if (holder === undefined) this.#claim();
		else if (holder !== this.#id) {
			this.#setHeld(false);
			this.#timers.start("check", RENEW_MS, () => this.#check());
		}
	}

	#claim() {
		this.#write();
		this.#timers.start("check", SETTLE_MS, () => {
			if (this.#holder() !== this.#id) return this.#check();
			this.#setHeld(true);
			this.#keep();
		});
	}

	#keep() {
		this.#timers.start("check", RENEW_MS, () => {
			if (this.#holder() !== this.#id) return this.#check();
			this.#write();
			this.#keep();
		});
	}

	#write() {
		this.#storage.save(this.#key, { owner: this.#id, until: this.#clock.Date.now() + LEASE_MS });
	}

	/** @param {boolean} held */
	#setHeld(held) {
		if (held === this.#held) return;
		this.#held = held;
		this.emit("change", { owned: held });
	}
}

/** @param {string} name @param {LocalStore} storage @param {Clock} clock @param {Locks} [locks] */
export function newOwnership(name, storage, clock, locks) {
	// Tabs without shared storage have separate outboxes, so they must not share a lock.
	const hasLocks = locks && storage.isShared;
	return hasLocks ? new LockOwnership(`chat.${storage.scope}${name}`, locks) : new LeaseOwnership(name, storage, clock);
}
