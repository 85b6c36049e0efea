/** Commands: a message that begins with a slash. */

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

/** `//` begins a message with a slash. A path such as /etc/hosts, or text of several lines, is a message.
 * @param {string} text @returns {Command | undefined} undefined: it is a message as it stands */
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
			if (given) return invalid("/leave takes no room: it leaves the one you are in.");
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

/** The commands that begin with what was typed behind the slash; none when one is typed in full.
 * @param {string} typed */
export function commandCompletions(typed) {
	const wanted = typed.toLowerCase();
	return COMMANDS.filter(({ name }) => name.startsWith(wanted) && name !== wanted);
}
