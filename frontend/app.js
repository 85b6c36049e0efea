/** Connects the client, the views and what the person does. */

import { Client } from "./client/client.js";
import { Drafts } from "./client/outbox.js";
import { SessionState } from "./client/session.js";
import { LocalStore } from "./client/storage.js";
import { Timers } from "./client/timers.js";
import { MessageList } from "./model/message-list.js";
import { Reader } from "./model/reader.js";
import { cleanName, isSendable, lengthOf, messageFrom, roomFrom } from "./model/text.js";
import { VisitedRooms } from "./model/visited.js";
import { addressProblem, advice, counter, isolated, nameProblem } from "./model/wording.js";
import { allowNotifications, chime, notify, showUnread } from "./views/attention.js";
import { ui } from "./views/elements.js";
import {
	grow,
	isFollowing,
	isReading,
	look,
	showFirstUnread,
	showList,
	showNewest,
	update,
	watchReader,
} from "./views/message-list-view.js";
import { clearTyping, showPeople, startTyping, stopTyping } from "./views/people-view.js";
import { showRooms } from "./views/rooms-view.js";

const DEFAULT_ROOM = "lobby";
const SAVE_MS = 1000;
const COUNTS_MS = 100;
const TICK_MS = 250;
const CONFIG_MS = 5000;
const IME = 229; // the keyCode of a key that an input method took; Safari ends its composition before

const storage = new LocalStore();
const visited = new VisitedRooms(storage);
const drafts = new Drafts(storage);
const timers = new Timers(globalThis);
const reader = new Reader();
const box = ui.message;
const touch = matchMedia("(pointer: coarse)");

ui.nameForm.hidden = ["name", "wished-name"].some((key) => storage.loadText(key) !== undefined);

/** @type {{websocketUrl?: string}} */
let config = {};
let configProblem = "No server configured. Enter a WebSocket URL.";
try {
	const answer = await fetch("config.json", { cache: "no-cache", signal: AbortSignal.timeout(CONFIG_MS) });
	if (answer.ok) config = await answer.json();
} catch {
	configProblem = "Could not load the server’s address. Reload the page, or enter a WebSocket URL.";
}
const deployed = config.websocketUrl ?? "";
let server = storage.loadText("url") || deployed;

const client = new Client({ storage, locks: navigator.locks });
const { session, outbox } = client;

const decoded = () => new URLSearchParams(`=${location.hash}`).get("") ?? "";
const roomInAddress = () => roomFrom(decoded()) || DEFAULT_ROOM;
let room = roomInAddress();

/** @type {Map<string, MessageList>} */
const lists = new Map();

function listOf(of = room) {
	const list = lists.get(of) ?? new MessageList();
	lists.set(of, list);
	return list;
}

/** @param {string} words @param {string} [to] @param {boolean} [isPresence] */
function say(words, to = room, isPresence = false) {
	listOf(to).note(words, session.now, isPresence);
	update();
}

function showCounts() {
	const rooms = visited.all.map(({ room: name, last, read = last }) => {
		const list = lists.get(name);
		return { room: name, unread: list?.lastSeq ? list.unread : Math.max(0, last - read) };
	});
	const unread = rooms.reduce((sum, each) => sum + each.unread, 0);
	showUnread(`#${room} · Chat`, unread);
	showRooms(rooms, room);
}

function showCountsSoon() {
	if (!timers.isRunning("counts")) timers.start("counts", COUNTS_MS, showCounts);
}

function saveRead() {
	timers.cancel("save");
	const { lastSeq, read } = listOf();
	if (session.isIn(room)) visited.update(room, { last: lastSeq, read });
	showCounts();
}

function saveReadSoon() {
	if (!timers.isRunning("save")) timers.start("save", SAVE_MS, saveRead);
}

function followRooms() {
	client.setRooms(
		room,
		visited.recent.filter((each) => each !== room),
	);
}

function showRoom() {
	visited.visit(room, Date.now());
	ui.roomName.textContent = `#${room}`;
	box.value = drafts.load(room);
	if (!box.disabled) box.placeholder = `Message #${room}`;
	clearTyping();
	showPeople(session.membersOf(room), session.sender);
	showList(listOf());
	showLength();
	followRooms();
	if (location.hash.length > 1 && !roomFrom(decoded()))
		say(`A room needs letters (a to z) or digits. This is #${room}.`);
}

addEventListener("hashchange", () => {
	const next = roomInAddress();
	if (next === room) return;
	saveRead();
	room = next;
	showRoom();
});

storage.watch((key) => {
	if (key !== "rooms") return;
	for (const { room: name, read = 0 } of visited.all) lists.get(name)?.see(0, read); // in another tab
	followRooms();
	showCounts();
});

ui.roomForm.onsubmit = () => {
	const next = roomFrom(ui.newRoom.value);
	ui.roomProblem.textContent = next ? "" : "A room name needs letters (a to z) or digits.";
	if (!next) return;
	ui.newRoom.value = "";
	location.hash = next;
	ui.rooms.hidePopover();
	box.focus();
};

/** @type {NodeListOf<HTMLElement>} */
const beside = document.querySelectorAll("main > :not(header), main > header > button, .side, #serverButton");
for (const drawer of [ui.rooms, ui.people, ui.server]) {
	/** @param {boolean} isOpen */
	const hold = (isOpen) => {
		for (const part of beside) part.inert = isOpen && part !== drawer;
	};
	// The focus goes back before the toggle event comes.
	drawer.onbeforetoggle = (/** @type {ToggleEvent} */ { newState }) => {
		if (newState === "closed") hold(false);
	};
	drawer.ontoggle = (/** @type {ToggleEvent} */ { newState }) => {
		if (newState === "closed") return;
		if (!drawer.contains(document.activeElement)) drawer.focus();
		hold(true);
	};
}

ui.roomList.onclick = (/** @type {any} */ { target }) => {
	if (target.closest("a")) ui.rooms.hidePopover();
	if (!target.value) return;
	visited.forget(target.value);
	followRooms();
	showCounts();
};

ui.share.onclick = async () => {
	location.hash = room;
	try {
		await navigator.clipboard.writeText(location.href);
		say("The address of this room is copied.");
	} catch {
		say(`Copy this address to share the room: ${location.href}`); // A page over plain HTTP may not copy.
	}
};

let reached = false;
let retryAt = 0;

/** @param {string} problem */
function showUrlProblem(problem) {
	ui.urlProblem.textContent = problem;
	ui.url.ariaInvalid = String(!!problem);
	if (problem && ui.serverButton.checkVisibility()) ui.server.showPopover();
	if (problem) ui.url.focus();
}

function connect() {
	const address = ui.url.value.trim();
	const problem = addressProblem(address);
	showUrlProblem(problem);
	if (problem) return;
	ui.server.hidePopover();
	reached &&= address === server;
	server = address;
	storage.save("url", address === deployed ? "" : address);
	session.connect(address);
}

ui.server.onsubmit = connect;
ui.disconnect.onclick = () => session.disconnect();
ui.tryNow.onclick = () => session.connect();
ui.ownServer.onclick = () => {
	ui.url.value = deployed;
	connect();
};

setInterval(() => {
	const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
	if (!ui.banner.hidden) ui.countdown.textContent = `Next try in ${seconds} s.`;
}, TICK_MS);

/** @param {boolean} allowed */
function allowWriting(allowed) {
	box.disabled = ui.send.disabled = !allowed;
	box.placeholder = allowed ? `Message #${room}` : "Not connected";
}

session.on("state", ({ state, retryAt: next = 0 }) => {
	const { dataset } = ui.status;
	const isConnected = state === SessionState.JOINING || state === SessionState.READY;
	const isConnecting = state === SessionState.CONNECTING;
	const isWaiting = state === SessionState.WAITING;
	if (dataset.state === "connected" && !isConnected) {
		saveRead();
		clearTyping();
		showPeople({ list: [], count: 0 }, "");
		say(isWaiting ? "The connection was lost." : "You are disconnected.");
	}
	dataset.state = isConnected ? "connected" : isConnecting ? "connecting" : "disconnected";
	ui.status.textContent = isConnected ? "Connected" : isConnecting ? "Connecting…" : "Disconnected";
	ui.connect.disabled = isConnected || isConnecting;
	ui.disconnect.disabled = state === SessionState.OFFLINE;
	reached ||= isConnected;
	if (state === SessionState.READY) entered();
	else if (state === SessionState.OFFLINE) allowWriting(false);
	retryAt = next;
	if (isConnecting) return; // What the banner says stays until that has ended.
	const why = reached
		? `${navigator.onLine ? "The connection was lost." : "You are offline."} Your messages will be sent when it is back.`
		: `Cannot reach ${server}. Check the URL.`;
	ui.banner.hidden = !isWaiting;
	ui.bannerText.textContent = isWaiting ? why : "";
	ui.ownServer.hidden = !deployed || server === deployed;
});

function entered() {
	allowWriting(true);
	const focus = document.activeElement ?? document.body;
	if ((focus === document.body || ui.banner.contains(focus)) && !touch.matches) box.focus();
	say(`You are connected to #${room}.`);
	saveReadSoon();
}

session.on("joined", ({ room: joined, lastSeq, complete, resumed }) => {
	const list = listOf(joined);
	if (!resumed) list.reset(complete);
	const { read = lastSeq } = visited.find(joined) ?? {};
	list.enter(resumed ? Math.max(list.read, read) : read, lastSeq);
	visited.joined(joined, lastSeq);
	for (const unsent of outbox.all) if (unsent.room === joined) showUnsent(unsent);
	if (joined === room) showPeople(session.membersOf(room), session.sender);
	update();
	showCountsSoon();
});

session.on("lost", ({ room: from }) => say("Some messages sent while you were away have expired.", from));

session.on("refused", (refusal) => {
	const isName = refusal.code === "invalid_name";
	if (isName) ui.nameForm.hidden = false;
	(isName ? ui.nameProblem : ui.composerProblem).textContent = advice(refusal);
});

session.on("messages", ({ room: from, messages, isFirstPage }) => {
	const list = listOf(from);
	const isAway = from !== room || !isReading();
	const news = list.store(messages, isAway);
	for (const { connectionId } of messages) stopTyping(connectionId);
	if (from === room) {
		if (messages.some(({ own }) => own)) ui.composerProblem.textContent = "";
		if (isFollowing()) list.trim();
		update();
		saveReadSoon();
	} else {
		list.trim();
		visited.update(from, { last: list.lastSeq });
	}
	showCountsSoon();
	if (!news || isFirstPage || !isAway) return;
	if (storage.loadFlag("sound")) chime();
	if (storage.loadFlag("notify")) notify(`${isolated(news.name)} in #${from}`, news.message);
});

/** @param {Unsent} unsent */
function showUnsent(unsent) {
	const { connectionId, name, sender } = session;
	const at = unsent.at + session.clockOffset;
	listOf(unsent.room).putUnsent(
		{ ...unsent, at },
		{ connectionId, name, sender },
		unsent.failure ? advice(unsent.failure) : "",
	);
	update();
}

outbox.on("changed", showUnsent);
outbox.on("removed", ({ messageId, room: from }) => {
	listOf(from).removeUnsent(messageId);
	update();
});
outbox.on("delayed", (refusal) => {
	ui.composerProblem.textContent = advice(refusal);
});

let asking = false;
async function readOlder() {
	if (asking) return false;
	asking = true;
	const list = listOf();
	try {
		const { messages, complete } = await client.older(room, list.firstSeq);
		list.store(messages);
		list.complete = complete;
		grow();
		return true;
	} catch {
		return false; // The connection was lost, or the room was left: the next scroll asks again.
	} finally {
		asking = false;
	}
}

function seen() {
	saveReadSoon();
	showCountsSoon();
}

watchReader(reader, { now: () => session.now, read: seen, nearTop: readOlder });

ui.catchUp.onclick = async () => {
	const list = listOf();
	while (!list.firstUnread && list === listOf() && (await readOlder()));
	if (list === listOf()) showFirstUnread();
};

ui.markRead.onclick = () => {
	const list = listOf();
	list.see(0, list.lastSeq);
	look();
	seen();
	box.focus();
};

ui.log.onclick = (/** @type {any} */ { target }) => {
	const id = target.closest("article")?.dataset.id;
	if (target.value === "retry") outbox.retry(id);
	if (target.value !== "discard") return;
	outbox.discard(id);
	box.focus();
};

session.on("presence", ({ room: from, event, connectionId = "", name = "", sender, former = "" }) => {
	if (from !== room) return;
	if (event === "leave") stopTyping(connectionId);
	showPeople(session.membersOf(room), session.sender);
	if (sender === session.sender) return;
	const who = isolated(name || former);
	if (event === "join" && !former) say(`${who} joined`, room, true);
	if (event === "leave") say(`${who} left`, room, true);
	if (event === "rename" && former && former !== name) say(`${isolated(former)} is now ${who}`);
});

session.on("members", ({ room: from }) => {
	if (from === room) showPeople(session.membersOf(room), session.sender);
});

session.on("typing", (frame) => {
	if (frame.room === room && frame.sender !== session.sender) startTyping(frame);
});

ui.rename.onclick = () => {
	ui.people.hidePopover();
	ui.nameForm.hidden = false;
	ui.name.value = session.name;
	ui.name.focus();
};

function hideNameForm() {
	ui.nameForm.hidden = true;
	box.focus();
}

ui.later.onclick = () => {
	storage.save("name", storage.loadText("name") ?? "");
	hideNameForm();
};

ui.nameForm.onsubmit = () => {
	const name = cleanName(ui.name.value);
	ui.nameProblem.textContent = nameProblem(ui.name.value);
	if (name === undefined) return ui.name.focus();
	session.rename(name);
	hideNameForm();
};

function showLength() {
	const message = messageFrom(box.value);
	ui.counter.textContent = counter(lengthOf(message));
	return isSendable(message);
}

function send() {
	box.focus();
	if (box.disabled || !showLength()) return;
	listOf().line = Infinity;
	const isKept = client.write(messageFrom(box.value)) !== undefined;
	ui.composerProblem.textContent = isKept ? "" : "Too many messages are waiting to be sent.";
	if (!isKept) return;
	box.value = "";
	drafts.save(room, "");
	showLength();
	showNewest();
}

ui.composer.onsubmit = send;
box.onkeydown = (/** @type {KeyboardEvent} */ event) => {
	if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === IME || touch.matches) return;
	event.preventDefault();
	send();
};
box.oninput = () => {
	drafts.save(room, box.value);
	if (showLength()) session.typing();
};
drafts.on("changed", ({ room: of, text }) => {
	if (of !== room || box.value === text) return;
	box.value = text;
	showLength();
});

for (const key of ["sound", "notify"]) {
	const choice = ui[key];
	choice.checked = storage.loadFlag(key);
	choice.onchange = async () => {
		const problem = key === "notify" && choice.checked ? await allowNotifications() : "";
		ui.choiceProblem.textContent = problem;
		choice.checked &&= !problem;
		storage.save(key, choice.checked);
		if (key === "sound" && choice.checked) chime();
	};
}

reader.on("change", () => {
	session.watch(reader.isWatching);
	look();
});
reader.on("wake", () => client.wake());
addEventListener("pagehide", () => {
	saveRead();
	client.suspend();
});
addEventListener("pageshow", ({ persisted }) => persisted && client.wake());

ui.url.value = server;
for (const unsent of outbox.all) showUnsent(unsent);
showRoom();
if (server) connect();
else showUrlProblem(configProblem);
ui.startup.remove();
