/** Copies text, or shows it if the browser does not allow copying. */

import { showToast } from "./toast.js";

/** @param {string} text @param {string} done the toast after copying */
export async function copyToClipboard(text, done) {
	try {
		await navigator.clipboard.writeText(text);
		showToast(done);
	} catch {
		showToast(`Your browser does not allow copying on this page. Copy it from here: ${text}`); // plain HTTP
	}
}
