/** Service worker: caches the page and its files, so the page opens offline. */

const worker = /** @type {ServiceWorkerScope} */ (/** @type {unknown} */ (self));
const { scope } = worker.registration;

const LIMIT_MS = 3000;
const PREFIX = `shell ${scope} `; // of this chat's caches: others may share the origin
const MAX_VERSIONS = 2; // the newest, and the one that an open tab may still use
const VERSIONED = /^v-[0-9a-f]{12}\//; // StaticSite's folder for files whose URL changes with their content
const LINK = /\s(?:href|src)="([^"#]+)"/g;
const NAMED = /"(\.\.?\/[^"\s]+)"/g; // how modules refer to modules and icons: "./client.js", "../icon.svg"
const OF_ACCOUNTS = /\/(account|sign-in)\.js$/; // import all that only a page with sign-in needs

worker.addEventListener("install", (event) => event.waitUntil(install()));
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));

async function install() {
	const response = await fetch(scope, { cache: "reload" });
	if (!response.ok) throw new Error(`The page returned HTTP ${response.status}.`);
	await store(response);
	await worker.skipWaiting(); // Safe for open pages: a versioned URL never changes its content.
}

worker.addEventListener("fetch", (event) => {
	const { method, mode, url } = event.request;
	if (method !== "GET" || !url.startsWith(scope)) return;
	const [path = ""] = url.slice(scope.length).split(/[?#]/, 1);
	const isPage = ["", "index.html"].includes(path);
	if (mode !== "navigate") event.respondWith(VERSIONED.test(path) ? cacheFirst(event) : networkFirst(event, update));
	else if (isPage) event.respondWith(networkFirst(event, store, scope));
});

/** @param {FetchEvent} event */
async function cacheFirst({ request }) {
	return (await cached(request.url)) ?? fetch(request);
}

/**
 * @param {FetchEvent} event
 * @param {(response: Response, url: string) => Promise<void>} save
 * @param {string} [url] under which the response is cached
 */
async function networkFirst(event, save, url = event.request.url) {
	const fetched = fetch(event.request);
	const copied = fetched.then((response) => response.clone());
	event.waitUntil(copied.then((response) => save(response, url)).catch(() => {})); // The next load tries again.
	const answer = await Promise.race([fetched, after(LIMIT_MS)]).catch(() => undefined);
	if (answer && answer.status < 500) return answer;
	return (await cached(url)) ?? fetched;
}

/** @param {number} ms @returns {Promise<undefined>} */
const after = (ms) => new Promise((done) => setTimeout(done, ms));

/** @returns {Promise<string[]>} the names of this chat's caches, oldest first */
async function ownCaches() {
	return (await caches.keys()).filter((name) => name.startsWith(PREFIX));
}

/** @param {string} url */
async function cached(url) {
	for (const cacheName of (await ownCaches()).reverse()) {
		const found = await caches.match(url, { cacheName, ignoreVary: true });
		if (found) return found;
	}
	return undefined;
}

/**
 * Replace a file of the newest version. Only files with a fixed URL change: config.json, or every file if the server
 * does not version them.
 * @param {Response} response @param {string} url
 */
async function update(response, url) {
	const cacheName = (await ownCaches()).at(-1);
	if (!response.ok || !cacheName || !(await caches.match(url, { cacheName, ignoreVary: true }))) return;
	await (await caches.open(cacheName)).put(url, response);
}

/**
 * Cache a version of the page with all its files, and delete old versions.
 * @param {Response} response the page
 */
async function store(response) {
	if (!response.ok || response.redirected) return;
	const page = response.clone();
	const html = await response.text();
	const cacheName = PREFIX + (await digest(html));
	const isNewest = (await ownCaches()).at(-1) === cacheName;
	if (isNewest && (await caches.match(scope, { cacheName, ignoreVary: true }))) return;
	const files = await filesOf(html);
	await caches.delete(cacheName); // It may be an older version, or incomplete.
	const cache = await caches.open(cacheName);
	await Promise.all(files.map((file) => cache.put(file.url, file)));
	await cache.put(scope, page); // last: a version that has its page is complete
	const old = (await ownCaches()).slice(0, -MAX_VERSIONS);
	await Promise.all(old.map((name) => caches.delete(name)));
}

/** @param {string} html @returns {Promise<Response[]>} config.json, the files that the page links, and their imports */
async function filesOf(html) {
	/** @type {Map<string, Response | undefined>} */
	const files = new Map();
	let hasAccounts = false;
	/** @param {string} link @param {string} base */
	async function add(link, base) {
		const { href } = new URL(link, base);
		if (files.has(href) || !href.startsWith(scope) || href === scope) return;
		if (!hasAccounts && OF_ACCOUNTS.test(href)) return;
		files.set(href, undefined);
		const response = await fetch(href);
		if (!response.ok) return;
		files.set(href, response);
		if (response.headers.get("Content-Type")?.startsWith("text/javascript"))
			await addAll(await response.clone().text(), NAMED, href);
	}
	/** @param {string} text @param {RegExp} pattern @param {string} base */
	async function addAll(text, pattern, base) {
		await Promise.all([...text.matchAll(pattern)].map(([, link = ""]) => add(link, base)));
	}
	await add("config.json", scope);
	const config = await files.get(new URL("config.json", scope).href)?.clone().text();
	hasAccounts = !!config?.includes('"signIn"');
	await addAll(html, LINK, scope);
	return [...files.values()].filter((file) => file !== undefined);
}

/** @param {string} text */
async function digest(text) {
	const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
	return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
