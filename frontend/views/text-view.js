/** Renders a message's text as DOM nodes: code, quotes, links, rooms, mentions. Never parses HTML. */

import { isEmojiOnly, parse } from "../model/markup.js";

/** @param {string} name @param {string} text @param {string} [className] */
function made(name, text, className = "") {
	const node = document.createElement(name);
	node.textContent = text;
	if (className) node.className = className;
	return node;
}

/** @param {Piece} piece @returns {Node | string} */
function nodeOf(piece) {
	switch (piece.kind) {
		case "code":
			return made("code", piece.text);
		case "block":
			return made("pre", piece.text);
		case "quote": {
			const quote = document.createElement("blockquote");
			quote.append(...piece.pieces.map(nodeOf));
			return quote;
		}
		case "link": {
			const link = document.createElement("a");
			const { href, text: textContent } = piece;
			return Object.assign(link, { href, textContent, target: "_blank", rel: "noopener noreferrer nofollow" });
		}
		case "room":
			return Object.assign(document.createElement("a"), { href: `#${piece.room}`, textContent: piece.text });
		case "mention":
			return made("mark", piece.text, piece.isOwn ? "own-name" : "");
		default:
			return piece.text;
	}
}

/** @param {HTMLElement} element @param {string} text @param {{names: string[], ownName: string}} people */
export function showText(element, text, people) {
	element.replaceChildren(...parse(text, people).map(nodeOf));
	element.classList.toggle("emoji-only", isEmojiOnly(text));
}
