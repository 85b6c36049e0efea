/** The sentences about signing in. */

/** @type {Record<SignInProblem, string>} */
export const PROBLEMS = {
	cancelled: "Sign-in was cancelled.",
	foreign: "This sign-in was not started in this tab, so it was not used. Sign in again.",
	refused: "The login page refused the sign-in. Sign in again.",
	unreachable: "Could not reach the login page. Try again in a moment.",
	ended: "Your sign-in has ended. Sign in again.",
	everywhere: "You were signed out everywhere.",
	elsewhere: "You were signed out in another tab.",
	expired: "Your sign-in has expired and could not be renewed yet. Trying again…",
};

export const REQUIRED = "This chat is for people with an account. Signed in in another tab? Then one click is enough.";
export const ROOM_REQUIRED = "This room is only for people with an account.";
export const WHY = "With an account, your name has a badge that only you can have.";

/** @param {number} count */
export const unsentWarning = (count) =>
	`${count === 1 ? "1 unsent message" : `${count} unsent messages`} will be deleted when you sign out.`;
