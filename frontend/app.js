/** Creates the client, the model, the views and the controllers, and connects them. */

import { Client } from "./client/client.js";
import { LocalStore, storageArea } from "./client/storage.js";
import { Connecting } from "./controllers/connecting.js";
import { watchKeyboard } from "./controllers/keyboard.js";
import { OnDemand } from "./controllers/on-demand.js";
import { Reading } from "./controllers/reading.js";
import { Rooms } from "./controllers/rooms.js";
import { Writing } from "./controllers/writing.js";
import { Archive } from "./model/archive.js";
import { Chat } from "./model/chat.js";
import { Reader } from "./model/reader.js";
import { Settings } from "./model/settings.js";
import { VisitedRooms } from "./model/visited.js";
import { advice, isolated } from "./model/wording.js";
import { registerServiceWorker } from "./offline.js";
import { chime, notify } from "./views/attention.js";
import { copyToClipboard } from "./views/clipboard.js";
import { watchCopying } from "./views/copied-text.js";
import { element } from "./views/dom.js";
import { closeDrawer, watchDrawers, watchPanels } from "./views/drawers.js";
import { NameForm } from "./views/name-form.js";
import { PeopleView, TypingView } from "./views/people-view.js";
import { RowMenu } from "./views/row-menu.js";
import { SettingsDialog } from "./views/settings-dialog.js";

const NAME_PROBLEMS = ["invalid_name", "name_taken", "offline"];

// Whose page this is stays the same until it is loaded again.
const tab = new LocalStore({ area: storageArea("sessionStorage") });
const device = new LocalStore();
if (tab.load("sign-in") && tab.load("sign-in-answer")) {
	const { finishSignIn } = await import("./client/sign-in.js");
	await finishSignIn({ tab, device });
}
const { userId } = Object(tab.load("account"));
const storage = userId ? new LocalStore({ scope: `@${userId}.` }) : device;
const settings = new Settings(device);
const visited = new VisitedRooms(storage);
const archive = new Archive({ storage });
const reader = new Reader();
const client = new Client({ storage, locks: navigator.locks });
const { session } = client;
const isReading = () => reading.isFollowing && reader.isHere;
const chat = new Chat({ client, visited, settings, archive, isReading });

const rooms = new Rooms({
	chat,
	visited,
	settings,
	storage,
	search: (atDate) => onDemand.search(rooms.title, atDate),
	copyRoomLink,
	shown: showRoom,
	followed: (seq) => {
		if (seq === undefined) reading.toNewest();
		else seek(seq);
	},
	opened: () => writing.focus(),
	titled: (title) => writing.setTitle(title),
});
const onDemand = new OnDemand({
	history: () => {
		const { room, list } = chat;
		return { room, page: (request) => client.page(room, request), live: list.items, complete: list.complete };
	},
	showDate: (time) => reading.showDate(time),
	hrefOf: (seq) => rooms.linkTo(seq), // a full URL: a bare fragment without a target looks like a broken skip link
	destinations: () => rooms.destinations,
	open: (typed) => rooms.open(typed),
});
const rowMenu = new RowMenu({
	copyText: ({ message }) => copyToClipboard(message, "Text copied."),
	copyLink: ({ seq }) => copyToClipboard(rooms.linkTo(seq), "Message link copied."),
	mention: ({ name }) => writing.mention(name),
});
const reading = new Reading({
	chat,
	client,
	reader,
	hrefOf: (seq) => rooms.addressOf(chat.room, seq),
	read: () => rooms.readSoon(),
	leftMessage: () => {
		wantedSeq = undefined;
		rooms.leaveMessage();
	},
	openMenu: (item, opener) => rowMenu.open(item, opener),
	toComposer: () => writing.focus(),
});
const writing = new Writing({
	client,
	chat,
	storage,
	rename: (name) => {
		session.rename(name);
		nameForm.welcome(false);
	},
	open: (typed) => rooms.open(typed),
	leave: () => rooms.leave(),
	showShortcuts: () => onDemand.showShortcuts(),
	sent: () => reading.toNewest(),
	toLastOwn: () => reading.toLastOwn(),
});
const nameForm = new NameForm({
	rename: (name) => session.rename(name),
	copyRoomLink,
	dismissed: () => storage.save("name", storage.loadText("name") ?? ""),
	done: () => writing.focus(),
});
const typing = new TypingView();
const people = new PeopleView({
	rename: () => {
		closeDrawer("people");
		nameForm.open(session.name);
	},
});
const connecting = new Connecting({
	session,
	storage: device,
	configured,
	entered,
	left,
	ended: () => writing.allow(false),
	waiting: () => writing.allow(true), // what is written now is sent later
	serverChanged: () => archive.clear(),
});
new SettingsDialog(settings, { showShortcuts: () => onDemand.showShortcuts() });

element("share", HTMLElement).onclick = copyRoomLink;
element("invite", HTMLElement).onclick = copyRoomLink;
element("searchButton", HTMLElement).onclick = () => onDemand.search(rooms.title, false);
watchDrawers();
watchPanels();
watchCopying(element("log", HTMLElement));
watchKeyboard({
	switchRoom: () => onDemand.switchRoom(),
	search: () => onDemand.search(rooms.title, false),
	previousRoom: () => rooms.go(-1, false),
	nextRoom: () => rooms.go(1, false),
	previousUnread: () => rooms.go(-1, true),
	nextUnread: () => rooms.go(1, true),
	showShortcuts: () => onDemand.showShortcuts(),
	type: () => writing.focus(),
	escape: () => {
		reading.toNewest();
		reading.markRead();
		writing.focus();
	},
});

function copyRoomLink() {
	copyToClipboard(rooms.linkTo(), "Room link copied.");
}

/** @param {SignInConfig | undefined} config of accounts @returns {Promise<boolean>} whether to connect now */
async function configured(config) {
	if (config) {
		const parts = { client, storage, device, tab, rename: () => nameForm.open(session.name) };
		const account = await onDemand.account({ config, ...parts });
		const mayConnect = await account.start();
		await account.addRooms({ client, storage, tab, chat, rooms, visited, settings, people, rowMenu, showPeople });
		return mayConnect;
	}
	if (!userId) return true;
	tab.remove("account");
	location.reload();
	return false;
}

/** The message that the URL points to, until its room is joined. @type {number | undefined} */
let wantedSeq;

/** @param {number | undefined} seq of the message that the URL points to */
function showRoom(seq) {
	onDemand.closeSearch();
	nameForm.showRoom(rooms.title);
	writing.showRoom(rooms.title);
	typing.clear();
	showPeople();
	reading.showRoom(seq === undefined ? undefined : { seq });
	seek(seq);
}

/** Go to a message as soon as it can be loaded. @param {number | undefined} seq */
function seek(seq) {
	wantedSeq = seq;
	if (seq === undefined || !(session.isIn(chat.room) || reading.hasMessage(seq))) return;
	wantedSeq = undefined;
	reading.showMessage(seq);
}

function showPeople() {
	const { people: present, count } = chat.peopleOf(chat.room);
	people.show(present, count);
}

/** The room has been joined. @param {boolean} hadFocus whether the focused element has just been hidden */
function entered(hadFocus) {
	writing.allow(true);
	const isFree = hadFocus || document.activeElement === document.body;
	if (isFree && !matchMedia("(pointer: coarse)").matches) writing.focus();
	rooms.readSoon();
	seek(wantedSeq);
}

/** The connection has closed. */
function left() {
	rooms.saveRead();
	typing.clear();
	showPeople();
}

session.on("refused", (refusal) => {
	if (NAME_PROBLEMS.includes(refusal.code)) nameForm.showProblem(advice(refusal));
	else writing.showProblem(advice(refusal));
});
session.on("typing", (frame) => {
	if (frame.room === chat.room && !session.isOwn(frame.sender)) typing.start(frame);
});
session.on("presence", ({ room, event, sender = "" }) => {
	if (room === chat.room && event === "leave") typing.stop(sender);
});

chat.on("people", showPeople);
chat.on("stored", ({ room, messages }) => {
	for (const { sender } of messages) typing.stop(sender);
	if (room === chat.room) rooms.readSoon();
});
chat.on("news", ({ room, item, isMention }) => {
	if (settings.sound) chime();
	if (!settings.notifications) return;
	const [who, where] = [isolated(item.name), rooms.titleOf(room)];
	const news = isMention ? `${who} mentioned you in ${where}` : `${who} in ${where}`;
	notify(where === item.name ? who : news, item.message, () => {
		location.hash = rooms.addressOf(room, item.seq);
	});
});

reader.on("change", () => session.watch(reader.isWatching));
reader.on("wake", () => client.wake());
addEventListener("pagehide", () => {
	rooms.saveRead();
	archive.flush();
	client.suspend();
});
addEventListener("pageshow", ({ persisted }) => persisted && client.wake());

nameForm.welcome(document.documentElement.dataset.visit === "first");
rooms.show();
element("startup", HTMLElement).remove();
document.documentElement.classList.add("ready");
registerServiceWorker();
await connecting.start();
