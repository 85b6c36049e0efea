/** Sets the theme, and whether this is a first visit, before the first paint, and takes a login page's answer out of the
 * address. A classic script, because modules run later. */
{
	/** @param {string} key @param {"localStorage" | "sessionStorage"} [area] @returns {unknown} */
	const load = (key, area = "localStorage") => {
		try {
			return JSON.parse(window[area].getItem(`chat.${key}`) ?? "null");
		} catch {
			return null; // storage is denied, or the value is not JSON
		}
	};
	const { hash, pathname, search } = location;
	const isAnswer = /[?&](code|error)=/.test(search);
	if (isAnswer) {
		const { hash: room = hash } = Object(load("sign-in", "sessionStorage"));
		history.replaceState(null, "", pathname + room);
		try {
			sessionStorage.setItem("chat.sign-in-answer", JSON.stringify(search));
		} catch {} // storage is denied
	}
	const { dataset } = document.documentElement;
	const theme = load("theme");
	if (theme === "light" || theme === "dark") dataset.theme = theme;
	const isNamed = ["name", "requested-name"].some((key) => typeof load(key) === "string");
	if (!isNamed && !isAnswer && !load("account", "sessionStorage")) dataset.visit = "first";
}
