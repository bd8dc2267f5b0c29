// Whom to ask when the regulations do not answer, and the ways to: mail, telephone, or the inquiry to paste elsewhere.

import { copyText, el } from "./dom.js";
import { readableDate } from "./words.js";

const MAIL = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/;
const TELEPHONE = /(?:\+82[-\s]?\d{1,2}|\b0\d{1,2})[-)\s.]{0,2}\d{3,4}[-\s.]\d{4}\b|\b1[568]\d{2}-\d{4}\b/;

/** {mail, telephone} as far as a contact's text names them; an extension alone is no number to call. */
export function waysOf(contact) {
  return { mail: MAIL.exec(contact)?.[0] ?? null, telephone: TELEPHONE.exec(contact)?.[0] ?? null };
}

/** The contact of the bot that refused, or those of the nearest bots. */
export function contacts(turn, actions) {
  if (turn.answer?.status !== "refused") return [];
  const ids = turn.answer.bot ? [turn.answer.bot] : turn.answer.candidates.map((candidate) => candidate.id);
  const found = ids.map((id) => actions.botOf(id)).filter((bot) => bot?.contact);
  if (found.length === 0) return [];
  return [
    el("h3", {}, actions.words.askPerson),
    el("ul", { class: "people" }, found.map((bot) => el("li", { class: "contact" }, person(bot, turn, actions)))),
  ];
}

function person(bot, turn, { announce, words }) {
  const inquiry = inquiryOf(turn, words);
  const { mail, telephone } = waysOf(bot.contact);
  const copy = el("button", { type: "button" }, words.copyInquiry);
  copy.addEventListener("click", async () => {
    const copied = await copyText(`${bot.contact}\n\n${inquiry}`, copy.parentNode);
    copy.textContent = copied ? words.copied : words.notCopied;
    announce(copy.textContent);
    setTimeout(() => (copy.textContent = words.copyInquiry), 2000);
  });
  return [
    el("p", {}, el("span", { class: "muted" }, bot.name), " ", el("strong", {}, bot.contact)),
    el("div", { class: "ways" }, [
      mail && el("a", { class: "button", href: mailTo(mail, inquiry, words) }, words.mail),
      telephone && el("a", { class: "button", href: `tel:${telephone.replaceAll(/[^\d+]/g, "")}` }, words.call),
      copy,
    ]),
  ];
}

function mailTo(address, inquiry, words) {
  return `mailto:${address}?subject=${encodeURIComponent(words.inquirySubject)}&body=${encodeURIComponent(inquiry)}`;
}

function inquiryOf(turn, words) {
  const day = turn.answer.as_of && `${words.asOf}: ${readableDate(turn.answer.as_of, words)}`;
  return [`${words.question}: ${turn.question}`, `${words.inquiryFound}: ${turn.text}`, day].filter(Boolean).join("\n");
}
