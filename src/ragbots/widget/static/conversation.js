// A conversation as plain values. Knows nothing of the page; its turns are kept by the server, here only its id.
//
// A turn: {question, bot, asOf, llm, phase, route, text, citations, related, answer, problem, rating, reason, noted}
// phase: waiting → done | stopped | failed. `bot` is what was chosen by hand, null = found by the server; `llm` who is
// to write, null = the bot's own choice; `rating` what the person said of it: `up`, `down` or null, and
// `noted` the word that says whether the server has it.

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
    rating: null,
    reason: null,
    noted: null,
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

/** A conversation from the turns that the server has kept: [{question, answer, feedback?}]. */
export function restored(id, turns) {
  return {
    id,
    turns: turns.map(({ question, answer, feedback }) => ({
      ...advance(newTurn(question, null, null, null), "done", answer),
      rating: feedback?.rating ?? null,
      reason: feedback?.reason ?? null,
    })),
  };
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
