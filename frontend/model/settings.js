/** The settings: theme, sound, notifications. Shared by all tabs. */

import { Emitter } from "../client/emitter.js";

const MAX_LEVELS = 200;

/** Setting → its key in storage. */
const KEYS = /** @type {const} */ ({ theme: "theme", sound: "sound", notifications: "notify", levels: "levels" });

/** @typedef {keyof typeof KEYS} Setting */

/** @param {unknown} value @returns {value is Theme} */
const isTheme = (value) => value === "auto" || value === "light" || value === "dark";

/** @param {unknown} value @returns {value is NotificationLevel} */
const isLevel = (value) => value === "all" || value === "mentions" || value === "none";

/** Whether a message should trigger a sound and a notification. @param {NotificationLevel} level @param {boolean} isMention */
export const shouldNotify = (level, isMention) => level === "all" || (level === "mentions" && isMention);

/** @extends {Emitter<SettingsEvents>} */
export class Settings extends Emitter {
	#storage;

	/** @param {LocalStore} storage */
	constructor(storage) {
		super();
		this.#storage = storage;
		const settings = /** @type {Setting[]} */ (Object.keys(KEYS));
		storage.watch((key) => {
			const setting = settings.find((each) => KEYS[each] === key);
			if (setting) this.emit("change", { setting });
		});
	}

	/** @returns {Theme} */
	get theme() {
		const theme = this.#storage.load(KEYS.theme);
		return isTheme(theme) ? theme : "auto";
	}

	/** @param {string} theme */
	set theme(theme) {
		if (isTheme(theme)) this.#save("theme", theme);
	}

	get sound() {
		return this.#storage.loadFlag(KEYS.sound);
	}

	set sound(isOn) {
		this.#save("sound", isOn);
	}

	get notifications() {
		return this.#storage.loadFlag(KEYS.notifications);
	}

	set notifications(isOn) {
		this.#save("notifications", isOn);
	}

	/** Which messages of a room trigger a sound and a notification. @param {string} room @returns {NotificationLevel} */
	levelOf(room) {
		return this.#levels.get(room) ?? "all";
	}

	/** @param {string} room @param {string} level */
	setLevel(room, level) {
		const levels = this.#levels;
		levels.delete(room); // re-inserted last: the oldest are dropped first
		if (isLevel(level) && level !== "all") levels.set(room, level);
		this.#save("levels", Object.fromEntries([...levels].slice(-MAX_LEVELS)));
	}

	/** The rooms whose level is not the default. */
	get #levels() {
		const levels = this.#storage.load(KEYS.levels);
		/** @type {Map<string, NotificationLevel>} */
		const known = new Map();
		if (typeof levels !== "object" || levels === null || Array.isArray(levels)) return known;
		for (const [room, level] of Object.entries(levels)) if (isLevel(level)) known.set(room, level);
		return known;
	}

	/** @param {Setting} setting @param {unknown} value */
	#save(setting, value) {
		this.#storage.save(KEYS[setting], value);
		this.emit("change", { setting });
	}
}
