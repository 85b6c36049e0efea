/** Types shared by the page's modules; docs/protocol.md is the reference for frames. For the type checker only: this
 * file is not deployed. */

// Frames to the server.

interface JoinFrame {
	action: "join";
	room: string;
	name?: string;
	secret?: string;
	after?: number;
}

interface LeaveFrame {
	action: "leave";
	room: string;
}

interface SendMessageFrame {
	action: "sendmessage";
	message: string;
	messageId: string;
	to: string;
}

/** A page of history: before a seq, or after one. */
interface PageRequest {
	before?: number;
	after?: number;
	limit?: number;
}

interface HistoryRequestFrame extends PageRequest {
	action: "history";
	room: string;
}

interface TypingRequestFrame {
	action: "typing";
	room: string;
}

interface PingFrame {
	action: "ping";
	/** A room and the checksum of who is believed to be in it. */
	room?: string;
	roster?: number;
}

type ClientFrame =
	| JoinFrame
	| LeaveFrame
	| SendMessageFrame
	| HistoryRequestFrame
	| TypingRequestFrame
	| PingFrame;

// Frames from the server.

interface Person {
	connectionId: string;
	name: string;
	/** The same on every connection of one person. */
	sender: string;
}

interface Message extends Person {
	messageId: string;
	room: string;
	seq: number;
	/** ISO 8601. */
	timestamp: string;
	message: string;
}

interface MessageFrame extends Message {
	type: "message";
}

/** What `joined` and `history` have in common. */
interface Page {
	room: string;
	after?: number;
	/** By rising seq. */
	messages: Message[];
	/** False: there are more, newer ones after `after`, else older ones. */
	complete: boolean;
	/** Some messages since `after` have expired. */
	lost: boolean;
}

interface JoinedFrame extends Page, Person {
	type: "joined";
	members: Person[];
	memberCount: number;
	lastSeq: number;
}

interface HistoryFrame extends Page {
	type: "history";
	before?: number;
}

interface LeftFrame {
	type: "left";
	room: string;
	current: string | null;
}

interface PresenceFrame extends Partial<Person> {
	type: "presence";
	room: string;
	event: "join" | "leave" | "rename" | "count";
	memberCount: number;
	/** Everybody who is here, with `count`. */
	members?: Person[];
}

interface TypingFrame extends Person {
	type: "typing";
	room: string;
}

interface PongFrame {
	type: "pong";
	room: string | null;
	lastSeq: number;
	timestamp: string;
	/** Room → its newest seq. */
	rooms: Record<string, number>;
	/** The answer to a ping's roster; it lists who is there if that differs. */
	roster?: { room: string; memberCount: number; members?: Person[] };
}

interface ErrorFrame {
	type: "error";
	error: string;
	/** One of protocol.js's ErrorCode, or one that this page does not know yet. */
	code: string;
	action?: string;
	room?: string;
	messageId?: string;
	retryAfterMs?: number;
}

type ServerFrame =
	| MessageFrame
	| JoinedFrame
	| LeftFrame
	| HistoryFrame
	| PresenceFrame
	| TypingFrame
	| PongFrame
	| ErrorFrame;

// The client.

type LocalStore = import("./client/storage.js").LocalStore;
type Credentials = import("./client/credentials.js").Credentials;
type Transport = import("./client/transport.js").Transport;
type Reader = import("./model/reader.js").Reader;
type MessageList = import("./model/message-list.js").MessageList;

/** What depends on time and chance; tests give their own. */
interface Surroundings {
	clock: Clock;
	/** 0 to 1 */
	random: () => number;
}

interface HistoryOptions extends Surroundings {
	room: string;
	send(frame: ClientFrame): void;
	/** Takes new messages, by rising seq. */
	deliver(messages: Message[], isFirstPage: boolean): void;
	/** Says that messages have expired since we last saw the room. */
	lost(): void;
	/** Says that a request had no answer. */
	unanswered(): void;
}

/** A page of history that is asked for. */
interface PendingPage {
	frame: PageRequest;
	faults: number;
	resolve(page: HistoryFrame): void;
	reject(why: Error): void;
}

interface SessionOptions extends Surroundings {
	transport: Transport;
	credentials: Credentials;
}

interface OutboxOptions extends Surroundings {
	storage: LocalStore;
	ownership: Ownership;
	/** Tells whether the frame was sent. */
	send(frame: SendMessageFrame): boolean;
	/** Whether a message to that room can be sent now. */
	isIn(room: string): boolean;
}

interface ClientOptions extends Partial<Surroundings> {
	storage: LocalStore;
	/** navigator.locks, where the page has it. */
	locks?: Locks;
	WebSocket?: Socket;
}

/** A clock; tests give one of their own. */
interface Clock {
	Date: { now(): number };
	setTimeout(act: () => void, ms: number): number;
	clearTimeout(timer?: number): void;
}

/** The WebSocket class; tests give one of their own. */
type Socket = typeof WebSocket;

/** What the client needs of localStorage. */
type StorageArea = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

/** What the client needs of navigator.locks. */
interface Locks {
	request(
		name: string,
		options: { steal?: boolean; signal?: AbortSignal },
		held: () => Promise<void>,
	): Promise<unknown>;
}

interface TransportEvents {
	/** A connection is being opened, and none was open before. */
	connecting: undefined;
	open: undefined;
	/** The open connection is gone; with `renewing` its successor is being opened. */
	close: { renewing: boolean };
	/** The next try comes at this time, in milliseconds since 1970. */
	waiting: { retryAt: number };
	frame: ServerFrame;
}

/** A message, and whether this person sent it: here, in another tab, or yesterday. */
type OwnedMessage = Message & { own: boolean };

/** Why something was refused. `code` is the server's, or `bad_url`, or `expired` for a message that waited too long. */
type Refusal = Pick<ErrorFrame, "error" | "code" | "room" | "retryAfterMs">;

interface SessionEvents {
	state: { state: string; retryAt?: number };
	/** `resumed`: the room goes on from what was known of it. */
	joined: JoinedFrame & { resumed: boolean };
	/** The room is joined, and the messages that came with it are reported. */
	entered: { room: string };
	/** The room will not have us. */
	barred: Refusal & { room: string };
	/** By rising seq. `isFirstPage`: what the room had when it was first joined. */
	messages: { room: string; messages: OwnedMessage[]; isFirstPage: boolean };
	/** A message came, new or not. */
	stored: { messageId: string };
	/** Some messages of the room have expired since we last saw it. */
	lost: { room: string };
	/** Who is in the room has changed; `former` is the name that the person had. */
	presence: PresenceFrame & { former?: string };
	/** The list of who is in the room was put right. */
	members: { room: string };
	typing: TypingFrame;
	refused: Refusal;
	/** An error that answers a message, or might. */
	messageError: ErrorFrame;
}

/** A message that is not stored yet. */
interface Unsent {
	messageId: string;
	room: string;
	text: string;
	/** When it was written, in milliseconds since 1970; the order in which messages are sent. */
	at: number;
	/** When it was last sent, if that is not answered. */
	sentAt?: number;
	/** How often the server failed on it. */
	faults?: number;
	/** Why it is not sent any more, unless the person wishes. */
	failure?: Refusal;
}

interface OutboxEvents {
	/** A message is new, or has changed. */
	changed: Unsent;
	/** A message is stored or was discarded. */
	removed: { messageId: string; room: string };
	/** A message waits as the server asked for. */
	delayed: Refusal;
	/** A message has had no answer. */
	unanswered: undefined;
}

interface DraftEvents {
	/** Another tab changed the draft. */
	changed: { room: string; text: string };
}

interface OwnershipEvents {
	change: { owned: boolean };
}

/** One owner among the tabs. */
interface Ownership {
	readonly owned: boolean;
	/** Waits in line. */
	want(): void;
	/** Takes it from whichever tab has it. */
	take(): void;
	release(): void;
	on(type: "change", handler: (detail: OwnershipEvents["change"]) => void): void;
}

// The page.

/** What tells whether somebody is at the page; tests give their own. */
interface ReaderOptions {
	document?: EventTarget & Pick<Document, "hidden" | "hasFocus">;
	window?: EventTarget;
	clock?: Clock;
}

interface ReaderEvents {
	/** Whether somebody is here, or watches, has changed. */
	change: undefined;
	/** The connection may have died unnoticed. */
	wake: undefined;
}

/** A line of the message list: a message, or a note by the page itself. */
interface Item extends Person {
	/** An id of the page's own for a note. */
	messageId: string;
	/** Between two messages' for a note; Infinity until the server has stored it. */
	seq: number;
	/** Milliseconds since 1970. */
	at: number;
	message: string;
	own: boolean;
	state: "stored" | "pending" | "failed" | "note";
	/** Why it failed, and what to do. */
	problem?: string;
	/** Who came and went, in a note of presence. */
	people?: string[];
}

/** A room that was visited. */
interface Visited {
	room: string;
	/** When it was last looked at, in milliseconds since 1970. */
	at: number;
	/** The newest seq that was read; undefined before the first reading. */
	read?: number;
	/** The newest seq that is known. */
	last: number;
}
