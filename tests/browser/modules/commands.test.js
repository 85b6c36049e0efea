/** Commands. */

import { claim } from "/claims.js";
import { COMMANDS, commandCompletions, parseCommand } from "/model/commands.js";
import { equal, ok } from "/world.js";

claim("a command is a slash, a known word, and an argument", () => {
	const table = {
		"/nick Ada  Lovelace ": { kind: "nick", name: "Ada Lovelace" },
		"/NICK e\u0301": { kind: "nick", name: "é" },
		"/nick /join": { kind: "nick", name: "/join" },
		"/join tea": { kind: "join", room: "tea" },
		"/join #Tea Time": { kind: "join", room: "tea-time" },
		"/leave": { kind: "leave" },
		"/leave \n": { kind: "leave" },
		"/help": { kind: "help" },
		"/help me": { kind: "help" },
	};
	for (const [text, wanted] of Object.entries(table)) equal([text, parseCommand(text)], [text, wanted]);
	const { room, title } = parseCommand("/join #日本");
	ok(room.startsWith("room-"));
	equal(title, "日本");
});

claim("text that only looks like a command is a message", () => {
	const paths = ["/etc/hosts", "/etc/", "/usr.d", "/a-b", "/7", "/_", "/help/", "/nick:x"];
	const others = [
		"",
		"/",
		"/ ",
		"/ help",
		" /help",
		"help",
		"a /help",
		"/help\nme",
		"/x\r\ny",
		"// x",
		"//",
		"//a/b",
		"\u200f/help",
		"／help",
	];
	for (const text of [...paths, ...others]) equal([text, parseCommand(text)], [text, undefined]);
});

claim("a second slash sends a command as text", () => {
	for (const text of ["/help", "/nick Ada", "/x", "//x"]) equal(parseCommand(`/${text}`), { kind: "message", text });
});

claim("a command that cannot run says why", () => {
	const table = {
		"/foo bar": "There is no /foo command. Type /help for the list.",
		"/été": "There is no /été command. Type /help for the list.",
		"/constructor": "There is no /constructor command. Type /help for the list.",
		"/nick": "Enter a name after /nick, such as /nick Ada.",
		"/nick  ": "Enter a name after /nick, such as /nick Ada.",
		[`/nick ${"x".repeat(41)}`]: "Enter a name of 1 to 40 characters.",
		"/nick Ad\u202ea": "This name contains invisible characters. Type it instead of pasting it.",
		"/join": "Enter a room after /join, such as /join tea-time.",
		"/leave tea": "/leave takes no room name. It leaves the current room.",
	};
	for (const [text, problem] of Object.entries(table))
		equal([text, parseCommand(text)], [text, { kind: "invalid", problem }]);
	equal(parseCommand("/join #").kind, "invalid");
});

claim("every listed command works, and is suggested until it is typed in full", () => {
	for (const { name, usage, does } of COMMANDS) {
		ok(usage.startsWith(`/${name}`) && does);
		ok(!parseCommand(`/${name}`).problem?.startsWith("There is no"));
		equal(
			commandCompletions(name.slice(0, 1).toUpperCase()).map((command) => command.name),
			[name],
		);
		equal(commandCompletions(name), []);
	}
	equal([commandCompletions("").length, commandCompletions("x").length], [COMMANDS.length, 0]);
});
