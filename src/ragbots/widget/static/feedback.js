// What a person thinks of an answer: a thumb, and for one turned down the reason.

import { el, iconButton } from "./dom.js";

const COMMENT_LIMIT = 1000;

export function feedback(turn, actions) {
  if (turn.phase !== "done" || turn.answer.status === "clarify") return [];
  const { words } = actions;
  const thumb = (name, rating, label) =>
    iconButton(name, label, () => actions.rate(rating, null, null), { "aria-pressed": String(turn.rating === rating) });
  const thumbs = el("div", { class: "thumbs" }, [
    thumb("up", "up", words.helpful),
    thumb("down", "down", words.unhelpful),
    turn.noted && el("span", { class: "muted" }, words[turn.noted]),
  ]);
  return turn.rating === "down" && !turn.reason && turn.noted !== "notRated" ? [thumbs, reasonForm(actions)] : [thumbs];
}

function reasonForm({ rate, words }) {
  const name = `reason-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  const choice = ([value, label]) => el("label", { class: "choice" }, el("input", { type: "radio", name, value, required: true }), label);
  const comment = el("textarea", { rows: "2", maxlength: String(COMMENT_LIMIT), "aria-label": words.comment, placeholder: words.comment });
  const form = el("form", { class: "reason" }, [
    el("fieldset", {}, el("legend", {}, words.whatWasWrong), el("div", { class: "chips" }, Object.entries(words.reasons).map(choice))),
    comment,
    el("button", { type: "submit" }, words.sendReason),
  ]);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    rate("down", new FormData(form).get(name), comment.value.trim() || null);
  });
  return form;
}
