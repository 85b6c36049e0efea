/** Where the tests that are written in JavaScript put their claims, for test_modules.py to try one by one. */

export const claims = new Map();
const errors = [];
window.addEventListener("error", ({ message }) => errors.push(message));
window.addEventListener("unhandledrejection", ({ reason }) => errors.push(`unhandled: ${reason}`));

/** @param {string} words what is claimed @param {() => unknown} test throws if it does not hold */
export function claim(words, test) {
	if (claims.has(words)) throw new Error(`claimed twice: ${words}`);
	claims.set(words, test);
}

/** @param {string} words */
export async function tryClaim(words) {
	errors.length = 0;
	const result = await claims.get(words)();
	await new Promise((resolve) => setTimeout(resolve)); // a rejection that nobody handles is told of after the task
	if (errors.length) throw new Error(errors.join("\n"));
	return result;
}
