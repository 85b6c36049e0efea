/** Writing: the composer, drafts and slash commands. */

import { parseCommand } from "../model/commands.js";
import { Drafts } from "../model/drafts.js";
import { loadEmoji, replaceShortcodes } from "../model/emoji.js";
import { advice } from "../model/wording.js";
import { Composer } from "../views/composer.js";

const SHORTCODE = /:[\w+-]+:/;

export class Writing {
	#client;
	#chat;
	#actions;
	#drafts;
	#composer;

	/** @param {WritingOptions} options */
	constructor({ client, chat, storage, ...actions }) {
		this.#client = client;
		this.#chat = chat;
		this.#actions = actions;
		this.#drafts = new Drafts(storage);
		this.#composer = new Composer({
			names: () => chat.names.filter((name) => name !== client.session.name),
			changed: (text) => {
				this.#drafts.save(chat.room, text);
				if (SHORTCODE.test(text)) loadEmoji(); // before it is sent
			},
			typing: () => client.session.typing(),
			send: (text) => this.#send(text),
			toLastOwn: actions.toLastOwn,
		});
		this.#drafts.on("changed", ({ room, text }) => {
			if (room === chat.room) this.#composer.setText(text);
		});
		client.outbox.on("delayed", (refusal) => this.#composer.showProblem(advice(refusal)));
		chat.on("stored", ({ room, messages }) => {
			if (room === chat.room && messages.some(({ own }) => own)) this.#composer.showProblem("");
		});
	}

	/** @param {string} title of the current room */
	showRoom(title) {
		this.#composer.show(title, this.#drafts.load(this.#chat.room));
		this.#composer.showProblem("");
	}

	/** @param {string} title of the current room, which was not known or has changed */
	setTitle(title) {
		this.#composer.setTitle(title);
	}

	/** @param {boolean} isAllowed */
	allow(isAllowed) {
		this.#composer.allow(isAllowed);
	}

	focus() {
		this.#composer.focus();
	}

	/** @param {string} name */
	mention(name) {
		this.#composer.insert(`@${name} `);
	}

	/** @param {string} problem */
	showProblem(problem) {
		this.#composer.showProblem(problem);
	}

	/** @param {string} typed @returns {string} why it was not sent, or "" */
	#send(typed) {
		const command = parseCommand(typed) ?? { kind: "message", text: typed };
		const problem = command.kind === "message" ? this.#sendMessage(command.text) : this.#run(command);
		if (!problem) this.#drafts.save(this.#chat.room, "");
		return problem;
	}

	/** @param {Exclude<Command, {kind: "message"}>} command */
	#run(command) {
		switch (command.kind) {
			case "invalid":
				return command.problem;
			case "nick":
				this.#actions.rename(command.name);
				return "";
			case "join":
				return this.#actions.open(command.title ?? command.room);
			case "leave":
				return this.#actions.leave();
			default:
				this.#actions.showShortcuts();
				return "";
		}
	}

	/** @param {string} text */
	#sendMessage(text) {
		this.#chat.list.line = Infinity;
		if (!this.#client.write(replaceShortcodes(text)))
			return "Too many unsent messages. Wait until some have been sent.";
		this.#actions.sent();
		return "";
	}
}
