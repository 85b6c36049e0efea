/** Who is in a room, by person. */

import { claim } from "/claims.js";
import { connectionsOf, people, personCount, sharedNames } from "/model/people.js";
import { equal } from "/world.js";

const connection = (sender, name, connectionId = `${sender}-connection`) => ({ connectionId, name, sender });
const names = (members, own) => people(members, own).map(({ name }) => name);

claim("somebody with three tabs is one person", () => {
	const members = [connection("a", "Ada", "1"), connection("b", "Bo", "2"), connection("a", "Ada", "3")];
	equal(people(members, "b"), [
		{ sender: "b", name: "Bo", connectionIds: ["2"], isOwn: true },
		{ sender: "a", name: "Ada", connectionIds: ["1", "3"], isOwn: false },
	]);
});

claim("oneself comes first, the others by name as people sort them", () => {
	const members = ["Zoe", "ada", "Émile", "Bo", "Eve", "我"].map((name) => connection(name, name));
	equal(names(members, "Zoe"), ["Zoe", "ada", "Bo", "Émile", "Eve", "我"]);
	equal(
		people(members, "").filter(({ isOwn }) => isOwn),
		[],
	);
});

claim("people with one name keep an order of their own", () => {
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

claim("a person has the newest name that was chosen, and the default one only if none was", () => {
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

claim("an empty room has nobody in it", () => {
	equal([people([], "a"), [...sharedNames([])], personCount([], { list: [], count: 0 })], [[], [], 0]);
});

claim("people are counted once each, and those of a big room who are not listed by their connections", () => {
	const list = [connection("a", "Ada", "1"), connection("a", "Ada", "2"), connection("b", "Bo", "3")];
	const present = people(list, "");
	equal([personCount(present, { list, count: 3 }), personCount(present, { list, count: 150 })], [2, 149]);
	equal(personCount(present, { list, count: 1 }), 2);
	equal([connectionsOf(list, "a"), connectionsOf(list, "c")], [2, 0]);
});

claim("a name that two people have here is known, however it is written; two tabs of one person share none", () => {
	const shared = (...members) => [...sharedNames(people(members, ""))];
	equal(shared(connection("a", "Ada"), connection("b", "ADA"), connection("c", "Bo")), ["ada"]);
	equal(shared(connection("a", "\uff21da"), connection("b", "Ada")), ["ada"]);
	equal(shared(connection("a", "Zoe\u0308"), connection("b", "Zo\u00eb")), ["zoë"]);
	equal(shared(connection("a", "Ada", "1"), connection("a", "Ada", "2")), []);
	equal(shared(...["a", "b", "c"].map((sender) => connection(sender, "Ada"))), ["ada"]);
});
