/** Registers the service worker, where the browser allows one: on https and on this machine. */

export function keepForOffline() {
	if (!isSecureContext || !("serviceWorker" in navigator)) return;
	const policy = window.trustedTypes?.createPolicy("worker", { createScriptURL: () => "sw.js" });
	const address = policy?.createScriptURL("") ?? "sw.js";
	navigator.serviceWorker.register(address).catch(() => {}); // The page works without it, except offline.
}
