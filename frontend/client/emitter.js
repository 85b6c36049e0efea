/** An EventTarget with typed events. */

/** @template {object} Events event type → its detail */
export class Emitter extends EventTarget {
	/** @template {keyof Events & string} Type @param {Type} type @param {(detail: Events[Type]) => void} handler */
	on(type, handler) {
		this.addEventListener(type, (event) => handler(/** @type {CustomEvent<Events[Type]>} */ (event).detail));
	}

	/** @template {keyof Events & string} Type @param {Type} type @param {Events[Type]} detail */
	emit(type, detail) {
		this.dispatchEvent(new CustomEvent(type, { detail }));
	}
}
