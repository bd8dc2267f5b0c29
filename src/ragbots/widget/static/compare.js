// 신구대조: a paragraph as it is and as it will be, the words that differ marked. The new words stand in the warning of
// the answer that cites the paragraph, the old ones in its article.

import { el } from "./dom.js";
import { readableDate } from "./words.js";

const COMING = /^「(.+?)」\s*(.*?)은\(는\) .+?부터 다음과 같이 바뀝니다: (.+)$/s;
const CUT = "…"; // ends a text that was shortened
const UNIT = /^(?:(?:제\d+조(?:의\d+)?|부칙 제\d+조)(?: 제\d+항)?|별[표지](?: \d+(?:의\d+)?)?)/;
const NOT_SAID = new Set(["article", "heading", "chapter", "title", "note"]);

/** The amendment among `warnings` that concerns what is cited: {day, after}; null where there is none. */
export function amendmentOf(warnings, citation) {
  for (const { text, effective_date: day } of warnings ?? []) {
    const [, document, article, after] = COMING.exec(text) ?? [];
    const same = document === citation.document && (!article || article === citation.article);
    if (same) return { day, after };
  }
  return null;
}

/** Old and new side by side, of the paragraphs that the passage quotes; null where they say the same. */
export function comparison(amendment, blocks, words) {
  const before = quotedParagraphs(blocks);
  if (!before) return null;
  const pieces = differences(before, amendment.after);
  if (pieces.every((piece) => piece.kind === "same")) return null;
  const side = (own) => pieces.filter(({ kind }) => kind === "same" || kind === own).map((piece) => shown(piece, words));
  const day = readableDate(amendment.day, words);
  return el("section", { class: "compare", "aria-label": words.compare }, [
    el("h3", {}, words.compare),
    el("dl", {}, [
      el("div", {}, el("dt", {}, words.before), el("dd", {}, side("removed"))),
      el("div", {}, el("dt", {}, words.after(day)), el("dd", {}, side("added"))),
    ]),
  ]);
}

function shown({ kind, text }, words) {
  if (kind === "same") return `${text} `;
  const hidden = el("span", { class: "visually-hidden" }, words[kind]);
  return el("span", {}, el(kind === "removed" ? "del" : "ins", {}, hidden, text), " ");
}

function quotedParagraphs(blocks) {
  const unit = (block) => UNIT.exec(block.address)?.[0] ?? block.address;
  const quoted = new Set(blocks.filter((block) => block.quoted).map(unit));
  const own = blocks.filter((block) => quoted.has(unit(block)) && !NOT_SAID.has(block.kind));
  return own.map(said).join(" ");
}

function said({ text, cells }) {
  return cells?.length ? cells.map(([column, value]) => `${column}: ${value}`).join(" | ") : text;
}

/** Two texts as pieces of words {kind: same | removed | added, text}; what a shortened new text leaves out is not lost. */
export function differences(before, after) {
  const cut = after.endsWith(CUT);
  const [old, now] = [wordsOf(before), wordsOf(cut ? after.slice(0, -1) : after)];
  const pieces = [];
  const add = (kind, word) => {
    const last = pieces.at(-1);
    if (last?.kind === kind) last.text += ` ${word}`;
    else pieces.push({ kind, text: word });
  };
  const common = commonLengths(old, now);
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    if (cut && j === now.length) break;
    if (i < old.length && j < now.length && old[i] === now[j]) {
      add("same", old[i]);
      i += 1;
      j += 1;
    } else if (i < old.length && (j === now.length || common[i + 1][j] >= common[i][j + 1])) {
      add("removed", old[i]);
      i += 1;
    } else {
      add("added", now[j]);
      j += 1;
    }
  }
  return cut ? [...pieces, { kind: "same", text: CUT }] : pieces;
}

function wordsOf(text) {
  return text.replaceAll(/<[^<>]*(?:개정|신설)[^<>]*>/g, " ").split(/\s+/).filter(Boolean);
}

/** How many words from i of the one and from j of the other are common, in order. */
function commonLengths(old, now) {
  const table = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1));
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      table[i][j] = old[i] === now[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
    }
  }
  return table;
}
