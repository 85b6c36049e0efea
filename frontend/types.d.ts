/** What passes between the page's modules. For the type checker only: it is not deployed. */

/** A line of the message list: a message, or a quiet note of the page's own. */
interface Item {
	/** The messageId, or an id of the page's own for a note. */
	key: string;
	/** seq; between two seqs for a note; Infinity until the server has stored it. */
	order: number;
	/** Milliseconds since 1970. */
	at: number;
	text: string;
	/** Empty for a note. */
	connectionId: string;
	name: string;
	own: boolean;
	state: "stored" | "pending" | "failed" | "note";
	/** Why it failed, and what to do. */
	problem?: string;
	/** Who came and went, in a note of presence. */
	people?: string[];
}

/** Who said something, and when: what grouping looks at. */
type Said = Pick<Item, "connectionId" | "name" | "at">;

/** A run of text, or a link. */
interface Piece {
	text: string;
	href?: string;
}

/** A room that was visited: the seq read, and the last one known. */
interface Visited {
	room: string;
	read: number;
	last: number;
}

interface Member {
	connectionId: string;
	name: string;
}

interface Presence extends Member {
	event: "join" | "leave" | "rename" | "count";
	memberCount?: number;
}

/** An `error` frame's fields. */
interface Refusal {
	error: string;
	code: string;
	retryAfterMs?: number;
	messageId?: string;
	room?: string;
}
