/** The list of keyboard shortcuts. */

export const SHORTCUTS = [
	{ keys: "Ctrl K", does: "Go to a room" },
	{ keys: "Alt ↑ / Alt ↓", does: "Previous or next room" },
	{ keys: "Alt Shift ↑ / Alt Shift ↓", does: "Previous or next unread room" },
	{ keys: "Ctrl Shift F", does: "Search this room" },
	{ keys: "Enter", does: "Send" },
	{ keys: "Shift Enter", does: "New line" },
	{ keys: "↑", does: "In an empty message box: go to your last message" },
	{ keys: "↑ / ↓", does: "In the conversation: go to the previous or next message" },
	{ keys: "Esc", does: "Go to the newest message and mark the room as read" },
	{ keys: "?", does: "Show this list" },
];
