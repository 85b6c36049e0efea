/** Finds the links in a message. */

const DIRECTIONS = "\u200e\u200f\u202a-\u202e\u2066-\u2069"; // they could make a link look like another
/** Brackets, quotes and punctuation of other scripts, which belong to the text around a link. */
const MARKS =
	"\xab\xbb\u060c\u061b\u061f\u06d4\u0964\u0965\u2018-\u201f\u2026\u2039\u203a\u3001-\u3003\u3008-\u3011\u3014-\u301f" +
	"\uff01\uff08\uff09\uff0c\uff0e\uff1a\uff1b\uff1f\uff3b\uff3d\uff5b\uff5d\uff5f-\uff65";
const NOT = `\\s<>"()${DIRECTIONS}${MARKS}`;
const PART = `\\([^${NOT}]*\\)|[^${NOT}`;
const LABEL = `[^${NOT}./?#:@,;!&'*]`;
/** Brackets opened within a URL belong to it; punctuation at its end belongs to the sentence. */
const LINK = new RegExp(
	`((?:\\bhttps?://|(?<![\\w.@/:-])www\\.(?=${LABEL}+\\.${LABEL}))(?:${PART}])*(?:${PART}.,;:!?'*_~\\]}]))`,
	"gi",
);

/** Split a message into text and links. Only http and https become links; `www.` links use https.
 * @param {string} message @returns {{text: string, href: string}[]} `href` is empty for text */
export const splitLinks = (message) =>
	message.split(LINK).map((text, index) => {
		const href = /^www/i.test(text) ? `https://${text}` : text;
		return { text, href: index % 2 === 1 && URL.canParse(href) ? href : "" };
	});
