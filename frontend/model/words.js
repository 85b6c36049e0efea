/** Where words begin and end, in any script. */

// Scripts without spaces between words: a word of another script may start or end next to them.
const UNSPACED =
	"\\p{scx=Han}\\p{scx=Hiragana}\\p{scx=Katakana}\\p{scx=Bopomofo}\\p{scx=Thai}\\p{scx=Lao}\\p{scx=Khmer}\\p{scx=Myanmar}";

/** A pattern for the `u` flag: a character next to which no word of Latin letters starts or ends. */
export const OF_WORD = `(?![${UNSPACED}])[\\p{L}\\p{N}\\p{M}_]`;

const LETTER = /^[\p{L}\p{N}\p{M}_]/u;
const UNSPACED_LETTER = new RegExp(`^[${UNSPACED}]`, "u");
// Joiners, skin tones, and the tags of flags.
const JOINING = /^(?:\u200c|\u200d|[\u{1f3fb}-\u{1f3ff}]|[\u{e0020}-\u{e007f}])/u;

/** Whether a word or an emoji continues from one character to the next. @param {string} character @param {string} next */
export function isWithinWord(character, next) {
	if (JOINING.test(next)) return true;
	const areLetters = LETTER.test(character) && LETTER.test(next);
	return areLetters && (UNSPACED_LETTER.test(character) || !UNSPACED_LETTER.test(next));
}
