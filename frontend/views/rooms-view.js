/** The list of rooms, with what is unread in each. */

import { copy, fill, ui } from "./elements.js";

/** Show the rooms; one that stays keeps its element, and so the focus.
 * @param {{room: string, unread: number}[]} rooms @param {string} current */
export function showRooms(rooms, current) {
	const gone = new Map([...ui.roomList.children].map((item) => [item.dataset.room, item]));
	for (const { room, unread } of rooms) {
		const isCurrent = room === current;
		const item = gone.get(room) ?? copy("place");
		const [link, forget] = item.children;
		if (!gone.delete(room)) ui.roomList.append(item);
		item.dataset.room = forget.value = room;
		link.href = `#${room}`;
		link.ariaCurrent = isCurrent ? "page" : null;
		link.ariaLabel = unread ? `${room} ${unread} new` : null;
		forget.ariaLabel = `Forget ${room}`;
		forget.hidden = isCurrent;
		fill(link, { ".label": room, ".badge": unread ? `${unread}` : "" });
	}
	for (const item of gone.values()) item.remove();
	ui.roomsBadge.hidden = !rooms.some(({ room, unread }) => unread && room !== current);
}
