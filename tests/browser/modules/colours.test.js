/** Each person's colour. */

import { claim } from "/claims.js";
import { hueOf } from "/model/colours.js";
import { chance, equal, ok } from "/world.js";

const HUES = Array.from({ length: 12 }, (_, n) => n * 30);
const CHI_SQUARE_11 = 31.3; // once in a thousand
const AA = 4.5;

const chiSquare = (ids) => {
	const wanted = ids.length / HUES.length;
	return HUES.reduce((sum, hue) => sum + (ids.filter((id) => hueOf(id) === hue).length - wanted) ** 2 / wanted, 0);
};

/** The relative luminance of an OKLCH colour, clipped to sRGB. */
function luminance(lightness, chroma, hue) {
	const [a, b] = [Math.cos, Math.sin].map((part) => chroma * part((hue * Math.PI) / 180));
	const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
	const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
	const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
	const red = 4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s;
	const green = -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s;
	const blue = -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s;
	const [r, g, bl] = [red, green, blue].map((channel) => Math.min(1, Math.max(0, channel)));
	return 0.2126 * r + 0.7152 * g + 0.0722 * bl;
}

claim("a person has one of twelve hues, the same on every page and in every version", () => {
	for (const id of ["", "a", "日本", "\ud83d", "x".repeat(9999)]) ok(HUES.includes(hueOf(id)));
	equal(["ada", "bob"].map(hueOf), [210, 240]);
});

claim("people are spread evenly over the hues, whether their ids are random or consecutive", () => {
	const random = chance(13);
	const drawn = (base) => Array.from({ length: 16 }, () => Math.floor(random() * base).toString(base)).join("");
	const numbers = Array.from({ length: 1000 }, (_, n) => n);
	for (const ids of [numbers.map(() => drawn(16)), numbers.map(() => drawn(36)), numbers.map((n) => `user-${n}`)]) {
		const spread = chiSquare(ids);
		ok(spread < CHI_SQUARE_11, `${spread}`);
	}
});

claim("white text on each hue meets AA", () => {
	ok(Math.abs(luminance(1, 0, 0) - 1) < 0.001 && Math.abs(luminance(0.627955, 0.257683, 29.2339) - 0.2126) < 0.001);
	for (const hue of HUES) ok(1.05 / (luminance(0.5, 0.13, hue) + 0.05) >= AA, `${hue}`);
});
