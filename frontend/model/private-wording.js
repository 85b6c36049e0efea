/** Sentences about private rooms. */

import { dateAndTime, isolated } from "./wording.js";

/** @type {Readonly<Record<Role, string>>} */
const ROLES = { owner: "an owner", moderator: "a moderator", member: "a member" };
/** @type {Readonly<Record<Role, string>>} */
export const ROLE_NAMES = { owner: "Owner", moderator: "Moderator", member: "Member" };

/** @param {string} title */
export const quoted = (title) => `“${isolated(title)}”`;

/** @param {number} number @param {string} thing */
export const count = (number, thing) => `${number} ${thing}${number === 1 ? "" : "s"}`;

/** For example: Ben joined the room; You are now a moderator.
 * @param {"joined" | "left" | "removed" | Role} what @param {string} name @param {boolean} isOwn */
export function membershipLine(what, name, isOwn) {
	const who = isOwn ? "You" : isolated(name);
	if (what === "joined") return `${who} joined the room`;
	if (what === "left") return `${who} left the room`;
	if (what === "removed") return `${who} ${isOwn ? "were" : "was"} removed`;
	return `${who} ${isOwn ? "are" : "is"} now ${ROLES[what]}`;
}

/** What a person reads who is not a member any more. @param {string} room @param {string} title */
export function lostLine(room, title) {
	if (room.startsWith("@")) return `You and ${isolated(title) || "this person"} can no longer exchange messages.`;
	return title ? `You are no longer a member of ${quoted(title)}.` : "You are no longer a member of this room.";
}

/** @param {string} name @param {boolean} isBan */
export const removalQuestion = (name, isBan) =>
	isBan
		? {
				title: `Ban ${name}?`,
				text: "They lose access to the room and cannot accept another invitation until you unban them.",
				action: "Ban",
			}
		: {
				title: `Remove ${name}?`,
				text: "They lose access to the room. They can come back with another invitation.",
				action: "Remove",
			};

/** Why a request failed, and what to do. @param {RequestProblem} problem @param {string} [action] */
export function requestProblem({ code, error, retryAfterMs = 1000 }, action = "") {
	const wait = `Try again in ${Math.ceil(retryAfterMs / 1000)} s.`;
	switch (code) {
		case "offline":
			return "You are not connected. Try again when you are.";
		case "unanswered":
			return "The server did not answer. Try again in a moment.";
		case "internal":
			return "Something went wrong on the server. Try again in a moment.";
		case "rate_limited":
		case "busy":
			return `Too many requests. ${wait}`;
		case "no_such_invitation":
			return "This invitation is no longer valid. Ask for a new one.";
		case "no_such_room":
			return action === "direct"
				? "You cannot message this person."
				: "This room no longer exists, or you are not a member.";
		case "not_a_member":
			return "This person is no longer a member.";
		case "last_owner":
			return "You are the only owner. Make another member owner first.";
		case "room_full":
			return "This room is full: it has 100 members.";
		case "too_many_rooms":
			return "You are in 100 private rooms. Leave one first.";
		case "not_allowed":
			return "Your role in this room does not allow this.";
		case "invalid_title":
			return "Enter a title of 1 to 80 visible characters.";
		default:
			return error.replace(/\.?$/, ".");
	}
}

/** For example: 3 uses left, until 4 Mar 2025, 14:00. @param {Pick<InviteLink, "uses" | "expiresAt">} link */
export const linkLine = ({ uses, expiresAt }) =>
	`${count(uses, "use")} left, until ${dateAndTime(Date.parse(expiresAt))}`;
