// One turn on the page: the question, the answer as it grows, its citations and what can be done next.

import { copyText, el, announce, outsideLink, readableDate } from "./dom.js";

const EXTRACTIVE = "extractive";
const CELL_JOINT = " | "; // between the cells of a table's row, each `column: value`

/**
 * A view of one turn. `actions`: botOf(id), openCitation(citation), askAgain(turn, botId), retry().
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
    root.dataset.status = turn.phase === "done" ? status : turn.phase;
    root.setAttribute("aria-busy", String(turn.phase === "waiting"));
    draw("asked", [turn.question, turn.bot, turn.asOf], () => asked(turn, actions));
    draw("who", [turn.route, turn.phase, turn.text === "", status], () => who(turn, actions));
    draw("text", null, () => []);
    drawText(slots.get("text").node, turn, actions);
    draw("warnings", turn.answer?.warnings ?? [], () => warnings(turn.answer?.warnings ?? []));
    draw("contacts", [status, turn.answer?.bot], () => contacts(turn, actions));
    draw("problem", [turn.phase, turn.problem], () => problem(turn, actions));
    const unsaid = turn.citations.map((citation) => turn.phase === "done" && !saysAll(turn.text, citation.quote));
    const cited = turn.citations.map((citation) => citation.id);
    draw("citations", [cited, unsaid], () => citations(turn.citations, unsaid, actions));
    draw("related", turn.related.map((citation) => citation.id), () => related(turn.related, actions));
    draw("candidates", [turn.phase, turn.answer?.candidates], () => candidates(turn, actions));
    draw("tools", [turn.phase, status], () => tools(turn, actions));
  };
  return { root, update, focus: () => root.querySelector("h2").focus({ preventScroll: true }) };
}

/** What is read out once the answer is whole. */
export function spokenSummary(turn, botOf) {
  if (turn.phase === "stopped") return "답변을 멈췄습니다.";
  if (turn.phase === "failed") return `${turn.problem.title}. ${turn.problem.detail}`;
  const name = botOf(turn.answer.bot)?.name;
  const count = turn.citations.length;
  return [
    name && `${name}의 답변.`,
    turn.text.replaceAll(/\[(\d{1,2})\]/g, "").replaceAll(CELL_JOINT, ", "),
    ...(turn.answer.warnings ?? []).map((warning) => warning.text),
    count > 0 && `근거 ${count}개.`,
  ]
    .filter(Boolean)
    .join(" ");
}

/** The answer's text as blocks: {kind: "paragraph", text}, {kind: "list", items} and {kind: "row", cells, after}. */
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
    if (row) blocks.push(row);
    else if (item !== undefined && last?.kind === "list") last.items.push(item);
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
function rowList({ cells, after }, cited, actions) {
  const line = cells.map(([column, value]) => (column ? `${column}: ${value}` : value)).join(CELL_JOINT);
  const answers = answeringWords(cited ?? []).includes(line);
  const said = (value) => (answers ? el("mark", {}, value) : value);
  const pair = ([column, value]) => el("div", {}, el("dt", {}, column), el("dd", {}, said(value)));
  return el("div", { class: "row" }, el("dl", {}, cells.map(pair)), after ? withMarkers(after, cited, actions) : []);
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
    const drawn = answerBlock(block, turn.citations, actions);
    drawn.dataset.key = key;
    if (old) old.replaceWith(drawn);
    else node.append(drawn);
  });
  while (node.children.length > blocks.length) node.lastChild.remove();
}

function answerBlock(block, cited, actions) {
  if (block.kind === "row") return rowList(block, cited, actions);
  if (block.kind === "paragraph") return el("p", {}, withMarkers(block.text, cited, actions));
  return el("ul", {}, block.items.map((item) => el("li", {}, withMarkers(item, cited, actions))));
}

/** Text in which `[1]` opens the first citation, and the words that answer are marked; a number without a citation
 * stays text. */
function withMarkers(text, cited, actions) {
  const words = answeringWords(cited);
  return text.split(/(\[\d{1,2}\])/).flatMap((part) => {
    const number = Number(/^\[(\d+)\]$/.exec(part)?.[1]);
    const citation = cited[number - 1];
    return citation ? [marker(number, citation, actions)] : withWordsMarked(part, words);
  });
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
  const label = `근거 ${number}, ${placeOf(citation)} 보기`;
  const open = () => actions.openCitation(citation);
  return el("button", { type: "button", class: "marker", "aria-label": label, onclick: open }, String(number));
}

function placeOf(citation) {
  return [citation.document, citation.address].filter(Boolean).join(" ");
}

function asked(turn, actions) {
  const to = turn.bot && (actions.botOf(turn.bot)?.name ?? turn.bot);
  const notes = [to && `${to}에 질문`, turn.asOf && `${readableDate(turn.asOf)} 기준`].filter(Boolean);
  return [
    el("h2", { tabindex: "-1" }, el("span", { class: "visually-hidden" }, "질문: "), turn.question),
    ...(notes.length ? [el("p", { class: "muted" }, notes.join(" · "))] : []),
  ];
}

function who(turn, actions) {
  const routed = turn.answer?.bot ?? turn.route?.bot?.id ?? (turn.phase === "waiting" && turn.bot);
  const name = routed && (actions.botOf(routed)?.name ?? turn.route?.bot?.name ?? routed);
  if (turn.phase === "waiting" && !turn.text) {
    return [el("p", { class: "searching" }, name ? `${name}에서 찾는 중` : "알맞은 규정을 찾는 중")];
  }
  const label = turn.answer?.status === "refused" && "규정에서 답을 찾지 못함";
  return [
    el("p", {}, [name && el("strong", {}, name), label && el("span", { class: "label" }, label)]),
  ].filter((line) => line.childNodes.length);
}

function warnings(list) {
  return list.map((warning) =>
    el("p", { class: "notice", role: "note" }, [
      el("strong", {}, warning.effective_date ? `${readableDate(warning.effective_date)} 시행` : "알림"),
      " ",
      warning.text,
    ]),
  );
}

/** Whom to ask when the regulations do not answer: the bot's contact, or those of the nearest bots. */
function contacts(turn, actions) {
  if (turn.answer?.status !== "refused") return [];
  const ids = turn.answer.bot ? [turn.answer.bot] : turn.answer.candidates.map((candidate) => candidate.id);
  const found = ids.map((id) => actions.botOf(id)).filter((bot) => bot?.contact);
  if (found.length === 0) return [];
  return [
    el("p", { class: "contact-title" }, "담당자에게 문의해 주세요."),
    el("dl", { class: "contact" }, found.map((bot) => el("div", {}, el("dt", {}, bot.name), el("dd", {}, bot.contact)))),
  ];
}

function problem(turn, actions) {
  if (turn.phase !== "stopped" && turn.phase !== "failed") return [];
  const stopped = turn.phase === "stopped";
  const title = stopped ? "답변을 멈췄습니다." : turn.problem.title;
  const detail = stopped ? "" : turn.problem.detail;
  return [
    el("div", { class: stopped ? "stopped" : "notice" }, [
      el("p", {}, el("strong", {}, title), detail && ` ${detail}`),
      el("button", { type: "button", onclick: actions.retry }, "다시 시도"),
    ]),
  ];
}

function citations(list, unsaid, actions) {
  if (list.length === 0) return [];
  const cards = list.map((citation, at) => card(citation, at + 1, unsaid[at], actions));
  return [el("h3", {}, "근거"), el("ol", { class: "cards" }, cards)];
}

/** Where the words stand; the words themselves only if the answer does not say them (`quoting`). */
function card(citation, number, quoting, actions) {
  const open = () => actions.openCitation(citation);
  const title = el("button", { type: "button", class: "card-title", onclick: open }, [
    el("span", { class: "card-number" }, el("span", { class: "visually-hidden" }, "근거 "), String(number)),
    el("span", {}, citation.document, " ", el("strong", {}, citation.address)),
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
  return el("blockquote", {}, lines);
}

function related(list, actions) {
  if (list.length === 0) return [];
  const line = (citation) => {
    const open = () => actions.openCitation(citation);
    return el("li", {}, el("button", { type: "button", class: "related-item", onclick: open }, [
      el("span", {}, placeOf(citation)),
      el("span", { class: "clip muted" }, citation.quote),
    ]));
  };
  return [el("h3", {}, "함께 볼 조항"), el("ul", { class: "related-list" }, list.map(line))];
}

/** Bots to ask instead: the choice itself when the server asks back, else a way out of a wrong guess. */
function candidates(turn, actions) {
  if (turn.phase !== "done") return [];
  const { status, bot } = turn.answer;
  const others = (turn.answer.candidates ?? []).filter((candidate) => candidate.id !== bot);
  if (others.length === 0 || (status !== "clarify" && turn.bot)) return [];
  const button = ({ id, name }) => {
    const again = () => actions.askAgain(turn, id);
    const description = status === "clarify" && actions.botOf(id)?.description;
    return el("li", {}, el("button", { type: "button", onclick: again }, [
      el("strong", {}, name),
      description && el("span", { class: "muted" }, description),
    ]));
  };
  const title = status === "clarify" ? "어디에 물어볼까요?" : "다른 곳에 같은 질문 하기";
  const list = el("ul", { class: status === "clarify" ? "choices" : "chips" }, others.map(button));
  return status === "clarify" ? [el("h3", { class: "visually-hidden" }, title), list] : [el("h3", {}, title), list];
}

function tools(turn, actions) {
  if (turn.phase !== "done") return [];
  const { status, as_of: asOf, model } = turn.answer;
  const written = model && !model.startsWith(EXTRACTIVE) && `AI(${model})가 쓰고 조문과 대조한 답변`;
  const facts = [written, asOf && `${readableDate(asOf)} 기준`].filter(Boolean).join(" · ");
  const copy = el("button", { type: "button" }, "답변 복사");
  copy.addEventListener("click", () => copyAnswer(turn, actions, copy));
  return [status !== "clarify" && copy, facts && el("span", { class: "muted" }, facts)].filter(Boolean);
}

async function copyAnswer(turn, actions, button) {
  const copied = await copyText(plainAnswer(turn, actions.botOf(turn.answer.bot)?.name));
  const said = copied ? "복사했습니다" : "복사하지 못했습니다";
  button.textContent = said;
  announce(said);
  setTimeout(() => (button.textContent = "답변 복사"), 2000);
}

/** The answer with its citations, to be pasted into a mail. */
export function plainAnswer(turn, botName) {
  const sources = turn.citations.map((citation, at) => {
    const page = citation.page ? ` (${citation.page}쪽)` : "";
    const link = outsideLink(citation.link, "")?.href;
    return `[${at + 1}] ${placeOf(citation)}${page}: “${citation.quote}”${link ? `\n    ${link}` : ""}`;
  });
  const footer = [botName, turn.answer.as_of && `${readableDate(turn.answer.as_of)} 기준`].filter(Boolean).join(", ");
  const parts = [`질문: ${turn.question}`, turn.text, sources.length && `근거\n${sources.join("\n")}`, footer && `(${footer})`];
  return parts.filter(Boolean).join("\n\n");
}
