/** Registers the service worker, which browsers allow only on https and localhost. */

export function registerServiceWorker() {
	if (!isSecureContext || !("serviceWorker" in navigator)) return;
	const policy = window.trustedTypes?.createPolicy("worker", { createScriptURL: () => "sw.js" });
	const url = policy?.createScriptURL("") ?? "sw.js";
	navigator.serviceWorker.register(url).catch(() => {}); // The page works without it, except offline.
}
