/** Copies text, or shows it where the browser allows no copying. */

import { showToast } from "./toast.js";

/** @param {string} text @param {string} done what to say then */
export async function copyToClipboard(text, done) {
	try {
		await navigator.clipboard.writeText(text);
		showToast(done);
	} catch {
		showToast(`Your browser allows no copying on this page. Copy it from here: ${text}`); // plain HTTP
	}
}
