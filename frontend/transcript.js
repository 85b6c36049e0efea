/** One room's messages and notes, in order. Pure: knows no DOM and no socket. */

const MAX_KEPT = 3000;
const NOTE_GROUP_MS = 5 * 60 * 1000;
const PEOPLE_IN_NOTE = 6;

/** @type {() => Transcript} */
export const newTranscript = () => {
	/** @type {Map<string, Item>} */
	let byId = new Map();
	let notes = 0;

	/** @param {Item[]} items */
	function keepOnly(items) {
		self.items = items;
		byId = new Map(items.map((item) => [item.messageId, item]));
	}

	/** @type {Transcript} */
	const self = {
		items: [],
		complete: false,
		seen: 0,
		missed: false,
		unread: 0,
		unreadFrom: undefined,

		get lastSeq() {
			return self.items.findLast(({ state }) => state === "stored")?.seq ?? 0;
		},

		get firstSeq() {
			return self.items.find(({ state }) => state === "stored")?.seq ?? 0;
		},

		put(item) {
			const known = byId.get(item.messageId);
			if (known?.seq === item.seq) return Object.assign(known, item);
			self.remove(item.messageId);
			const kept = Object.assign(known ?? {}, item);
			const before = self.items.findLastIndex(({ seq }) => seq <= kept.seq);
			self.items.splice(before + 1, 0, kept);
			byId.set(kept.messageId, kept);
			return kept;
		},

		store(frames, away) {
			let news;
			for (const frame of frames) {
				const isNew = frame.seq > Math.max(self.lastSeq, self.seen) && !frame.own;
				const item = self.put({ ...frame, at: Date.parse(frame.timestamp), state: "stored" });
				if (!isNew) continue;
				news = item;
				if (!self.unread && (away || self.missed)) self.unreadFrom = item;
				self.missed = false;
				if (away) self.unread += 1;
			}
			return news;
		},

		note(message, at, coming) {
			const last = self.items.at(-1);
			if (coming && last?.people && at - last.at < NOTE_GROUP_MS) {
				last.people = [...last.people.filter((each) => each !== message), message].slice(-PEOPLE_IN_NOTE);
				last.message = last.people.join(" · ");
				return;
			}
			notes += 1;
			const nobody = { connectionId: "", name: "", own: false, people: coming ? [message] : undefined };
			const [messageId, seq] = [`note-${notes}`, self.lastSeq + 0.5];
			self.put({ ...nobody, messageId, seq, at, message, state: "note" });
		},

		remove(id) {
			if (byId.delete(id)) self.items = self.items.filter(({ messageId }) => messageId !== id);
		},

		reset(complete) {
			keepOnly(self.items.filter(({ seq }) => seq === Infinity));
			self.complete = complete;
			self.unread = 0;
			self.unreadFrom = undefined;
		},

		trim() {
			if (self.items.length < MAX_KEPT * 1.1) return;
			keepOnly(self.items.slice(-MAX_KEPT));
			self.complete = false;
		},
	};
	return self;
};
