/** Whether someone is reading the page, and when the connection should be checked. */

import { claim } from "/claims.js";
import { Reader } from "/model/reader.js";
import { Clock, equal, MINUTE, SECOND } from "/world.js";

/** A visible, focused tab and the events of its reader. */
function tab() {
	const clock = new Clock();
	const document = Object.assign(new EventTarget(), { hidden: false, focused: true });
	document.hasFocus = () => document.focused;
	const window = new EventTarget();
	const reader = new Reader({ document, window, clock });
	const heard = [];
	for (const type of ["change", "wake"]) reader.on(type, () => heard.push(type));
	const change = (fields, target, type) => {
		Object.assign(document, fields);
		target.dispatchEvent(new Event(type));
		return heard.splice(0);
	};
	return {
		clock,
		window,
		reader,
		heard,
		hide: (hidden) => change({ hidden, focused: !hidden }, document, "visibilitychange"),
		focus: (focused) => change({ focused }, window, focused ? "focus" : "blur"),
		fire: (type) => change({}, window, type),
	};
}

claim("someone is here while the window has the focus, not while it is merely visible", () => {
	const { reader, focus, hide } = tab();
	equal([reader.isHere, reader.isWatching], [true, true]);
	equal([focus(false), reader.isHere, reader.isWatching], [["change"], false, true]);
	equal([focus(true), reader.isHere], [["change", "wake"], true]);
	equal([hide(true), reader.isHere, reader.isWatching], [["change"], false, false]);
	equal([hide(false), reader.isHere, reader.isWatching], [["change", "wake"], true, true]);
});

claim("ten minutes without input end watching, and the next input resumes it", async () => {
	const { reader, clock, fire, heard } = tab();
	await clock.pass(9 * MINUTE);
	equal(fire("keydown"), []);
	await clock.pass(9 * MINUTE);
	equal([reader.isWatching, heard], [true, []]);
	await clock.pass(MINUTE + 6 * SECOND);
	equal([reader.isWatching, heard.splice(0)], [false, ["change"]]);
	equal([fire("pointermove"), reader.isWatching], [["change"], true]);
});

claim("the connection is checked when the network changes or the clock jumps", async () => {
	const { clock, fire, heard } = tab();
	equal([fire("offline"), fire("online")], [["wake"], ["wake"]]);
	await clock.pass(MINUTE);
	equal(heard, []);
	clock.at += 3 * MINUTE; // asleep
	await clock.pass(6 * SECOND);
	equal(heard, ["wake"]);
});

claim("no timer runs in a hidden tab", async () => {
	const { clock, hide } = tab();
	hide(true);
	await clock.pass(MINUTE);
	equal(clock.waiting, 0);
	hide(false);
	equal(clock.waiting, 1);
});
