/** The contracts of the page's modules, each of which exports one object or class. For the type checker only: it is
 * not deployed, so that explanations cost the reader of the page no bytes. */

/** A line of the message list: a message, or a quiet note of the page's own. */
interface Item {
	/** An id of the page's own for a note. */
	messageId: string;
	/** Between two messages' for a note; Infinity until the server has stored it. */
	seq: number;
	/** Milliseconds since 1970. */
	at: number;
	message: string;
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

/** text.js */
interface TextRules {
	/** Splits a message into text and links; only http and https become links. */
	pieces(message: string): { text: string; isLink: boolean }[];
	/** When the day of a time began, in the reader's zone. */
	dayOf(at: number): number;
	/** Whether an item opens a group: another sender, or 5 minutes of silence. */
	startsGroup(before: Pick<Item, "connectionId" | "name" | "at"> | undefined, item: Item): boolean;
	/** Such as Today, Yesterday, Monday 3 March. */
	dayLabel(at: number, now: number, locale?: string): string;
	shortTime(at: number): string;
	fullTime(at: number): string;
	shortId(connectionId: string): string;
	/** The name somebody chose; empty where it is only the server's default. */
	chosenName(member: Member): string;
	/** A name within a sentence, its direction of writing its own. */
	isolated(name: string): string;
	/** A name's hue in degrees, the same on every screen. */
	hue(name: string): number;
	/** What is wrong with a server's address; empty when nothing is. */
	addressProblem(address: string): string;
	/** A room's name made of what somebody typed; empty when nothing of it is left. */
	roomFrom(typed: string): string;
	/** What is wrong with a person's name; empty when nothing is. */
	nameProblem(name: string): string;
	/** How a message's length stands; empty while it is no matter. */
	counter(length: number): string;
	/** Whether a message of that length can be sent. */
	sendable(length: number): boolean;
	/** Who is typing. */
	typing(names: string[]): string;
	/** Why something was refused, and what to do. */
	advice(refusal: Refusal): string;
}

/** A room that was visited: the seq read, and the last one known. */
interface Visited {
	room: string;
	read: number;
	last: number;
}

/** browser.js */
interface Browser {
	/** What was kept, or else `otherwise`. */
	kept<T>(key: string, otherwise: T): T;
	keep(key: string, value: unknown): void;
	/** The rooms, in the order of the first visit. */
	visited(): Visited[];
	/** Notes how far a room goes and is read. */
	visit(room: string, last?: number, read?: number): void;
	/** In the tab: title and favicon. */
	showUnread(title: string, unread: number): void;
	chime(): void;
	/** Asks for leave to notify; says why it cannot be had, or nothing. */
	allowNotifications(): Promise<string>;
	notify(title: string, body: string): void;
}

/** page.js */
interface Page {
	/** What a template holds, once more. */
	copy(template: string): any;
	/** Sets texts by selector. One that stays is left alone: a live region would read it again. */
	fill(element: Element, texts: Record<string, string>): void;
	/** Says who somebody is: name, short id, and an initial in the name's colour. */
	sign(element: any, member: Member): void;
	/** Shows the rooms visited, with what is unread in each; what stays keeps its element, and so the focus. */
	showRooms(current: string, unreadHere: number): void;
	/** How many people are here; only the first 100 are named. */
	count: number;
	setPeople(members: Member[], count: number, own: string): void;
	/** Returns the name so far. */
	changePeople(presence: Presence): string | undefined;
	types(member: Member): void;
	/** They stopped: sent it, left, or paused. */
	typed(connectionId: string): void;
}

/** transcript.js */
interface Transcript {
	/** In the order they are shown. */
	items: Item[];
	/** Whether the server has nothing older. */
	complete: boolean;
	/** Up to which seq the reader had seen this room when joining it. */
	seen: number;
	/** Whether more was said by then: it begins below a line, although the reader is back. */
	missed: boolean;
	unread: number;
	/** Where the unread messages begin. */
	unreadFrom: Item | undefined;
	/** Of the messages that are stored; 0 where there is none. */
	readonly firstSeq: number;
	readonly lastSeq: number;
	/** Puts an item where its seq says; a known one is changed in place, so that its row survives. */
	put(item: Item): Item;
	/** Puts messages of the server's, by rising seq; `away`: nobody is reading. Returns the last one that is news. */
	store(frames: any[], away?: boolean): Item | undefined;
	/** Adds a quiet line. Comings and goings close together share one. */
	note(message: string, at: number, coming?: boolean): void;
	remove(messageId: string): void;
	/** Forgets what the server can give again; what is not stored yet stays. */
	reset(complete: boolean): void;
	/** Bounds the memory: the oldest go, and can be asked for again. */
	trim(): void;
}

/** log.js */
interface Log {
	/** Whether the reader is at the end, and stays there when more comes. */
	following: boolean;
	/** Whether the newest row is before somebody's eyes. */
	readonly reading: boolean;
	/** Called when the newest row is seen. */
	read(): void;
	/** Called when the reader nears the top. */
	older(): void;
	/** Shows a room. */
	show(transcript: Transcript): void;
	toNewest(): void;
	/** Draws what changed, once a frame however much arrives. */
	update(): void;
	/** Shows more rows, above (negative) or below; the reader's row stays where it is. */
	grow(rows?: number): void;
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

/** connection.js. Events (CustomEvent): state, joined, messages, pending, failed, discarded, presence, typing, lost,
 * refused. */
interface Connection {
	state: "disconnected" | "connecting" | "connected" | "waiting";
	room: string;
	/** Empty: whatever the server calls us. */
	name: string;
	/** The last one; empty before the first. */
	connectionId: string;
	/** The user wishes to be connected, now. */
	connect(url?: string): void;
	/** The user wishes not to be. */
	disconnect(): void;
	join(room: string): void;
	rename(name: string): void;
	/** Sends 1 to 4,000 characters to this room as soon as it can be done, and again until they are stored or refused.
	 * Returns the messageId; undefined where too many wait already. */
	send(text: string): string | undefined;
	/** Tries a message again that has failed. */
	retry(messageId: string): void;
	discard(messageId: string): void;
	typing(): void;
	/** The page of messages before a seq; rejects when the link breaks or the room is left. */
	older(room: string, before: number): Promise<Frame>;
	/** The tab is seen again, or the network is back: look at once whether the link still is. */
	wake(): void;
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
