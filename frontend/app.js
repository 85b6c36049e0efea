/** Joins the page's parts: the connection's events go to the views, the user's wishes to the connection. */

import { allowNotifications, chime, notify, showUnread } from './alerts.js';
import { ChatConnection } from './connection.js';
import { Log } from './log.js';
import { choose, chosen, draft, forget, keep, keepDraft, kept, note as noteRoom, visited } from './settings.js';
import { drawer, People, showRooms } from './sides.js';
import { addressProblem, COUNTER_FROM, chosenName, listed, MAX_MESSAGE, nameProblem, roomFrom } from './text.js';
import { Transcript } from './transcript.js';

/** @template {HTMLElement} [T=HTMLElement] @param {string} id */
const byId = (id) => /** @type {T} */ (document.getElementById(id));
const byIdInput = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ (byId(id));
const byIdButton = (/** @type {string} */ id) => /** @type {HTMLButtonElement} */ (byId(id));

const DEFAULT_ROOM = 'lobby';
const NOTE_GROUP_MS = 5 * 60 * 1000;
const MAX_PEOPLE_IN_NOTE = 6;
const SAVE_MS = 1000;

const url = byIdInput('url');
const box = /** @type {HTMLTextAreaElement} */ (byId('message'));
const nameForm = byId('name-form');
const touch = matchMedia('(pointer: coarse)').matches;

/** @type {Map<string, Transcript>} */
const transcripts = new Map();
const people = new People();
let notes = 0;
let hadFocus = true;
let loadingOlder = false;
let saving = 0;
/** Whether the page has once been connected to this address. */
let reached = false;

const roomInAddress = () => roomFrom(decodeURIComponent(location.hash.slice(1))) || DEFAULT_ROOM;
let room = roomInAddress();

/** @param {string} name */
function transcript(name) {
  const known = transcripts.get(name) ?? new Transcript();
  transcripts.set(name, known);
  return known;
}

const log = new Log(transcript(room), byId('log'), byIdButton('jump'));

async function deployedAddress() {
  try {
    const answer = await fetch('config.json', { cache: 'no-cache' });
    return answer.ok ? String((await answer.json()).websocketUrl ?? '') : '';
  } catch {
    return '';
  }
}

const deployed = await deployedAddress();
url.value = kept('url') || deployed;
const connection = new ChatConnection({
  url: url.value,
  room,
  name: kept('name'),
  storage: sessionStorage,
});

/** @param {string} type @param {(detail: any) => void} listener */
const when = (type, listener) =>
  connection.addEventListener(type, (event) => listener(/** @type {CustomEvent} */ (event).detail));

/** A quiet line of the page's own. @param {string} text @param {string[]} [coming] */
function say(text, coming) {
  const shown = transcript(room);
  const at = Date.now();
  const last = shown.items.at(-1);
  if (coming && last?.people && at - last.at < NOTE_GROUP_MS) {
    const all = [...last.people.filter((each) => !coming.includes(each)), ...coming].slice(-MAX_PEOPLE_IN_NOTE);
    shown.put({ ...last, people: all, text: all.join(' · ') });
  } else {
    notes += 1;
    const order = shown.lastSeq + 0.5;
    const item = { key: `note-${notes}`, order, at, text, connectionId: '', name: '', own: false };
    shown.put({ ...item, state: 'note', ...(coming && { people: coming }) });
  }
  log.update();
}

function showSides() {
  const { unread } = transcript(room);
  showRooms(room, unread);
  showUnread(`#${room} · Chat`, unread);
}

/** Keeps how far this room is read, at most once a second however much arrives. */
function save() {
  if (saving) return;
  saving = window.setTimeout(() => {
    saving = 0;
    saveNow();
  }, SAVE_MS);
}

function saveNow() {
  const { lastSeq, unread, unreadFrom } = transcript(room);
  noteRoom(room, lastSeq, unread && unreadFrom ? unreadFrom.order - 1 : lastSeq);
  showSides();
}

/** @param {string} next */
function enter(next) {
  saveNow();
  keepDraft(room, box.value);
  room = next;
  showRoom();
  connection.join(room);
}

function showRoom() {
  byId('room-name').textContent = `#${room}`;
  box.value = draft(room);
  box.placeholder = `Message #${room}`;
  noteRoom(room, 0, 0);
  log.show(transcript(room));
  showSides();
  count();
}

// The server: address, Connect, Disconnect, status.

/** @param {string} address */
function connectTo(address) {
  const wrong = addressProblem(address);
  byId('url-problem').textContent = wrong;
  url.setAttribute('aria-invalid', String(wrong !== ''));
  if (wrong) {
    byId('server').classList.add('open');
    url.focus();
    return;
  }
  keep('url', address === deployed ? '' : address);
  reached &&= address === connectedTo;
  connectedTo = address;
  connection.connect(address);
}
let connectedTo = '';

byId('server').addEventListener('submit', (event) => {
  event.preventDefault();
  connectTo(url.value.trim());
});
byId('disconnect').addEventListener('click', () => connection.disconnect());
byId('try-now').addEventListener('click', () => connection.connect());
byId('go-back').addEventListener('click', () => {
  url.value = deployed;
  connectTo(deployed);
});

let retryAt = 0;
let ticking = 0;

function tick() {
  const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
  byId('countdown').textContent = retryAt ? `Trying again in ${seconds} s.` : '';
  window.clearTimeout(ticking);
  if (retryAt) ticking = window.setTimeout(tick, 250);
}

let before = 'disconnected';

when('state', ({ state, retryAt: next }) => {
  const connected = state === 'connected';
  const idle = state === 'disconnected';
  const status = byId('status');
  status.dataset.state = state;
  const text = connected ? 'Connected' : state === 'connecting' ? 'Connecting…' : 'Disconnected';
  if (byId('status-text').textContent !== text) byId('status-text').textContent = text;
  byIdButton('connect').disabled = connected || state === 'connecting';
  byIdButton('disconnect').disabled = idle;
  if (!connected && before === 'connected') hadFocus = document.activeElement === box;
  if (!connected) {
    box.disabled = byIdButton('send').disabled = true;
    people.set([], 0, '');
  }
  if (before === 'connected' && idle) say('You are disconnected. Press Connect to come back.');
  if (before === 'connected' && state === 'waiting') say('The connection was lost.');
  retryAt = state === 'waiting' ? (next ?? 0) : 0;
  if (state === 'waiting' || connected || idle) {
    byId('banner').hidden = state !== 'waiting';
    byId('banner-text').textContent =
      state !== 'waiting'
        ? ''
        : reached
          ? 'Offline. What you wrote is kept and will be sent.'
          : `No answer from ${connectedTo}. Is the URL right, and are you online?`;
    byId('go-back').hidden = !deployed || connectedTo === deployed;
  }
  if (connected) reached = true;
  before = state;
  tick();
});

when('joined', ({ room: joined, connectionId, members, memberCount, complete, resumed }) => {
  const shown = transcript(joined);
  if (!resumed) {
    shown.reset();
    shown.complete = complete;
  }
  if (joined !== room) return;
  people.set(members, memberCount, connectionId);
  box.disabled = byIdButton('send').disabled = false;
  const nowhere = document.activeElement === document.body || document.activeElement === null;
  if (nowhere && hadFocus && !touch) box.focus();
  say(`You are connected to #${joined}.`);
});

when('lost', () => say('Some of what was said while you were away is no longer kept by the server.'));

// Messages.

when('messages', ({ room: where, messages }) => {
  const shown = transcript(where);
  const seen = visited().find((each) => each.room === where)?.read ?? 0;
  const reading = log.reading && where === room;
  let news = 0;
  for (const each of messages) {
    const { messageId, seq, timestamp, message, connectionId, name, own } = each;
    const fresh = shown.get(messageId)?.state !== 'stored' && seq > shown.lastSeq && seq > seen;
    const item = shown.put({
      key: messageId,
      order: seq,
      at: Date.parse(timestamp),
      text: message,
      connectionId,
      name,
      own: Boolean(own),
      state: 'stored',
    });
    people.typed(connectionId);
    if (own || !fresh) continue;
    news += 1;
    if (reading) continue;
    if (!shown.unread) shown.unreadFrom = item;
    shown.unread += 1;
  }
  if (where !== room) return;
  shown.trim();
  log.update();
  save();
  if (!news || (!document.hidden && document.hasFocus())) return;
  showUnread(`#${room} · Chat`, shown.unread);
  const last = messages.at(-1);
  if (chosen('sound')) chime();
  if (chosen('notify')) notify(`${last.name} in #${room}`, last.message);
});

when('pending', ({ messageId, room: where, text, at }) => {
  transcript(where).put({
    key: messageId,
    order: Infinity,
    at: at ?? Date.now(),
    text,
    connectionId: connection.connectionId ?? '',
    name: connection.name || (connection.connectionId ?? ''),
    own: true,
    state: 'pending',
  });
  if (where === room) log.update();
});

when('failed', ({ messageId, room: where, error, code, retryAfterMs }) => {
  const item = transcript(where).get(messageId);
  if (!item) return;
  transcript(where).put({ ...item, state: 'failed', problem: advice(code, error, retryAfterMs) });
  if (where === room) log.update();
});

when('discarded', ({ messageId }) => {
  for (const each of transcripts.values()) each.remove(messageId);
  log.update();
});

/** What happened, and what to do. @param {string} code @param {string} error @param {number} [waitMs] */
function advice(code, error, waitMs) {
  if (code === 'rate_limited') return `Too many messages at once: wait ${Math.ceil((waitMs ?? 1000) / 1000)} s, then retry.`;
  if (code === 'message_too_long') return 'It is longer than 4,000 characters: send it in parts.';
  if (code === 'internal') return 'The server had a problem: retry in a moment.';
  return `${error.replace(/\.?$/, '.')}`;
}

when('refused', ({ error, code, retryAfterMs }) => {
  if (code === 'invalid_name') {
    nameForm.hidden = false;
    byId('name-problem').textContent = `The server refused that name: ${error}`;
  } else if (code === 'invalid_room') byId('room-problem').textContent = `The server refused that room: ${error}`;
  else byId('composer-problem').textContent = advice(code, error, retryAfterMs);
});

log.addEventListener('retry', (event) => connection.retry(/** @type {CustomEvent} */ (event).detail.key));
log.addEventListener('discard', (event) => {
  connection.discard(/** @type {CustomEvent} */ (event).detail.key);
  box.focus();
});
log.addEventListener('read', () => {
  save();
  showUnread(`#${room} · Chat`, transcript(room).unread);
});
log.addEventListener('older', async () => {
  const where = room;
  const shown = transcript(where);
  const { firstSeq } = shown;
  if (loadingOlder || firstSeq === undefined || connection.state !== 'connected') return;
  loadingOlder = true;
  try {
    const { messages, complete } = await connection.older(where, firstSeq);
    for (const each of messages) {
      const { messageId, seq, timestamp, message, connectionId, name, own } = each;
      shown.put({ key: messageId, order: seq, at: Date.parse(timestamp), text: message, connectionId, name, own: Boolean(own), state: 'stored' });
    }
    shown.complete = complete;
    if (where === room) log.grew();
  } catch {
    // The link broke meanwhile: scrolling asks again.
  }
  loadingOlder = false;
});

// People and rooms.

when('presence', (presence) => {
  const { event, connectionId = '', name = '' } = presence;
  if (presence.room !== room) return;
  const shownName = (/** @type {string} */ full) => `\u2068${chosenName(full, connectionId) || full}\u2069`;
  const former = people.name(connectionId);
  people.change(presence);
  if (connectionId === connection.connectionId) return;
  if (event === 'join') say('', [`${shownName(name)} joined`]);
  else if (event === 'leave') say('', [`${shownName(name || former)} left`]);
  else if (event === 'rename' && former && former !== name) say(`${shownName(former)} is now ${shownName(name)}`);
});
when('typing', ({ connectionId, name }) => people.types(connectionId, name));

window.addEventListener('hashchange', () => {
  const next = roomInAddress();
  roomsDrawer.close();
  if (next !== room) enter(next);
});
window.addEventListener('storage', (event) => event.key === 'chat.rooms' && showSides());
byId('room-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const field = byIdInput('new-room');
  const next = roomFrom(field.value);
  byId('room-problem').textContent = next ? '' : 'A room needs letters (a to z) or digits in its name';
  if (!next) return;
  field.value = '';
  location.hash = next;
  roomsDrawer.close();
  box.focus();
});
byId('room-list').addEventListener('click', (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest('button');
  if (!button) return;
  event.stopPropagation();
  forget(button.value);
  showSides();
});
byId('share').addEventListener('click', async () => {
  const address = new URL(`#${room}`, location.href).href;
  const button = byId('share');
  try {
    if (navigator.share && touch) await navigator.share({ title: `#${room}`, url: address });
    else await navigator.clipboard.writeText(address);
    button.textContent = 'Copied';
  } catch {
    location.hash = room;
    say(`Share this address: ${address}`);
  }
  setTimeout(() => {
    button.textContent = 'Share';
  }, 2000);
});
const roomsDrawer = drawer(byId('rooms-toggle'), byId('rooms'));
drawer(byId('people-toggle'), byId('people'));
byId('server-toggle').addEventListener('click', () => {
  const open = byId('server').classList.toggle('open');
  byId('server-toggle').ariaExpanded = String(open);
});

// The name.

function showName() {
  byId('rename').textContent = kept('name') ? 'Change my name' : 'Choose a name';
}
byId('rename').addEventListener('click', (event) => {
  event.stopPropagation();
  nameForm.hidden = false;
  byIdInput('name').value = kept('name');
  byId('people').classList.remove('open');
  byIdInput('name').focus();
});
nameForm.addEventListener('submit', (event) => {
  event.preventDefault();
  const name = byIdInput('name').value.trim().normalize('NFC');
  const wrong = nameProblem(name);
  byId('name-problem').textContent = wrong;
  if (wrong) return byIdInput('name').focus();
  keep('name', name);
  connection.rename(name);
  nameForm.hidden = true;
  showName();
  box.focus();
});
byId('name-later').addEventListener('click', () => {
  choose('unnamed', true);
  nameForm.hidden = true;
  box.focus();
});

// The composer.

function count() {
  const length = [...box.value.trim()].length;
  const counter = byId('counter');
  counter.classList.toggle('over', length > MAX_MESSAGE);
  const left = MAX_MESSAGE - length;
  counter.textContent =
    length < COUNTER_FROM ? '' : left < 0 ? `${-left} characters too many: shorten it or send it in parts` : `${left} characters left`;
}

function send() {
  const text = box.value.trim();
  byId('composer-problem').textContent = '';
  count();
  if (box.disabled || !text) return box.focus();
  if ([...text].length > MAX_MESSAGE) return box.focus();
  const shown = transcript(room);
  shown.unread = 0;
  shown.unreadFrom = undefined;
  connection.send(text);
  box.value = '';
  keepDraft(room, '');
  count();
  log.toNewest();
  box.focus();
}
byId('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  send();
});
box.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229 || touch) return;
  event.preventDefault();
  send();
});
box.addEventListener('input', () => {
  keepDraft(room, box.value);
  count();
  if (box.value.trim()) connection.typing();
});

// Choices, and the tab itself.

for (const key of /** @type {const} */ (['sound', 'notify'])) {
  const choice = byIdInput(key);
  choice.checked = chosen(key);
  choice.addEventListener('change', async () => {
    const wrong = key === 'notify' && choice.checked ? await allowNotifications() : '';
    byId('notify-problem').textContent = wrong;
    if (wrong) choice.checked = false;
    choose(key, choice.checked);
    if (key === 'sound' && choice.checked) chime();
  });
}
document.addEventListener('visibilitychange', () => document.hidden || connection.wake());
window.addEventListener('online', () => connection.wake());
window.addEventListener('pagehide', saveNow);

if (touch) box.enterKeyHint = 'enter';
nameForm.hidden = kept('name') !== '' || chosen('unnamed');
showName();
showRoom();
if (url.value) connectTo(url.value);
else byId('url-problem').textContent = addressProblem('');
