/** Room links and titles. */

import { claim } from "/claims.js";
import { addressOf, isTitleOf, parseAddress, roomFromTitle } from "/model/address.js";
import { equal, ok } from "/world.js";

const RULE = "Room links contain only a–z, 0–9 and hyphens.";
const encoded = encodeURIComponent;

claim("a link names a room, and optionally a message", () => {
	equal(parseAddress("#tea"), { room: "tea" });
	equal(parseAddress("#tea/123"), { room: "tea", seq: 123 });
	equal(parseAddress("#tea/"), { room: "tea" });
	equal(parseAddress("#Caf%C3%A9%20%26%20Garden%2F9"), { room: "cafe-garden", seq: 9 });
	equal(["", "#", "#/5"].map(parseAddress), [{ room: "lobby" }, { room: "lobby" }, { room: "lobby", seq: 5 }]);
	equal(parseAddress(`#tea/${Number.MAX_SAFE_INTEGER}`).seq, Number.MAX_SAFE_INTEGER);
});

claim("a link in another script still opens a room, with a notice", () => {
	equal(parseAddress("#日本"), { room: "lobby", problem: `${RULE} Opened #lobby instead.` });
	equal(parseAddress(`#${encoded("日本")}/7`), { room: "lobby", problem: `${RULE} Opened #lobby instead.` });
	equal(parseAddress("#日本 2024"), { room: "2024", problem: `${RULE} Opened #2024 instead.` });
	equal(parseAddress("#!!!").room, "lobby");
});

claim("an invalid message number is reported, and the room is opened", () => {
	for (const odd of ["x", "0", "-1", "1.5", "1e3", "1/2", "99999999999999999999", "９", "9007199254740992"]) {
		const { room, seq, problem } = parseAddress(`#tea/${odd}`);
		equal([room, seq], ["tea", undefined]);
		ok(problem.includes(odd.slice(0, 20)) && problem.endsWith("Opened #tea instead."));
	}
});

claim("any fragment opens a room", () => {
	const odd = [
		"#%",
		"#%ff%fe",
		"#%E6%97",
		"#=",
		"#==",
		"#/",
		"#//",
		"#=/",
		"#\ud83d",
		"#%00",
		"##",
		`#${"x".repeat(9999)}`,
	];
	for (const hash of [...odd, ...odd.map((each) => `#tea/${each}`), ...odd.map((each) => `#tea=${each}`), "no hash"]) {
		const { room, seq, title } = parseAddress(hash);
		ok(/^[a-z0-9][a-z0-9-]{0,63}$/.test(room), hash);
		equal([seq, title], [undefined, undefined]);
	}
	equal(parseAddress("#%zz-100%").room, "zz-100");
});

claim("a name in the room alphabet makes a plain link without a title", () => {
	const made = ["Tea", " #tea ", "Café & Garden", "ÄÖÜ", "Party 🎉", "ＴＥＡ"].map(roomFromTitle);
	equal(
		made.map(({ room }) => room),
		["tea", "tea", "cafe-garden", "aou", "party", "tea"],
	);
	ok(made.every(({ title, problem }) => title === undefined && problem === ""));
});

claim("a name in another script makes a title and a unique room, the same for everyone", () => {
	const made = roomFromTitle("日本");
	equal([made.title, made.problem], ["日本", ""]);
	ok(/^room-[a-z0-9]{11}$/.test(made.room));
	equal(made.room, "room-117is34rn2x");
	equal(roomFromTitle(" #日本 ").room, made.room);
	equal(roomFromTitle("МОСКВА").room, roomFromTitle("москва").room);
	equal(roomFromTitle("の\u304b\u3099").room, roomFromTitle("の\u304c").room);
	equal(roomFromTitle("日本  2024").title, "日本 2024");
});

claim("different names make different rooms, and letters outside the room alphabet are not dropped", () => {
	const names = [
		"日本",
		"日木",
		"本日",
		"日本 2024",
		"中国 2024",
		"2024",
		"🎉",
		"🎊",
		"Straße",
		"Øl",
		"!!!",
		"日",
		"本",
	];
	equal(new Set(names.map((name) => roomFromTitle(name).room)).size, names.length);
	const many = Array.from({ length: 20_000 }, (_, n) => roomFromTitle(`部屋 ${n}`).room);
	equal(new Set(many).size, many.length);
});

claim("an invisible name makes no room, and the problem says what to enter", () => {
	for (const odd of ["", "  ", "#", "\u200b", "\u3164", "日\u202e本", "日".repeat(41), "\ud83d"]) {
		const { room, title, problem } = roomFromTitle(odd);
		equal([room, title, problem], ["", undefined, "Enter a room name of 1 to 40 visible characters."]);
	}
});

claim("parsing a link returns what it was built from", () => {
	const titles = ["日本", "Москва/100% = да?", "=日本=", "日本/5", "#日", "🎉", "مريم & %E6", "日 本", "%日", "+&=日"];
	for (const typed of titles) {
		for (const seq of [undefined, 1, 987_654]) {
			const { room, title } = roomFromTitle(typed);
			const address = addressOf(room, { title, seq });
			const wanted = { room, seq, title };
			const { room: found, seq: foundSeq, title: foundTitle, problem } = parseAddress(address);
			equal([{ room: found, seq: foundSeq, title: foundTitle }, problem], [wanted, undefined]);
			ok(/^#[\x21-\x7e]+$/.test(address), "plain enough for any mail");
			equal(parseAddress(new URL(address, "https://chat.test/").hash).title, title);
		}
	}
	equal([addressOf("tea"), addressOf("tea", { seq: 5 }), addressOf("tea", {})], ["#tea", "#tea/5", "#tea"]);
});

claim("a link cannot give a room another title", () => {
	const { room } = roomFromTitle("日本");
	for (const title of ["銀行", "Bank", "日本\u202e", " 日本", "日".repeat(50), "", "\u200b"]) {
		if (parseAddress(`#${room}=${encoded(title)}`).title !== undefined) equal(title.trim(), "日本");
		equal(addressOf(room, { title }), `#${room}`);
	}
	equal(parseAddress("#lobby=Bank"), { room: "lobby" });
	ok(isTitleOf(room, "日本") && !isTitleOf("tea", "tea") && !isTitleOf(room, undefined) && !isTitleOf(room, 5));
});
