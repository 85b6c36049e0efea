/** How long to wait before the next try. Pure: knows no clock and no socket. */

const FLOOR_MS = 500;
const CEILING_MS = 20_000;

/** Full jitter below a ceiling that doubles with each try, so that clients cut off together do not come back together.
 * @param {number} tries how many have failed @param {() => number} random 0 to 1 */
export function delayMs(tries, random) {
	const top = Math.min(CEILING_MS, 2 * FLOOR_MS * 2 ** tries);
	return Math.round(FLOOR_MS + random() * (top - FLOOR_MS));
}
