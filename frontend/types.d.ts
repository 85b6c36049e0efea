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

/** A frame, as the architecture page names its fields. */
type Frame = Record<string, any>;

/** Where a list is kept over a reload of the tab, by key. */
interface Keeping {
	kept(key: string, otherwise: any): any;
	keep(key: string, value: unknown): void;
}

/** What the connection stands on; a test gives it a socket, a clock and a chance of its own. */
interface ConnectionOptions extends Keeping {
	url: string;
	room: string;
	name: string;
	WebSocket?: typeof WebSocket;
	/** 0 to 1. */
	random?: () => number;
	clock?: {
		Date: { now(): number };
		setTimeout(act: () => void, ms: number): number;
		clearTimeout(timer?: number): void;
	};
}

/** A page of history that is asked for. */
interface Question {
	question: Frame;
	resolve(page: Frame): void;
	reject(error: Error): void;
}

/** A message that is not stored yet. */
interface Unsent {
	messageId: string;
	room: string;
	text: string;
	/** Milliseconds since 1970. */
	at: number;
	failed?: boolean;
	/** How often the server had a fault with it. */
	faults?: number;
}
