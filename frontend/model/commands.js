/** Slash commands. */

import { roomFromTitle } from "./address.js";
import { cleanName } from "./text.js";
import { nameProblem } from "./wording.js";

/** @type {readonly CommandHelp[]} */
export const COMMANDS = [
	{ name: "help", usage: "/help", does: "Show the commands and shortcuts" },
	{ name: "join", usage: "/join room", does: "Go to a room" },
	{ name: "leave", usage: "/leave", does: "Leave this room" },
	{ name: "nick", usage: "/nick name", does: "Change your name" },
];

/** `//` starts a message that begins with a slash. Paths such as /etc/hosts and multi-line text are messages.
 * @param {string} text @returns {Command | undefined} undefined for a plain message */
export function parseCommand(text) {
	const [, word, given = ""] = text.trimEnd().match(/^\/(\p{L}+)(?:[^\S\n]+([^\n]*))?$/u) ?? [];
	if (word) return commandFrom(word, given.trim());
	return text.startsWith("//") && parseCommand(text.slice(1)) ? { kind: "message", text: text.slice(1) } : undefined;
}

/** @param {string} word @param {string} given @returns {Command} */
function commandFrom(word, given) {
	switch (word.toLowerCase()) {
		case "nick":
			return nick(given);
		case "join":
			return join(given);
		case "leave":
			if (given) return invalid("/leave takes no room name. It leaves the current room.");
			return { kind: "leave" };
		case "help":
			return { kind: "help" };
		default:
			return invalid(`There is no /${word} command. Type /help for the list.`);
	}
}

/** @param {string} given @returns {Command} */
function nick(given) {
	if (!given) return invalid("Enter a name after /nick, such as /nick Ada.");
	const name = cleanName(given);
	return name === undefined ? invalid(nameProblem(given)) : { kind: "nick", name };
}

/** @param {string} given @returns {Command} */
function join(given) {
	if (!given) return invalid("Enter a room after /join, such as /join tea-time.");
	const { room, title, problem } = roomFromTitle(given);
	return problem ? invalid(problem) : { kind: "join", room, title };
}

/** @param {string} problem @returns {Command} */
const invalid = (problem) => ({ kind: "invalid", problem });

/** The commands that start with the text after the slash; none if it is a whole command.
 * @param {string} typed */
export function commandCompletions(typed) {
	const wanted = typed.toLowerCase();
	return COMMANDS.filter(({ name }) => name.startsWith(wanted) && name !== wanted);
}
