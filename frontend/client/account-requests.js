/** Requests about private rooms: sends a frame, and resolves with the frame that answers it. */

import { checks, ErrorCode, FRAMES } from "./protocol.js";
import { Timers } from "./timers.js";

const ANSWER_MS = 12_000; // `remove` waits until nothing more can reach the account

const { string, boolean, whole, time, optional, nullable, list, shape } = checks;

const account = shape({ userId: string, name: string });
const person = { userId: string, name: string, sender: string };
const description = {
	room: string,
	kind: string,
	title: optional(string),
	with: optional(account),
	role: string,
	sharesHistory: boolean,
	memberCount: whole,
	members: list(shape(person)),
	lastSeq: whole,
	unread: whole,
	since: whole,
};
const invitation = { room: string, by: account, expiresAt: time };
const link = { inviteId: string, uses: whole, expiresAt: time };

/** Type → field → check. @type {Record<string, Record<string, import("./protocol.js").Check>>} */
export const ACCOUNT_FRAMES = {
	rooms: { rooms: list(shape(description)), invitations: list(shape(invitation)), blocked: list(account) },
	room: description,
	members: {
		room: string,
		members: list(shape({ ...person, role: string })),
		banned: optional(list(account)),
		invites: optional(list(shape(link))),
	},
	invite: { room: string, ...link, token: string },
	invited: { room: string, name: string },
	invitation,
	membership: { room: string, userId: string, name: string, role: nullable(string), by: string },
	removed: { room: string, userId: string },
};

/** Action → the type of its answer. @type {Readonly<Record<string, string>>} */
const ANSWERS = {
	rooms: "rooms",
	createroom: "room",
	direct: "room",
	editroom: "room",
	members: "members",
	createinvite: "invite",
	revokeinvite: "members",
	invite: "invited",
	accept: "room",
	decline: "rooms",
	setrole: "members",
	remove: "removed",
	unban: "members",
	quit: "removed",
	block: "rooms",
};

/** The answer to anyone who is not a member, whether or not the room exists. */
export const NO_SUCH_ROOM = "no_such_room";

/** A request that failed; `problem` says why. */
export class RequestError extends Error {
	/** @param {RequestProblem} problem */
	constructor(problem) {
		super(problem.code);
		this.problem = problem;
	}
}

export class AccountRequests {
	#session;
	#timers;
	/** In the order in which they were sent. @type {PendingRequest[]} */
	#pending = [];
	#made = 0;

	/** @param {{session: Session, clock?: Clock}} options */
	constructor({ session, clock = globalThis }) {
		Object.assign(FRAMES, ACCOUNT_FRAMES); // the session's parser reads them from now on
		this.#session = session;
		this.#timers = new Timers(clock);
		session.on("frame", (frame) => this.#receive(/** @type {ServerFrame | AccountServerFrame} */ (frame)));
		session.on("state", ({ state }) => {
			if (state !== "ready" && state !== "joining") this.#failAll();
		});
	}

	/** Rejects with a RequestError: refused by the server, not connected, or no answer in time.
	 * @param {AccountFrame} frame @returns {Promise<AccountServerFrame>} the answer */
	request(frame) {
		return new Promise((resolve, reject) => {
			if (!this.#session.send(frame)) return reject(new RequestError({ code: "offline", error: "" }));
			this.#made += 1;
			const pending = { frame, timer: `request ${this.#made}`, resolve, reject };
			this.#pending.push(pending);
			this.#timers.start(pending.timer, ANSWER_MS, () => this.#fail(pending, { code: "unanswered", error: "" }));
		});
	}

	/** @param {ServerFrame | AccountServerFrame} frame */
	#receive(frame) {
		if (frame.type === "error") {
			const refused = this.#pending.find(({ frame: sent }) => isRefusedBy(sent, frame));
			if (refused) this.#fail(refused, frame);
			return;
		}
		const answered = this.#pending.find(({ frame: sent }) => isAnsweredBy(sent, frame));
		if (!answered) return;
		this.#end(answered);
		answered.resolve(/** @type {AccountServerFrame} */ (frame));
	}

	#failAll() {
		for (const pending of [...this.#pending]) this.#fail(pending, { code: "offline", error: "" });
	}

	/** @param {PendingRequest} pending @param {RequestProblem} problem */
	#fail(pending, problem) {
		this.#end(pending);
		pending.reject(new RequestError(problem));
	}

	/** @param {PendingRequest} pending */
	#end(pending) {
		this.#timers.cancel(pending.timer);
		this.#pending = this.#pending.filter((each) => each !== pending);
	}
}

/** @param {AccountFrame} sent @param {ErrorFrame} error */
function isRefusedBy(sent, { action, room, code }) {
	if (action === undefined) return code === ErrorCode.INTERNAL; // API Gateway does not say which frame failed
	return sent.action === action && (room === undefined || !("room" in sent) || sent.room === room);
}

/** @param {AccountFrame} sent @param {ServerFrame | AccountServerFrame} frame */
function isAnsweredBy(sent, frame) {
	if (frame.type !== ANSWERS[sent.action]) return false;
	if (sent.action === "direct") return frame.type === "room" && frame.with?.userId === sent.userId;
	if (sent.action === "createroom") return frame.type === "room" && frame.role === "owner" && frame.memberCount === 1;
	if (sent.action === "remove")
		return frame.type === "removed" && frame.room === sent.room && frame.userId === sent.userId;
	return !("room" in sent && "room" in frame) || sent.room === frame.room;
}
