/** Types shared by the page's modules. docs/protocol.md is the reference for frames. For the type checker only; not
 * deployed. */

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

interface SignInFrame {
	action: "signin";
	/** An access token. */
	token: string;
	/** A guest's, whose messages become the account's. */
	secret?: string;
	/** The name of a new account; one that exists keeps its own. */
	name?: string;
	room?: undefined;
}

interface SignOutFrame {
	action: "signout";
	everywhere: boolean;
}

interface ProfileFrame {
	action: "profile";
	name: string;
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
	/** The room whose members `roster` is the checksum of. */
	room?: string;
	roster?: number;
}

type ClientFrame =
	| JoinFrame
	| LeaveFrame
	| SendMessageFrame
	| HistoryRequestFrame
	| TypingRequestFrame
	| PingFrame
	| AccountFrame
	| SignInFrame
	| SignOutFrame
	| ProfileFrame;

/** One at a time. */
type Operation = JoinFrame | LeaveFrame | SignInFrame;

// Frames from the server.

interface Person {
	connectionId: string;
	name: string;
	/** The same on every connection of one person. */
	sender: string;
	/** The account; undefined for a guest. */
	userId?: string;
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
	/** All members, with `count`. */
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
	/** The answer to a ping's roster, with the members if the checksum was wrong. */
	roster?: { room: string; memberCount: number; members?: Person[] };
}

interface SignedInFrame {
	type: "signedin";
	userId: string;
	name: string;
	/** When the sign-in expires, in ISO 8601. */
	until: string;
	sender: string;
	/** All senders of the account: its own, and those of the guests it has taken over. */
	senders: string[];
	/** This sign-in has created the account. */
	isNew?: boolean;
}

interface SignedOutFrame {
	type: "signedout";
	everywhere: boolean;
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
	| SignedInFrame
	| SignedOutFrame
	| ErrorFrame;

// The client.

type LocalStore = import("./client/storage.js").LocalStore;
type Credentials = import("./client/credentials.js").Credentials;
type Transport = import("./client/transport.js").Transport;
type Reader = import("./model/reader.js").Reader;
type MessageList = import("./model/message-list.js").MessageList;

/** Time and randomness; tests replace them. */
interface Surroundings {
	clock: Clock;
	/** 0 to 1 */
	random: () => number;
}

interface HistoryOptions extends Surroundings {
	room: string;
	send(frame: ClientFrame): void;
	/** Receives new messages, by rising seq. */
	deliver(messages: Message[], isFirstPage: boolean): void;
	/** Called when messages have expired since we last saw the room. */
	lost(): void;
	/** Called when a request got no answer. */
	unanswered(): void;
}

/** A requested page of history. */
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
	/** Returns whether the frame was sent. */
	send(frame: SendMessageFrame): boolean;
	/** Whether a message to that room can be sent now. */
	isIn(room: string): boolean;
}

interface ClientOptions extends Partial<Surroundings> {
	storage: LocalStore;
	/** navigator.locks, if the page has it. */
	locks?: Locks;
	WebSocket?: Socket;
}

/** A clock; tests replace it. */
interface Clock {
	Date: { now(): number };
	setTimeout(act: () => void, ms: number): number;
	clearTimeout(timer?: number): void;
}

/** The WebSocket class; tests replace it. */
type Socket = typeof WebSocket;

/** The part of localStorage that the client uses. */
type StorageArea = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

/** The part of navigator.locks that the client uses. */
interface Locks {
	request(
		name: string,
		options: { steal?: boolean; signal?: AbortSignal },
		held: () => Promise<void>,
	): Promise<unknown>;
}

interface TransportEvents {
	/** A connection is being opened, and it does not replace an open one. */
	connecting: undefined;
	open: undefined;
	/** The connection has closed; with `renewing` its replacement is being opened. */
	close: { renewing: boolean };
	/** When the next attempt is made, in milliseconds since 1970. */
	waiting: { retryAt: number };
	frame: ServerFrame;
}

/** A message, and whether this user sent it: in this tab, another one, or an earlier visit. */
type OwnedMessage = Message & { own: boolean };

/** Why something was refused. `code` is the server's, or `bad_url`, or `expired` for a message that waited too long. */
type Refusal = Pick<ErrorFrame, "error" | "code" | "room" | "retryAfterMs">;

/** What a connection signs in with. */
interface AccountToken {
	/** An access token. */
	token: string;
	/** The guest's secret, until the account has taken it over. */
	secret?: string;
	userId: string;
	name: string;
}

interface SessionEvents {
	/** Every frame of the server, before it is handled. */
	frame: ServerFrame;
	state: { state: string; retryAt?: number };
	/** `resumed`: the room continues from the messages we have. */
	joined: JoinedFrame & { resumed: boolean };
	/** The room has been joined, and its messages have been emitted. */
	entered: { room: string };
	/** The room refused the join. */
	barred: Refusal & { room: string };
	/** By rising seq. `isFirstPage`: the messages from the first join. */
	messages: { room: string; messages: OwnedMessage[]; isFirstPage: boolean };
	/** A message arrived, new or repeated. */
	stored: { messageId: string };
	/** Some messages of the room have expired since we last saw it. */
	lost: { room: string };
	/** A member has joined, left or been renamed; `former` is the member's previous name. */
	presence: PresenceFrame & { former?: string };
	/** The list of members was corrected. */
	members: { room: string };
	typing: TypingFrame;
	/** The connection is signed in, or the account's name has changed. */
	signedin: SignedInFrame;
	/** The account has been signed out, here or everywhere. */
	signedout: SignedOutFrame;
	/** The token was refused; the session is offline. */
	signInRefused: Refusal;
	/** The server wants a sign-in first; with `hasLapsed` the one it had is over, and the session waits for connect(). */
	signInRequired: { room?: string; hasLapsed: boolean };
	refused: Refusal;
	/** An error that answers, or may answer, a message. */
	messageError: ErrorFrame;
}

/** A message that is not stored yet. */
interface Unsent {
	messageId: string;
	room: string;
	text: string;
	/** When it was written, in milliseconds since 1970; the order in which messages are sent. */
	at: number;
	/** When it was last sent, until it is answered. */
	sentAt?: number;
	/** How often the server has failed to store it. */
	faults?: number;
	/** Why it is no longer sent, unless the user retries. */
	failure?: Refusal;
}

interface OutboxEvents {
	/** A message is new, or has changed. */
	changed: Unsent;
	/** A message is stored or was discarded. */
	removed: { messageId: string; room: string };
	/** A message is delayed at the server's request. */
	delayed: Refusal;
	/** A message got no answer. */
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
	/** Queue for ownership. */
	want(): void;
	/** Take ownership from another tab. */
	take(): void;
	release(): void;
	on(type: "change", handler: (detail: OwnershipEvents["change"]) => void): void;
}

// Accounts.

/** config.json's `signIn`. */
interface SignInConfig {
	mode: "optional" | "required";
	clientId: string;
	/** The origin of the login pages. */
	loginUrl: string;
}

/** A sign-in that has been begun, kept in sessionStorage until the login page sends the browser back. */
interface BegunSignIn {
	state: string;
	nonce: string;
	verifier: string;
	/** The room to come back to. */
	hash: string;
	/** Whether the guest's rooms, drafts and unsent messages become the account's. */
	keep: boolean;
	/** Whether the guest's messages do. */
	claims: boolean;
	clientId: string;
	loginUrl: string;
}

/** The tokens of a tab, in sessionStorage. */
interface TabAccount {
	userId: string;
	name: string;
	access: string;
	refresh: string;
	/** Milliseconds since 1970, by this computer's clock. */
	renewAt: number;
	expiresAt: number;
	/** Whether the guest's secret is still to be given to the server. */
	claims: boolean;
}

interface TokensEvents {
	/** There is a new access token. */
	renewed: undefined;
	/** The access token has expired, and could not be renewed yet. */
	expired: undefined;
	/** The login host could not be reached; it is tried again. */
	delayed: undefined;
	/** The refresh token was refused. */
	ended: undefined;
}

/** Why a sign-in failed or ended: a key of the sentences in model/sign-in-wording.js. */
type SignInProblem = "cancelled" | "foreign" | "refused" | "unreachable" | "ended" | "everywhere" | "elsewhere" | "expired";

interface AccountMenuActions {
	signIn(keep: boolean): void;
	rename(): void;
	signOut(everywhere: boolean): void;
	view(): AccountView;
}

/** What the account menu shows. */
interface AccountView {
	/** Undefined for a guest. */
	person?: Person;
	/** Whether a guest is asked about keeping messages. */
	asks: boolean;
	/** Messages that signing out would delete. */
	unsent: number;
}

// The page.

/** A message or note as far as it decides about groups. */
type GroupItem = Pick<Item, "sender" | "name" | "userId" | "at">;

/** Where reader activity is observed; tests replace these. */
interface ReaderOptions {
	document?: EventTarget & Pick<Document, "hidden" | "hasFocus">;
	window?: EventTarget;
	clock?: Clock;
}

interface ReaderEvents {
	/** `isHere` or `isWatching` has changed. */
	change: undefined;
	/** The connection may have died unnoticed. */
	wake: undefined;
}

/** A line of the message list: a message, or a note from the page. */
interface Item extends Person {
	/** For a note, an id that the page assigns. */
	messageId: string;
	/** For a note, between those of two messages; Infinity until the server has stored the message. */
	seq: number;
	/** Milliseconds since 1970. */
	at: number;
	message: string;
	own: boolean;
	state: "stored" | "pending" | "failed" | "note";
	/** Why it failed, and what to do. */
	problem?: string;
	/** In a presence note: who joined and left. */
	movements?: Moved[];
}

/** A visited room. */
interface Visited {
	room: string;
	/** When it was last opened, in milliseconds since 1970. */
	at: number;
	/** The newest seq that has been read; undefined if none has. */
	read?: number;
	/** The newest known seq. */
	last: number;
	/** The name to show for a room named in another script. */
	title?: string;
}

// The past.

/** A page of history, with the user's own messages marked. */
interface OwnedPage {
	messages: OwnedMessage[];
	/** False: there are more, newer ones after `after`, else older ones. */
	complete: boolean;
	lost: boolean;
}

/** Fetches a page of one room's history; rejects without a connection. */
type PageSource = (request: PageRequest) => Promise<OwnedPage>;

interface PastOptions {
	page: PageSource;
	room: string;
}

interface SearchOptions {
	page: PageSource;
	room: string;
	query: string;
	/** The loaded items, up to the newest message. */
	live?: Item[];
	/** Whether there are no older messages. */
	complete?: boolean;
}

interface SearchResult {
	/** The results of this call, newest first. */
	found: Item[];
	/** The time of the oldest message searched, in milliseconds since 1970; 0 if there was none. */
	searchedTo: number;
	/** There are no older messages. */
	complete: boolean;
}

interface SearchQuery {
	/** Words and phrases, folded. */
	words: string[];
	/** Parts of the sender's name, folded. */
	from: string[];
}

/** A parsed URL fragment. */
interface Address {
	room: string;
	/** The message to show. */
	seq?: number;
	title?: string;
	/** What is wrong with it, and what was opened instead. */
	problem?: string;
}

interface ArchiveOptions {
	storage: LocalStore;
	clock?: Clock;
}

/** A person joined or left. */
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

/** A person in the room, in one or more tabs. */
interface Present {
	sender: string;
	name: string;
	/** The account; undefined for a guest. */
	userId?: string;
	connectionIds: string[];
	isOwn: boolean;
}

// Settings.

type Theme = "auto" | "light" | "dark";

/** Which messages of a room trigger a notification. */
type NotificationLevel = "all" | "mentions" | "none";

interface SettingsEvents {
	/** A setting has changed, here or in another tab. */
	change: { setting: "theme" | "sound" | "notifications" | "levels" };
}

// The service worker (sw.js): types that TypeScript's DOM library lacks, because it describes windows.

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
		/** Returns a policy whose URLs are objects in the browser, but strings in the DOM library. */
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
	/** The room's name for people; "" if it is `room`. */
	title: string;
	href: string;
	unread: number;
	/** Its notifications are off. */
	isMuted: boolean;
	/** undefined: a public room. */
	kind?: RoomKind;
}

interface RoomsViewActions {
	/** Returns why the room cannot be opened, or "". */
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

/** How the connection is shown. */
interface ServerView {
	state: "connected" | "connecting" | "disconnected";
	/** Why it is not connected, or "". */
	why: string;
	/** When the next attempt is made, in milliseconds since 1970. */
	retryAt: number;
	/** The page will retry automatically. */
	isWaiting: boolean;
	/** The user has disconnected. */
	isOffline: boolean;
	offersDefault: boolean;
}

interface MessageListOptions {
	/** Milliseconds since 1970, by the server's clock. */
	now(): number;
	isHere(): boolean;
	/** Whether more than one person in the room has that name. */
	isShared(name: string): boolean;
	people(): { names: string[]; ownName: string };
	/** The URL of the current room's message with that seq. */
	hrefOf(seq: number): string;
	/** Messages were read. */
	read(): void;
	nearTop(): void;
	/** The end of the list is near, but the room has newer messages. */
	nearEnd(): void;
	toNewest(): void;
	catchUp(): void;
	markRead(): void;
	openMenu(item: Item, opener: HTMLElement): void;
	retry(messageId: string): void;
	discard(messageId: string): void;
}

/** A row's appearance, which depends on its neighbours. */
interface RowContext {
	/** The day that starts with this row, or "". */
	day: string;
	/** The label above the first unread message, or "". */
	unread: string;
	/** The first of a group. */
	isFirst: boolean;
	/** The last of a group. */
	isLast: boolean;
	/** The name alone does not identify the person. */
	showsId: boolean;
	href: string;
	people: { names: string[]; ownName: string };
}

/** A suggested completion. */
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
	/** Returns why the text was not sent, or "". */
	send(text: string): string;
	toLastOwn(): void;
}

interface NameFormActions {
	rename(name: string): void;
	copyRoomLink(): void;
	/** Closed without a name. */
	dismissed(): void;
	/** Closed, either way. */
	done(): void;
}

interface RoomPanelActions {
	search(): void;
	jumpToDate(): void;
	copyRoomLink(): void;
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
	/** Takes a known room or the typed text. */
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
	/** config.json has been read; returns whether to connect now. */
	configured(signIn: SignInConfig | undefined): Promise<boolean>;
	/** The current room has been joined; `hadFocus`: hiding the banner has lost the focus. */
	entered(hadFocus: boolean): void;
	/** The connection has closed. */
	left(): void;
	/** The user has disconnected. */
	ended(): void;
	/** A server that was reached before is not; the page will try again. */
	waiting(): void;
	/** The server is not the one used on the last visit. */
	serverChanged(): void;
}

interface RoomsOptions {
	chat: Chat;
	visited: import("./model/visited.js").VisitedRooms;
	settings: Settings;
	storage: LocalStore;
	search(atDate: boolean): void;
	copyRoomLink(): void;
	/** The current room has changed; `seq` is the message that the URL names. */
	shown(seq: number | undefined): void;
	/** The URL names the current room, or one of its messages. */
	followed(seq: number | undefined): void;
	/** The user has opened a room. */
	opened(): void;
	/** The current room's title was not known before, or has changed. */
	titled(title: string): void;
}

interface OnDemandActions {
	/** The starting point for a search of the current room. */
	history(): Omit<SearchOptions, "query">;
	/** Milliseconds since 1970. */
	showDate(time: number): void;
	hrefOf(seq: number): string;
	/** The rooms to go to, most likely first. */
	destinations(): RoomEntry[];
	open(typed: string): string;
}

interface ReadingOptions {
	chat: Chat;
	client: Client;
	reader: Reader;
	hrefOf(seq: number): string;
	read(): void;
	/** The message that the URL names is no longer shown. */
	leftMessage(): void;
	openMenu(item: Item, opener: HTMLElement): void;
	toComposer(): void;
}

interface WritingOptions {
	client: Client;
	chat: Chat;
	storage: LocalStore;
	rename(name: string): void;
	/** Returns why the room cannot be opened, or "". */
	open(typed: string): string;
	/** Returns why the room cannot be left, or "". */
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
	/** Messages arrived: new ones, or older ones that were missed. */
	stored: { room: string; messages: OwnedMessage[] };
	/** A message that should trigger a notification. */
	news: { room: string; item: Item; isMention: boolean };
	/** The people in the current room have changed. */
	people: { room: string };
	/** A room is shown. */
	opened: { room: string };
	/** How far the current room has been read. */
	read: { room: string; read: number };
}

// Text.

/** A part of a message; the text of a quote has no marks. */
interface Section {
	kind: "prose" | "code" | "block" | "quote";
	text: string;
}

/** A displayed part of a message. */
type Piece =
	| { kind: "text" | "code" | "block"; text: string }
	| { kind: "quote"; pieces: Piece[] }
	| { kind: "link"; text: string; href: string }
	| { kind: "room"; text: string; room: string }
	| { kind: "mention"; text: string; isOwn: boolean };

/** A partly typed name, and the position of its "@" or ":". */
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
