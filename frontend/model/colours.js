/** Each person's colour. */

const HUES = 12;
const STEP = 360 / HUES;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** One of twelve hues, for oklch(0.5 0.13 hue): white text on each has a contrast of 4.5 or more.
 * @param {string} sender */
export const hueOf = (sender) => (hashOf(sender) % HUES) * STEP;

/** FNV-1a over UTF-16, 32 bits. @param {string} text */
function hashOf(text) {
	let hash = FNV_OFFSET;
	for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), FNV_PRIME);
	return hash >>> 0;
}
