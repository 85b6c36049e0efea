/** Alerts for new messages: title, favicon, sound, notifications. */

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

/** Browsers allow sound only after a gesture. */
for (const gesture of ["pointerdown", "keydown"]) addEventListener(gesture, () => audio?.resume());

/** Play two soft notes, synthesised to save a request. Dropped if the browser delays it. */
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

/** @returns {Promise<string>} why notifications cannot be shown, or "" */
export async function allowNotifications() {
	if (!isSecureContext || !("Notification" in window)) {
		return "Notifications require HTTPS. Sound works here.";
	}
	const isGranted = (await Notification.requestPermission()) === "granted";
	return isGranted
		? ""
		: "Your browser blocks notifications. Allow them for this site in the browser’s settings, then try again.";
}

/** @param {string} title @param {string} body @param {() => void} open called on click */
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
		// On Android only service workers may show notifications; the title still has the count.
	}
}
