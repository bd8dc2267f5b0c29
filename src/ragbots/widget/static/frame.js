// The component's elements as they stand before anything is said: bots at the side, the conversation, the question field.

import { el, icon, iconButton } from "./dom.js";

const select = (attributes) => el("span", { class: "select" }, el("select", attributes), icon("caret"));

/** `full`: a page of its own rather than a panel on somebody else's; `on`: what the buttons in the head do. */
export function frame(words, full, on) {
  return el("div", { class: "layout" }, rail(words, full, on), column(words, full));
}

function rail(words, full, on) {
  return el(full ? "header" : "div", { class: "rail" }, [
    el("button", { type: "button", class: "skip", onclick: on.skip }, words.skip),
    el("div", { class: "bar" }, [
      el(full ? "h1" : "h2", { id: "title" }, words.title),
      el("div", { class: "bar-buttons" }, [
        el("button", { type: "button", id: "new-conversation", onclick: on.newConversation, title: words.newConversation }, [
          icon("plus"),
          el("span", {}, words.newConversation),
        ]),
        iconButton("menu", words.menu, on.menu, { id: "menu", "aria-expanded": "false", "aria-controls": "settings" }),
        on.larger && iconButton("larger", words.larger, on.larger, { id: "larger" }),
        on.close && iconButton("close", words.close, on.close, { id: "close" }),
      ]),
    ]),
    el("fieldset", { class: "bots" }, el("legend", {}, words.whereToAsk), el("div", { id: "bots" })),
    el("div", { class: "bot-picker" }, el("label", { for: "bot-picker" }, words.placeToAsk), select({ id: "bot-picker", onchange: on.pick })),
    full && el("p", { id: "account", class: "account", hidden: true }),
    el("div", { id: "settings", role: "group", "aria-label": words.menu }, [
      el("button", { type: "button", id: "theme", class: "quiet", onclick: on.theme }),
      el("button", { type: "button", id: "language", class: "quiet", onclick: on.language, lang: words.lang === "ko" ? "en" : "ko" }),
      el("button", { type: "button", id: "forget", class: "quiet", onclick: on.forget }, words.forget),
    ]),
  ]);
}

function column(words, full) {
  return el(full ? "main" : "div", { class: "column" }, [
    el("p", { id: "preview", class: "notice", role: "note", hidden: true }),
    el("div", { id: "scroller", class: "scroller" }, [
      el("section", { id: "welcome", "aria-labelledby": "welcome-title" }),
      el("section", { id: "conversation", "aria-label": words.conversation }),
    ]),
    composer(words),
    el("div", { id: "status", class: "visually-hidden", role: "status", "aria-live": "polite" }),
  ]);
}

function composer(words) {
  const asOf = el("details", { id: "as-of-details" }, [
    el("summary", {}, `${words.asOf}: `, el("span", { id: "as-of-shown" }, words.today)),
    el("div", { class: "as-of" }, [
      el("label", { for: "as-of" }, words.asOfHelp),
      el("input", { type: "date", id: "as-of", min: "1900-01-01", max: "2100-12-31" }),
      el("button", { type: "button", id: "as-of-clear", class: "quiet" }, words.asOfClear),
    ]),
  ]);
  const writer = el("div", { id: "writer-box", class: "writer", hidden: true }, [
    el("label", { for: "writer" }, words.writer),
    select({ id: "writer" }),
  ]);
  return el("form", { id: "composer", autocomplete: "off", novalidate: true }, [
    el("div", { class: "composer-box" }, [
      el("label", { class: "visually-hidden", for: "question" }, words.question),
      el("textarea", {
        id: "question",
        rows: "1",
        placeholder: words.placeholder,
        enterkeyhint: "send",
        "aria-describedby": "question-help question-count",
      }),
      el("div", { class: "composer-row" }, [
        asOf,
        writer,
        el("span", { id: "question-count", class: "count" }),
        el("button", { type: "submit", id: "send", class: "primary" }, words.send),
      ]),
    ]),
    el("p", { id: "question-help", class: "help" }, el("span", { class: "visually-hidden" }, words.keys), " ", words.caution),
  ]);
}
