/** Sign-in at the login pages: authorization code with PKCE (RFC 7636) and OpenID Connect, and the tokens of a tab. */

import { Emitter } from "./emitter.js";
import { LocalStore } from "./storage.js";
import { backoffMs, Timers } from "./timers.js";

const REQUEST_MS = 10_000;
const RENEW_SHARE = 0.8; // of the token's life
const BEGUN = "sign-in";
const ANSWER = "sign-in-answer";
const PROBLEM = "sign-in-problem";
const ACCOUNT = "account";
const VERIFIER_BYTES = 32; // 43 characters, the least that RFC 7636 allows, with 256 random bits
const STATE_BYTES = 16;
/** What a guest's room list, drafts and settings are stored under. */
const COPIED = ["rooms", "draft."];
const MOVED = ["outbox."];
const OF_BROWSER = ["theme", "sound", "notifications", "url", "server"];

/** Why a sign-in failed. */
export class SignInError extends Error {
	/** @param {SignInProblem} problem */
	constructor(problem) {
		super(problem);
		this.problem = problem;
	}
}

/** @param {Uint8Array} bytes */
const base64url = (bytes) =>
	btoa(String.fromCharCode(...bytes))
		.replaceAll("+", "-")
		.replaceAll("/", "_")
		.replaceAll("=", "");

/** @param {number} bytes */
const random = (bytes) => base64url(crypto.getRandomValues(new Uint8Array(bytes)));

/** The PKCE challenge (S256). @param {string} verifier */
export async function challengeOf(verifier) {
	return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
}

/** The page without query and fragment; always ends in a slash. */
export const redirectUri = () => new URL("./", location.href).href;

/** The claims of a token. It came from the login host itself over TLS, so its signature is not checked here (OpenID Connect
 * Core, 3.1.3.7); the server checks those of access tokens.
 * @param {unknown} token @returns {Record<string, unknown>} */
function claimsOf(token) {
	try {
		const [, payload = ""] = String(token).split(".");
		const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
		return Object(JSON.parse(new TextDecoder().decode(bytes)));
	} catch {
		return {};
	}
}

/** @param {string} url @param {Record<string, string>} fields @param {typeof globalThis.fetch} fetch
 * @returns {Promise<Record<string, unknown>>} rejects with "refused", or with "unreachable" if it may work later */
async function post(url, fields, fetch) {
	/** @type {Response} */
	let response;
	/** @type {string} */
	let text;
	try {
		response = await fetch(url, {
			method: "POST",
			body: new URLSearchParams(fields),
			credentials: "omit",
			referrerPolicy: "no-referrer",
			redirect: "error",
			cache: "no-store",
			keepalive: true, // a page that is being left still revokes
			signal: AbortSignal.timeout(REQUEST_MS),
		});
		text = await response.text();
	} catch {
		throw new SignInError("unreachable");
	}
	if (response.status >= 500 || response.status === 429) throw new SignInError("unreachable");
	if (!response.ok) throw new SignInError("refused");
	try {
		return Object(text ? JSON.parse(text) : {});
	} catch {
		throw new SignInError("refused");
	}
}

/** @param {Record<string, unknown>} answer of the token endpoint @param {number} now */
function tokensFrom({ access_token: access, refresh_token: refresh, expires_in: seconds }, now) {
	const life = Number(seconds) * 1000;
	if (typeof access !== "string" || !access || !(life > 0)) throw new SignInError("refused");
	const renewed = typeof refresh === "string" && refresh ? { refresh } : {};
	return { access, renewAt: now + life * RENEW_SHARE, expiresAt: now + life, ...renewed };
}

/** Begin a sign-in. @param {SignInConfig} config @param {LocalStore} tab @param {{hash: string, keep: boolean, claims: boolean}} wishes
 * @returns {Promise<string>} the URL of the login page */
export async function beginSignIn({ clientId, loginUrl }, tab, wishes) {
	/** @type {BegunSignIn} */
	const begun = {
		...{ state: random(STATE_BYTES), nonce: random(STATE_BYTES), verifier: random(VERIFIER_BYTES) },
		...{ ...wishes, clientId, loginUrl },
	};
	tab.save(BEGUN, begun);
	const query = new URLSearchParams({
		response_type: "code",
		client_id: clientId,
		redirect_uri: redirectUri(),
		scope: "openid",
		state: begun.state,
		nonce: begun.nonce,
		code_challenge: await challengeOf(begun.verifier),
		code_challenge_method: "S256",
	});
	return `${loginUrl}/oauth2/authorize?${query}`;
}

/** Finish a sign-in with what the login page added to the address: save the tokens, or else a problem.
 * @param {{tab: LocalStore, device: LocalStore, clock?: Clock, fetch?: typeof globalThis.fetch}} surroundings */
export async function finishSignIn({ tab, device, clock = globalThis, fetch = globalThis.fetch.bind(globalThis) }) {
	const [begun, answer] = [/** @type {BegunSignIn} */ (Object(tab.load(BEGUN))), tab.loadText(ANSWER) ?? ""];
	tab.remove(BEGUN);
	tab.remove(ANSWER);
	try {
		const account = await redeem(begun, new URLSearchParams(answer), clock, fetch);
		tab.save(ACCOUNT, account);
		takeOver(device, account.userId, begun.keep);
	} catch (error) {
		tab.save(PROBLEM, error instanceof SignInError ? error.problem : "refused");
	}
}

/** @param {BegunSignIn} begun @param {URLSearchParams} answer @param {Clock} clock @param {typeof globalThis.fetch} fetch
 * @returns {Promise<TabAccount>} */
async function redeem(begun, answer, clock, fetch) {
	const { state, nonce, verifier, clientId, loginUrl, claims } = begun;
	if (!state || answer.get("state") !== state) throw new SignInError("foreign");
	const code = answer.get("code");
	if (!code) throw new SignInError(answer.get("error") === "access_denied" ? "cancelled" : "refused");
	const fields = {
		grant_type: "authorization_code",
		client_id: clientId,
		redirect_uri: redirectUri(),
		code,
		code_verifier: verifier,
	};
	const given = await post(`${loginUrl}/oauth2/token`, fields, fetch);
	const { nonce: returned, sub } = claimsOf(given.id_token);
	if (returned !== nonce) throw new SignInError("foreign");
	if (typeof sub !== "string" || !sub) throw new SignInError("refused");
	return { userId: sub, name: "", refresh: "", claims, ...tokensFrom(given, clock.Date.now()) };
}

/** Make the browser's storage the account's: nothing of another account stays, and a guest's rooms, drafts and unsent
 * messages come along if the guest's messages do.
 * @param {LocalStore} device @param {string} userId @param {boolean} keep */
function takeOver(device, userId, keep) {
	const scope = `@${userId}.`;
	const others = device.keys("@").filter((key) => !key.startsWith(scope));
	for (const key of others) device.remove(key);
	if (others.length) device.remove("levels"); // which names rooms
	if (!keep) return;
	for (const start of [...COPIED, ...MOVED]) {
		for (const key of device.keys(start)) {
			if (device.load(scope + key) === undefined) device.save(scope + key, device.load(key));
			if (MOVED.includes(start)) device.remove(key);
		}
	}
}

/** Why the last sign-in failed or ended; told once. @param {LocalStore} tab @returns {SignInProblem | undefined} */
export function takeProblem(tab) {
	const isForeign = tab.load(ANSWER) !== undefined; // an answer that this tab has not asked for
	const problem = /** @type {SignInProblem | undefined} */ (tab.loadText(PROBLEM));
	tab.remove(ANSWER);
	tab.remove(PROBLEM);
	return isForeign ? "foreign" : problem;
}

/** The tokens of this tab: renewed in time, and only ever in sessionStorage.
 * @extends {Emitter<TokensEvents>} */
export class Tokens extends Emitter {
	#config;
	#tab;
	#clock;
	#random;
	#fetch;
	#timers;
	#failures = 0;
	/** @type {Promise<void> | undefined} */
	#renewing;

	/** @param {{config: SignInConfig, tab: LocalStore, fetch?: typeof globalThis.fetch} & Partial<Surroundings>} options */
	constructor({ config, tab, clock = globalThis, random = Math.random, fetch = globalThis.fetch.bind(globalThis) }) {
		super();
		this.#config = config;
		this.#tab = tab;
		this.#clock = clock;
		this.#random = random;
		this.#fetch = fetch;
		this.#timers = new Timers(clock);
	}

	/** Undefined for a guest. */
	get account() {
		return /** @type {TabAccount | undefined} */ (this.#tab.load(ACCOUNT));
	}

	get hasExpired() {
		return (this.account?.expiresAt ?? 0) <= this.#clock.Date.now();
	}

	/** @param {Partial<TabAccount>} changes */
	update(changes) {
		if (this.account) this.#tab.save(ACCOUNT, { ...this.account, ...changes });
	}

	/** Renew the access token in time, from now on. */
	watch() {
		const { account } = this;
		if (!account) return;
		const left = (/** @type {number} */ at) => Math.max(0, at - this.#clock.Date.now());
		if (!this.hasExpired) this.#timers.start("expire", left(account.expiresAt), () => this.#expire());
		this.#timers.start("renew", left(account.renewAt), () => this.renew());
	}

	/** After a sleep, a renewal may be on its way. */
	#expire() {
		if (!this.#renewing) this.emit("expired", undefined);
	}

	/** Renew the access token now; again and again if the login host cannot be reached. */
	renew() {
		this.#timers.cancel("renew");
		this.#renewing ??= this.#renew().finally(() => {
			this.#renewing = undefined;
		});
		return this.#renewing;
	}

	async #renew() {
		const { account } = this;
		if (!account) return;
		const { clientId, loginUrl } = this.#config;
		const fields = { grant_type: "refresh_token", client_id: clientId, refresh_token: account.refresh };
		try {
			const tokens = tokensFrom(await post(`${loginUrl}/oauth2/token`, fields, this.#fetch), this.#clock.Date.now());
			if (!this.account) return; // signed out while it was renewed
			this.#failures = 0;
			this.update(tokens);
			this.watch();
			this.emit("renewed", undefined);
		} catch (error) {
			if (!(error instanceof SignInError)) throw error;
			if (!this.account) return;
			if (error.problem === "refused") return this.emit("ended", undefined);
			this.emit("delayed", undefined);
			this.#timers.start("renew", backoffMs(this.#failures, this.#random), () => this.renew());
			this.#failures += 1;
		}
	}

	/** Revoke the refresh token, at best effort, and forget all tokens. */
	async revoke() {
		const token = this.account?.refresh;
		this.forget();
		if (!token) return;
		const { clientId, loginUrl } = this.#config;
		await post(`${loginUrl}/oauth2/revoke`, { token, client_id: clientId }, this.#fetch).catch(() => {});
	}

	forget() {
		this.#timers.cancelAll();
		this.#tab.remove(ACCOUNT);
	}

	/** The page that ends the login host's own session, and comes back. */
	get logoutUrl() {
		const { clientId, loginUrl } = this.#config;
		return `${loginUrl}/logout?${new URLSearchParams({ client_id: clientId, logout_uri: redirectUri() })}`;
	}
}

/** Delete all that is somebody's, of accounts and guests; what belongs to the browser stays.
 * @param {LocalStore} device */
export function purge(device) {
	for (const key of device.keys("")) if (!OF_BROWSER.includes(key)) device.remove(key);
}

/** Tell the page after the next load why it is signed out. @param {LocalStore} tab @param {SignInProblem} problem */
export function leaveProblem(tab, problem) {
	tab.save(PROBLEM, problem);
}
