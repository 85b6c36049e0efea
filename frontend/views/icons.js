/** Icons that only accounts need; they are added to those at the end of index.html. */

/** @type {Readonly<Record<string, string>>} */
const PATHS = {
	lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
	plus: "M12 5v14M5 12h14",
	invite: "M12.5 8a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0M3 19c.6-3.5 3-5 6-5 1.6 0 3 .4 4 1.3M18 13v6m-3-3h6",
	block: "M20 12a8 8 0 1 1-16 0 8 8 0 0 1 16 0M6.5 6.5l11 11",
	role: "m12 4 7 3v5c0 4-3 7-7 8-4-1-7-4-7-8V7z",
};
const SVG = "http://www.w3.org/2000/svg";

const sprite = document.createElementNS(SVG, "svg");
sprite.setAttribute("hidden", "");
for (const [name, drawn] of Object.entries(PATHS)) {
	const [symbol, path] = [document.createElementNS(SVG, "symbol"), document.createElementNS(SVG, "path")];
	symbol.id = `i-${name}`;
	symbol.setAttribute("viewBox", "0 0 24 24");
	path.setAttribute("d", drawn);
	symbol.append(path);
	sprite.append(symbol);
}
document.body.append(sprite);
