/** The chat model: notifications, mentions, saved messages, presence. */

import { claim } from "/claims.js";
import { LocalStore } from "/client/storage.js";
import { Archive } from "/model/archive.js";
import { Chat } from "/model/chat.js";
import { Settings } from "/model/settings.js";
import { VisitedRooms } from "/model/visited.js";
import { equal, ok, SECOND, World } from "/world.js";

/** A page's chat over a simulated client; it is reading the room unless `isReading` is false. */
function chatOf(world, { room = "tea", others = [], name = "Ada", browser } = {}) {
	const view = world.tab({ room, others, name, browser });
	const storage = new LocalStore(view.tab.storage);
	const page = { view, storage, isReading: true, news: [] };
	page.visited = new VisitedRooms(storage);
	for (const each of [...others, room]) page.visited.visit(each, world.clock.at);
	page.settings = new Settings(storage);
	page.archive = new Archive({ storage, clock: view.tab.clock });
	page.chat = new Chat({
		client: view.client,
		visited: page.visited,
		settings: page.settings,
		archive: page.archive,
		isReading: () => page.isReading,
		clock: view.tab.clock,
	});
	page.chat.on("news", (news) => page.news.push(news));
	page.chat.open(room);
	return page;
}

async function joined(world, options) {
	const page = chatOf(world, options);
	page.view.connect();
	await world.clock.pass(300);
	equal(page.view.session.state, "ready");
	return page;
}

const called = ({ news }) => news.map(({ room, item, isMention }) => [room, item.message, isMention]);
const messages = (list) => list.items.filter(({ state }) => state === "stored").map(({ message }) => message);
const notes = (list) => list.items.filter(({ state }) => state === "note").map(({ message }) => message);

claim("a message notifies someone who is not reading, but not someone who is", async () => {
	const world = new World();
	const page = await joined(world);
	world.server.say("tea", "Read as it arrives");
	await world.clock.pass(50);
	equal(called(page), []);
	page.isReading = false;
	world.server.say("tea", "Missed");
	await world.clock.pass(50);
	equal(called(page), [["tea", "Missed", false]]);
});

claim("a message in another room notifies even while this one is being read", async () => {
	const world = new World();
	const page = await joined(world, { others: ["coffee"] });
	world.server.say("coffee", "Over here");
	await world.clock.pass(50);
	equal(called(page), [["coffee", "Over here", false]]);
	equal(page.chat.unreadOf("coffee"), 1);
});

claim("messages from before the join do not notify", async () => {
	const world = new World();
	world.server.say("tea", "Old", "@Ada, older than the visit");
	const page = chatOf(world);
	page.isReading = false;
	page.view.connect();
	await world.clock.pass(300);
	equal(messages(page.chat.list), ["Old", "@Ada, older than the visit"]);
	equal(called(page), []);
});

claim("a room set to nothing never notifies, and one set to mentions only for mentions", async () => {
	const world = new World();
	const page = await joined(world);
	page.isReading = false;
	page.settings.setLevel("tea", "none");
	world.server.say("tea", "@Ada");
	await world.clock.pass(50);
	page.settings.setLevel("tea", "mentions");
	world.server.say("tea", "No name", "Hello, @ada", "`@Ada` in code", "> @Ada in a quote", "@Adam");
	await world.clock.pass(50);
	equal(called(page), [["tea", "Hello, @ada", true]]);
});

claim("of several missed messages, the one with the mention notifies", async () => {
	const world = new World();
	const page = await joined(world);
	world.server.say("tea", "Before");
	await world.clock.pass(50);
	page.isReading = false;
	page.settings.setLevel("tea", "mentions");
	world.socket.cut();
	world.server.say("tea", "@Ada, are you there?", "Anyway");
	await world.clock.pass(30 * SECOND);
	equal(messages(page.chat.list), ["Before", "@Ada, are you there?", "Anyway"]);
	equal(called(page), [["tea", "@Ada, are you there?", true]]);
});

claim("own messages never notify, from this tab or another", async () => {
	const world = new World();
	const page = await joined(world);
	const other = await world.joined();
	page.isReading = false;
	other.write("To myself, @Ada");
	await world.clock.pass(SECOND);
	equal(messages(page.chat.list), ["To myself, @Ada"]);
	equal(called(page), []);
	equal(page.chat.unreadOf("tea"), 0);
});

claim("a longer name that starts with yours is not a mention", async () => {
	const world = new World();
	const page = await joined(world);
	await world.joined({ name: "Ada Lovelace", browser: new World().browser });
	page.isReading = false;
	world.server.say("tea", "@Ada Lovelace, hello");
	await world.clock.pass(50);
	equal(called(page), [["tea", "@Ada Lovelace, hello", false]]);
});

claim("an offline visit shows the saved messages, and a join replaces them", async () => {
	const world = new World();
	const before = await joined(world);
	world.server.say("tea", "One", "Two");
	await world.clock.pass(10 * SECOND);
	before.view.close();
	world.server.clear();
	world.server.say("tea", "Anew");
	const page = chatOf(world);
	equal(messages(page.chat.list), ["One", "Two"]);
	equal([page.chat.unreadOf("tea"), page.chat.list.isLive], [0, false]);
	page.isReading = false;
	page.view.connect();
	await world.clock.pass(SECOND);
	equal(messages(page.chat.list), ["Anew"]);
	ok(page.chat.list.isLive);
	equal(called(page), []);
});

claim("saved messages keep their items when the room is joined", async () => {
	const world = new World();
	const before = await joined(world);
	world.server.say("tea", "One");
	await world.clock.pass(10 * SECOND);
	before.view.close();
	const page = chatOf(world);
	const [item] = page.chat.list.items;
	page.view.connect();
	await world.clock.pass(SECOND);
	ok(page.chat.list.items.includes(item));
});

claim("opening or closing a second tab is not announced", async () => {
	const world = new World();
	const page = await joined(world);
	const { browser } = new World();
	const first = await world.joined({ name: "Grace", browser });
	equal(notes(page.chat.list).length, 1);
	const second = await world.joined({ name: "Grace", browser });
	equal(notes(page.chat.list).length, 1);
	equal(page.chat.peopleOf("tea").people.length, 2);
	equal(page.chat.peopleOf("tea").count, 2);
	second.crash();
	await world.clock.pass(20 * SECOND);
	equal(notes(page.chat.list).length, 1);
	await world.clock.pass(60 * SECOND);
	first.crash();
	await world.clock.pass(20 * SECOND);
	ok(/left/.test(notes(page.chat.list).join()));
	equal(page.chat.peopleOf("tea").count, 1);
});

claim("your own tabs are not announced", async () => {
	const world = new World();
	const page = await joined(world);
	const other = await world.joined();
	other.crash();
	await world.clock.pass(20 * SECOND);
	equal(notes(page.chat.list), []);
});

claim("shared names are detected in any case", async () => {
	const world = new World();
	const page = await joined(world);
	await world.joined({ name: "ADA", browser: new World().browser });
	ok(page.chat.isShared("Ada"));
	ok(!page.chat.isShared("Grace"));
});

claim("forgetting a room leaves it and keeps nothing", async () => {
	const world = new World();
	const page = await joined(world, { others: ["coffee"] });
	world.server.say("coffee", "Secret");
	await world.clock.pass(10 * SECOND);
	equal(page.archive.restore("coffee").length, 1);
	page.chat.forget("coffee");
	world.server.say("coffee", "On its way");
	await world.clock.pass(10 * SECOND);
	ok(!page.view.session.isIn("coffee"));
	equal(page.visited.find("coffee"), undefined);
	equal(page.archive.restore("coffee"), []);
});

claim("a room forgotten and reopened in the same visit has its messages", async () => {
	const world = new World();
	const page = await joined(world, { others: ["coffee"] });
	world.server.say("coffee", "One");
	await world.clock.pass(SECOND);
	page.chat.forget("coffee");
	await world.clock.pass(SECOND);
	world.server.say("coffee", "Two");
	page.chat.open("coffee");
	await world.clock.pass(SECOND);
	equal(messages(page.chat.list), ["One", "Two"]);
});

claim("messages read in another tab are read here", async () => {
	const world = new World();
	const page = await joined(world, { others: ["coffee"] });
	world.server.say("coffee", "One", "Two");
	await world.clock.pass(50);
	equal(page.chat.unreadOf("coffee"), 2);
	page.visited.update("coffee", { read: 2 });
	page.chat.readElsewhere();
	equal(page.chat.unreadOf("coffee"), 0);
});

claim("marking all read leaves nothing unread in any room", async () => {
	const world = new World();
	const page = await joined(world, { others: ["coffee"] });
	page.isReading = false;
	world.server.say("coffee", "One", "Two");
	world.server.say("tea", "Three");
	await world.clock.pass(50);
	equal([page.chat.unreadOf("tea"), page.chat.unreadOf("coffee")], [1, 2]);
	page.chat.markAllRead();
	equal([page.chat.unreadOf("tea"), page.chat.unreadOf("coffee")], [0, 0]);
	world.server.say("coffee", "Four");
	await world.clock.pass(50);
	equal(page.chat.unreadOf("coffee"), 1);
});

claim("switching rooms does not reorder them, and a newly opened room comes first", async () => {
	const world = new World();
	const { visited } = chatOf(world, { room: "tea", others: ["attic", "garden"] });
	for (const [at, room] of ["attic", "garden", "tea"].entries()) visited.visit(room, world.clock.at + at);
	const listed = () => visited.byAttention(() => 0).map(({ room }) => room);
	equal(listed(), ["tea", "garden", "attic"]);
	visited.visit("attic", world.clock.at + SECOND);
	equal(listed(), ["tea", "garden", "attic"]);
	visited.visit("hall", world.clock.at + SECOND);
	equal(listed(), ["hall", "tea", "garden", "attic"]);
	visited.forget("garden");
	visited.visit("garden", world.clock.at + 2 * SECOND);
	equal(listed(), ["garden", "hall", "tea", "attic"]);
});

claim("of private rooms only the open one is joined, and dropping one leaves nothing of it", async () => {
	const world = new World();
	const room = `~${"a".repeat(26)}`;
	const page = await joined(world, { others: ["coffee"] });
	const reads = [];
	page.chat.on("read", (read) => reads.push(read));
	page.visited.visit(`@${"b".repeat(26)}`, world.clock.at);
	page.chat.open(room);
	page.chat.open("tea");
	await world.clock.pass(100);
	equal(
		[...new Set(world.server.sent("join").map((frame) => frame.room))].sort(),
		["coffee", "tea", room].sort(), // the fake server refuses it, as one without accounts
	);
	page.chat.listOf(room).note("Between us", 0);
	page.archive.save(room, [{ ...world.server.store(room, "Secret"), own: false }]);
	page.chat.open(room);
	page.view.client.write("Not sent");
	page.chat.open("tea");
	page.chat.drop(room);
	page.archive.flush();
	equal([page.chat.listOf(room).items, page.archive.restore(room), page.visited.find(room)], [[], [], undefined]);
	equal(page.view.outbox.all, []);
	world.server.say("tea", "Read");
	await world.clock.pass(50);
	page.chat.list.markSeen(0, 1);
	page.chat.saveRead();
	equal(reads.at(-1), { room: "tea", read: 1 });
});
