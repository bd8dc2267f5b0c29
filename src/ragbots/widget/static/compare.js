// 신구대조: what amendments changed in an article, each paragraph before and after, the words that differ marked.

import { el } from "./dom.js";
import { readableDate } from "./words.js";

const RULES = "ko"; // the language of the regulations, whatever that of the buttons

/**
 * The amendments of an article: [{effective, pending, paragraphs: [{before, after}]}], the sides in pieces [words, whether
 * only this side has them]. Hidden until `button` is pressed, unless `shown`, so that the quoted words stay in sight.
 * Returns {root, button}, null where there is none.
 */
export function comparisons(amendments, shown, words) {
  if (amendments.length === 0) return null;
  const newestFirst = [...amendments].reverse();
  const root = el("div", { id: "amendments" }, newestFirst.map((one) => comparison(one, words)));
  const button = el("button", { type: "button", "aria-controls": root.id }, words.compare);
  const show = (now) => {
    root.hidden = !now;
    button.setAttribute("aria-expanded", String(now));
  };
  show(shown);
  button.addEventListener("click", () => {
    show(root.hidden);
    if (!root.hidden) root.scrollIntoView({ block: "start" });
  });
  return { root, button };
}

function comparison({ effective, pending, paragraphs }, words) {
  const day = readableDate(effective, words);
  const title = `${words.compare}: ${pending ? words.amendedFrom(day) : words.amendedOn(day)}`;
  const sides = [
    [pending ? words.before : words.formerly, "before", words.newHere, "del", words.removed],
    [words.after(day), "after", words.goneHere, "ins", words.added],
  ];
  const box = (paragraph) => ([name, side, none, tag, said]) => {
    const pieces = paragraph[side].map(([text, differs]) => (differs ? differing(tag, said, text) : text));
    return el("div", {}, el("dt", {}, name), el("dd", { lang: RULES }, pieces.length ? pieces : el("span", { class: "muted" }, none)));
  };
  return el("section", { class: pending ? "compare" : "compare past", "aria-label": title }, [
    el("h3", {}, title),
    paragraphs.length === 0 && el("p", {}, words.repealed(day)),
    ...paragraphs.map((paragraph) => el("dl", {}, sides.map(box(paragraph)))),
  ]);
}

function differing(tag, said, text) {
  return el(tag, {}, el("span", { class: "visually-hidden" }, said), text);
}
