/** One room's messages and notes in the order they are shown. Pure: knows neither the DOM nor the socket. */

/** @typedef {object} Item
 * @property {string} key the messageId, or an id of the page's own for a note
 * @property {number} order seq; between two seqs for a note; Infinity until the server has stored it
 * @property {number} at ms since 1970
 * @property {string} text
 * @property {string} connectionId empty for a note
 * @property {string} name
 * @property {boolean} own
 * @property {'stored' | 'pending' | 'failed' | 'note'} state
 * @property {string} [problem] why it failed
 * @property {string[]} [people] who came and went, in a note of presence
 */

const MAX_KEPT = 3000;

export class Transcript {
  /** @type {Item[]} */
  items = [];
  /** The server has nothing older. */
  complete = false;
  /** Where the reader's unread messages begin. @type {Item | undefined} */
  unreadFrom;
  unread = 0;
  /** @type {Map<string, Item>} */
  #byKey = new Map();

  /** @param {string} key */
  get(key) {
    return this.#byKey.get(key);
  }

  /** The highest stored seq here, 0 if none. */
  get lastSeq() {
    const last = this.items.findLast((item) => item.state === 'stored');
    return last ? last.order : 0;
  }

  /** The lowest stored seq here. @returns {number | undefined} */
  get firstSeq() {
    return this.items.find((item) => item.state === 'stored')?.order;
  }

  /** Puts an item where its order says; one with the same key is changed in place, so that its row survives.
   * @param {Item} item
   * @returns {Item} the item kept, to be recognised by identity */
  put(item) {
    const known = this.#byKey.get(item.key);
    if (known) {
      const moves = known.order !== item.order;
      if (moves) this.items.splice(this.items.indexOf(known), 1);
      Object.assign(known, item);
      if (moves) this.#insert(known);
      return known;
    }
    this.#byKey.set(item.key, item);
    this.#insert(item);
    return item;
  }

  /** @param {string} key */
  remove(key) {
    const item = this.#byKey.get(key);
    if (!item) return;
    this.#byKey.delete(key);
    this.items.splice(this.items.indexOf(item), 1);
  }

  /** Forgets what the server can give again; what is not sent yet stays. */
  reset() {
    const kept = this.items.filter((item) => item.order === Infinity);
    this.items = kept;
    this.#byKey = new Map(kept.map((item) => [item.key, item]));
    this.complete = false;
    this.unreadFrom = undefined;
    this.unread = 0;
  }

  /** Bounds the memory: the oldest go, and can be asked for again. */
  trim() {
    if (this.items.length <= MAX_KEPT) return;
    for (const item of this.items.splice(0, this.items.length - MAX_KEPT)) this.#byKey.delete(item.key);
    this.complete = false;
  }

  /** @param {Item} item */
  #insert(item) {
    let at = this.items.length;
    while (at > 0 && /** @type {Item} */ (this.items[at - 1]).order > item.order) at -= 1;
    this.items.splice(at, 0, item);
  }
}
