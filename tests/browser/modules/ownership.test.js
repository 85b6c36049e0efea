/** One tab owns the outbox, with Web Locks and with a lease. */

import { claim } from "/claims.js";
import { LeaseOwnership, LockOwnership } from "/client/ownership.js";
import { LocalStore } from "/client/storage.js";
import { Browser, Clock, chance, equal, ok } from "/world.js";

/** Tabs of one browser that compete for ownership. */
function tabs(count, kind) {
	const clock = new Clock();
	const browser = new Browser(clock);
	const made = Array.from({ length: count }, () => {
		const locks = browser.locks.tab();
		const store = new LocalStore(browser.storage.tab());
		const ownership = kind === "lock" ? new LockOwnership("outbox", locks) : new LeaseOwnership("outbox", store, clock);
		return { ownership, locks };
	});
	const owners = () => made.flatMap(({ ownership }, index) => (ownership.owned ? [index] : []));
	return { clock, made, ownerships: made.map(({ ownership }) => ownership), owners };
}

const ofEachKind = (test) => async () => {
	await test("lock");
	await test("lease");
};

claim(
	"of tabs that want it at once, one has it",
	ofEachKind(async (kind) => {
		const { clock, ownerships, owners } = tabs(5, kind);
		for (const ownership of ownerships) ownership.want();
		await clock.pass(1000);
		equal(owners().length, 1);
		await clock.pass(60_000);
		equal(owners().length, 1);
	}),
);

claim(
	"a tab that gives it up is succeeded, by a tab that wants it",
	ofEachKind(async (kind) => {
		const { clock, ownerships, owners } = tabs(3, kind);
		ownerships[0].want();
		await clock.pass(1000);
		ownerships[2].want();
		await clock.pass(5000);
		equal(owners(), [0]);
		ownerships[0].release();
		await clock.pass(1000);
		equal(owners(), [2]);
	}),
);

claim(
	"a tab that takes it has it soon, and the other knows",
	ofEachKind(async (kind) => {
		const { clock, ownerships, owners } = tabs(2, kind);
		const changes = [];
		ownerships[0].on("change", ({ owned }) => changes.push(owned));
		for (const ownership of ownerships) ownership.want();
		await clock.pass(1000);
		changes.length = 0;
		for (const taker of [1, 0, 1]) {
			ownerships[taker].take();
			await clock.pass(200);
			equal(owners(), [taker]);
		}
		equal(changes.slice(-2), [true, false]);
	}),
);

claim(
	"a tab that does not want it cannot take it",
	ofEachKind(async (kind) => {
		const { clock, ownerships, owners } = tabs(1, kind);
		ownerships[0].take();
		await clock.pass(1000);
		equal(owners(), []);
	}),
);

claim("two tabs never own the lock or lease at once, whatever they do", async () => {
	for (const kind of ["lock", "lease"]) {
		for (let seed = 1; seed <= 30; seed += 1) {
			const random = chance(seed);
			const { clock, ownerships, owners } = tabs(3, kind);
			for (let n = 0; n < 60; n += 1) {
				const one = ownerships[Math.floor(random() * 3)];
				[() => one.want(), () => one.take(), () => one.release()][Math.floor(random() * 3)]();
				await clock.pass(random() ** 3 * 3000);
				ok(owners().length <= 1, `seed ${seed}: ${owners()}`);
			}
		}
	}
});

claim("a lease that is not renewed is taken over, and its former tab notices on waking", async () => {
	const { clock, ownerships, owners } = tabs(2, "lease");
	ownerships[0].want();
	await clock.pass(1000);
	const { setTimeout } = clock;
	clock.setTimeout = () => 0; // a frozen tab's timers
	await clock.pass(2500);
	clock.setTimeout = setTimeout;
	ownerships[1].want();
	await clock.pass(7000);
	equal(owners(), [1]);
});

claim("a lease far in the future, left after the clock was set back, is ignored", async () => {
	const clock = new Clock();
	const store = new LocalStore(new Browser(clock).storage.tab());
	store.save("lease.outbox", { owner: "gone", until: clock.at + 3_600_000 });
	const ownership = new LeaseOwnership("outbox", store, clock);
	ownership.want();
	await clock.pass(1000);
	ok(ownership.owned);
});

claim("a lease has one holder even without storage events", async () => {
	const clock = new Clock();
	const { area } = new Browser(clock).storage.tab();
	const leases = [1, 2].map(
		() => new LeaseOwnership("outbox", new LocalStore({ area, events: new EventTarget() }), clock),
	);
	for (const lease of leases) lease.want();
	leases[1].take();
	await clock.pass(500);
	equal(leases.map(({ owned }) => owned).sort(), [false, true]);
	const loser = leases.find(({ owned }) => !owned);
	loser.take();
	await clock.pass(500);
	equal([loser.owned, leases.filter(({ owned }) => owned).length], [true, 1]);
});

claim("a page that is refused a lock, such as a closing one, does not retry forever", async () => {
	let asked = 0;
	const request = () => {
		asked += 1;
		return Promise.reject(new DOMException("closed", "InvalidStateError"));
	};
	const ownership = new LockOwnership("outbox", { request });
	ownership.want();
	await new Clock().pass(0);
	equal([asked, ownership.owned], [1, false]);
});
