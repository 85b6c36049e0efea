/** Before the first paint: the chosen theme, and whether this is a first visit. A classic script: a module would run later. */
{
	/** @param {string} key @returns {unknown} */
	const load = (key) => {
		try {
			return JSON.parse(localStorage.getItem(`chat.${key}`) ?? "null");
		} catch {
			return null; // storage is denied, or holds something else
		}
	};
	const { dataset } = document.documentElement;
	const theme = load("theme");
	if (theme === "light" || theme === "dark") dataset.theme = theme;
	if (["name", "wished-name"].every((key) => typeof load(key) !== "string")) dataset.visit = "first";
}
