/** Random ids. */

/** @param {number} bytes */
export function randomHex(bytes) {
	const made = crypto.getRandomValues(new Uint8Array(bytes));
	return Array.from(made, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A random UUID (version 4). crypto.randomUUID does not exist on pages served over plain HTTP. */
export function uuid() {
	const hex = randomHex(16);
	const parts = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)];
	return parts.join("-");
}
