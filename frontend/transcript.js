/** One room's messages and notes in the order they are shown. Pure: knows neither the DOM nor the socket. */

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
		transcript.items = items;
		byId = new Map(items.map((item) => [item.messageId, item]));
	}

	/** @type {Transcript} */
	const transcript = {
		items: [],
		complete: false,
		seen: 0,
		missed: false,
		unread: 0,
		unreadFrom: undefined,

		get: (id) => byId.get(id),

		get lastSeq() {
			return transcript.items.findLast(({ state }) => state === "stored")?.seq ?? 0;
		},

		get firstSeq() {
			return transcript.items.find(({ state }) => state === "stored")?.seq ?? 0;
		},

		put(item) {
			const known = byId.get(item.messageId);
			if (known?.seq === item.seq) return Object.assign(known, item);
			transcript.remove(item.messageId);
			const kept = Object.assign(known ?? {}, item);
			const before = transcript.items.findLastIndex(({ seq }) => seq <= kept.seq);
			transcript.items.splice(before + 1, 0, kept);
			byId.set(kept.messageId, kept);
			return kept;
		},

		store(frames, away) {
			let news;
			for (const frame of frames) {
				const isNew = frame.seq > Math.max(transcript.lastSeq, transcript.seen) && !frame.own;
				const item = transcript.put({ ...frame, at: Date.parse(frame.timestamp), state: "stored" });
				if (!isNew) continue;
				news = item;
				if (!transcript.unread && (away || transcript.missed)) transcript.unreadFrom = item;
				transcript.missed = false;
				if (away) transcript.unread += 1;
			}
			return news;
		},

		note(message, at, coming) {
			const last = transcript.items.at(-1);
			if (coming && last?.people && at - last.at < NOTE_GROUP_MS) {
				last.people = [...last.people.filter((each) => each !== message), message].slice(-PEOPLE_IN_NOTE);
				last.message = last.people.join(" · ");
				return;
			}
			notes += 1;
			const nobody = { connectionId: "", name: "", own: false, people: coming ? [message] : undefined };
			const [messageId, seq] = [`note-${notes}`, transcript.lastSeq + 0.5];
			transcript.put({ ...nobody, messageId, seq, at, message, state: "note" });
		},

		remove(id) {
			if (byId.delete(id)) transcript.items = transcript.items.filter(({ messageId }) => messageId !== id);
		},

		reset(complete) {
			keepOnly(transcript.items.filter(({ seq }) => seq === Infinity));
			transcript.complete = complete;
			transcript.unread = 0;
			transcript.unreadFrom = undefined;
		},

		trim() {
			if (transcript.items.length < MAX_KEPT * 1.1) return;
			keepOnly(transcript.items.slice(-MAX_KEPT));
			transcript.complete = false;
		},
	};
	return transcript;
};
