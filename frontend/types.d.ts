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
	movements?: Moved[];
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
	/** What to show in place of the address, for a room whose name is in another script. */
	title?: string;
}

// The past.

/** A page of history, and which of it this person sent. */
interface OwnedPage {
	messages: OwnedMessage[];
	/** False: there are more, newer ones after `after`, else older ones. */
	complete: boolean;
	lost: boolean;
}

/** Asks for a page of one room's history; rejected when there is no connection. */
type PageSource = (request: PageRequest) => Promise<OwnedPage>;

interface PastOptions {
	page: PageSource;
	room: string;
}

interface SearchOptions {
	page: PageSource;
	room: string;
	query: string;
	/** The items that are known already, up to the newest message. */
	live?: Item[];
	/** Whether nothing is older than those. */
	complete?: boolean;
}

interface SearchResult {
	/** What this call has found, newest first. */
	found: Item[];
	/** The time of the oldest message that was looked at, in milliseconds since 1970; 0 if there was none. */
	searchedTo: number;
	/** There is nothing further back. */
	complete: boolean;
}

interface SearchQuery {
	/** Words and phrases, folded. */
	words: string[];
	/** Parts of the sender's name, folded. */
	from: string[];
}

/** What an address says. */
interface Address {
	room: string;
	/** The message to show. */
	seq?: number;
	title?: string;
	/** What was wrong with it, and what is opened instead. */
	problem?: string;
}

interface ArchiveOptions {
	storage: LocalStore;
	clock?: Clock;
}

/** Somebody came or went. */
interface Movement {
	event: "join" | "leave";
	sender: string;
	name: string;
}

interface Renaming {
	event: "rename";
	sender: string;
	name: string;
	former: string;
}

type Moved = Movement & { at: number };

interface PresenceOptions {
	show(room: string, movement: Movement, at: number): void;
	clock?: Clock;
}

/** Somebody who is in the room, in as many tabs as they like. */
interface Present {
	sender: string;
	name: string;
	connectionIds: string[];
	isOwn: boolean;
}

// Settings.

type Theme = "auto" | "light" | "dark";

/** Which messages of a room call somebody. */
type NotificationLevel = "all" | "mentions" | "none";

interface SettingsEvents {
	/** A setting has changed, here or in another tab. */
	change: { setting: "theme" | "sound" | "notifications" | "levels" };
}

// The service worker (sw.js): what the DOM library lacks, since it describes windows.

interface ExtendableEvent extends Event {
	waitUntil(work: Promise<unknown>): void;
}

interface FetchEvent extends ExtendableEvent {
	readonly request: Request;
	respondWith(response: Promise<Response>): void;
}

interface ServiceWorkerScope {
	readonly registration: ServiceWorkerRegistration;
	readonly clients: { claim(): Promise<void> };
	skipWaiting(): Promise<void>;
	addEventListener(type: "install" | "activate", listener: (event: ExtendableEvent) => void): void;
	addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
}

interface Window {
	readonly trustedTypes?: {
		/** A policy whose URLs are objects to the browser; the DOM library takes them for strings. */
		createPolicy(
			name: string,
			rules: { createScriptURL(): string },
		): { createScriptURL(input: string): string };
	};
}

// The views.

/** A room in the list of rooms. */
interface RoomEntry {
	room: string;
	/** What people call it, where that is not its address. */
	title: string;
	href: string;
	unread: number;
	/** Its messages call nobody. */
	isMuted: boolean;
}

interface RoomsViewActions {
	/** Returns why the room cannot be opened; empty if it can. */
	open(typed: string): string;
	forget(room: string): void;
	markAllRead(): void;
}

interface ServerPanelActions {
	connect(url: string): void;
	disconnect(): void;
	retry(): void;
	useDefault(): void;
}

/** The connection as it is shown. */
interface ServerView {
	state: "connected" | "connecting" | "disconnected";
	/** Why it is not connected; empty if it is. */
	why: string;
	/** When the next attempt is made, in milliseconds since 1970. */
	retryAt: number;
	/** The page will try again by itself. */
	isWaiting: boolean;
	/** The person has disconnected. */
	isOffline: boolean;
	offersDefault: boolean;
}

interface MessageListOptions {
	/** Milliseconds since 1970, by the server's clock. */
	now(): number;
	isHere(): boolean;
	/** Whether two people who are here have that name. */
	isShared(name: string): boolean;
	people(): { names: string[]; ownName: string };
	/** The address of the current room's message at that seq. */
	hrefOf(seq: number): string;
	/** Something was read. */
	read(): void;
	nearTop(): void;
	/** The end of a list that is not the room's end is near. */
	nearEnd(): void;
	toNewest(): void;
	catchUp(): void;
	markRead(): void;
	openMenu(item: Item, opener: HTMLElement): void;
	retry(messageId: string): void;
	discard(messageId: string): void;
}

/** How a row looks beside its neighbours. */
interface RowContext {
	/** The day that begins with it, or nothing. */
	day: string;
	/** The label of the line above the first unread message, or nothing. */
	unread: string;
	/** The first of a group. */
	isFirst: boolean;
	/** The last of a group. */
	isLast: boolean;
	/** The name alone does not tell who it is. */
	showsId: boolean;
	href: string;
	people: { names: string[]; ownName: string };
}

/** Something to put before the caret. */
interface Suggestion {
	sign: string;
	label: string;
	hint: string;
	result: { text: string; caret: number };
}

interface ComposerActions {
	names(): string[];
	changed(text: string): void;
	typing(): void;
	/** Returns why the text is not sent; empty if it is. */
	send(text: string): string;
	toLastOwn(): void;
}

interface NameFormActions {
	rename(name: string): void;
	copyAddress(): void;
	/** Closed without a name. */
	dismissed(): void;
	/** Closed, either way. */
	done(): void;
}

interface RoomPanelActions {
	search(): void;
	jumpToDate(): void;
	copyAddress(): void;
	leave(): void;
	setLevel(level: string): void;
}

interface RowMenuActions {
	copyText(item: Item): void;
	copyLink(item: Item): void;
	mention(item: Item): void;
}

interface RoomSwitcherActions {
	rooms(): RoomEntry[];
	/** A known room, or what was typed. */
	open(typed: string): void;
}

interface SearchPanelActions {
	search(query: string): Search;
	/** Milliseconds since 1970. */
	showDate(time: number): void;
	hrefOf(seq: number): string;
}

// The controllers.

type Client = import("./client/client.js").Client;
type Session = import("./client/session.js").Session;
type Chat = import("./model/chat.js").Chat;
type Settings = import("./model/settings.js").Settings;
type Search = import("./model/search.js").Search;

interface ConnectingOptions {
	session: Session;
	storage: LocalStore;
	/** The current room is joined; tells whether the focus is where it is lost now. */
	entered(hadFocus: boolean): void;
	/** The connection is gone. */
	left(): void;
	/** The person has disconnected. */
	ended(): void;
}

interface RoomsOptions {
	chat: Chat;
	visited: import("./model/visited.js").VisitedRooms;
	settings: Settings;
	storage: LocalStore;
	search(atDate: boolean): void;
	copyAddress(): void;
	/** The current room is another; the seq is that of the message in its address. */
	shown(seq: number | undefined): void;
	/** The address leads to the current room again, or to one of its messages. */
	followed(seq: number | undefined): void;
	/** The person has opened a room. */
	opened(): void;
}

interface OnDemandActions {
	/** Where a search of the current room begins. */
	history(): Omit<SearchOptions, "query">;
	/** Milliseconds since 1970. */
	showDate(time: number): void;
	hrefOf(seq: number): string;
	/** The rooms to go to, the likeliest first. */
	destinations(): RoomEntry[];
	open(typed: string): string;
}

interface ReadingOptions {
	chat: Chat;
	client: Client;
	reader: Reader;
	hrefOf(seq: number): string;
	read(): void;
	/** The message that the address points to is not what is shown any more. */
	leftMessage(): void;
	openMenu(item: Item, opener: HTMLElement): void;
	toComposer(): void;
}

interface WritingOptions {
	client: Client;
	chat: Chat;
	storage: LocalStore;
	rename(name: string): void;
	/** Returns why the room cannot be opened; empty if it can. */
	open(typed: string): string;
	/** Returns why the room cannot be left; empty if it is. */
	leave(): string;
	showShortcuts(): void;
	/** A message was written. */
	sent(): void;
	toLastOwn(): void;
}

type ShortcutAction =
	| "switchRoom"
	| "search"
	| "previousRoom"
	| "nextRoom"
	| "previousUnread"
	| "nextUnread"
	| "escape"
	| "showShortcuts"
	| "type";

interface ChatOptions {
	client: Client;
	visited: import("./model/visited.js").VisitedRooms;
	settings: Settings;
	archive: import("./model/archive.js").Archive;
	clock?: Clock;
	/** Whether new messages of the current room are seen as they arrive. */
	isReading(): boolean;
}

interface ChatEvents {
	/** A room's messages or notes have changed. */
	changed: { room: string };
	/** Messages came; new ones or older ones that were missed. */
	stored: { room: string; messages: OwnedMessage[] };
	/** A message that calls somebody who does not see it. */
	news: { room: string; item: Item; isMention: boolean };
	/** Who is in the current room has changed. */
	people: { room: string };
}

// Text.

/** A part of a message; one of a quote has its text without the marks. */
interface Section {
	kind: "prose" | "code" | "block" | "quote";
	text: string;
}

/** A part of a message as it is shown. */
type Piece =
	| { kind: "text" | "code" | "block"; text: string }
	| { kind: "quote"; pieces: Piece[] }
	| { kind: "link"; text: string; href: string }
	| { kind: "room"; text: string; room: string }
	| { kind: "mention"; text: string; isOwn: boolean };

/** The beginning of a name, and where its sign stands. */
interface Typed {
	start: number;
	typed: string;
}

interface CommandHelp {
	/** Without the slash. */
	name: string;
	usage: string;
	/** In the imperative. */
	does: string;
}

type Command =
	| { kind: "message"; text: string }
	| { kind: "nick"; name: string }
	| { kind: "join"; room: string; title?: string }
	| { kind: "leave" | "help" }
	| { kind: "invalid"; problem: string };
