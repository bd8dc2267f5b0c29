// A conversation as plain values, and where it is kept between visits. Knows nothing of the page.
//
// A turn: {question, bot, asOf, llm, phase, route, text, citations, related, answer, problem}
// phase: waiting → done | stopped | failed. `bot` is what was chosen by hand, null = found by the server; `llm` who is to write, null = the bot's own choice.

const KEY = "ragbots.conversation";
const KEPT_TURNS = 40;
const HISTORY_TURNS = 6;

export const EMPTY = Object.freeze({ id: null, turns: Object.freeze([]) });

export function newTurn(question, bot, asOf, llm) {
  return {
    question,
    bot: bot || null,
    asOf: asOf || null,
    llm: llm || null,
    phase: "waiting",
    route: null,
    text: "",
    citations: [],
    related: [],
    answer: null,
    problem: null,
  };
}

/** The turn after one event of the stream. Events of a kind not known here change nothing. */
export function advance(turn, event, data) {
  switch (event) {
    case "route":
      return { ...turn, route: data };
    case "citation": {
      const list = data.kind === "related" ? "related" : "citations";
      return { ...turn, [list]: [...turn[list], data] };
    }
    case "delta":
      return { ...turn, text: turn.text + data.text };
    case "done":
      return {
        ...turn,
        phase: "done",
        text: data.answer,
        citations: data.citations ?? [],
        related: data.related ?? [],
        answer: data,
      };
    default:
      return turn;
  }
}

/** What was said before, as the server takes it: the last six messages that belong to answers. */
export function history(turns) {
  return turns
    .filter((turn) => turn.phase === "done" && turn.answer.status !== "clarify")
    .flatMap((turn) => [
      { role: "user", content: turn.question },
      { role: "assistant", content: turn.answer.answer },
    ])
    .slice(-HISTORY_TURNS);
}

/** The conversation of the last visit. A turn that was cut off by leaving can be asked again. */
export function load() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    if (!kept || !Array.isArray(kept.turns)) return EMPTY;
    const turns = kept.turns.map((turn) => (turn.phase === "waiting" ? { ...turn, phase: "stopped" } : turn));
    return { id: kept.id ?? null, turns };
  } catch {
    return EMPTY; // Storage is switched off, or holds what an older page wrote.
  }
}

export function save(conversation) {
  try {
    if (conversation.turns.length === 0) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify({ ...conversation, turns: conversation.turns.slice(-KEPT_TURNS) }));
  } catch {
    // Storage is off or full: the conversation then lasts as long as the page.
  }
}
