/** The page's elements, and its two sides: the rooms visited, and who is here. Knows no socket. */

import { browser } from "./browser.js";
import { text } from "./text.js";

const TYPING_MS = 5000;

/** By id; index.html says of which kind they are. @type {Record<string, any>} */
export const ui = Object.fromEntries([...document.querySelectorAll("[id]")].map((each) => [each.id, each]));

/** Connection id → name. @type {Map<string, string>} */
let names = new Map();
/** @type {Map<string, {name: string, timer: number}>} */
const typists = new Map();
let own = "";

/** @type {Page} */
export const page = {
	copy: (template) => ui[template].content.firstElementChild.cloneNode(true),

	fill(element, texts) {
		for (const [selector, words] of Object.entries(texts)) {
			const part = element.querySelector(selector);
			if (part && part.textContent !== words) part.textContent = words;
		}
	},

	sign(element, member) {
		const [initial = ""] = member.name.toUpperCase();
		const { connectionId, name } = member;
		page.fill(element, { ".face": initial, bdi: text.chosenName(member), ".id": text.shortId(connectionId) });
		element.querySelector(".face").style.setProperty("--hue", text.hue(name));
	},

	showRooms(current, unreadHere) {
		const gone = new Map([...ui.roomList.children].map((item) => [item.dataset.room, item]));
		ui.roomsBadge.hidden = true;
		for (const { room, last, read } of browser.visited()) {
			const here = room === current;
			const unread = here ? unreadHere : last - read;
			const item = gone.get(room) ?? page.copy("place");
			const [link, forget] = item.children;
			if (!gone.delete(room)) ui.roomList.append(item);
			item.dataset.room = forget.value = room;
			link.href = `#${room}`;
			link.ariaCurrent = here ? "page" : null;
			link.ariaLabel = unread > 0 ? `${room} ${unread} new` : null;
			forget.ariaLabel = `Forget ${room}`;
			forget.hidden = here;
			page.fill(link, { ".label": room, ".badge": unread > 0 ? `${unread}` : "" });
			ui.roomsBadge.hidden &&= here || unread <= 0;
		}
		for (const item of gone.values()) item.remove();
	},

	count: 0,

	setPeople(members, count, self) {
		names = new Map(members.map(({ connectionId, name }) => [connectionId, name]));
		own = self;
		for (const id of typists.keys()) page.typed(id);
		showPeople(count);
	},

	changePeople({ event, connectionId, name, memberCount }) {
		const former = names.get(connectionId);
		if (event === "leave") {
			names.delete(connectionId);
			page.typed(connectionId);
		} else if (connectionId) names.set(connectionId, name);
		showPeople(memberCount ?? page.count);
		return former;
	},

	types({ connectionId, name }) {
		page.typed(connectionId);
		typists.set(connectionId, { name, timer: setTimeout(page.typed, TYPING_MS, connectionId) });
		showTyping();
	},

	typed(connectionId) {
		clearTimeout(typists.get(connectionId)?.timer);
		if (typists.delete(connectionId)) showTyping();
	},
};

function showTyping() {
	ui.typing.textContent = text.typing([...typists.values()].map(({ name }) => name));
}

/** @param {number} count */
function showPeople(count) {
	const members = [...names].sort(([a, x], [b, y]) => Number(b === own) - Number(a === own) || x.localeCompare(y));
	const rows = members.map(([connectionId, name]) => {
		const row = page.copy("person");
		page.sign(row, { connectionId, name });
		if (connectionId === own) page.fill(row, { ".you": "you" });
		return row;
	});
	ui.peopleList.replaceChildren(...rows);
	page.count = ui.count.textContent = ui.total.textContent = count;
}
