/** Joins the page's parts: what the connection tells goes to the views, what the user wishes to the connection. */

import { allowNotifications, chime, notify, showUnread } from "./alerts.js";
import { ChatConnection } from "./connection.js";
import { Log } from "./log.js";
import { forget, keep, kept, visit, visited } from "./settings.js";
import { People, showRooms, ui } from "./sides.js";
import * as text from "./text.js";
import { Transcript } from "./transcript.js";

const NOTE_GROUP_MS = 5 * 60 * 1000;
const PEOPLE_IN_NOTE = 6;
const SAVE_MS = 1000;

const box = ui.message;
const touch = matchMedia("(pointer: coarse)");
const people = new People();
/** @type {Map<string, Transcript>} */
const transcripts = new Map();
const roomInAddress = () => text.roomFrom(decodeURI(location.hash)) || "lobby";
let room = roomInAddress();
let notes = 0;

/** @param {string} name */
function transcript(name = room) {
	const known = transcripts.get(name) ?? new Transcript();
	transcripts.set(name, known);
	return known;
}

const log = new Log(transcript(), ui.log, ui.jump);

async function ownServer() {
	try {
		return (await (await fetch("config.json", { cache: "no-cache" })).json()).websocketUrl ?? "";
	} catch {
		return ""; // A page without a config: the user enters the address.
	}
}
const deployed = await ownServer();
let server = kept("url", "") || deployed;
const connection = new ChatConnection({ url: server, room, name: kept("name", ""), kept, keep });

/** @param {string} type @param {(detail: any) => void} listener */
const when = (type, listener) =>
	connection.addEventListener(type, (event) => listener(/** @type {CustomEvent} */ (event).detail));

/** @param {HTMLFormElement} form @param {() => void} act */
function onSubmit(form, act) {
	form.onsubmit = (event) => {
		event.preventDefault();
		act();
	};
}

/** A quiet line among the messages. Comings and goings close together share one.
 * @param {string} words @param {string} [coming] */
function say(words, coming) {
	const shown = transcript();
	const at = Date.now();
	const last = shown.items.at(-1);
	if (coming && last?.people && at - last.at < NOTE_GROUP_MS) {
		const all = [...last.people.filter((each) => each !== words), words].slice(-PEOPLE_IN_NOTE);
		shown.put({ ...last, people: all, text: all.join(" · ") });
	} else {
		notes += 1;
		const note = { key: `note-${notes}`, order: shown.lastSeq + 0.5, at, text: words, connectionId: "", name: "" };
		shown.put({ ...note, own: false, state: "note", people: coming ? [words] : undefined });
	}
	log.update();
}

function showCounts() {
	const { unread } = transcript();
	showUnread(`#${room} · Chat`, unread);
	showRooms(room, unread);
}

let saving = 0;
function save() {
	clearTimeout(saving);
	saving = 0;
	const { lastSeq, unread, unreadFrom } = transcript();
	visit(room, lastSeq, unread && unreadFrom ? unreadFrom.order - 1 : lastSeq);
	showCounts();
}
/** At most once a second, however much arrives. */
function saveSoon() {
	saving ||= window.setTimeout(save, SAVE_MS);
}

function showRoom() {
	document.title = `#${room} · Chat`;
	ui.roomName.textContent = `#${room}`;
	box.value = kept(`draft.${room}`, "");
	visit(room);
	log.show(transcript());
	showCount();
}

// The server: its address, Connect, Disconnect, the status, and the banner while there is none.

let reached = false;
let hadFocus = true;
let before = "disconnected";
let retryAt = 0;
let ticking = 0;

function connect() {
	const address = ui.url.value.trim();
	const wrong = text.addressProblem(address);
	ui.urlProblem.textContent = wrong;
	ui.url.ariaInvalid = String(wrong !== "");
	if (wrong) return ui.url.focus();
	reached &&= address === server;
	server = address;
	keep("url", address === deployed ? "" : address);
	connection.connect(address);
}
onSubmit(ui.server, connect);
ui.disconnect.onclick = () => connection.disconnect();
ui.tryNow.onclick = () => connection.connect();
ui.ownServer.onclick = () => {
	ui.url.value = deployed;
	connect();
};

function tick() {
	clearTimeout(ticking);
	const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
	ui.countdown.textContent = `Next try in ${seconds} s.`;
	if (retryAt) ticking = window.setTimeout(tick, 250);
}

when("state", ({ state, retryAt: next = 0 }) => {
	const connected = state === "connected";
	const waiting = state === "waiting";
	ui.status.dataset.state = state;
	ui.statusText.textContent = connected ? "Connected" : state === "connecting" ? "Connecting…" : "Disconnected";
	ui.connect.disabled = connected || state === "connecting";
	ui.disconnect.disabled = state === "disconnected";
	if (before === "connected" && !connected) {
		hadFocus = document.activeElement === box;
		save();
		people.set([], 0, "");
		say(waiting ? "The connection was lost." : "You are disconnected. Press Connect to come back.");
	}
	reached ||= connected;
	if (!connected) allowWriting(false);
	if (state !== "connecting") {
		ui.banner.hidden = !waiting;
		const offline = reached
			? "You are offline. What you wrote is kept."
			: `No answer from ${server}. Is the URL right?`;
		ui.bannerText.textContent = waiting ? offline : "";
		ui.ownServer.hidden = !deployed || server === deployed;
	}
	before = state;
	retryAt = waiting ? next : 0;
	tick();
});

/** @param {boolean} allowed */
function allowWriting(allowed) {
	box.disabled = ui.send.disabled = !allowed;
	box.placeholder = allowed ? `Message #${room}` : "Not connected";
}

when("joined", ({ room: joined, connectionId, members, memberCount, lastSeq, complete, resumed }) => {
	const shown = transcript(joined);
	if (!resumed) {
		shown.reset();
		shown.complete = complete;
	}
	shown.seen = visited().find((each) => each.room === joined)?.read || lastSeq;
	if (joined !== room) return;
	people.set(members, memberCount, connectionId);
	allowWriting(true);
	const { activeElement } = document;
	const idle = !activeElement || activeElement === document.body || ui.banner.contains(activeElement);
	if (hadFocus && idle && !touch.matches) box.focus();
	say(`You are connected to #${room}.`);
	saveSoon();
});

// Messages.

/** @param {Transcript} shown @param {any} frame a message frame */
const putStored = (shown, { messageId, seq, timestamp, message, connectionId, name, own }) =>
	shown.put({
		key: messageId,
		order: seq,
		at: Date.parse(timestamp),
		text: message,
		connectionId,
		name,
		own,
		state: "stored",
	});

when("messages", ({ room: from, messages }) => {
	const shown = transcript(from);
	const away = from !== room || !log.reading;
	let news;
	for (const frame of messages) {
		const isNew = frame.seq > Math.max(shown.lastSeq, shown.seen) && !frame.own;
		const item = putStored(shown, frame);
		people.typed(item.connectionId);
		if (!isNew) continue;
		news = item;
		// Those that came while the reader was away begin below a line, even if the reader is back.
		if (!shown.unread && (away || shown.seen < Infinity)) shown.unreadFrom = item;
		shown.seen = Infinity;
		if (away) shown.unread += 1;
	}
	if (from !== room) return;
	if (log.following) shown.trim();
	log.update();
	saveSoon();
	if (!news || document.hasFocus()) return;
	showUnread(`#${room} · Chat`, shown.unread);
	if (kept("sound", false)) chime();
	if (kept("notify", false)) notify(`${news.name} in #${room}`, news.text);
});

when("lost", () => say("Some of what was said while you were away is no longer kept by the server."));

when("pending", ({ messageId, room: to, text: words, at }) => {
	const connectionId = connection.connectionId ?? "";
	const name = connection.name || connectionId;
	const item = { key: messageId, order: Infinity, at, text: words, connectionId, name, own: true };
	transcript(to).put({ ...item, state: "pending" });
	log.update();
});

when("failed", (failure) => {
	const shown = transcript(failure.room);
	const item = shown.get(failure.messageId);
	if (item) shown.put({ ...item, state: "failed", problem: text.advice(failure) });
	log.update();
});

when("discarded", ({ messageId }) => {
	for (const each of transcripts.values()) each.remove(messageId);
	log.update();
});

when("refused", (/** @type {any} */ refusal) => {
	const { code } = refusal;
	if (code === "invalid_name") ui.nameForm.hidden = false;
	/** @type {Record<string, any>} */
	const places = { invalid_name: ui.nameProblem, invalid_room: ui.roomProblem };
	(places[code] ?? ui.composerProblem).textContent = text.advice(refusal);
});

/** @param {string} type @param {(key: string) => void} act */
const onLog = (type, act) => log.addEventListener(type, (event) => act(/** @type {CustomEvent} */ (event).detail));
onLog("read", save);
onLog("retry", (key) => connection.retry(key));
onLog("discard", (key) => {
	connection.discard(key);
	box.focus();
});
let asking = false;
onLog("older", async () => {
	const from = room;
	const shown = transcript();
	if (asking || !shown.firstSeq || connection.state !== "connected") return;
	asking = true;
	try {
		const { messages, complete } = await connection.older(from, shown.firstSeq);
		for (const frame of messages) putStored(shown, frame);
		shown.complete = complete;
		if (from === room) log.grow();
	} catch {
		// The link broke meanwhile: the next scroll asks again.
	}
	asking = false;
});

// People and rooms.

when("presence", (presence) => {
	const { event, connectionId = "", name = "" } = presence;
	const former = people.name(connectionId);
	people.change(presence);
	const who = text.isolated(name || former || "");
	if (connectionId === connection.connectionId) return;
	if (event === "join" || event === "leave") say(`${who} ${event === "join" ? "joined" : "left"}`, connectionId);
	if (event === "rename" && former && former !== name) say(`${text.isolated(former)} is now ${who}`);
});
when("typing", ({ connectionId, name }) => people.types(connectionId, text.isolated(name)));

window.addEventListener("hashchange", () => {
	const next = roomInAddress();
	if (next === room) return;
	save();
	room = next;
	showRoom();
	connection.join(room);
});
window.addEventListener("storage", ({ key }) => key === "chat.rooms" && showCounts());

onSubmit(ui.roomForm, () => {
	const next = text.roomFrom(ui.newRoom.value);
	ui.roomProblem.textContent = next ? "" : "A room's name needs letters (a to z) or digits.";
	if (!next) return;
	ui.newRoom.value = "";
	location.hash = next;
	ui.rooms.hidePopover();
	box.focus();
});
ui.roomList.onclick = (/** @type {any} */ { target }) => {
	if (target.closest("a")) ui.rooms.hidePopover();
	if (!target.value) return;
	forget(target.value);
	showCounts();
};
ui.share.onclick = async () => {
	location.hash = room;
	const { href } = location;
	try {
		if (touch.matches && navigator.share) await navigator.share({ title: `#${room}`, url: href });
		else await navigator.clipboard.writeText(href);
		ui.share.textContent = "Copied";
	} catch {
		say(`Copy this address to share the room: ${href}`);
	}
	setTimeout(() => {
		ui.share.textContent = "Share";
	}, 2000);
};

// The name.

function askName() {
	ui.people.hidePopover();
	ui.nameForm.hidden = false;
	ui.name.value = kept("name", "");
	ui.name.focus();
}
function nameAsked() {
	ui.nameForm.hidden = true;
	box.focus();
}
ui.rename.onclick = askName;
ui.later.onclick = () => {
	keep("unnamed", true);
	nameAsked();
};
onSubmit(ui.nameForm, () => {
	const name = ui.name.value.trim().normalize("NFC");
	const wrong = text.nameProblem(name);
	ui.nameProblem.textContent = wrong;
	if (wrong) return ui.name.focus();
	keep("name", name);
	connection.rename(name);
	nameAsked();
});

// The composer.

const lengthOf = (/** @type {string} */ words) => [...words].length;

function showCount() {
	const length = lengthOf(box.value.trim());
	ui.counter.textContent = text.counter(length);
	ui.counter.classList.toggle("over", length > text.MAX_MESSAGE);
}

function send() {
	const words = box.value.trim();
	box.focus();
	if (box.disabled || !words || lengthOf(words) > text.MAX_MESSAGE) return;
	const shown = transcript();
	shown.unreadFrom = undefined;
	ui.composerProblem.textContent = "";
	connection.send(words);
	box.value = "";
	drafted();
	log.toNewest();
}
function drafted() {
	keep(`draft.${room}`, box.value);
	showCount();
}
onSubmit(ui.composer, send);
box.onkeydown = (/** @type {KeyboardEvent} */ event) => {
	if (event.key !== "Enter" || event.shiftKey || event.isComposing || touch.matches) return;
	event.preventDefault();
	send();
};
box.oninput = () => {
	drafted();
	if (box.value.trim()) connection.typing();
};

// Choices, and the tab itself.

for (const key of ["sound", "notify"]) {
	const choice = ui[key];
	choice.checked = kept(key, false);
	choice.onchange = async () => {
		const wrong = key === "notify" && choice.checked ? await allowNotifications() : "";
		ui.choiceProblem.textContent = wrong;
		if (wrong) choice.checked = false;
		keep(key, choice.checked);
		if (key === "sound" && choice.checked) chime();
	};
}
document.addEventListener("visibilitychange", () => document.hidden || connection.wake());
window.addEventListener("online", () => connection.wake());
window.addEventListener("pagehide", save);

ui.url.value = server;
ui.nameForm.hidden = kept("name", "") !== "" || kept("unnamed", false);
allowWriting(false);
showRoom();
if (server) connect();
else ui.urlProblem.textContent = "This page knows no server: enter the WebSocket URL of one.";
