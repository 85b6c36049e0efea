/** Sets the theme, and whether this is a first visit, before the first paint. A classic script, because modules run later. */
{
	/** @param {string} key @returns {unknown} */
	const load = (key) => {
		try {
			return JSON.parse(localStorage.getItem(`chat.${key}`) ?? "null");
		} catch {
			return null; // storage is denied, or the value is not JSON
		}
	};
	const { dataset } = document.documentElement;
	const theme = load("theme");
	if (theme === "light" || theme === "dark") dataset.theme = theme;
	if (["name", "requested-name"].every((key) => typeof load(key) !== "string")) dataset.visit = "first";
}
