/** The two sides of the page: the rooms visited, and who is here. Knows no socket. */

import { element } from './log.js';
import { visited } from './settings.js';
import { chosenName, listed, shortId, tint } from './text.js';

const TYPING_MS = 5000;

/** @typedef {{connectionId: string, name: string}} Member */

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** Makes a side panel open and close on narrow screens.
 * @param {HTMLElement} button @param {HTMLElement} panel */
export function drawer(button, panel) {
  const set = (/** @type {boolean} */ open) => {
    if (open === panel.classList.contains('open')) return;
    panel.classList.toggle('open', open);
    button.ariaExpanded = String(open);
    if (open) panel.focus();
    else if (panel.contains(document.activeElement)) button.focus();
  };
  button.addEventListener('click', () => set(!panel.classList.contains('open')));
  document.addEventListener('click', (event) => {
    const at = /** @type {Node} */ (event.target);
    if (!panel.contains(at) && !button.contains(at)) set(false);
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') set(false);
  });
  return { close: () => set(false) };
}

/** Draws the rooms visited, the current one marked, with what is unread in the others.
 * @param {string} current @param {number} unreadHere */
export function showRooms(current, unreadHere) {
  let elsewhere = false;
  const rows = visited().map(({ room, last, read }) => {
    const link = /** @type {HTMLAnchorElement} */ (element('a', '', element('span', 'label', room)));
    link.href = `#${room}`;
    const unread = room === current ? unreadHere : Math.max(0, last - read);
    if (room === current) link.setAttribute('aria-current', 'page');
    else elsewhere ||= unread > 0;
    if (unread) link.append(' ', element('span', 'badge', unread > 99 ? '99+' : String(unread), element('span', 'hidden', ' new')));
    const row = element('li', '', link);
    if (room !== current) {
      const button = /** @type {HTMLButtonElement} */ (element('button', 'forget', '×'));
      button.type = 'button';
      button.value = room;
      button.ariaLabel = `Forget ${room}`;
      row.append(button);
    }
    return row;
  });
  byId('room-list').replaceChildren(...rows);
  byId('rooms-badge').hidden = !elsewhere;
}

/** Who is here, and who is typing. */
export class People {
  /** @type {Map<string, Member>} */
  #members = new Map();
  /** @type {Map<string, {name: string, timer: number}>} */
  #typing = new Map();
  #own = '';
  #count = 0;

  /** @param {Member[]} members @param {number} count @param {string} own */
  set(members, count, own) {
    this.#members = new Map(members.map((member) => [member.connectionId, member]));
    this.#own = own;
    this.#count = count;
    for (const id of this.#typing.keys()) this.typed(id);
    this.#show();
  }

  /** @param {{event: string, connectionId?: string, name?: string, memberCount?: number}} presence */
  change({ event, connectionId = '', name = '', memberCount }) {
    if (event === 'leave') {
      this.#members.delete(connectionId);
      this.typed(connectionId);
    } else if (event === 'join' || event === 'rename') this.#members.set(connectionId, { connectionId, name });
    this.#count = memberCount ?? this.#members.size;
    this.#show();
  }

  /** @param {string} connectionId */
  name(connectionId) {
    return this.#members.get(connectionId)?.name ?? '';
  }

  /** @param {string} connectionId @param {string} name */
  types(connectionId, name) {
    clearTimeout(this.#typing.get(connectionId)?.timer);
    const timer = window.setTimeout(() => this.typed(connectionId), TYPING_MS);
    this.#typing.set(connectionId, { name, timer });
    this.#showTyping();
  }

  /** They stopped: sent it, left, or paused. @param {string} connectionId */
  typed(connectionId) {
    clearTimeout(this.#typing.get(connectionId)?.timer);
    if (this.#typing.delete(connectionId)) this.#showTyping();
  }

  #showTyping() {
    const names = [...this.#typing.values()].map(({ name }) => `\u2068${name}\u2069`);
    byId('typing').textContent = names.length ? `${listed(names)} ${names.length === 1 ? 'is' : 'are'} typing…` : '';
  }

  #show() {
    const own = (/** @type {Member} */ each) => Number(each.connectionId === this.#own);
    const members = [...this.#members.values()].sort((a, b) => own(b) - own(a) || a.name.localeCompare(b.name));
    byId('people-list').replaceChildren(
      ...members.map(({ connectionId, name }) => {
        const face = element('span', 'face', [...name][0]?.toUpperCase() ?? '');
        face.ariaHidden = 'true';
        face.dataset.tint = tint(name);
        const shown = chosenName(name, connectionId);
        const row = element('li', '', face, ...(shown ? [element('bdi', 'name', shown), ' '] : []));
        row.append(element('span', 'id', shortId(connectionId)));
        if (connectionId === this.#own) row.append(' ', element('span', 'you', 'you'));
        return row;
      }),
    );
    byId('people-count').textContent = String(this.#count);
    const more = this.#count - members.length;
    byId('people-more').textContent = more > 0 ? `and ${more} more` : '';
  }
}
