/** The message list on screen: which rows exist, where the reader is, what is unread. Knows no socket. */

import { chosenName, dayKey, dayLabel, fullTime, pieces, shortId, shortTime, startsGroup, tint } from './text.js';

/** @typedef {import('./transcript.js').Transcript} Transcript */
/** @typedef {import('./transcript.js').Item} Item */

const MAX_ROWS = 400;
const PAGE = 60;
const NEAR_END_PX = 80;
const NEAR_TOP_PX = 400;

/** An element with its class and content; text only ever becomes text.
 * @param {string} tag @param {string} name @param {...(Node | string)} content */
export function element(tag, name, ...content) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.append(...content);
  return made;
}

/** Events: 'older' (the reader nears the top), 'read' (unread count or position changed), 'retry' and 'discard' {key}. */
export class Log extends EventTarget {
  /** @type {Transcript} */
  #transcript;
  /** @type {HTMLElement} */
  #box;
  /** @type {HTMLButtonElement} */
  #jump;
  /** @type {Map<Item, HTMLElement>} */
  #rows = new Map();
  /** How each row was drawn, so that it is drawn anew only when that changes. @type {WeakMap<Item, string>} */
  #drawn = new WeakMap();
  /** @type {Item | undefined} */
  #first;
  /** @type {Item | undefined} */
  #last;
  #following = true;
  #frame = 0;
  #grow = 0;

  /** @param {Transcript} transcript @param {HTMLElement} box @param {HTMLButtonElement} jump */
  constructor(transcript, box, jump) {
    super();
    this.#transcript = transcript;
    this.#box = box;
    this.#jump = jump;
    box.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    jump.addEventListener('click', () => this.toNewest());
    this.#box.addEventListener('click', (event) => {
      const button = /** @type {HTMLElement} */ (event.target).closest('button');
      const key = button?.closest('article')?.dataset.key;
      if (button && key) this.dispatchEvent(new CustomEvent(button.value, { detail: { key } }));
    });
    // A keyboard that opens, or a box that grows, must not hide the newest row.
    new ResizeObserver(() => this.#following && this.#toEnd()).observe(box);
    document.addEventListener('visibilitychange', () => this.#seen());
  }

  /** @param {Transcript} transcript the room to show from now on */
  show(transcript) {
    this.#transcript = transcript;
    this.#first = this.#last = undefined;
    this.#following = true;
    this.#silently();
    this.update();
  }

  /** Whether the newest row is before the reader's eyes. */
  get reading() {
    return this.#following && !document.hidden;
  }

  /** Draws what changed, once per frame however much arrives. */
  update() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#paint();
    });
  }

  /** Older rows came: they are shown above, and the reader's row stays where it is. */
  grew() {
    this.#grow = -PAGE;
    this.#silently();
    this.update();
  }

  toNewest() {
    this.#following = true;
    this.#first = undefined;
    this.#silently();
    this.#paint();
    this.#seen();
  }

  /** Rows that are no news are not read aloud. */
  #silently() {
    this.#box.ariaLive = 'off';
    setTimeout(() => {
      this.#box.ariaLive = 'polite';
    }, 500);
  }

  #toEnd() {
    this.#box.scrollTop = this.#box.scrollHeight;
  }

  #seen() {
    if (this.reading) {
      this.#transcript.unread = 0;
      this.dispatchEvent(new Event('read'));
    }
    this.#showJump();
  }

  #showJump() {
    const { unread } = this.#transcript;
    this.#jump.hidden = this.#following;
    this.#jump.textContent = unread ? `${unread} new ${unread === 1 ? 'message' : 'messages'} ↓` : 'Jump to newest ↓';
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#box;
    const { items } = this.#transcript;
    const toEnd = scrollHeight - clientHeight - scrollTop;
    const atEnd = this.#last === items.at(-1);
    this.#following = toEnd < NEAR_END_PX && atEnd;
    if (this.#following) this.#seen();
    else if (toEnd < NEAR_TOP_PX && !atEnd) {
      this.#grow = PAGE;
      this.#silently();
      this.update();
    } else if (scrollTop < NEAR_TOP_PX) {
      if (this.#first && this.#first !== items[0]) this.grew();
      else if (!this.#transcript.complete) this.dispatchEvent(new Event('older'));
    }
    this.#showJump();
  }

  /** The rows to show, as a range of the transcript. */
  #range() {
    const { items } = this.#transcript;
    let from = this.#first ? items.indexOf(this.#first) : -1;
    let to = this.#last ? items.indexOf(this.#last) + 1 : 0;
    if (from < 0) from = Math.max(0, items.length - PAGE);
    if (this.#following) return { from: Math.max(from, items.length - MAX_ROWS), to: items.length };
    if (this.#grow < 0) {
      from = Math.max(0, from + this.#grow);
      to = Math.min(to, from + MAX_ROWS);
    } else {
      to = this.#grow > 0 ? to + this.#grow : Math.max(to, from + MAX_ROWS);
      to = Math.min(to, items.length);
      from = this.#grow > 0 ? Math.max(from, to - MAX_ROWS) : from;
    }
    return { from, to };
  }

  #paint() {
    const { items, complete } = this.#transcript;
    const { from, to } = this.#range();
    this.#grow = 0;
    const shown = items.slice(from, to);
    const wanted = new Set(shown);
    const anchor = this.#following ? undefined : this.#anchor(wanted);
    const before = anchor ? anchor.offsetTop : 0;

    for (const [item, row] of this.#rows) {
      if (wanted.has(item)) continue;
      row.remove();
      this.#rows.delete(item);
    }
    let next = this.#box.firstElementChild;
    const today = dayKey(Date.now());
    shown.forEach((item, index) => {
      const row = this.#rows.get(item) ?? this.#row(item);
      if (row === next) next = next.nextElementSibling;
      else this.#box.insertBefore(row, next);
      this.#draw(item, row, items[from + index - 1], today);
    });
    this.#first = shown[0];
    this.#last = shown.at(-1);
    this.#box.dataset.state = items.length ? (complete && from === 0 ? 'beginning' : 'more') : 'empty';

    if (this.#following) this.#toEnd();
    else if (anchor) this.#box.scrollTop += anchor.offsetTop - before;
    this.#showJump();
  }

  /** The row at the top of the reader's view, if it stays.
   * @param {Set<Item>} staying */
  #anchor(staying) {
    const { scrollTop } = this.#box;
    const rows = /** @type {HTMLElement[]} */ ([...this.#box.children]);
    const kept = new Set([...staying].map((item) => this.#rows.get(item)));
    return rows.find((row) => kept.has(row) && row.offsetTop + row.offsetHeight > scrollTop);
  }

  /** @param {Item} item */
  #row(item) {
    const row = element(item.state === 'note' ? 'p' : 'article', item.state === 'note' ? 'note' : 'row');
    row.dataset.key = item.key;
    this.#rows.set(item, row);
    return row;
  }

  /** @param {Item} item @param {HTMLElement} row @param {Item | undefined} before @param {string} today */
  #draw(item, row, before, today) {
    const newDay = !before || dayKey(before.at) !== dayKey(item.at);
    const leads = startsGroup(before, item);
    const unread = this.#transcript.unreadFrom === item;
    const drawn = `${item.state} ${item.at} ${item.name} ${item.problem} ${newDay && today} ${leads} ${unread} ${item.state === 'note' && item.text}`;
    if (this.#drawn.get(item) === drawn && row.firstChild) return;
    this.#drawn.set(item, drawn);

    row.classList.toggle('leads', leads);
    row.classList.toggle('own', item.own);
    if (!row.firstChild) fill(row, item);
    line(row, 'day', newDay && dayLabel(item.at, Date.now()));
    line(row, 'unread', unread && 'New');
    if (item.state === 'note') {
      const text = /** @type {HTMLElement} */ (row.querySelector('.text'));
      if (text.textContent !== item.text) text.textContent = item.text;
      return;
    }
    row.classList.toggle('pending', item.state === 'pending');
    row.classList.toggle('failed', item.state === 'failed');
    sign(row, item);
    row.querySelector('.problem')?.remove();
    if (item.state === 'failed') row.append(' ', problem(item));
  }
}

/** @param {HTMLElement} row @param {string} name @param {string | false} text */
function line(row, name, text) {
  const known = row.querySelector(`:scope > .${name}`);
  if (!text) known?.remove();
  else if (known) known.textContent = text;
  else row.prepend(element('span', `line ${name}`, text), ' ');
}

/** What never changes in a row: what was said. @param {HTMLElement} row @param {Item} item */
function fill(row, item) {
  const text = element('span', 'text');
  text.dir = 'auto';
  if (item.state === 'note') text.append(item.text);
  else {
    for (const { text: words, href } of pieces(item.text)) {
      const link = href ? /** @type {HTMLAnchorElement} */ (element('a', '', words)) : words;
      if (typeof link !== 'string') {
        link.href = /** @type {string} */ (href);
        link.target = '_blank';
        link.rel = 'noopener noreferrer nofollow';
      }
      text.append(link);
    }
    const face = element('span', 'face');
    face.ariaHidden = 'true';
    row.append(face, element('span', 'meta'), ' ');
  }
  row.append(text);
}

/** Who said it, and when: `10:42 Ada [abcd1234...]`. @param {HTMLElement} row @param {Item} item */
function sign(row, item) {
  const name = chosenName(item.name, item.connectionId);
  const time = /** @type {HTMLTimeElement} */ (element('time', '', shortTime(item.at)));
  time.dateTime = new Date(item.at).toISOString();
  time.title = fullTime(item.at);
  const face = /** @type {HTMLElement} */ (row.querySelector('.face'));
  face.dataset.tint = tint(item.name);
  face.textContent = [...(name || item.name)][0]?.toUpperCase() ?? '';
  row.querySelector('.meta')?.replaceChildren(
    time,
    ' ',
    ...(name ? [element('bdi', 'name', name), ' '] : []),
    element('span', 'id', shortId(item.connectionId)),
    item.state === 'pending' ? ' Sending…' : '',
  );
}

/** @param {Item} item */
function problem(item) {
  const said = element('span', '', `Not sent. ${item.problem ?? ''} `);
  const buttons = ['Retry', 'Delete'].map((name) => {
    const button = /** @type {HTMLButtonElement} */ (element('button', 'small', name));
    button.type = 'button';
    button.value = name === 'Retry' ? 'retry' : 'discard';
    return button;
  });
  return element('span', 'problem', said, ...buttons);
}
