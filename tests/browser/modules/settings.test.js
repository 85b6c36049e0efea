/** Settings, shared by all tabs. */

import { claim } from "/claims.js";
import { LocalStore } from "/client/storage.js";
import { Settings, shouldNotify } from "/model/settings.js";
import { Browser, Clock, equal, ok } from "/world.js";

const newTab = (clock = new Clock()) => new Browser(clock).storage.tab();

claim("the defaults are the system's theme, no sound, and every message of every room", () => {
	const settings = new Settings(new LocalStore(newTab()));
	equal([settings.theme, settings.sound, settings.notifications], ["auto", false, false]);
	equal(
		[settings.levelOf("tea"), settings.levelOf("constructor"), settings.levelOf("__proto__")],
		["all", "all", "all"],
	);
});

claim("settings persist, and changes are emitted", () => {
	const { area, events } = newTab();
	const settings = new Settings(new LocalStore({ area, events }));
	const changes = [];
	settings.on("change", ({ setting }) => changes.push(setting));
	settings.theme = "dark";
	settings.sound = true;
	settings.notifications = true;
	settings.setLevel("tea", "mentions");
	settings.setLevel("constructor", "none");
	const again = new Settings(new LocalStore({ area, events }));
	equal([again.theme, again.sound, again.notifications], ["dark", true, true]);
	equal([again.levelOf("tea"), again.levelOf("constructor"), again.levelOf("hall")], ["mentions", "none", "all"]);
	equal(changes, ["theme", "sound", "notifications", "levels", "levels"]);
});

claim("settings of earlier versions still apply", () => {
	const { area, events } = newTab();
	area.setItem("chat.sound", "true");
	area.setItem("chat.notify", "true");
	const settings = new Settings(new LocalStore({ area, events }));
	equal([settings.sound, settings.notifications], [true, true]);
});

claim("a room set back to the default leaves nothing behind, and the number of levels is bounded", () => {
	const { area, events } = newTab();
	const settings = new Settings(new LocalStore({ area, events }));
	settings.setLevel("tea", "none");
	settings.setLevel("tea", "all");
	equal(area.getItem("chat.levels"), "{}");
	for (let n = 0; n < 300; n += 1) settings.setLevel(`room-${n}`, "none");
	equal(
		[settings.levelOf("room-99"), settings.levelOf("room-100"), settings.levelOf("room-299")],
		["all", "none", "none"],
	);
});

claim("a change in one tab is emitted in the others, and other keys are ignored", async () => {
	const clock = new Clock();
	const { storage } = new Browser(clock);
	const [one, two] = [1, 2].map(() => new Settings(new LocalStore(storage.tab())));
	const changes = [];
	two.on("change", ({ setting }) => changes.push(setting));
	one.setLevel("tea", "none");
	one.notifications = true;
	new LocalStore(storage.tab()).save("rooms", []);
	await clock.pass(10);
	equal([changes, two.levelOf("tea"), two.notifications], [["levels", "notifications"], "none", true]);
});

claim("malformed settings count as unset, and invalid values are not saved", () => {
	const { area, events } = newTab();
	const settings = new Settings(new LocalStore({ area, events }));
	for (const odd of [
		"3",
		'"x"',
		"{",
		"null",
		"[]",
		'{"a":1}',
		'[["tea","none"]]',
		'{"tea":"loud","hall":{}}',
		"true",
	]) {
		for (const key of ["theme", "levels"]) area.setItem(`chat.${key}`, odd);
		for (const key of ["sound", "notify"]) area.setItem(`chat.${key}`, odd === "true" ? "1" : odd);
		equal([settings.theme, settings.sound, settings.notifications], ["auto", false, false]);
		equal(
			[settings.levelOf("tea"), settings.levelOf("hall"), settings.levelOf("a"), settings.levelOf("0")],
			Array(4).fill("all"),
		);
		settings.setLevel("tea", "none");
		equal(settings.levelOf("tea"), "none");
	}
	settings.theme = "purple";
	equal(settings.theme, "auto");
	settings.setLevel("tea", "loud");
	equal(settings.levelOf("tea"), "all");
});

claim("without storage, settings last for the visit", () => {
	const area = {
		...{ getItem: () => null, key: () => null, length: 0, removeItem() {} },
		setItem() {
			throw new Error("full");
		},
	};
	const settings = new Settings(new LocalStore({ area, events: new EventTarget() }));
	settings.theme = "light";
	settings.setLevel("tea", "none");
	equal([settings.theme, settings.levelOf("tea")], ["light", "none"]);
});

claim("a level decides which messages notify", () => {
	equal([shouldNotify("all", false), shouldNotify("all", true)], [true, true]);
	equal([shouldNotify("mentions", false), shouldNotify("mentions", true)], [false, true]);
	ok(!shouldNotify("none", true) && !shouldNotify("none", false));
});
