/** Text rules of the page: links, grouping, days, times, addresses, names. Pure: no DOM, no network, no storage. */

/** @typedef {{text: string, href?: string}} Piece a run of text, or a link */
/** @typedef {{connectionId: string, name: string, at: number}} Said who said something, and when (ms since 1970) */

export const MAX_MESSAGE = 4000;
export const COUNTER_FROM = 3600;
const GROUP_MS = 5 * 60 * 1000;
const TINTS = 8;
const LINK = /\bhttps?:\/\/[^\s<>"\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gi;
const CLOSING = /** @type {Record<string, string>} */ ({ ')': '(', ']': '[', '}': '{' });

/** Drops the punctuation that ends the sentence rather than the address.
 * @param {string} url */
function withoutTail(url) {
  for (;;) {
    const last = url.slice(-1);
    const opening = CLOSING[last];
    const unbalanced = opening !== undefined && url.split(opening).length < url.split(last).length;
    if (!unbalanced && !/[.,;:!?'*_~]/.test(last)) return url;
    url = url.slice(0, -1);
  }
}

/** Splits a message into text and links; only http and https become links.
 * @param {string} text
 * @returns {Piece[]} */
export function pieces(text) {
  /** @type {Piece[]} */
  const found = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const url = withoutTail(match[0]);
    if (!URL.canParse(url)) continue;
    if (match.index > end) found.push({ text: text.slice(end, match.index) });
    found.push({ text: url, href: url });
    end = match.index + url.length;
  }
  if (end < text.length) found.push({ text: text.slice(end) });
  return found;
}

/** @param {number} at */
export function dayKey(at) {
  const day = new Date(at);
  return `${day.getFullYear()}-${day.getMonth()}-${day.getDate()}`;
}

/** Whether `item` opens a new group: another sender, another day, or 5 minutes of silence.
 * @param {Said | undefined} before
 * @param {Said} item */
export function startsGroup(before, item) {
  return (
    !before ||
    before.connectionId !== item.connectionId ||
    before.name !== item.name ||
    item.at - before.at > GROUP_MS ||
    dayKey(before.at) !== dayKey(item.at)
  );
}

/** @param {number} at @param {number} now @param {string} [locale] */
export function dayLabel(at, now, locale) {
  const midnight = (/** @type {number} */ ms) => new Date(ms).setHours(0, 0, 0, 0);
  const days = Math.round((midnight(at) - midnight(now)) / 86_400_000);
  if (days === 0 || days === -1) {
    const near = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(days, 'day');
    return near.charAt(0).toLocaleUpperCase(locale) + near.slice(1);
  }
  /** @type {Intl.DateTimeFormatOptions} */
  const shape = { weekday: 'long', day: 'numeric', month: 'long' };
  if (new Date(at).getFullYear() !== new Date(now).getFullYear()) shape.year = 'numeric';
  return new Intl.DateTimeFormat(locale, shape).format(at);
}

const SHORT = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });

/** @param {number} at */
export const shortTime = (at) => SHORT.format(at);
/** @param {number} at */
export const fullTime = (at) => FULL.format(at);

/** @param {string} connectionId */
export const shortId = (connectionId) => `[${connectionId.slice(0, 8)}...]`;

/** A person's chosen name, or nothing where it is only the server's default.
 * @param {string} name @param {string} connectionId */
export const chosenName = (name, connectionId) => (connectionId.startsWith(name) ? '' : name);

/** One of eight colours, the same for a name on every screen.
 * @param {string} name */
export function tint(name) {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973;
  return String(sum % TINTS);
}

/** What is wrong with a WebSocket address, in words; empty when nothing is.
 * @param {string} address */
export function addressProblem(address) {
  if (!address) return 'Enter the WebSocket URL of a chat server. It begins with wss://';
  if (!URL.canParse(address) || !/^wss?:\/\//i.test(address)) {
    return 'The URL must begin with wss:// and go on with a host, as in wss://example.com/production';
  }
  const { protocol, hostname } = new URL(address);
  if (protocol === 'ws:' && !['localhost', '127.0.0.1', '[::1]'].includes(hostname)) {
    return 'The URL must begin with wss:// (ws:// is only for a server on this machine)';
  }
  return '';
}

/** Makes a room's name out of what somebody typed; empty when nothing of it is left.
 * @param {string} text */
export function roomFrom(text) {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 64)
    .replace(/-+$/, '');
}

/** @param {string} name */
export function nameProblem(name) {
  if (!name) return 'Enter a name of 1 to 40 characters';
  if ([...name].length > 40) return 'That name is too long: at most 40 characters';
  if (/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(name)) {
    return 'That name has invisible control characters. Type it again by hand';
  }
  return '';
}

/** "Ada", "Ada and Bo", "Ada, Bo and 3 more".
 * @param {string[]} names */
export function listed(names) {
  if (names.length < 2) return names.join('');
  if (names.length === 2) return names.join(' and ');
  if (names.length === 3) return `${names[0]}, ${names[1]} and ${names[2]}`;
  return `${names[0]}, ${names[1]} and ${names.length - 2} more`;
}
