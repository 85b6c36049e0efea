/** The page's sentences, dates and labels. */

import { cleanName, lengthOf, MAX_MESSAGE_CHARACTERS, MAX_NAME_CHARACTERS } from "./text.js";

const COUNTER_FROM = 3600;
const DAY_MS = 24 * 60 * 60 * 1000;
const DEFAULT_WAIT_MS = 1000;

/** English with the conventions of the reader's region, so a sentence never mixes two languages.
 * @param {string} [language] of the reader */
export function pageLocale(language = navigator.language) {
	try {
		const { region } = new Intl.Locale(language).maximize();
		return region ? `en-${region}` : "en";
	} catch {
		return "en"; // such as en-US@posix, which is no language tag
	}
}

/** @param {Intl.DateTimeFormatOptions} options @param {string} [language] of the reader */
export function dateFormat(options, language = navigator.language) {
	const locale = pageLocale(language);
	if (!options.hour && !options.timeStyle) return new Intl.DateTimeFormat(locale, options).format;
	// English has no data for many regions, and would fall back to a.m. and p.m.
	const reader = locale === "en" ? locale : language;
	const { hourCycle } = new Intl.DateTimeFormat(reader, { hour: "numeric" }).resolvedOptions();
	return new Intl.DateTimeFormat(locale, { ...options, hourCycle }).format;
}

export const shortTime = dateFormat({ timeStyle: "short" }); // 09:05 where hours have two digits
export const dateAndTime = dateFormat({ dateStyle: "medium", timeStyle: "short" });
export const shortDate = dateFormat({ dateStyle: "long" });
export const fullTime = dateFormat({ dateStyle: "full", timeStyle: "medium" });

/** @param {number} at */
export const dayOf = (at) => new Date(at).setHours(0, 0, 0, 0);

/** For example: Today, Yesterday, Monday 3 March. @param {number} at @param {number} now @param {string} [language] */
export function dayLabel(at, now, language) {
	const locale = pageLocale(language);
	const days = Math.round((dayOf(at) - dayOf(now)) / DAY_MS);
	if (days < -1) return new Intl.DateTimeFormat(locale, { dateStyle: "full" }).format(at);
	const near = new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(days, "day");
	return near[0].toLocaleUpperCase(locale) + near.slice(1);
}

/** @param {string} connectionId */
export const shortId = (connectionId) => `[${connectionId.slice(0, 8)}...]`;

/** The name that a person chose; empty if it is the server's default. @param {Pick<Person, "name" | "connectionId">} person */
export const chosenName = ({ name, connectionId }) => (name === connectionId.slice(0, 8) ? "" : name);

/** A name for use in a sentence, isolated so its text direction does not affect the rest. @param {string} name */
export const isolated = (name) => `\u2068${name}\u2069`; // Unicode's FSI … PDI

/** @param {string} typed */
export function urlProblem(typed) {
	const url = /^wss?:\/\//i.test(typed) && URL.canParse(typed) ? new URL(typed) : undefined;
	const isHere = ["localhost", "127.0.0.1", "[::1]"].includes(url?.hostname ?? "");
	if (url?.protocol === "wss:" || isHere) return "";
	return "The URL must start with wss://, for example wss://example.com/production. ws:// works only for a server on this computer.";
}

/** @param {string} name */
export function nameProblem(name) {
	if (cleanName(name) !== undefined) return "";
	const length = lengthOf(name.trim());
	if (length === 0 || length > MAX_NAME_CHARACTERS) return `Enter a name of 1 to ${MAX_NAME_CHARACTERS} characters.`;
	return "This name contains invisible characters. Type it instead of pasting it.";
}

/** @param {number} length */
export function counter(length) {
	const left = MAX_MESSAGE_CHARACTERS - length;
	if (left < 0) return `${count(-left, "character")} over the limit. Shorten or split your message.`;
	return length < COUNTER_FROM ? "" : `${count(left, "character")} left`;
}

/** @param {number} number @param {string} thing */
const count = (number, thing) => `${number} ${thing}${number === 1 ? "" : "s"}`;

/** @param {string[]} names */
export function typing(names) {
	if (names.length > 2) return "Several people are typing…";
	const who = names.map(isolated).join(" and ");
	return who && `${who} ${names.length > 1 ? "are" : "is"} typing…`;
}

/** @param {Refusal} refusal */
export function advice({ code, error, retryAfterMs = DEFAULT_WAIT_MS }) {
	const seconds = Math.ceil(retryAfterMs / 1000);
	if (code === "rate_limited") return `You are sending too fast. The rest will be sent in ${seconds} s.`;
	if (code === "busy") return `This room is very busy. Your message will be sent in ${seconds} s.`;
	if (code === "internal") return "Something went wrong on the server. Try again in a moment.";
	return error.replace(/\.?$/, ".");
}
