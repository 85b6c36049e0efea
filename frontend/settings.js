/** What this browser keeps for its user: address, name, rooms, choices, drafts. Knows nothing of the page. */

/** @typedef {{room: string, read: number, last: number}} Visited a room with the seq read and the seq known */

const PREFIX = 'chat.';
const MAX_ROOMS = 30;

/** Storage may be full or forbidden; the chat goes on without it.
 * @param {Storage} storage @param {string} key @param {unknown} value */
function write(storage, key, value) {
  try {
    if (value === '' || value === undefined) storage.removeItem(PREFIX + key);
    else storage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // Nothing to do: what is not kept is asked for again.
  }
}

/** @template T @param {Storage} storage @param {string} key @param {T} otherwise @returns {T} */
function read(storage, key, otherwise) {
  try {
    const value = JSON.parse(storage.getItem(PREFIX + key) ?? 'null');
    return typeof value === typeof otherwise && value !== null ? value : otherwise;
  } catch {
    return otherwise;
  }
}

/** @param {'url' | 'name'} key */
export const kept = (key) => read(localStorage, key, '');
/** @param {'url' | 'name'} key @param {string} value */
export const keep = (key, value) => write(localStorage, key, value);

/** @param {'sound' | 'notify' | 'unnamed'} key */
export const chosen = (key) => read(localStorage, key, false);
/** @param {'sound' | 'notify' | 'unnamed'} key @param {boolean} on */
export const choose = (key, on) => write(localStorage, key, on);

/** Drafts belong to the tab. @param {string} room */
export const draft = (room) => read(sessionStorage, `draft.${room}`, '');
/** @param {string} room @param {string} text */
export const keepDraft = (room, text) => write(sessionStorage, `draft.${room}`, text);

/** @returns {Visited[]} in the order of the first visit */
export function visited() {
  const rooms = read(localStorage, 'rooms', /** @type {Visited[]} */ ([]));
  return Array.isArray(rooms) ? rooms.filter((each) => typeof each?.room === 'string') : [];
}

/** Notes how far a room goes, and how far it is read; other tabs may know more, so the larger number counts.
 * @param {string} room @param {number} last @param {number} readUpTo */
export function note(room, last, readUpTo) {
  const rooms = visited();
  const known = rooms.find((each) => each.room === room);
  if (!known) rooms.push({ room, last, read: readUpTo });
  else if (known.last >= last && known.read >= readUpTo) return;
  else Object.assign(known, { last: Math.max(known.last, last), read: Math.max(known.read, readUpTo) });
  write(localStorage, 'rooms', rooms.slice(-MAX_ROOMS));
}

/** @param {string} room */
export function forget(room) {
  write(
    localStorage,
    'rooms',
    visited().filter((each) => each.room !== room),
  );
}
