// The server's HTTP API: JSON, server-sent events, and problems (RFC 9457) as one kind of error.

const BROKEN = {
  title: "답변을 받지 못했습니다",
  detail: "연결이 중간에 끊겼습니다. 다시 시도해 주세요.",
};
const UNREACHABLE = {
  title: "서버에 연결하지 못했습니다",
  detail: "네트워크 연결을 확인하고 다시 시도해 주세요.",
};
const UNKNOWN = {
  title: "처리하지 못했습니다",
  detail: "서버에 문제가 생겼습니다. 잠시 뒤 다시 시도해 주세요.",
};

/** What went wrong, in words for the person who asked. */
export class Problem extends Error {
  constructor({ title, detail, status } = {}) {
    super(detail || UNKNOWN.detail);
    this.name = "Problem";
    this.title = title || UNKNOWN.title;
    this.status = status ?? null;
  }
}

/** {bots: [{id, name, description, sample_questions, contact, released, documents}], organisation?} */
export async function fetchBots() {
  return (await call("api/bots")).json();
}

/** The passage that a citation stands in, with its whole article as blocks. */
export async function fetchPassage(id, signal) {
  return (await call(`api/citations/${encodeURIComponent(id)}`, { signal })).json();
}

/**
 * Asks a question and yields {event, data} as they come: `route`, `citation`, `delta`, and last `done`.
 * Throws a Problem for an `error` event, a refused request or a stream without an end.
 */
export async function* ask(request, signal) {
  const response = await call("api/chat", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
    body: JSON.stringify(request),
    signal,
  });
  if (mediaType(response) === "application/json") {
    yield { event: "done", data: await response.json() };
    return;
  }
  for await (const { event, data } of readEvents(response.body)) {
    if (event === "error") throw new Problem(data);
    yield { event, data };
    if (event === "done") return;
  }
  throw new Problem(BROKEN);
}

async function call(path, options = {}) {
  let response;
  try {
    response = await fetch(new URL(path, document.baseURI), { credentials: "same-origin", ...options });
  } catch (error) {
    throw error.name === "AbortError" ? error : new Problem(UNREACHABLE);
  }
  if (!response.ok) throw new Problem(await problemOf(response));
  return response;
}

async function problemOf(response) {
  const status = response.status;
  if (mediaType(response) !== "application/problem+json") return { status };
  try {
    return { ...(await response.json()), status };
  } catch {
    return { status };
  }
}

function mediaType(response) {
  return (response.headers.get("Content-Type") ?? "").split(";")[0].trim();
}

async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await read(reader);
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

async function read(reader) {
  try {
    return await reader.read();
  } catch (error) {
    throw error.name === "AbortError" ? error : new Problem(BROKEN);
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
