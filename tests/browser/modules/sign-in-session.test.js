/** Signing in on the connection: before anything else, again to renew it, and what happens when it ends. */

import { claim } from "/claims.js";
import { equal, MINUTE, refuse, SECOND, World } from "/world.js";

const ADA = { userId: "user-ada", name: "Ada L.", sender: "account-ada" };
const TOKEN = { token: "access-1", userId: "user-ada", name: "" };

/** A world with Ada's account, and a tab that presents a token of it. */
async function signedIn({ account = TOKEN, ...options } = {}) {
	const world = new World();
	world.account = { ...ADA, senders: [ADA.sender] };
	for (const token of ["access-1", "access-2"]) world.server.accounts.set(token, world.account);
	const view = world.tab(options);
	view.heard = [];
	for (const type of ["signedin", "signedout", "signInRefused", "signInRequired"]) {
		view.session.on(type, (detail) => view.heard.push([type, detail]));
	}
	view.session.signIn({ ...account });
	view.connect();
	await world.clock.pass(SECOND);
	return { world, view };
}

const actions = (world) => world.server.heard.map(({ action }) => action);

claim("each connection signs in before it joins, and a join names nobody", async () => {
	const { world, view } = await signedIn();
	equal(actions(world), ["signin", "join"]);
	equal(Object.keys(world.server.sent("join")[0]).sort(), ["action", "room"]);
	equal([view.session.name, view.session.userId, view.session.sender], ["Ada L.", "user-ada", "account-ada"]);
	world.socket.cut();
	await world.clock.pass(5 * SECOND);
	equal(actions(world), ["signin", "join", "signin", "join"]);
});

claim("a new account is offered the guest's name, and keeps the one that the server gives", async () => {
	const { world, view } = await signedIn({ account: { ...TOKEN, name: "Ada the guest" } });
	equal(world.server.sent("signin")[0].name, "Ada the guest");
	equal(view.session.name, "Ada L.");
});

claim("a guest never signs in", async () => {
	const world = new World();
	const view = await world.joined();
	await world.clock.pass(MINUTE);
	equal([world.server.sent("signin"), view.session.userId], [[], undefined]);
});

claim("a new token is presented on the open connection, and no room is joined again", async () => {
	const { world, view } = await signedIn();
	view.session.signIn({ ...TOKEN, token: "access-2" });
	await world.clock.pass(SECOND);
	equal(actions(world), ["signin", "join", "signin"]);
	equal([world.sockets.length, view.session.state], [1, "ready"]);
});

claim("own messages are those of the account and of the guests that it has taken over", async () => {
	const { world, view } = await signedIn({ account: { ...TOKEN, secret: "a-guest-of-before" } });
	for (const sender of ["sender-of-a-guest-of-before", "account-ada", "somebody"]) {
		world.server.post("tea", world.server.store("tea", sender, { sender }));
	}
	await world.clock.pass(SECOND);
	equal(
		view.shown().map(({ own }) => own),
		[true, true, false],
	);
	equal(world.server.sent("signin")[0].secret, "a-guest-of-before");
	world.socket.cut();
	await world.clock.pass(5 * SECOND);
	equal(world.server.sent("signin")[1].secret, undefined);
});

claim("a guest whom another account has taken over is not claimed, and the sign-in goes on", async () => {
	const world = new World();
	world.server.accounts.set("access-9", { ...ADA, userId: "user-ben", senders: ["sender-of-a-guest-of-before"] });
	world.server.accounts.set("access-1", { ...ADA, senders: [] });
	const view = world.tab();
	view.session.signIn({ ...TOKEN, secret: "a-guest-of-before" });
	view.connect();
	await world.clock.pass(SECOND);
	equal(
		[view.session.state, world.server.sent("signin").map(({ secret }) => secret)],
		["ready", ["a-guest-of-before", undefined]],
	);
});

claim("a guest whose secret an account has taken over makes a new one and joins again", async () => {
	const world = new World();
	const view = world.tab();
	view.connect();
	await world.clock.pass(SECOND);
	const [{ secret }] = world.server.sent("join");
	world.server.accounts.set("access-9", { ...ADA, senders: [`sender-of-${secret}`] });
	world.socket.cut();
	await world.clock.pass(5 * SECOND);
	const secrets = world.server.sent("join").map((frame) => frame.secret);
	equal([view.session.state, secrets.length, secrets[1], secrets[2] === secret], ["ready", 3, secret, false]);
	equal(world.browser.storage.items.get("chat.secret"), JSON.stringify(secrets[2]));
});

claim("a refused token ends the connection; it does not become a guest's", async () => {
	const { world, view } = await signedIn({ account: { ...TOKEN, token: "stolen" } });
	await world.clock.pass(MINUTE);
	equal(
		[actions(world), view.session.state, view.heard.map(([type, { code }]) => [type, code])],
		[["signin"], "offline", [["signInRefused", "invalid_token"]]],
	);
});

claim("a lapsed sign-in waits for a new token, and then sends what was written meanwhile", async () => {
	const { world, view } = await signedIn();
	for (const peer of world.server.peers) peer.hasLapsed = true;
	view.write("Hello");
	await world.clock.pass(MINUTE);
	equal(
		[view.session.state, view.heard.at(-1), world.server.texts("tea"), view.texts()],
		["connecting", ["signInRequired", { room: "tea", hasLapsed: true }], [], ["Hello"]],
	);
	view.session.signIn({ ...TOKEN, token: "access-2" });
	view.session.connect();
	await world.clock.pass(10 * SECOND);
	equal([view.session.state, world.server.texts("tea")], ["ready", ["Hello"]]);
});

claim("a sign-in that the server cannot answer is tried again on a new connection", async () => {
	const world = new World();
	world.server.accounts.set("access-1", { ...ADA, senders: [] });
	let faults = 2;
	refuse(world, "signin", { type: "error", code: "internal", error: "Something went wrong" }, () => {
		faults -= 1;
		return faults >= 0;
	});
	const view = world.tab();
	view.session.signIn({ ...TOKEN });
	view.connect();
	await world.clock.pass(MINUTE);
	equal([view.session.state, world.sockets.length, actions(world).at(-1)], ["ready", 3, "ping"]);
});

claim("a server that may not be trusted gets no token: there, an account is a guest", async () => {
	const world = new World();
	const view = world.tab();
	view.session.isTrusted = false;
	view.session.signIn({ ...TOKEN });
	view.connect();
	await world.clock.pass(SECOND);
	equal([actions(world), view.session.userId, view.session.name], [["join"], undefined, "Ada"]);
	equal(JSON.stringify(world.server.heard).includes("access-1"), false);
});

claim("a new name is the account's: it is asked for by profile, and a refusal is reported", async () => {
	const { world, view } = await signedIn();
	world.server.accounts.set("access-9", { ...ADA, userId: "user-grace", name: "Grace", senders: [] });
	view.session.rename("Grace");
	await world.clock.pass(SECOND);
	equal([view.of("refused").map(({ code }) => code), view.session.name], [["name_taken"], "Ada L."]);
	view.session.rename("Ada");
	await world.clock.pass(SECOND);
	equal([view.session.name, actions(world)], ["Ada", ["signin", "join", "profile", "profile"]]);
	view.session.disconnect();
	view.session.rename("Offline");
	equal([view.of("refused").at(-1).code, view.session.name], ["offline", "Ada"]);
});

claim("an account and a guest in one browser neither see nor send each other's unsent messages", async () => {
	for (const locks of [true, false]) {
		const world = new World();
		world.server.accounts.set("access-1", { ...ADA, senders: [] });
		world.accepts = false;
		const guest = world.tab({ locks });
		const ada = world.tab({ scope: "@user-ada.", locks });
		ada.session.signIn({ ...TOKEN });
		for (const view of [guest, ada]) view.connect();
		guest.write("From a guest");
		ada.write("From Ada");
		await world.clock.pass(SECOND);
		equal([guest.texts(), ada.texts()], [["From a guest"], ["From Ada"]]);
		world.accepts = true;
		await world.clock.pass(MINUTE);
		const stored = world.server.room("tea").messages.map(({ message, userId }) => [message, userId]);
		equal(stored.sort(), [
			["From Ada", "user-ada"],
			["From a guest", undefined],
		]);
	}
});
