/** The tokens of a tab: PKCE, state and nonce, renewal in time, and where everything is kept. */

import { claim } from "/claims.js";
import { beginSignIn, challengeOf, finishSignIn, purge, redirectUri, Tokens, takeProblem } from "/client/sign-in.js";
import { LocalStore } from "/client/storage.js";
import { Browser, Clock, equal, ok, SECOND } from "/world.js";

const CONFIG = { mode: "optional", clientId: "page", loginUrl: "https://login.test" };
const HOUR = 3600 * SECOND;

const base64url = (text) => btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const idToken = (claims) => `${base64url('{"alg":"RS256"}')}.${base64url(JSON.stringify(claims))}.c2ln`;

/** A tab of a browser, and a login host that answers with `replies`, in order; an Error is a network without it. */
class Desk {
	clock = new Clock();
	browser = new Browser(this.clock);
	session = new Browser(this.clock).storage;
	device = new LocalStore(this.browser.storage.tab());
	tab = new LocalStore(this.session.tab());
	asked = [];
	replies = [];

	fetch = async (url, { body, credentials }) => {
		this.asked.push({ url, credentials, ...Object.fromEntries(body) });
		const reply = this.replies.shift() ?? new TypeError("no network");
		if (reply instanceof Error) throw reply;
		const [status, answer] = reply;
		return new Response(JSON.stringify(answer), { status });
	};

	/** Begin, and return the query of the login page's URL. */
	async begin(wishes = { hash: "#tea", keep: true, claims: false }) {
		return new URL(await beginSignIn(CONFIG, this.tab, wishes)).searchParams;
	}

	/** What the token endpoint answers to a code. */
	granted(claims, more = {}) {
		const tokens = { access_token: "access-1", refresh_token: "refresh-1", expires_in: 3600, ...more };
		return [200, { ...tokens, id_token: idToken({ sub: "user-1", ...claims }) }];
	}

	async finish(answer) {
		this.tab.save("sign-in-answer", `?${new URLSearchParams(answer)}`);
		await finishSignIn(this);
		return this.tab.load("account");
	}

	async signedIn(wishes) {
		const asked = await this.begin(wishes);
		this.replies = [this.granted({ nonce: asked.get("nonce") })];
		return this.finish({ code: "code-1", state: asked.get("state") });
	}

	/** Watched tokens, and the events that they emit. */
	tokens() {
		const tokens = new Tokens({ ...this, config: CONFIG, random: () => 0.5 });
		const told = [];
		for (const type of ["renewed", "expired", "delayed", "ended"]) tokens.on(type, () => told.push(type));
		tokens.watch();
		return { tokens, told };
	}

	/** Everything in localStorage. */
	get stored() {
		return JSON.stringify([...this.browser.storage.items]);
	}
}

const RENEWED = [200, { access_token: "access-2", expires_in: 3600 }];

claim("the challenge is the one of RFC 7636, appendix B", async () => {
	equal(
		await challengeOf("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
		"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
	);
});

claim("each sign-in has a verifier of 43 unreserved characters, a state and a nonce of its own", async () => {
	const desk = new Desk();
	const seen = [];
	for (let n = 0; n < 20; n += 1) {
		const asked = await desk.begin();
		const { verifier, state, nonce } = desk.tab.load("sign-in");
		ok(/^[A-Za-z0-9._~-]{43,128}$/.test(verifier), verifier);
		equal([asked.get("code_challenge"), asked.get("code_challenge_method")], [await challengeOf(verifier), "S256"]);
		equal([asked.get("state"), asked.get("nonce"), asked.get("redirect_uri")], [state, nonce, redirectUri()]);
		ok(![...asked.values()].includes(verifier), "the verifier is in the address");
		seen.push(verifier, state, nonce);
	}
	equal(new Set(seen).size, seen.length);
});

claim("the code is redeemed with the verifier, once, and without cookies", async () => {
	const desk = new Desk();
	const asked = await desk.begin();
	const { verifier } = desk.tab.load("sign-in");
	desk.replies = [desk.granted({ nonce: asked.get("nonce") })];
	const account = await desk.finish({ code: "code-1", state: asked.get("state") });
	const { url, credentials, code, code_verifier: sent } = desk.asked[0];
	equal(
		[url, credentials, code, sent, account.userId],
		["https://login.test/oauth2/token", "omit", "code-1", verifier, "user-1"],
	);
	equal(await desk.finish({ code: "code-1", state: asked.get("state") }), account); // the same answer again
	equal([desk.asked.length, takeProblem(desk.tab)], [1, "foreign"]);
});

claim("an answer with another state, without one, or to nobody is never redeemed", async () => {
	for (const answer of [{ code: "c", state: "other" }, { code: "c" }, { error: "access_denied", state: "other" }]) {
		const desk = new Desk();
		await desk.begin();
		equal([await desk.finish(answer), desk.asked.length, takeProblem(desk.tab)], [undefined, 0, "foreign"]);
	}
	const desk = new Desk();
	equal([await desk.finish({ code: "c", state: "" }), desk.asked.length], [undefined, 0]);
});

claim("an ID token with another nonce, or none, signs nobody in", async () => {
	for (const claims of [{ nonce: "other" }, {}]) {
		const desk = new Desk();
		const asked = await desk.begin();
		desk.replies = [desk.granted(claims)];
		equal(await desk.finish({ code: "c", state: asked.get("state") }), undefined);
		equal(takeProblem(desk.tab), "foreign");
	}
});

claim("a login that was cancelled, refused or cannot be reached says which, once", async () => {
	const cases = [
		[{ error: "access_denied" }, undefined, "cancelled"],
		[{ error: "server_error" }, undefined, "refused"],
		[{ code: "c" }, [400, { error: "invalid_grant" }], "refused"],
		[{ code: "c" }, [200, {}], "foreign"],
		[{ code: "c" }, [503, {}], "unreachable"],
		[{ code: "c" }, new TypeError("no network"), "unreachable"],
	];
	for (const [answer, reply, problem] of cases) {
		const desk = new Desk();
		const asked = await desk.begin();
		desk.replies = [reply];
		equal(await desk.finish({ ...answer, state: asked.get("state") }), undefined);
		equal([takeProblem(desk.tab), takeProblem(desk.tab), desk.tab.load("sign-in")], [problem, undefined, undefined]);
	}
});

claim("tokens are in sessionStorage alone", async () => {
	const desk = new Desk();
	await desk.signedIn();
	desk.replies = [RENEWED];
	const { tokens } = desk.tokens();
	await tokens.renew();
	ok([...desk.session.items.values()].join().includes("access-2"), "not in sessionStorage");
	ok(!/access|refresh/.test(desk.stored), desk.stored);
});

claim("a token is renewed at 80 % of its life, again and again", async () => {
	const desk = new Desk();
	await desk.signedIn();
	const { tokens, told } = desk.tokens();
	desk.replies = [RENEWED, RENEWED];
	await desk.clock.pass(0.8 * HOUR - SECOND);
	equal([told, tokens.account.access], [[], "access-1"]);
	await desk.clock.pass(2 * SECOND);
	await settle(() => told.length);
	equal([told, tokens.account.access, tokens.account.refresh], [["renewed"], "access-2", "refresh-1"]);
	const { grant_type: grant, refresh_token: refresh, client_id: client } = desk.asked[1];
	equal([grant, refresh, client], ["refresh_token", "refresh-1", "page"]);
	await desk.clock.pass(0.8 * HOUR);
	await settle(() => told.length > 1);
	equal(told, ["renewed", "renewed"]);
});

/** Response bodies are read outside the fake clock. */
async function settle(done) {
	for (let turn = 0; turn < 50 && !done(); turn += 1) await new Promise((resolve) => setTimeout(resolve));
}

claim("a renewal that is refused ends the sign-in; one without a network is tried again until it works", async () => {
	const desk = new Desk();
	await desk.signedIn();
	const { told } = desk.tokens();
	desk.replies = [new TypeError("no network"), [503, {}], RENEWED, [400, { error: "invalid_grant" }]];
	await desk.clock.pass(0.8 * HOUR + SECOND);
	for (let n = 0; n < 20 && told.at(-1) !== "renewed"; n += 1) {
		await settle(() => false);
		await desk.clock.pass(2 * SECOND);
	}
	equal(told, ["delayed", "delayed", "renewed"]);
	await desk.clock.pass(0.8 * HOUR);
	await settle(() => told.includes("ended"));
	equal(told.at(-1), "ended");
});

claim("a token that could not be renewed expires on time", async () => {
	const desk = new Desk();
	await desk.signedIn();
	const { tokens, told } = desk.tokens();
	await desk.clock.pass(HOUR - SECOND);
	equal([told.includes("expired"), tokens.hasExpired], [false, false]);
	await desk.clock.pass(2 * SECOND);
	equal([told.filter((type) => type === "expired").length, tokens.hasExpired], [1, true]);
});

claim("revoking forgets the tokens at once, and no renewal brings them back", async () => {
	const desk = new Desk();
	await desk.signedIn();
	const { tokens, told } = desk.tokens();
	desk.replies = [RENEWED, [200, undefined]];
	const renewing = tokens.renew();
	const revoking = tokens.revoke();
	equal(tokens.account, undefined);
	await Promise.all([renewing, revoking]);
	await desk.clock.pass(2 * HOUR);
	const { url, token, client_id: client } = desk.asked.at(-1);
	equal(
		[tokens.account, told, url, token, client],
		[undefined, [], "https://login.test/oauth2/revoke", "refresh-1", "page"],
	);
});

claim(
	"a sign-in leaves nothing of another account, and takes a guest's rooms and unsent messages along if wanted",
	async () => {
		for (const keep of [true, false]) {
			const desk = new Desk();
			const guest = {
				rooms: ["tea"],
				"draft.tea": "Half a",
				"outbox.1": { text: "Unsent" },
				secret: "s",
				theme: "dark",
			};
			for (const [key, value] of Object.entries(guest)) desk.device.save(key, value);
			desk.device.save("@user-2.draft.tea", "Not yours");
			desk.device.save("@user-1.rooms", keep ? undefined : ["mine"]);
			desk.device.remove(keep ? "@user-1.rooms" : "none");
			await desk.signedIn({ hash: "", keep, claims: false });
			const own = new LocalStore({ ...desk.browser.storage.tab(), scope: "@user-1." });
			equal(desk.device.keys("@user-2"), []);
			equal([own.load("rooms"), own.load("draft.tea")], keep ? [["tea"], "Half a"] : [["mine"], undefined]);
			equal([own.load("outbox.1") !== undefined, desk.device.load("outbox.1") !== undefined], [keep, !keep]);
			equal([own.load("secret"), desk.device.load("secret")], [undefined, "s"]);
			purge(desk.device);
			equal(desk.device.keys(""), ["theme"]);
		}
	},
);

claim("what is saved after the person has left is not kept", async () => {
	const desk = new Desk();
	const own = new LocalStore({ ...desk.browser.storage.tab(), scope: "@user-1." });
	own.save("name", "Ada");
	own.seal();
	purge(desk.device);
	own.save("name", "Ada");
	equal([own.load("name"), desk.stored], [undefined, "[]"]);
});
