/** The server's frames and error codes; docs/protocol.md is the reference. */

export const MAX_ROOMS = 10;
export const MAX_LISTED_MEMBERS = 100;

export const ErrorCode = Object.freeze({
	BAD_REQUEST: "bad_request",
	MESSAGE_REQUIRED: "message_required",
	MESSAGE_TOO_LONG: "message_too_long",
	INVALID_ROOM: "invalid_room",
	INVALID_NAME: "invalid_name",
	INVALID_SECRET: "invalid_secret",
	NOT_IN_ROOM: "not_in_room",
	TOO_MANY_ROOMS: "too_many_rooms",
	RATE_LIMITED: "rate_limited",
	BUSY: "busy",
	INTERNAL: "internal",
	SIGN_IN_REQUIRED: "sign_in_required",
	SECRET_CLAIMED: "secret_claimed",
});

/** @param {string} code */
export const asksToWait = (code) => code === ErrorCode.RATE_LIMITED || code === ErrorCode.BUSY;

/** @typedef {(value: unknown) => boolean} Check */

/** @type {Record<"string" | "boolean" | "whole" | "time" | "event" | "isObject", Check>} */
const { string, boolean, whole, time, event, isObject } = {
	string: (value) => typeof value === "string",
	boolean: (value) => typeof value === "boolean",
	whole: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
	time: (value) => typeof value === "string" && !Number.isNaN(Date.parse(value)),
	event: (value) => ["join", "leave", "rename", "count"].includes(String(value)),
	isObject: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
};
/** @type {(check: Check) => Check} */
const optional = (check) => (value) => value === undefined || check(value);
const optionalString = optional(string);
/** @type {(check: Check) => Check} */
const nullable = (check) => (value) => value === null || check(value);
/** @type {(check: Check) => Check} */
const list = (check) => (value) => Array.isArray(value) && value.every(check);
/** @type {(check: Check) => Check} */
const record = (check) => (value) => isObject(value) && Object.values(Object(value)).every(check);
/** @type {(fields: Record<string, Check>) => Check} */
const shape = (fields) => (value) =>
	isObject(value) && Object.entries(fields).every(([field, check]) => check(Object(value)[field]));

export const checks = { string, boolean, whole, time, optional, nullable, list, shape };

const person = { connectionId: string, name: string, sender: string, userId: optionalString };
const people = list(shape(person));
const roster = shape({ room: string, memberCount: whole, members: optional(people) });
const message = { messageId: string, room: string, seq: whole, timestamp: time, message: string, ...person };
const page = { room: string, after: optional(whole), messages: list(shape(message)), complete: boolean, lost: boolean };

/** Type → field → check. @type {Record<string, Record<string, Check>>} */
export const FRAMES = {
	message,
	joined: { ...person, ...page, members: people, memberCount: whole, lastSeq: whole },
	left: { room: string, current: nullable(string) },
	history: { ...page, before: optional(whole) },
	presence: {
		room: string,
		event,
		connectionId: optionalString,
		name: optionalString,
		sender: optionalString,
		userId: optionalString,
		memberCount: whole,
		members: optional(people),
	},
	typing: { room: string, ...person },
	pong: { room: nullable(string), lastSeq: whole, timestamp: time, rooms: record(whole), roster: optional(roster) },
	signedin: {
		userId: string,
		name: string,
		until: time,
		sender: string,
		senders: list(string),
		isNew: optional(boolean),
	},
	signedout: { everywhere: boolean },
	error: {
		error: string,
		code: string,
		action: optionalString,
		room: optionalString,
		messageId: optionalString,
		retryAfterMs: optional(whole),
	},
};

/** Parse data from the socket; undefined if this page does not understand it.
 * @param {unknown} data @returns {ServerFrame | undefined} */
export function parseFrame(data) {
	/** @type {unknown} */
	let value;
	try {
		value = JSON.parse(String(data));
	} catch {
		return undefined;
	}
	if (!isObject(value)) return undefined;
	const frame = /** @type {Record<string, unknown>} */ (value);
	// API Gateway answers in its own format if a function fails.
	if (frame.type === undefined && frame.requestId !== undefined) {
		return { type: "error", code: ErrorCode.INTERNAL, error: String(frame.message) };
	}
	const type = String(frame.type);
	const isKnown = Object.hasOwn(FRAMES, type) && shape(FRAMES[type])(frame);
	return isKnown ? /** @type {ServerFrame} */ (value) : undefined;
}
