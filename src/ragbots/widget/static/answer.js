// One turn: the question, the answer as it grows, its citations and what can be done next.

import { contacts } from "./contact.js";
import { copyText, el, icon, webLink } from "./dom.js";
import { feedback } from "./feedback.js";
import { readableDate } from "./words.js";

const RULES = "ko"; // the language of the regulations, whatever that of the buttons
const EXTRACTIVE = "extractive";
const PENDING = "pending-amendment";
const TITLE = /^[^.[]+ — [^.[]+$/; // of an article that is quoted below it
const ITEM = /^\d+(?:의\d+)?\. /;
const SUBITEM = /^[가-하]\. /;
const LAST_WORD = /^(.*?)(\S{1,12} ?)$/s;
const CELL_JOINT = " | "; // between the cells of a table's row, each `column: value`

/**
 * A view of one turn. `actions`: words, botOf(id), openCitation(citation, {compare}), askAgain(turn, botId), retry(),
 * rate(rating, reason, comment), announce(text), address(path).
 * `update(turn)` redraws only the parts that changed, so that focus and selection survive streaming.
 */
export function turnView(actions) {
  const root = el("article", { class: "turn" });
  const slots = new Map();
  const draw = (name, key, build) => {
    if (!slots.has(name)) {
      slots.set(name, { node: el("div", { class: `slot ${name}` }), key: undefined });
      root.append(slots.get(name).node);
    }
    const slot = slots.get(name);
    const now = JSON.stringify(key);
    if (slot.key === now) return;
    slot.key = now;
    slot.node.replaceChildren(...build());
  };

  const update = (turn) => {
    const status = turn.answer?.status ?? null;
    root.dataset.status = turn.phase !== "done" ? turn.phase : isTalk(turn) ? "talk" : status;
    root.setAttribute("aria-busy", String(turn.phase === "waiting"));
    draw("asked", [turn.question, turn.bot, turn.asOf], () => asked(turn, actions));
    draw("who", [turn.route, turn.phase, turn.text === "", status], () => who(turn, actions));
    draw("text", null, () => []);
    slots.get("text").node.lang = RULES;
    drawText(slots.get("text").node, turn, actions);
    draw("warnings", turn.answer?.warnings ?? [], () => warnings(turn, actions));
    draw("contacts", [status, turn.answer?.bot], () => contacts(turn, actions));
    draw("problem", [turn.phase, turn.problem], () => problem(turn, actions));
    const unsaid = turn.citations.map((citation) => turn.phase === "done" && !saysAll(turn.text, citation.quote));
    const cited = turn.citations.map((citation) => citation.id);
    draw("citations", [cited, unsaid], () => citations(turn, unsaid, actions));
    draw("related", turn.related.map((citation) => citation.id), () => related(turn, actions));
    draw("candidates", [turn.phase, turn.answer?.candidates], () => candidates(turn, actions));
    draw("tools", [turn.phase, status], () => tools(turn, actions));
    draw("feedback", [turn.phase, status, turn.rating, turn.reason, turn.noted], () => feedback(turn, actions));
  };
  return { root, update, focus: () => root.querySelector("h2").focus({ preventScroll: true }) };
}

/** What is read out once the answer is whole. */
export function spokenSummary(turn, { botOf, words }) {
  if (turn.phase === "stopped") return words.stopped;
  if (turn.phase === "failed") return `${turn.problem.title}. ${turn.problem.detail}`;
  const name = botOf(turn.answer.bot)?.name;
  const count = turn.citations.length;
  return [
    name && words.answerOf(name),
    turn.text.replaceAll(/\[(\d{1,2})\]/g, "").replaceAll(CELL_JOINT, ", "),
    ...(turn.answer.warnings ?? []).map((warning) => warning.text),
    count > 0 && words.citedCount(count),
  ]
    .filter(Boolean)
    .join(" ");
}

/** Whether it is no answer out of rules: a greeting, or how to ask. */
function isTalk({ answer }) {
  return answer?.status === "refused" && !answer.index_version;
}

/** The answer's text as blocks: {kind: "paragraph", text, heads?: it stands above a row}, {kind: "list", items} and {kind: "row", cells, after}. */
export function parseAnswer(text) {
  return text
    .split(/\n\s*\n/)
    .flatMap((part) => splitLists(part.split("\n").filter((line) => line.trim())))
    .filter((block) => block.kind !== "paragraph" || block.text);
}

function splitLists(lines) {
  const blocks = [];
  for (const line of lines) {
    const item = /^\s*- (.*)$/.exec(line)?.[1];
    const last = blocks.at(-1);
    const row = rowOf(line);
    if (row) {
      if (last?.kind === "paragraph") last.heads = true;
      blocks.push(row);
    } else if (item !== undefined && last?.kind === "list") last.items.push(item);
    else if (item !== undefined) blocks.push({ kind: "list", items: [item] });
    else if (last?.kind === "paragraph") last.text += `\n${line.trim()}`;
    else blocks.push({ kind: "paragraph", text: line.trim() });
  }
  return blocks;
}

/** A line that is a table's row, `구분: 2급 | 일비: 30,000원 [1]`; null for any other. */
function rowOf(line) {
  const [, text, after] = /^(.*?)\s*((?:\[\d{1,2}\])*)$/s.exec(line.trim());
  const parts = text.split(CELL_JOINT);
  if (parts.length < 2) return null;
  const cells = parts.map((part) => {
    const [, column, value] = /^(.+?): (.*)$/s.exec(part) ?? [null, "", part];
    return [column, value];
  });
  return { kind: "row", cells, after };
}

/** A row as pairs of column and value, which wrap where a table would be too wide. */
function rowList({ cells, after }, turn, actions) {
  const line = cells.map(([column, value]) => (column ? `${column}: ${value}` : value)).join(CELL_JOINT);
  const answers = answeringWords(turn?.citations ?? []).includes(line);
  const said = (value) => (answers ? el("mark", {}, value) : value);
  const pair = ([column, value]) => el("div", {}, el("dt", {}, column), el("dd", {}, said(value)));
  return el("div", { class: "row" }, el("dl", {}, cells.map(pair)), after ? withMarkers(after, turn, actions) : []);
}

/** Whether every line of a quote stands in the answer already. */
function saysAll(text, quote) {
  const plain = (words) => words.replaceAll(/\s+/g, "");
  const answer = plain(text);
  return (quote ?? "").split("\n").every((line) => answer.includes(plain(line)));
}

function drawText(node, turn, actions) {
  const known = turn.citations.map((citation) => citation.id);
  const blocks = parseAnswer(turn.text);
  blocks.forEach((block, at) => {
    const key = JSON.stringify([block, known]);
    const old = node.children[at];
    if (old?.dataset.key === key) return;
    const drawn = answerBlock(block, turn, actions);
    drawn.dataset.key = key;
    if (old) old.replaceWith(drawn);
    else node.append(drawn);
  });
  while (node.children.length > blocks.length) node.lastChild.remove();
}

function answerBlock(block, turn, actions) {
  if (block.kind === "row") return rowList(block, turn, actions);
  if (block.kind === "paragraph") return el("p", {}, paragraphLines(block, turn, actions));
  return el("ul", {}, block.items.map((item) => el("li", {}, withMarkers(item, turn, actions))));
}

/** A paragraph's lines: what it is from, 호 and 목 set in as they are on paper. */
function paragraphLines({ text, heads }, turn, actions) {
  const lines = text.split("\n");
  const kind = (line, at) => {
    if (at === 0 && (heads || lines.length > 1) && TITLE.test(line)) return "line from";
    if (ITEM.test(line)) return "line item";
    return SUBITEM.test(line) ? "line subitem" : "line";
  };
  return lines.map((line, at) => el("span", { class: kind(line, at) }, withMarkers(line, turn, actions)));
}

/** Text in which `[1]` opens the first citation, and the words that answer are marked; a number without a citation
 * stays text. */
function withMarkers(text, turn, actions) {
  const words = answeringWords(turn.citations);
  const drawn = [];
  for (const part of text.split(/(\[\d{1,2}\])/)) {
    const number = Number(/^\[(\d+)\]$/.exec(part)?.[1]);
    const citation = turn.citations[number - 1];
    if (citation) drawn.push(besideWord(drawn, marker(number, citation, actions)));
    else drawn.push(...withWordsMarked(part, words));
  }
  return drawn;
}

/** A marker with the word before it, taken from what is drawn already: it never stands alone at a line's beginning. */
function besideWord(drawn, button) {
  const gap = typeof drawn.at(-1) === "string" && !drawn.at(-1).trim() ? drawn.pop() : "";
  const last = drawn.at(-1);
  const marked = last instanceof Element && last.localName === "mark";
  const [, before, word] = LAST_WORD.exec(marked ? last.textContent : typeof last === "string" ? last : "") ?? [];
  if (word) drawn.splice(-1, 1, marked ? el("mark", {}, before) : before);
  return el("span", { class: "nowrap" }, word && (marked ? el("mark", {}, word) : word), gap, button);
}

/** The lines of the quotes that answer, as their marks say; marks count code points. */
function answeringWords(cited) {
  return cited.flatMap(({ quote, marks }) =>
    (marks ?? []).flatMap(([start, end]) => [...quote].slice(start, end).join("").split("\n").filter(Boolean)),
  );
}

function withWordsMarked(text, words) {
  const found = words.find((word) => text.includes(word));
  if (!found) return [text];
  const at = text.indexOf(found);
  const [before, after] = [text.slice(0, at), text.slice(at + found.length)];
  return [...withWordsMarked(before, words), el("mark", {}, found), ...withWordsMarked(after, words)];
}

function marker(number, citation, actions) {
  const label = actions.words.openCitation(number, placeOf(citation));
  const open = () => actions.openCitation(citation);
  return el("button", { type: "button", class: "marker", "aria-label": label, onclick: open }, String(number));
}

function placeOf(citation) {
  return [citation.document, citation.address].filter(Boolean).join(" ");
}

function asked(turn, { botOf, words }) {
  const to = turn.bot && (botOf(turn.bot)?.name ?? turn.bot);
  const notes = [to && words.askedTo(to), turn.asOf && words.asOfDay(readableDate(turn.asOf, words))].filter(Boolean);
  return [
    el("h2", { tabindex: "-1" }, el("span", { class: "visually-hidden" }, `${words.question}: `), turn.question),
    ...(notes.length ? [el("p", { class: "muted" }, notes.join(" · "))] : []),
  ];
}

function who(turn, { botOf, words }) {
  const routed = turn.answer?.bot ?? turn.route?.bot?.id ?? (turn.phase === "waiting" && turn.bot);
  const name = routed && (botOf(routed)?.name ?? turn.route?.bot?.name ?? routed);
  if (turn.phase === "waiting" && !turn.text) {
    return [el("p", { class: "searching" }, name ? words.searchingIn(name) : words.searching)];
  }
  const label = turn.answer?.status === "refused" && !isTalk(turn) && words.refused;
  return [
    el("p", {}, [name && el("strong", {}, name), label && el("span", { class: "label" }, label)]),
  ].filter((line) => line.childNodes.length);
}

/** What must be known besides; where a quoted paragraph is about to change, the way to its old and new words. */
function warnings(turn, actions) {
  const { words } = actions;
  return (turn.answer?.warnings ?? []).map((warning) => {
    const day = warning.effective_date && readableDate(warning.effective_date, words);
    const changing = warning.kind === PENDING && turn.citations.find((citation) => concerns(warning, citation));
    const open = () => actions.openCitation(changing, { compare: true });
    return el("div", { class: "notice", role: "note" }, [
      el("p", {}, el("strong", {}, day ? words.inForceFrom(day) : words.notice), " ", warning.text),
      changing && el("button", { type: "button", onclick: open }, words.showComparison),
    ]);
  });
}

function concerns(warning, { document: name, article }) {
  return warning.text.startsWith(`「${name}」 ${article ?? ""}은(는)`);
}

function problem(turn, { retry, words }) {
  if (turn.phase !== "stopped" && turn.phase !== "failed") return [];
  const stopped = turn.phase === "stopped";
  return [
    el("div", { class: stopped ? "stopped" : "notice" }, [
      el("p", {}, el("strong", {}, stopped ? words.stopped : turn.problem.title), stopped ? "" : ` ${turn.problem.detail}`),
      el("button", { type: "button", onclick: retry }, words.retry),
    ]),
  ];
}

function citations(turn, unsaid, actions) {
  if (turn.citations.length === 0) return [];
  const cards = turn.citations.map((citation, at) => card(citation, at + 1, unsaid[at], actions));
  return [el("h3", {}, actions.words.citations), el("ol", { class: "cards" }, cards)];
}

/** Where the words stand; the words themselves only if the answer does not say them (`quoting`). */
function card(citation, number, quoting, actions) {
  const open = () => actions.openCitation(citation);
  const title = el("button", { type: "button", class: "card-title", onclick: open }, [
    el("span", { class: "card-number", "aria-hidden": "true" }, String(number)),
    el("span", {}, [
      el("span", { class: "visually-hidden" }, `${actions.words.citation(number)} `),
      el("span", { lang: RULES }, citation.document, " ", el("strong", {}, citation.address)),
    ]),
  ]);
  // The whole card opens for the mouse, unless words in it are being selected; keys have the button.
  const openCard = (event) => {
    if (!event.target.closest("button, a") && getSelection().isCollapsed) {
      title.focus();
      open();
    }
  };
  return el("li", { class: "card", onclick: openCard }, title, quoting && quotation(citation.quote));
}

function quotation(quote) {
  const lines = quote.split("\n").map((line) => {
    const row = rowOf(line);
    return row ? rowList({ ...row, after: "" }) : el("p", {}, line);
  });
  return el("blockquote", { lang: RULES }, lines);
}

function related(turn, actions) {
  if (turn.related.length === 0) return [];
  const line = (citation) => {
    const open = () => actions.openCitation(citation);
    return el("li", {}, el("button", { type: "button", class: "related-item", onclick: open }, [
      el("span", {}, placeOf(citation)),
      el("span", { class: "clip muted" }, citation.quote),
    ]));
  };
  return [el("h3", {}, actions.words.related), el("ul", { class: "related-list", lang: RULES }, turn.related.map(line))];
}

/** Bots to ask instead: the choice itself when the server asks back, else a way out of a wrong guess. */
function candidates(turn, { askAgain, botOf, words }) {
  if (turn.phase !== "done") return [];
  const { status, bot } = turn.answer;
  const others = (turn.answer.candidates ?? []).filter((candidate) => candidate.id !== bot);
  if (others.length === 0 || (status !== "clarify" && turn.bot)) return [];
  const button = ({ id, name }) => {
    const again = () => askAgain(turn, id);
    const description = status === "clarify" && botOf(id)?.description;
    return el("li", {}, el("button", { type: "button", onclick: again }, [
      el("strong", {}, name),
      description && el("span", { class: "muted" }, description),
    ]));
  };
  if (status !== "clarify") return [el("h3", {}, words.others), el("ul", { class: "chips" }, others.map(button))];
  return [el("h3", { class: "visually-hidden" }, words.clarify), el("ul", { class: "choices" }, others.map(button))];
}

function tools(turn, actions) {
  if (turn.phase !== "done" || isTalk(turn)) return [];
  const { words } = actions;
  const { status, as_of: asOf, model } = turn.answer;
  const written = model && !model.startsWith(EXTRACTIVE) && words.writtenBy(model);
  const facts = [written, asOf && words.asOfDay(readableDate(asOf, words))].filter(Boolean).join(" · ");
  const said = el("span", {}, words.copy);
  const copy = el("button", { type: "button", class: "quiet" }, icon("copy"), said);
  copy.addEventListener("click", async () => {
    const copied = await copyText(plainAnswer(turn, actions), copy.parentNode);
    said.textContent = copied ? words.copied : words.notCopied;
    actions.announce(said.textContent);
    setTimeout(() => (said.textContent = words.copy), 2000);
  });
  return [status !== "clarify" && copy, facts && el("span", { class: "muted" }, facts)].filter(Boolean);
}

/** The answer with its citations, to be pasted into a mail. */
export function plainAnswer(turn, { address, botOf, words }) {
  const sources = turn.citations.map((citation, at) => {
    const page = citation.page ? ` (${words.page(citation.page)})` : "";
    const link = webLink(citation.link) ?? address(`c/${encodeURIComponent(citation.id)}`);
    return `[${at + 1}] ${placeOf(citation)}${page}: “${citation.quote}”\n    ${link}`;
  });
  const day = turn.answer.as_of && words.asOfDay(readableDate(turn.answer.as_of, words));
  const footer = [botOf(turn.answer.bot)?.name, day].filter(Boolean).join(", ");
  return [
    `${words.question}: ${turn.question}`,
    turn.text,
    sources.length && `${words.citations}\n${sources.join("\n")}`,
    footer && `(${footer})`,
  ]
    .filter(Boolean)
    .join("\n\n");
}
