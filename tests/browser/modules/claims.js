/** The registry of JavaScript tests: each is a claim that test_modules.py runs. */

export const claims = new Map();
const errors = [];
const DEADLINE_MS = 60_000;
window.addEventListener("error", ({ message }) => errors.push(message));
window.addEventListener("unhandledrejection", ({ reason }) => errors.push(`unhandled: ${reason}`));

/** @param {string} words the claim @param {() => unknown} test throws if it does not hold */
export function claim(words, test) {
	if (claims.has(words)) throw new Error(`claimed twice: ${words}`);
	claims.set(words, test);
}

/** @param {string} words */
export async function tryClaim(words) {
	errors.length = 0;
	const late = new Promise((_, reject) => setTimeout(reject, DEADLINE_MS, new Error("no end within a minute")));
	await Promise.race([claims.get(words)(), late]);
	await new Promise((resolve) => setTimeout(resolve)); // an unhandled rejection is reported after the task
	if (errors.length) throw new Error(errors.join("\n"));
}
