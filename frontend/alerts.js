/** What tells somebody who looks elsewhere: title, favicon, sound, notification. Knows no room and no socket. */

/** @type {AudioContext | undefined} */
let audio;

/** @param {string} title @param {number} unread */
export function showUnread(title, unread) {
	document.title = unread ? `(${unread}) ${title}` : title;
	const icon = document.querySelector("link[rel=icon]");
	const href = unread ? "icon-unread.svg" : "icon.svg";
	if (icon?.getAttribute("href") !== href) icon?.setAttribute("href", href);
}

/** Two soft notes, made here: a sound file would be one more request. */
export function chime() {
	audio ??= new AudioContext();
	for (const [note, frequency] of [660, 880].entries()) {
		const start = audio.currentTime + note * 0.12;
		const tone = new OscillatorNode(audio, { frequency });
		const volume = new GainNode(audio, { gain: 0.08 });
		volume.gain.setValueAtTime(0.08, start).exponentialRampToValueAtTime(0.0001, start + 0.3);
		tone.connect(volume).connect(audio.destination);
		tone.start(start);
		tone.stop(start + 0.3);
	}
}

/** Asks for leave to notify. @returns {Promise<string>} why it cannot be had; empty when it was given */
export async function allowNotifications() {
	if (!isSecureContext || !("Notification" in window)) return "They need a page over https://. Sound works here.";
	if ((await Notification.requestPermission()) === "granted") return "";
	return "The browser blocks them: allow notifications in this site's settings, then try again.";
}

/** @param {string} title @param {string} body */
export function notify(title, body) {
	try {
		const shown = new Notification(title, { body: body.slice(0, 200), tag: title, icon: "icon.svg" });
		shown.onclick = () => window.focus();
	} catch {
		// Forbidden meanwhile, or Android, where only service workers notify: the title still counts.
	}
}
