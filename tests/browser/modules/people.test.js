/** The people in a room. */

import { claim } from "/claims.js";
import { connectionsOf, people, personCount, sharedNames } from "/model/people.js";
import { equal } from "/world.js";

const connection = (sender, name, connectionId = `${sender}-connection`) => ({ connectionId, name, sender });
const names = (members, own) => people(members, own).map(({ name }) => name);

claim("three tabs are one person", () => {
	const members = [connection("a", "Ada", "1"), connection("b", "Bo", "2"), connection("a", "Ada", "3")];
	equal(people(members, "b"), [
		{ sender: "b", name: "Bo", connectionIds: ["2"], isOwn: true },
		{ sender: "a", name: "Ada", connectionIds: ["1", "3"], isOwn: false },
	]);
});

claim("you come first, then the others by name in natural order", () => {
	const members = ["Zoe", "ada", "Émile", "Bo", "Eve", "我"].map((name) => connection(name, name));
	equal(names(members, "Zoe"), ["Zoe", "ada", "Bo", "Émile", "Eve", "我"]);
	equal(
		people(members, "").filter(({ isOwn }) => isOwn),
		[],
	);
});

claim("people with the same name have a stable order", () => {
	const members = ["c", "a", "b"].map((sender) => connection(sender, "Ada"));
	equal(
		people(members, "").map(({ sender }) => sender),
		["a", "b", "c"],
	);
	equal(
		people([...members].reverse(), "").map(({ sender }) => sender),
		["a", "b", "c"],
	);
});

claim("a person has the last chosen name, and the default only if none was chosen", () => {
	equal(
		names([
			connection("a", "Ada", "12345678x"),
			connection("a", "Ada L.", "2"),
			connection("a", "abcdefgh", "abcdefghi"),
		]),
		["Ada L."],
	);
	equal(names([connection("a", "12345678", "12345678x"), connection("a", "abcdefgh", "abcdefghi")]), ["abcdefgh"]);
});

claim("an empty room has no people", () => {
	equal([people([], "a"), [...sharedNames([])], personCount([], { list: [], count: 0 })], [[], [], 0]);
});

claim("each person counts once, and unlisted members of a large room count by connection", () => {
	const list = [connection("a", "Ada", "1"), connection("a", "Ada", "2"), connection("b", "Bo", "3")];
	const present = people(list, "");
	equal([personCount(present, { list, count: 3 }), personCount(present, { list, count: 150 })], [2, 149]);
	equal(personCount(present, { list, count: 1 }), 2);
	equal([connectionsOf(list, "a"), connectionsOf(list, "c")], [2, 0]);
});

claim("shared names are detected in any spelling; two tabs of one person do not share a name", () => {
	const shared = (...members) => [...sharedNames(people(members, ""))];
	equal(shared(connection("a", "Ada"), connection("b", "ADA"), connection("c", "Bo")), ["ada"]);
	equal(shared(connection("a", "\uff21da"), connection("b", "Ada")), ["ada"]);
	equal(shared(connection("a", "Zoe\u0308"), connection("b", "Zo\u00eb")), ["zoë"]);
	equal(shared(connection("a", "Ada", "1"), connection("a", "Ada", "2")), []);
	equal(shared(...["a", "b", "c"].map((sender) => connection(sender, "Ada"))), ["ada"]);
});
