// Who asks, on a page of others whose server vouches for its people: tokens that are good for some minutes, asked for
// at an address of that server.

import { Problem } from "./problem.js";

const EARLY_SECONDS = 30; // a token is replaced while it still holds, so that no question meets its end

/**
 * Gives the header that says who asks, with a token from the address `from`: {token, seconds} as JSON, what
 * `POST /api/widget-tokens` answered to that page's server. Nothing where no address is given. Throws a Problem.
 */
export function tokenHeaders(from, words) {
  if (!from) return async () => ({});
  let asked = null; // promise of {token, until}; one for all requests that wait for it
  const ask = async () => {
    try {
      const response = await fetch(new URL(from, document.baseURI), { credentials: "same-origin", cache: "no-store" });
      const { token, seconds } = await response.json();
      if (!response.ok || !token) throw new Error(`${response.status}`);
      return { token, until: Date.now() + (seconds - EARLY_SECONDS) * 1000 };
    } catch {
      asked = null;
      throw new Problem(words.nobody);
    }
  };
  return async () => {
    if (asked && Date.now() >= (await asked).until) asked = null;
    asked ??= ask();
    return { Authorization: `Bearer ${(await asked).token}` };
  };
}
