/** Joins the parts: what the connection tells goes to the views, what the user wishes to the connection. */

import { browser } from "./browser.js";
import { newConnection } from "./connection.js";
import { log } from "./log.js";
import { page, ui } from "./page.js";
import { text } from "./text.js";
import { newTranscript } from "./transcript.js";

const SAVE_MS = 1000;
const TICK_MS = 250;
const MANY_PEOPLE = 100;

const { kept, keep } = browser;
const box = ui.message;
const touch = matchMedia("(pointer: coarse)");
/** Decoded as a query is: that never throws. */
const roomInAddress = () => text.roomFrom(new URLSearchParams(`=${location.hash}`).get("") ?? "") || "lobby";
let room = roomInAddress();

/** @type {Map<string, Transcript>} */
const transcripts = new Map();
function transcript(of = room) {
	const known = transcripts.get(of) ?? newTranscript();
	transcripts.set(of, known);
	return known;
}

// At once: what comes later must not move what is there.
ui.nameForm.hidden = kept("name", undefined) !== undefined;

const config = await fetch("config.json", { cache: "no-cache" })
	.then((answer) => answer.json())
	.catch(() => ({})); // A page without one: the user enters the address.
/** @type {string} */
const deployed = config.websocketUrl ?? "";
let server = kept("url", "") || deployed;
const connection = newConnection({ ...browser, url: server, room, name: kept("name", "") });

/** A quiet line among the messages. @param {string} words @param {boolean} [coming] */
function say(words, coming) {
	transcript().note(words, Date.now(), coming);
	log.update();
}

/** @param {Unsent} unsent @param {Item["state"]} state @param {string} [problem] */
function showUnsent({ messageId, room: to, text: message, at }, state, problem) {
	const { connectionId, name } = connection;
	transcript(to).put({ messageId, seq: Infinity, at, message, connectionId, name, own: true, state, problem });
	log.update();
}

function showCounts() {
	const { unread } = transcript();
	browser.showUnread(`#${room} · Chat`, unread);
	page.showRooms(room, unread);
}

let saving = 0;
function save() {
	clearTimeout(saving);
	saving = 0;
	const { lastSeq, unread, unreadFrom } = transcript();
	browser.visit(room, lastSeq, unread && unreadFrom ? unreadFrom.seq - 1 : lastSeq);
	showCounts();
}
function saveSoon() {
	saving ||= setTimeout(save, SAVE_MS);
}

function showRoom() {
	ui.roomName.textContent = `#${room}`;
	box.value = kept(`draft.${room}`, "");
	browser.visit(room);
	log.show(transcript());
	showLength();
}

// The server.

let reached = false;

/** @param {string} problem */
function showUrlProblem(problem) {
	ui.urlProblem.textContent = problem;
	ui.url.ariaInvalid = String(!!problem);
	if (problem && ui.serverButton.checkVisibility()) ui.server.showPopover();
	if (problem) ui.url.focus();
}

function connect() {
	const address = ui.url.value.trim();
	const problem = text.addressProblem(address);
	showUrlProblem(problem);
	if (problem) return;
	ui.server.hidePopover();
	reached &&= address === server;
	server = address;
	keep("url", address === deployed ? "" : address);
	connection.connect(address);
}
ui.server.onsubmit = connect;
ui.disconnect.onclick = () => connection.disconnect();
ui.tryNow.onclick = () => connection.connect();
ui.ownServer.onclick = () => {
	ui.url.value = deployed;
	connect();
};

let retryAt = 0;
setInterval(() => {
	const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
	if (!ui.banner.hidden) ui.countdown.textContent = `Next try in ${seconds} s.`;
}, TICK_MS);

/** @param {boolean} allowed */
function allowWriting(allowed) {
	box.disabled = ui.send.disabled = !allowed;
	box.placeholder = allowed ? `Message #${room}` : "Not connected";
}

/** What the connection tells. @type {Record<string, (detail: any) => void>} */
const told = {
	state({ state, retryAt: next = 0 }) {
		const { dataset } = ui.status;
		const connected = state === "connected";
		const waiting = state === "waiting";
		if (dataset.state === "connected" && !connected) {
			save();
			page.setPeople([], 0, "");
			say(waiting ? "The connection was lost." : "You are disconnected. Press Connect to come back.");
		}
		dataset.state = state;
		ui.status.textContent = connected ? "Connected" : state === "connecting" ? "Connecting…" : "Disconnected";
		ui.connect.disabled = connected || state === "connecting";
		ui.disconnect.disabled = state === "disconnected";
		reached ||= connected;
		if (!connected) allowWriting(false);
		retryAt = next;
		if (state === "connecting") return; // What the banner says stays until that has ended.
		const why = reached ? "You are offline. What you wrote is kept." : `No answer from ${server}. Is the URL right?`;
		ui.banner.hidden = !waiting;
		ui.bannerText.textContent = waiting ? why : "";
		ui.ownServer.hidden = !deployed || server === deployed;
	},

	joined({ room: joined, connectionId, members, memberCount, lastSeq, complete, resumed }) {
		const shown = transcript(joined);
		if (!resumed) shown.reset(complete);
		shown.seen = Math.min(lastSeq, browser.visited().find((each) => each.room === joined)?.read || lastSeq);
		shown.missed = lastSeq > shown.seen;
		if (joined !== room) return;
		page.setPeople(members, memberCount, connectionId);
		allowWriting(true);
		const focus = document.activeElement ?? document.body;
		if ((focus === document.body || ui.banner.contains(focus)) && !touch.matches) box.focus();
		queueMicrotask(() => say(`You are connected to #${joined}.`)); // below the messages that come with it
		saveSoon();
	},

	messages({ room: from, messages }) {
		const shown = transcript(from);
		const news = shown.store(messages, from !== room || !log.reading);
		for (const { connectionId, own } of messages) {
			page.typed(connectionId);
			if (own) ui.composerProblem.textContent = "";
		}
		if (from !== room) return;
		if (log.following) shown.trim();
		log.update();
		saveSoon();
		if (!news || document.hasFocus()) return;
		showCounts();
		if (kept("sound", false)) browser.chime();
		if (kept("notify", false)) browser.notify(`${news.name} in #${room}`, news.message);
	},

	lost: () => say("Some of what was said meanwhile is no longer kept: ask those who were here."),

	pending: (unsent) => showUnsent(unsent, "pending"),

	failed: (unsent) => showUnsent(unsent, "failed", text.advice(unsent)),

	discarded({ messageId }) {
		transcript().remove(messageId);
		log.update();
		box.focus();
	},

	refused(refusal) {
		const ofName = refusal.code === "invalid_name";
		if (ofName) ui.nameForm.hidden = false;
		(ofName ? ui.nameProblem : ui.composerProblem).textContent = text.advice(refusal);
	},

	presence(presence) {
		const { event, connectionId, name } = presence;
		const former = page.changePeople(presence);
		const who = text.isolated(name || former || "");
		if (connectionId === connection.connectionId) return;
		if (event === "join") say(`${who} joined`, true);
		if (event === "leave") say(`${who} left`, true);
		if (event === "rename" && former && former !== name) say(`${text.isolated(former)} is now ${who}`);
	},

	typing: page.types,
};
for (const [type, hear] of Object.entries(told))
	connection.addEventListener(type, (event) => hear(/** @type {CustomEvent} */ (event).detail));

let asking = false;
log.read = save;
log.older = async () => {
	if (asking) return;
	asking = true;
	const shown = transcript();
	try {
		const { messages, complete } = await connection.older(room, shown.firstSeq);
		shown.store(messages);
		shown.complete = complete;
		log.grow();
	} catch {
		// The link broke, or the room was left: the next scroll asks again.
	}
	asking = false;
};
ui.log.onclick = (/** @type {any} */ { target }) => {
	const id = target.closest("article")?.dataset.id;
	if (target.value === "retry") connection.retry(id);
	if (target.value === "discard") connection.discard(id);
};

// Rooms.

addEventListener("hashchange", () => {
	const next = roomInAddress();
	if (next === room) return;
	save();
	room = next;
	showRoom();
	connection.join(room);
});
addEventListener("storage", ({ key }) => key === "chat.rooms" && showCounts());

ui.roomForm.onsubmit = () => {
	const next = text.roomFrom(ui.newRoom.value);
	ui.roomProblem.textContent = next ? "" : "A room's name needs letters (a to z) or digits.";
	if (!next) return;
	ui.newRoom.value = "";
	location.hash = next;
	ui.rooms.hidePopover();
	box.focus();
};
ui.roomList.onclick = (/** @type {any} */ { target }) => {
	if (target.closest("a")) ui.rooms.hidePopover();
	const rest = browser.visited().filter((each) => each.room !== target.value);
	if (target.value) keep("rooms", rest);
	showCounts();
};
ui.share.onclick = async () => {
	location.hash = room;
	try {
		await navigator.clipboard.writeText(location.href);
		say("This room's address is copied.");
	} catch {
		say(`Copy this address to share the room: ${location.href}`); // A page over http may not copy.
	}
};

// The name.

ui.rename.onclick = () => {
	ui.people.hidePopover();
	ui.nameForm.hidden = false;
	ui.name.value = kept("name", "");
	ui.name.focus();
};
function nameAsked() {
	ui.nameForm.hidden = true;
	box.focus();
}
ui.later.onclick = () => {
	keep("name", kept("name", ""));
	nameAsked();
};
ui.nameForm.onsubmit = () => {
	const name = ui.name.value.trim().normalize("NFC");
	const problem = text.nameProblem(name);
	ui.nameProblem.textContent = problem;
	if (problem) return ui.name.focus();
	keep("name", name);
	connection.rename(name);
	nameAsked();
};

// The composer.

/** Says how long the draft is; returns whether it can be sent. */
function showLength() {
	const { length } = [...box.value.trim()];
	ui.counter.textContent = text.counter(length);
	return text.sendable(length);
}

function drafted() {
	keep(`draft.${room}`, box.value);
	return showLength();
}

function send() {
	box.focus();
	if (box.disabled || !showLength()) return;
	transcript().unreadFrom = undefined;
	ui.composerProblem.textContent = "";
	if (!connection.send(box.value.trim())) return;
	box.value = "";
	drafted();
	log.toNewest();
}
ui.composer.onsubmit = send;
box.onkeydown = (/** @type {KeyboardEvent} */ event) => {
	if (event.key !== "Enter" || event.shiftKey || event.isComposing || touch.matches) return;
	event.preventDefault();
	send();
};
box.oninput = () => {
	if (drafted() && page.count <= MANY_PEOPLE) connection.typing();
};

// Choices, and the tab itself.

for (const key of ["sound", "notify"]) {
	const choice = ui[key];
	choice.checked = kept(key, false);
	choice.onchange = async () => {
		const problem = key === "notify" && choice.checked ? await browser.allowNotifications() : "";
		ui.choiceProblem.textContent = problem;
		choice.checked &&= !problem;
		keep(key, choice.checked);
		if (key === "sound" && choice.checked) browser.chime();
	};
}
document.addEventListener("visibilitychange", () => document.hidden || connection.wake());
addEventListener("online", () => connection.wake());
addEventListener("pagehide", save);

ui.url.value = server;
showRoom();
if (server) connect();
else showUrlProblem("This page knows no server: enter the WebSocket URL of one.");
