/** Types of the modules for private rooms, which only a page with an account loads. For the type checker only; not
 * deployed. */

type Role = "owner" | "moderator" | "member";
type RoomKind = "private" | "direct";

/** An account, as other members see it. */
interface Account {
	userId: string;
	name: string;
}

interface AccountPerson extends Account {
	sender: string;
}

interface RoomMember extends AccountPerson {
	role: Role;
}

// Frames to the server.

type AccountFrame =
	| { action: "rooms" }
	| { action: "read"; room: string; seq: number }
	| { action: "createroom"; title: string; sharesHistory: boolean }
	| { action: "direct"; userId: string }
	| { action: "editroom"; room: string; title?: string; sharesHistory?: boolean }
	| { action: "members" | "decline" | "quit"; room: string }
	| { action: "createinvite"; room: string; uses: number; hours: number }
	| { action: "revokeinvite"; room: string; inviteId: string }
	| { action: "invite"; room: string; name: string }
	| { action: "accept"; room: string; token?: string }
	| { action: "setrole"; room: string; userId: string; role: Role }
	| { action: "remove"; room: string; userId: string; ban?: boolean }
	| { action: "unban"; room: string; userId: string }
	| { action: "block"; userId: string; blocked: boolean };

// Frames from the server.

/** One of an account's private rooms or direct conversations. */
interface Description {
	room: string;
	kind: RoomKind;
	/** Of a private room. */
	title?: string;
	/** The partner of a direct conversation. */
	with?: Account;
	role: Role;
	sharesHistory: boolean;
	memberCount: number;
	/** Up to 4 of them. */
	members: AccountPerson[];
	lastSeq: number;
	unread: number;
	/** What has a higher seq is visible. */
	since: number;
}

interface Invitation {
	room: string;
	by: Account;
	/** ISO 8601. */
	expiresAt: string;
}

/** A link that lets `uses` more people in. */
interface InviteLink {
	inviteId: string;
	uses: number;
	/** ISO 8601. */
	expiresAt: string;
	/** The account that made it. */
	by: string;
}

interface RoomsFrame {
	type: "rooms";
	rooms: Description[];
	invitations: Invitation[];
	blocked: Account[];
}

interface RoomFrame extends Description {
	type: "room";
}

interface MembersFrame {
	type: "members";
	room: string;
	members: RoomMember[];
	/** For owners and moderators. */
	banned?: Account[];
	/** For owners and moderators. */
	invites?: InviteLink[];
}

interface InviteFrame {
	type: "invite";
	room: string;
	inviteId: string;
	token: string;
	uses: number;
	expiresAt: string;
}

interface InvitedFrame {
	type: "invited";
	room: string;
	name: string;
}

interface InvitationFrame extends Invitation {
	type: "invitation";
}

interface MembershipFrame {
	type: "membership";
	room: string;
	userId: string;
	name: string;
	/** null: not a member any more. */
	role: Role | null;
	/** The account that changed it. */
	by: string;
}

interface RemovedFrame {
	type: "removed";
	room: string;
	userId: string;
}

type AccountServerFrame =
	| RoomsFrame
	| RoomFrame
	| MembersFrame
	| InviteFrame
	| InvitedFrame
	| InvitationFrame
	| MembershipFrame
	| RemovedFrame;

// The page.

/** A list in the column of rooms. */
interface RoomGroup {
	list: HTMLUListElement;
	kind?: RoomKind;
	/** Adds to what every room shows. */
	extend?(item: HTMLElement, entry: RoomEntry): void;
}

/** What controllers/rooms.js asks about an account's private rooms. */
interface PrivateDirectory {
	readonly groups: RoomGroup[];
	/** In display order. */
	readonly entries: RoomEntry[];
	titleOf(room: string): string | undefined;
	markAllRead(): void;
	/** Returns why the room cannot be left, or "". */
	leave(room: string): string;
	/** The current room is shown. */
	show(room: string): void;
	/** An invitation was taken from the URL. */
	invited(): void;
}

interface PrivateRoomsEvents {
	/** Rooms, counts, invitations or blocked accounts have changed. */
	change: undefined;
	/** A new invitation by name. */
	invitation: Invitation;
	/** The account is not a member any more. */
	lost: { room: string; title: string };
}

/** Why a request failed: the server's answer, or `offline` or `unanswered`. */
type RequestProblem = Pick<ErrorFrame, "code" | "error" | "retryAfterMs">;

interface PendingRequest {
	frame: AccountFrame;
	/** The name of its timer. */
	timer: string;
	resolve(answer: AccountServerFrame): void;
	reject(why: Error): void;
}

interface InvitationActions {
	/** Returns why it failed, or "". */
	invite(name: string): Promise<string>;
	createLink(uses: number, hours: number): Promise<{ link: string; problem: string }>;
	/** Returns why it failed, or "". */
	revoke(inviteId: string): Promise<string>;
}

/** Those that return a promise return why they failed, or "". */
interface RoomSettingsActions {
	readonly ownId: string;
	edit(title: string, sharesHistory: boolean): Promise<string>;
	setRole(userId: string, role: Role): Promise<string>;
	remove(userId: string, isBan: boolean): Promise<string>;
	confirmRemoval(name: string, isBan: boolean): Promise<boolean>;
	unban(userId: string): Promise<string>;
	message(userId: string): void;
	invite(): void;
	leave(): void;
}

/** `accept` and `decline` return why they failed, or "". */
interface PrivateRoomsViewActions {
	create(): void;
	/** Invite people to the current room. */
	invite(): void;
	/** Open the settings of the current room. */
	settings(): void;
	/** Block the partner of the current direct conversation, or lift the block. */
	block(): void;
	accept(room: string): Promise<string>;
	decline(room: string): Promise<string>;
}

interface PrivateRoomsParts {
	client: Client;
	storage: LocalStore;
	/** In sessionStorage. */
	tab: LocalStore;
	chat: Chat;
	rooms: import("./controllers/rooms.js").Rooms;
	visited: import("./model/visited.js").VisitedRooms;
	settings: Settings;
	people: import("./views/people-view.js").PeopleView;
	rowMenu: import("./views/row-menu.js").RowMenu;
	/** Draw the people of the current room again. */
	showPeople(): void;
}
