/** Finds the links in a message. */

const DIRECTIONS = "\u200e\u200f\u202a-\u202e\u2066-\u2069"; // they would show another address than the link has
/** Brackets, quotes and sentence marks of other scripts, which belong to the text around a link. */
const MARKS =
	"\xab\xbb\u060c\u061b\u061f\u06d4\u0964\u0965\u2018-\u201f\u2026\u2039\u203a\u3001-\u3003\u3008-\u3011\u3014-\u301f" +
	"\uff01\uff08\uff09\uff0c\uff0e\uff1a\uff1b\uff1f\uff3b\uff3d\uff5b\uff5d\uff5f-\uff65";
const NOT = `\\s<>"()${DIRECTIONS}${MARKS}`;
const PART = `\\([^${NOT}]*\\)|[^${NOT}`;
const LABEL = `[^${NOT}./?#:@,;!&'*]`;
/** Brackets opened within an address are part of it; the punctuation that ends it is part of its sentence. */
const LINK = new RegExp(
	`((?:\\bhttps?://|(?<![\\w.@/:-])www\\.(?=${LABEL}+\\.${LABEL}))(?:${PART}])*(?:${PART}.,;:!?'*_~\\]}]))`,
	"gi",
);

/** Splits a message into text and links. Only http and https become links, and https is what `www.` stands for.
 * @param {string} message @returns {{text: string, href: string}[]} `href` is empty for text */
export const splitLinks = (message) =>
	message.split(LINK).map((text, index) => {
		const href = /^www/i.test(text) ? `https://${text}` : text;
		return { text, href: index % 2 === 1 && URL.canParse(href) ? href : "" };
	});
