import { claim } from "/claims.js";
import { text } from "/text.js";
import { newTranscript } from "/transcript.js";
import { equal, ok } from "/world.js";

const NOON = new Date(2026, 2, 11, 12).getTime();
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const links = (message) => text.pieces(message).flatMap((piece) => (piece.isLink ? [piece.text] : []));
const frame = (seq, more = {}) => ({
	messageId: `m${seq}`,
	seq,
	timestamp: new Date(NOON + seq).toISOString(),
	message: `Message ${seq}`,
	connectionId: "ada",
	name: "Ada",
	own: false,
	...more,
});
const pending = (id) => ({ ...frame(0), messageId: id, seq: Infinity, at: NOON, own: true, state: "pending" });
const said = (transcript) => transcript.items.map(({ message }) => message);

claim("only http and https become links, and no character of a message is lost", () => {
	for (const message of [
		"See https://example.com/a?b=(c), javascript:alert(1) and data:text/html,x.",
		"(http://example.com) ftp://example.com",
		"https://a.example https://b.example/x!",
		"no link at all",
		"",
		"https://",
	]) {
		const joined = text
			.pieces(message)
			.map((piece) => piece.text)
			.join("");
		equal(joined, message);
	}
	equal(links("See https://example.com/a?b=(c), javascript:alert(1)."), ["https://example.com/a?b=(c)"]);
	equal(links("(http://example.com/x) ftp://example.com"), ["http://example.com/x"]);
	equal(links("HTTPS://EXAMPLE.COM."), ["HTTPS://EXAMPLE.COM"]);
	equal(links("https://example.com/\u202egpj.exe"), ["https://example.com/"]);
});

claim("a long message without a space is split within a moment", () => {
	const before = performance.now();
	for (const piece of ["(", ")", ".", "https://", "https://(", "x"]) text.pieces(piece.repeat(4000));
	ok(performance.now() - before < 1000);
});

claim("a group ends with another sender, another name, or five minutes of silence", () => {
	const before = { connectionId: "a", name: "Ada", at: NOON };
	const starts = (more) => text.startsGroup(before, { ...before, ...more });
	equal([starts({}), starts({ at: NOON + 5 * MINUTE })], [false, false]);
	equal(
		[starts({ at: NOON + 5 * MINUTE + 1 }), starts({ connectionId: "b" }), starts({ name: "Bo" })],
		[true, true, true],
	);
	equal(text.startsGroup(undefined, before), true);
});

claim("a day is named as people name it", () => {
	equal(text.dayLabel(NOON, NOON, "en-GB"), "Today");
	equal(text.dayLabel(NOON - DAY, NOON, "en-GB"), "Yesterday");
	ok(/^Sunday,? 8 March 2026$/.test(text.dayLabel(NOON - 3 * DAY, NOON, "en-GB")));
	equal(text.dayLabel(NOON, NOON, "de"), "Heute");
});

claim("a server's address is wss, or ws on this machine", () => {
	const right = ["wss://example.com/production", "WSS://x", "ws://localhost:1", "ws://127.0.0.1:4566/x", "ws://[::1]/"];
	const wrong = [
		"",
		"wss://",
		"wss:example.com",
		"https://example.com",
		"ws://example.com",
		"ws://127.0.0.1.example.com",
		"x",
	];
	equal(right.filter(text.addressProblem), []);
	equal(
		wrong.filter((address) => !text.addressProblem(address)),
		[],
	);
});

claim("a room's name is made of what was typed, or of nothing", () => {
	const made = ["  Café & Garden! ", "#tea", "ÄÖÜ", "!!!", "-a-", "x".repeat(80), `${"x".repeat(63)} y`].map(
		text.roomFrom,
	);
	equal(made, ["cafe-garden", "tea", "aou", "", "a", "x".repeat(64), "x".repeat(63)]);
	ok(made.every((room) => room === "" || /^[a-z0-9][a-z0-9-]{0,63}$/.test(room)));
});

claim("a name has 1 to 40 characters, all of them visible", () => {
	equal(["Ada", "🙂".repeat(40), "مريم", "O'Neil-Ö"].filter(text.nameProblem), []);
	ok(["", "x".repeat(41), "Ad\u202ea", "a\nb", "\u2066a"].every(text.nameProblem));
});

claim("a message's length is told near the limit and refused beyond it", () => {
	equal([text.counter(3599), text.counter(3990)], ["", "Characters left: 10"]);
	ok(text.counter(4001).startsWith("Characters too many: 1."));
	equal([0, 1, 4000, 4001].map(text.sendable), [false, true, true, false]);
});

claim("messages stand by seq however they arrive, those under way at the end", () => {
	const transcript = newTranscript();
	transcript.put(pending("mine"));
	transcript.store([frame(3), frame(1), frame(2)]);
	equal(
		transcript.items.map(({ seq }) => seq),
		[1, 2, 3, Infinity],
	);
	const row = transcript.items.at(-1);
	transcript.store([frame(4, { messageId: "mine", own: true })]);
	ok(transcript.items.at(-1) === row && row.state === "stored");
	equal([transcript.items.length, transcript.firstSeq, transcript.lastSeq], [4, 1, 4]);
});

claim("what comes while nobody reads is counted from the first on, own messages and history are not", () => {
	const transcript = newTranscript();
	transcript.seen = 2;
	transcript.store([frame(1), frame(2)], true);
	equal(transcript.unread, 0);
	transcript.store([frame(3)], true);
	transcript.store([frame(4), frame(5, { own: true }), frame(6)], true);
	equal([transcript.unread, transcript.unreadFrom.seq], [3, 3]);
	transcript.unread = 0;
	transcript.store([frame(7)], false);
	equal([transcript.unread, transcript.unreadFrom.seq], [0, 3]);
});

claim("what was missed begins below a line although the reader is back", () => {
	const transcript = newTranscript();
	Object.assign(transcript, { seen: 1, missed: true });
	transcript.store([frame(1), frame(2), frame(3)]);
	equal([transcript.unread, transcript.unreadFrom.seq], [0, 2]);
});

claim("comings and goings close together share one line, each once", () => {
	const transcript = newTranscript();
	transcript.store([frame(1)]);
	for (const words of ["Ada joined", "Bo joined", "Ada joined"]) transcript.note(words, NOON, true);
	transcript.note("The connection was lost.", NOON);
	transcript.note("Ada left", NOON, true);
	equal(said(transcript), ["Message 1", "Bo joined · Ada joined", "The connection was lost.", "Ada left"]);
});

claim("a transcript forgets the oldest, never what is under way", () => {
	const transcript = newTranscript();
	transcript.store(Array.from({ length: 3300 }, (_, index) => frame(index + 1)));
	transcript.put(pending("mine"));
	transcript.complete = true;
	transcript.trim();
	equal([transcript.items.length, transcript.lastSeq, transcript.complete], [3000, 3300, false]);
	transcript.reset(true);
	equal(
		transcript.items.map(({ messageId }) => messageId),
		["mine"],
	);
});
