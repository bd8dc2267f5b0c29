// The server's HTTP API: JSON, server-sent events, and problems (RFC 9457) as one kind of error.

import { Problem } from "./problem.js";

/**
 * The API of the server at `base`, the address that the script came from; `words` are said where the server says none,
 * `whoAsks()` gives the headers that say who asks.
 *
 * bots(): {bots: [{id, name, description, sample_questions, contact, released, documents, llms}], organisation?}
 * me(): {user, name, sign_in, sign_out}, the last two the pages for that, null where there is nothing to do.
 * passage(id): the passage that a citation stands in, with its whole article as blocks.
 * conversation(id): its turns, null where it is gone. forget(id). rate({answer_id, rating, reason?, comment?}),
 * unrate(answer id).
 * ask(request): yields {event, data} as they come: `route`, `citation`, `delta`, and last `done`; throws a Problem
 * for an `error` event, a refused request or a stream without an end.
 */
export function client(base, words, whoAsks) {
  const call = async (path, options = {}) => {
    const headers = { ...options.headers, ...(await whoAsks()) };
    let response;
    try {
      response = await fetch(new URL(path, base), { credentials: "same-origin", ...options, headers });
    } catch (error) {
      throw error.name === "AbortError" ? error : new Problem(words.unreachable);
    }
    if (!response.ok) throw await problemOf(response, words);
    return response;
  };
  const post = (path, body, options = {}) => {
    const headers = { "Content-Type": "application/json", ...options.headers };
    return call(path, { ...options, method: "POST", headers, body: JSON.stringify(body) });
  };
  return {
    address: (path) => new URL(path, base).href,
    bots: async () => (await call("api/bots")).json(),
    me: async () => {
      try {
        return await (await call("api/me")).json();
      } catch (error) {
        // A session that is over is not good for anything but to sign in again.
        return { user: null, name: null, sign_in: error.status === 401 ? "/login" : null, sign_out: null };
      }
    },
    passage: async (id, signal) => (await call(`api/citations/${encodeURIComponent(id)}`, { signal })).json(),
    conversation: async (id) => {
      try {
        return (await (await call(`api/conversations/${encodeURIComponent(id)}`)).json()).turns ?? null;
      } catch (error) {
        if (error.status === 404) return null;
        throw error;
      }
    },
    forget: async (id) => {
      await call(`api/conversations/${encodeURIComponent(id)}`, { method: "DELETE" });
    },
    rate: async (feedback) => {
      await post("api/feedback", feedback);
    },
    unrate: async (id) => {
      await call(`api/feedback/${encodeURIComponent(id)}`, { method: "DELETE" });
    },
    ask: async function* (request, signal) {
      const response = await post("api/chat", request, { headers: { Accept: "text/event-stream" }, signal });
      if (mediaType(response) === "application/json") {
        yield { event: "done", data: await response.json() };
        return;
      }
      for await (const { event, data } of readEvents(response.body, words)) {
        if (event === "error") throw new Problem([data.title ?? words.unknown[0], data.detail ?? words.unknown[1]], data.status);
        yield { event, data };
        if (event === "done") return;
      }
      throw new Problem(words.broken);
    },
  };
}

async function problemOf(response, words) {
  const status = response.status;
  if (mediaType(response) !== "application/problem+json") return new Problem(words.unknown, status);
  try {
    const { title, detail } = await response.json();
    return new Problem([title ?? words.unknown[0], detail ?? words.unknown[1]], status);
  } catch {
    return new Problem(words.unknown, status);
  }
}

function mediaType(response) {
  return (response.headers.get("Content-Type") ?? "").split(";")[0].trim();
}

async function* readEvents(body, words) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await read(reader, words);
      if (done) return;
      const parts = (rest + value).split(/\r\n\r\n|\n\n|\r\r/);
      rest = parts.pop();
      for (const part of parts) {
        const event = parseEvent(part);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {}); // It may have failed already; there is nothing left to close.
  }
}

async function read(reader, words) {
  try {
    return await reader.read();
  } catch (error) {
    throw error.name === "AbortError" ? error : new Problem(words.broken);
  }
}

/** One block of an event stream; null for a comment (a keep-alive). */
function parseEvent(block) {
  let event = "message";
  const data = [];
  for (const line of block.split(/\r\n|\n|\r/)) {
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (name === "event") event = value;
    if (name === "data") data.push(value);
  }
  return data.length ? { event, data: JSON.parse(data.join("\n")) } : null;
}
