/** What tells somebody who looks elsewhere: title, favicon, sound, notification. Knows nothing of rooms or sockets. */

const icon = /** @type {HTMLLinkElement} */ (document.querySelector('link[rel="icon"]'));
/** @type {AudioContext | undefined} */
let audio;

/** @param {string} title @param {number} unread */
export function showUnread(title, unread) {
  const text = unread ? `(${unread}) ${title}` : title;
  if (document.title === text) return;
  document.title = text;
  const href = unread ? 'icon-unread.svg' : 'icon.svg';
  if (icon.getAttribute('href') !== href) icon.setAttribute('href', href);
}

/** Two soft notes, made here: a sound file would be one more request. */
export function chime() {
  audio ??= new AudioContext();
  for (const [at, pitch] of [[0, 660], [0.12, 880]]) {
    const start = audio.currentTime + /** @type {number} */ (at);
    const tone = new OscillatorNode(audio, { type: 'sine', frequency: pitch });
    const volume = new GainNode(audio, { gain: 0 });
    volume.gain.setValueAtTime(0.0001, start);
    volume.gain.exponentialRampToValueAtTime(0.08, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.3);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.3);
  }
}

/** Asks for leave to notify; says in words why it cannot be had.
 * @returns {Promise<string>} empty when it was given */
export async function allowNotifications() {
  if (!('Notification' in window) || !window.isSecureContext) {
    return 'Notifications need a page over https://. Sound works here';
  }
  if ((await Notification.requestPermission()) === 'granted') return '';
  return "The browser blocks notifications. Allow them in the address bar's site settings, then try again";
}

/** @param {string} title @param {string} body */
export function notify(title, body) {
  if (!('Notification' in window) || Notification.permission !== 'granted') return;
  try {
    const shown = new Notification(title, { body: body.slice(0, 200), tag: title, icon: 'icon.svg' });
    shown.addEventListener('click', () => {
      window.focus();
      shown.close();
    });
  } catch {
    // Android's Chrome only notifies from a service worker; the title still counts.
  }
}
