/** The page's keyboard shortcuts. */

const IME = 229; // the keyCode while an input method handles the key
const EDITABLE = "input, textarea, select, [contenteditable]";

/** @param {Record<ShortcutAction, () => void>} actions */
export function watchKeyboard(actions) {
	/** @param {KeyboardEvent} event @returns {ShortcutAction | undefined} */
	const actionOf = (event) => {
		const isControl = event.ctrlKey || event.metaKey;
		const isTyping = event.target instanceof Element && event.target.matches(EDITABLE);
		const key = event.key.toLowerCase();
		if (isControl && !event.altKey && key === "k") return "switchRoom";
		if (isControl && event.shiftKey && key === "f") return "search";
		if (event.altKey && !isControl && key === "arrowup") return event.shiftKey ? "previousUnread" : "previousRoom";
		if (event.altKey && !isControl && key === "arrowdown") return event.shiftKey ? "nextUnread" : "nextRoom";
		if (isControl || event.altKey) return undefined;
		if (key === "escape") return "escape";
		if (isTyping) return undefined;
		if (key === "?") return "showShortcuts";
		return event.key.length === 1 && event.key !== " " ? "type" : undefined;
	};
	addEventListener("keydown", (event) => {
		if (event.defaultPrevented || event.isComposing || event.keyCode === IME) return;
		const action = actionOf(event);
		if (!action || document.querySelector("dialog[open]")) return;
		if (document.querySelector(":popover-open") && action !== "switchRoom" && action !== "search") return;
		if (action !== "type") event.preventDefault(); // the character must still reach the message box, which now has the focus
		actions[action]();
	});
}
