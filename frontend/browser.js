/** What the browser does for the page: it keeps things, and calls somebody who looks elsewhere. Knows no socket. */

const MAX_ROOMS = 30;

/** @type {AudioContext | undefined} */
let audio;

/** Drafts and what the connection keeps belong to the tab, all else to the browser. @param {string} key */
const storage = (key) => (/^(draft\.|outbox|connectionIds)/.test(key) ? sessionStorage : localStorage);

/** @type {Browser} */
export const browser = {
	kept(key, otherwise) {
		try {
			return JSON.parse(storage(key).getItem(`chat.${key}`) ?? "null") ?? otherwise;
		} catch {
			return otherwise;
		}
	},

	keep(key, value) {
		try {
			storage(key).setItem(`chat.${key}`, JSON.stringify(value));
		} catch {
			// Full or forbidden: what is not kept is asked for again.
		}
	},

	visited: () => browser.kept("rooms", []),

	visit(room, last = 0, read = 0) {
		const rooms = browser.visited();
		const known = rooms.find((each) => each.room === room) ?? { room, last, read };
		if (!rooms.includes(known)) rooms.push(known);
		// Another tab may know more.
		known.last = Math.max(known.last, last);
		known.read = Math.max(known.read, read);
		browser.keep("rooms", rooms.slice(-MAX_ROOMS));
	},

	showUnread(title, unread) {
		document.title = unread ? `(${unread}) ${title}` : title;
		/** @type {any} */
		const icon = document.querySelector("[rel=icon]");
		const href = unread ? "icon-unread.svg" : "icon.svg";
		if (!icon.href.endsWith(href)) icon.href = href;
	},

	// Two soft notes; a sound file would be one more request.
	chime() {
		audio ??= new AudioContext();
		const now = audio.currentTime;
		const tone = new OscillatorNode(audio, { frequency: 660 });
		const volume = new GainNode(audio);
		tone.frequency.setValueAtTime(880, now + 0.12);
		volume.gain.setValueAtTime(0.08, now).exponentialRampToValueAtTime(0.0001, now + 0.4);
		tone.connect(volume).connect(audio.destination);
		tone.start();
		tone.stop(now + 0.4);
	},

	async allowNotifications() {
		if (!isSecureContext || !("Notification" in window)) return "They need a page over https://. Sound works here.";
		const blocked = (await Notification.requestPermission()) !== "granted";
		return blocked ? "The browser blocks them: allow them in its settings for this site, then try again." : "";
	},

	notify(title, body) {
		try {
			const shown = new Notification(title, { body, tag: title, icon: "icon.svg" });
			shown.onclick = () => window.focus();
		} catch {
			// Android, where only service workers may: the title still counts.
		}
	},
};
