/** The members of a room, as reported by the server. */

import { MAX_LISTED_MEMBERS } from "./protocol.js";

const CRC_POLYNOMIAL = 0xedb88320;

/** @param {string} text */
export function crc32(text) {
	let crc = -1;
	for (const byte of new TextEncoder().encode(text)) {
		crc ^= byte;
		for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 && CRC_POLYNOMIAL);
	}
	return ~crc >>> 0;
}

export class Members {
	count = 0;
	/** @type {Map<string, Person>} */
	#byConnection = new Map();

	/* */
	get list() {
		return [...this.#byConnection.values()];
	}

	get checksum() {
		const lines = this.list.map(({ connectionId, name, sender, userId }) => {
			return `${connectionId}\t${name}\t${sender}${userId ? `\t${userId}` : ""}\n`;
		});
		return crc32(lines.sort().join(""));
	}

	get hasDrifted() {
		return this.#byConnection.size !== Math.min(this.count, MAX_LISTED_MEMBERS);
	}

	/** @param {Person[]} members @param {number} count */
	reset(members, count) {
		this.#byConnection = new Map(members.map((member) => [member.connectionId, member]));
		this.count = count;
	}

	/** @param {PresenceFrame} frame */
	change({ event, connectionId = "", name = "", sender = "", userId, memberCount, members }) {
		this.count = memberCount;
		const former = this.#byConnection.get(connectionId);
		if (event === "leave") this.#byConnection.delete(connectionId);
		else if (event !== "count")
			this.#byConnection.set(connectionId, { connectionId, name, sender, ...(userId && { userId }) });
		else if (members) this.reset(members, memberCount);
		return former;
	}
}
