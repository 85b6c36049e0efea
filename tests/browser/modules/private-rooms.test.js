/** An account's private rooms: the model, its sentences, requests, addresses. */

import { claim } from "/claims.js";
import { AccountRequests } from "/client/account-requests.js";
import { LocalStore } from "/client/storage.js";
import { addressOf, isPrivate, parseAddress, roomFromTitle } from "/model/address.js";
import { PrivateRooms } from "/model/private-rooms.js";
import { lostLine, membershipLine, requestProblem } from "/model/private-wording.js";
import { PrivateRooms as ServerRooms } from "/private.js";
import { equal, ok, SECOND, World } from "/world.js";

const TEAM = `~${"team".padEnd(26, "a")}`;
const LUNCH = `~${"lunch".padEnd(26, "a")}`;
const BEN = `@${"ben".padEnd(26, "a")}`;

const described = (room, fields = {}) => {
	const members = [{ userId: "ben", name: "Ben", sender: "s-ben" }];
	const direct = room.startsWith("@");
	const named = direct ? { kind: "direct", with: { userId: "ben", name: "Ben" } } : { kind: "private", title: room };
	const rest = { role: "member", sharesHistory: false, memberCount: 2, lastSeq: 5, unread: 2, since: 0, members };
	return { room, ...named, ...rest, ...fields };
};
const listing = (rooms, more = {}) => ({ type: "rooms", rooms, invitations: [], blocked: [], ...more });
const invitation = (room) => ({ room, by: { userId: "ben", name: "Ben" }, expiresAt: "2030-01-01T00:00:00.000Z" });
const changed = (userId, role, by = "ben", room = TEAM) => ({
	type: "membership",
	room,
	userId,
	name: userId,
	role,
	by,
});

/** A model of the account "ada", and what it tells. */
function modelOf(world = new World(), ...rooms) {
	const storage = new LocalStore({ ...world.browser.storage.tab(), scope: "@ada." });
	const model = new PrivateRooms({ storage, ownId: "ada", clock: world.clock });
	const told = [];
	model.on("lost", (lost) => told.push(["lost", lost.room, lost.title]));
	model.on("invitation", ({ room }) => told.push(["invitation", room]));
	if (rooms.length) model.list(listing(rooms));
	return { model, told };
}
const unread = (model, room) => model.find(room)?.unread;

claim("rooms are listed by kind, those with unread messages first, then by title", () => {
	const rooms = [
		described(TEAM, { title: "Team 10" }),
		described(LUNCH, { title: "Team 9" }),
		described(BEN),
		described(`~${"z".repeat(26)}`, { title: "A", unread: 0 }),
	];
	const { model } = modelOf(undefined, ...rooms);
	const titles = (kind) => model.listOf(kind, (room) => unread(model, room)).map(({ room }) => model.titleOf(room));
	equal([titles("private"), titles("direct")], [["Team 9", "Team 10", "A"], ["Ben"]]);
});

claim("messages of others count as unread once each, and one's own do not", () => {
	const { model } = modelOf(undefined, described(TEAM));
	equal(model.arrived({ room: TEAM, seq: 6 }, false), true);
	equal(model.arrived({ room: TEAM, seq: 6 }, false), true);
	equal(unread(model, TEAM), 3);
	model.read(TEAM, 6);
	model.arrived({ room: TEAM, seq: 7 }, true);
	equal([unread(model, TEAM), model.readOf(TEAM)], [0, 7]);
	equal(model.arrived({ room: LUNCH, seq: 1 }, false), false);
	model.arrived({ room: TEAM, seq: 8 }, false);
	model.arrived({ room: TEAM, seq: 1_800_000_000_000 }, false);
	equal(unread(model, TEAM), 2, "the places that a restarted log has skipped are no messages");
});

claim("a direct conversation has the name that its partner writes under", () => {
	const { model } = modelOf(undefined, described(BEN));
	const partner = model.find(BEN).with;
	model.arrived({ room: BEN, seq: 100, userId: "user-of-somebody-else", name: "Eve" }, false);
	equal(model.find(BEN).with, partner);
	model.arrived({ room: BEN, seq: 101, userId: partner.userId, name: "Benjamin" }, false);
	equal(model.titleOf(BEN), "Benjamin");
});

claim("what is read never becomes unread again, whatever order the answers come in", () => {
	const { model } = modelOf(undefined, described(TEAM));
	equal([model.read(TEAM, 5), model.read(TEAM, 4), model.read(LUNCH, 9)], [true, false, false]);
	model.list(listing([described(TEAM)])); // asked for before it was read
	equal(unread(model, TEAM), 0);
	model.arrived({ room: TEAM, seq: 6 }, false);
	model.list(listing([described(TEAM)])); // asked for before the message
	equal([unread(model, TEAM), model.find(TEAM).lastSeq], [1, 6]);
	model.list(listing([described(TEAM, { lastSeq: 9, unread: 1 })])); // read elsewhere
	equal([unread(model, TEAM), model.readOf(TEAM)], [1, 8]);
});

claim("rooms of an earlier visit are shown at once, and a list that lacks some of them does not lose them", () => {
	const world = new World();
	modelOf(world, described(TEAM), described(LUNCH));
	const { model, told } = modelOf(world);
	equal([model.titleOf(TEAM), model.titleOf(LUNCH)], [TEAM, LUNCH]);
	equal(model.list(listing([described(LUNCH)])), [TEAM]);
	model.describe({ type: "room", ...described(TEAM, { title: "Team" }) }); // it had no space in the list
	equal([told, model.titleOf(TEAM)], [[], "Team"]);
	model.lose(TEAM);
	equal([told, model.find(TEAM), modelOf(world).model.find(TEAM)], [[["lost", TEAM, "Team"]], undefined, undefined]);
});

claim("what storage has is used only if it is whole", () => {
	const world = new World();
	modelOf(world, described(TEAM));
	const [key] = [...world.browser.storage.items.keys()].filter((each) => each.endsWith("private-rooms"));
	for (const value of ["null", "[1]", '{"rooms":[null],"blocked":[]}', `{"rooms":[{"room":"${TEAM}"}],"blocked":[]}`]) {
		world.browser.storage.items.set(key, value);
		equal(
			modelOf(world).model.listOf("private", () => 0),
			[],
		);
	}
});

claim("a list that was read before a room was lost does not bring it back, and a later one does", () => {
	const world = new World();
	const { model } = modelOf(world, described(TEAM), described(LUNCH));
	for (const room of [TEAM, LUNCH]) model.lose(room);
	model.describe({ type: "room", ...described(LUNCH) }); // invited again
	model.list(listing([described(TEAM), described(LUNCH)]));
	equal([model.find(TEAM), !!model.find(LUNCH)], [undefined, true]);
	world.clock.at += 6 * SECOND;
	model.list(listing([described(TEAM), described(LUNCH)]));
	equal(!!model.find(TEAM), true);
});

claim("an invitation is told once, and ends when its room is entered", () => {
	const { model, told } = modelOf(undefined, described(LUNCH));
	model.invite({ type: "invitation", ...invitation(TEAM) });
	model.list(listing([described(LUNCH)], { invitations: [invitation(TEAM)] }));
	equal([told, model.invitations.length], [[["invitation", TEAM]], 1]);
	model.describe({ type: "room", ...described(TEAM) });
	equal(model.invitations, []);
});

claim("changes of membership are told apart: joined, left, removed, another role, nothing new", () => {
	const { model } = modelOf(undefined, described(TEAM));
	model.setRoles(TEAM, [{ userId: "ada" }, { userId: "ben" }]);
	equal(model.change(changed("eve", "member", "eve")), "joined");
	equal([model.find(TEAM).memberCount, model.change(changed("eve", "member"))], [3, undefined]);
	equal(model.change(changed("eve", "moderator")), "moderator");
	equal(model.change(changed("eve", null)), "removed");
	equal(model.change(changed("eve", null)), undefined);
	equal(model.change(changed("ben", null, "ben")), "left");
	equal(
		[model.change(changed("ada", "owner")), model.find(TEAM).role, model.find(TEAM).memberCount],
		["owner", "owner", 1],
	);
});

claim("sentences name who it was, and oneself as You", () => {
	const plain = (text) => text.replace(/[\u2068\u2069]/g, "");
	const lines = ["joined", "left", "removed", "moderator"].map((what) => plain(membershipLine(what, "Ben", false)));
	equal(lines, ["Ben joined the room", "Ben left the room", "Ben was removed", "Ben is now a moderator"]);
	equal(
		[membershipLine("owner", "Ada", true), membershipLine("joined", "Ada", true)],
		["You are now an owner", "You joined the room"],
	);
	equal(plain(lostLine(TEAM, "Team")), "You are no longer a member of “Team”.");
	equal(lostLine(TEAM, ""), "You are no longer a member of this room.");
	ok(plain(lostLine(BEN, "Ben")).includes("You and Ben can no longer"));
	equal(requestProblem({ code: "new_code", error: "Something new" }), "Something new.");
});

claim("the key of a private room is its address, and only a whole key is", () => {
	ok(
		isPrivate(TEAM) && isPrivate(BEN) && !isPrivate("team") && !isPrivate(`${TEAM}a`) && !isPrivate(TEAM.toUpperCase()),
	);
	equal(parseAddress(`#${TEAM}/12`), { room: TEAM, seq: 12 });
	equal(parseAddress(`#${encodeURIComponent(BEN)}`), { room: BEN });
	equal(addressOf(TEAM, { title: "Team" }), `#${TEAM}`);
	equal(roomFromTitle(TEAM), { room: TEAM, problem: "" });
	equal([parseAddress("#~tea").room, roomFromTitle("~tea").room], ["tea", "tea"]);
});

/** A session of Ada's that has joined a room, with her requests. */
async function signedIn(world) {
	world.server.private = new ServerRooms(world.server);
	for (const name of ["Ada", "Ben"]) {
		const userId = name.toLowerCase();
		world.server.accounts.set(`token-${userId}`, { userId, name, sender: `s-${userId}`, senders: [`s-${userId}`] });
	}
	const view = world.tab();
	view.session.signIn({ token: "token-ada", userId: "ada", name: "Ada" });
	const requests = new AccountRequests({ session: view.session, clock: view.tab.clock });
	view.connect();
	await world.clock.pass(200);
	equal(view.session.state, "ready");
	return { view, requests };
}

/** What becomes of a request: the answer's type, or the code of the problem. */
const outcome = (promise) => {
	const seen = { end: "pending" };
	promise.then(
		(answer) => Object.assign(seen, { end: answer.type, answer }),
		({ problem }) => Object.assign(seen, { end: problem.code }),
	);
	return seen;
};

claim("requests in flight at the same time each get their own answer or refusal", async () => {
	const world = new World();
	const { requests } = await signedIn(world);
	const made = outcome(requests.request({ action: "createroom", title: "  Team", sharesHistory: true }));
	await world.clock.pass(100);
	const { room } = made.answer;
	const ends = [
		{ action: "members", room: TEAM },
		{ action: "members", room },
		{ action: "direct", userId: "nobody" },
		{ action: "direct", userId: "ben" },
		{ action: "setrole", room, userId: "ben", role: "owner" },
		{ action: "rooms" },
	].map((frame) => outcome(requests.request(frame)));
	await world.clock.pass(100);
	equal(
		[made, ...ends].map(({ end }) => end),
		["room", "no_such_room", "members", "no_such_room", "room", "not_a_member", "rooms"],
	);
	equal([ends[1].answer.room, ends[3].answer.with.name], [room, "Ben"]);
});

claim(
	"a request without an answer fails after 12 s, and at once when the connection is lost or there is none",
	async () => {
		const world = new World();
		const { view, requests } = await signedIn(world);
		world.server.answers = ({ action }) => action === "rooms";
		const late = outcome(requests.request({ action: "rooms" }));
		await world.clock.pass(11 * SECOND);
		equal(late.end, "pending");
		await world.clock.pass(2 * SECOND);
		equal(late.end, "unanswered");
		const lost = outcome(requests.request({ action: "rooms" }));
		view.session.disconnect();
		const none = outcome(requests.request({ action: "rooms" }));
		await world.clock.pass(10);
		equal([lost.end, none.end], ["offline", "offline"]);
	},
);

claim("a private room that is left for another is still heard, and joining it again brings nothing twice", async () => {
	const world = new World();
	const { view, requests } = await signedIn(world);
	const made = outcome(requests.request({ action: "createroom", title: "Team", sharesHistory: true }));
	await world.clock.pass(100);
	const { room } = made.answer;
	view.open(room);
	await world.clock.pass(100);
	view.open("tea");
	await world.clock.pass(100);
	const said = world.server.store(room, "While away");
	world.server.private.post({ roles: new Map([["ada"]]) }, said);
	await world.clock.pass(100);
	equal(view.texts(room), ["While away"]);
	view.open(room);
	await world.clock.pass(100);
	equal([view.texts(room), view.session.membersOf(room).list.map(({ userId }) => userId)], [["While away"], ["ada"]]);
	view.session.setMembers(room, []);
	equal(view.session.membersOf(room).count, 0);
	view.session.drop(room);
	equal(view.session.isIn(room), false);
});
