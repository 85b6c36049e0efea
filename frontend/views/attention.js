/** Calls somebody who is not looking: title, favicon, sound, notifications. */

const LATE_MS = 1000;
const ICON = new URL("../icon.svg", import.meta.url).href;
const UNREAD_ICON = new URL("../icon-unread.svg", import.meta.url).href;

/** @type {AudioContext | undefined} */
let audio;

/** @param {string} title @param {number} unread */
export function showUnread(title, unread) {
	document.title = unread ? `(${unread}) ${title}` : title;
	const icon = document.querySelector("[rel=icon]");
	const href = unread ? UNREAD_ICON : ICON;
	if (icon instanceof HTMLLinkElement && icon.href !== href) icon.href = href;
}

/** Browsers allow sound after a gesture only. */
for (const gesture of ["pointerdown", "keydown"]) addEventListener(gesture, () => audio?.resume());

/** Two soft notes; a sound file would be one more request. A sound that the browser held back is dropped. */
export async function chime() {
	audio ??= new AudioContext();
	const asked = performance.now();
	await audio.resume();
	if (performance.now() - asked > LATE_MS) return;
	const now = audio.currentTime;
	const tone = new OscillatorNode(audio, { frequency: 660 });
	const volume = new GainNode(audio);
	tone.frequency.setValueAtTime(880, now + 0.12);
	volume.gain.setValueAtTime(0.08, now).exponentialRampToValueAtTime(0.0001, now + 0.4);
	tone.connect(volume).connect(audio.destination);
	tone.start();
	tone.stop(now + 0.4);
}

/** @returns {Promise<string>} why notifications cannot be shown; empty if they can */
export async function allowNotifications() {
	if (!isSecureContext || !("Notification" in window)) {
		return "Notifications need a page on https://. Sound works here.";
	}
	const isGranted = (await Notification.requestPermission()) === "granted";
	return isGranted
		? ""
		: "Your browser blocks notifications. Allow them in its settings for this site, then try again.";
}

/** @param {string} title @param {string} body @param {() => void} open called when it is clicked */
export function notify(title, body, open) {
	try {
		const options = { body, tag: title, renotify: true, icon: ICON };
		const shown = new Notification(title, options);
		shown.onclick = () => {
			window.focus();
			shown.close();
			open();
		};
	} catch {
		// Android, where only service workers may: the title still counts.
	}
}
