/** The people in a room: one entry per person, however many tabs they have open. */

import { chosenName } from "./wording.js";

const { compare } = new Intl.Collator(undefined, { numeric: true });

/** A name as names are compared. @param {string} name */
export const comparable = (name) => name.normalize("NFKC").toLowerCase();

/** @param {Person[]} connections of one person, the newest last */
function nameOf(connections) {
	return (connections.findLast(chosenName) ?? connections[connections.length - 1]).name;
}

/** One entry per person: yourself first, then by name.
 * @param {Person[]} members @param {string} ownSender @returns {Present[]} */
export function people(members, ownSender) {
	/** @type {Map<string, Person[]>} */
	const bySender = new Map();
	for (const member of members) bySender.set(member.sender, [...(bySender.get(member.sender) ?? []), member]);
	const present = [...bySender].map(([sender, connections]) => {
		const account = connections.find(({ userId }) => userId);
		return {
			sender,
			name: account?.name ?? nameOf(connections),
			userId: account?.userId,
			connectionIds: connections.map(({ connectionId }) => connectionId),
			isOwn: sender === ownSender,
		};
	});
	return present.sort(
		(a, b) => Number(b.isOwn) - Number(a.isOwn) || compare(a.name, b.name) || (a.sender < b.sender ? -1 : 1),
	);
}

/** How many connections a person has in the room. @param {Person[]} members @param {string} sender */
export const connectionsOf = (members, sender) => members.filter((member) => member.sender === sender).length;

/** How many people are in the room. In a large room only some members are listed; each of the others counts as a person.
 * @param {Present[]} present @param {{list: Person[], count: number}} members */
export const personCount = (present, { list, count }) => present.length + Math.max(0, count - list.length);

/** Names that more than one person has, made comparable. @param {Present[]} present */
export function sharedNames(present) {
	const names = present.map(({ name }) => comparable(name));
	return new Set(names.filter((name, index) => names.indexOf(name) !== index));
}
