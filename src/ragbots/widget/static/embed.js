// Where the script stands on a page: a button and a panel in a shadow root of their own, or with `data-page` the whole
// page. Nothing of the page around is read or changed, and nothing of it reaches in.
//
// <script src="https://host/widget.js" data-bot="yellow-umbrella" defer></script>
// data-bot: asked unless another is chosen; data-lang: ko, en; data-theme: light, dark; data-side: left; data-label;
// data-token: the address at which the page's own server says who asks.

import { chat, newState } from "./chat.js";
import { el, icon } from "./dom.js";
import { memory } from "./memory.js";
import { CSS } from "./style.js";
import { WORDS, languageOf } from "./words.js";

const TAG = "ragbots-chat";
const KEYS = ["keydown", "keypress", "keyup"];
const ROOT_PIXELS = 16; // of the component's own `rem` on a page that may have another

const script = document.currentScript;
if (script && !document.querySelector(TAG)) {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => embed(script));
  else embed(script);
}

function embed({ src, dataset }) {
  const base = new URL(".", src);
  const full = "page" in dataset;
  const asked = new URLSearchParams(full ? location.search : "");
  const local = memory(() => localStorage);
  const session = memory(() => sessionStorage);
  const conversation = `ragbots.conversation ${base.href}`;
  const state = newState(asked.get("bot") ?? dataset.bot);
  const root = el("div", { class: full ? "root page" : `root widget ${dataset.side === "left" ? "left" : "right"}` });
  const app = el("div", { class: "app" });
  let lang = languageOf(local.get("ragbots.lang"), dataset.lang, asked.get("lang"), navigator.language);
  let current = null;

  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const setTheme = (theme) => {
    if (theme !== "light" && theme !== "dark") return;
    root.dataset.theme = theme;
    if (full) document.documentElement.dataset.theme = theme;
  };
  setTheme(local.get("ragbots.theme") ?? dataset.theme);
  system.addEventListener("change", () => current?.drawTheme());

  const begin = (buttons = {}) => {
    if (full) document.documentElement.lang = lang;
    current = chat(app, {
      base,
      lang,
      full,
      state,
      dark,
      version: asked.get("version"),
      token: dataset.token,
      remembered: { get: () => local.get(conversation), set: (id) => local.set(conversation, id) },
      theme: () => {
        setTheme(dark() ? "light" : "dark");
        local.set("ragbots.theme", root.dataset.theme);
      },
      language: (chosen) => {
        lang = chosen;
        local.set("ragbots.lang", lang);
        begin(buttons);
        buttons.named?.(lang);
        app.querySelector("#language").focus();
      },
      ...buttons,
    });
  };

  const place = el(TAG);
  const shadow = place.attachShadow({ mode: "open" });
  shadow.adoptedStyleSheets = [sheet(full)];
  shadow.append(root);
  document.body.append(place);
  root.append(app);
  if (full) begin();
  else panel(place, root, app, { begin, label: dataset.label, session, lang: () => lang, focus: () => current.focus() });
}

/** Styles as a sheet that the browser is handed: a strict policy of the page allows no others. */
function sheet(full) {
  const own = new CSSStyleSheet();
  const fixed = (_, number) => `${Number(number) * ROOT_PIXELS}px`;
  own.replaceSync(full ? CSS : CSS.replaceAll(/(\d*\.?\d+)rem\b/g, fixed));
  return own;
}

/** The button at the page's edge and the panel it opens; nothing is asked of the server before it is opened. */
function panel(place, root, app, { begin, focus, label, lang, session }) {
  const open = "ragbots.open";
  const name = el("span", {});
  const launcher = el("button", { type: "button", class: "launcher", "aria-controls": "panel" }, icon("chat"), name);
  const named = (chosen) => {
    name.textContent = label ?? WORDS[chosen].launcher;
    app.setAttribute("aria-label", WORDS[chosen].title);
  };
  let begun = false;

  const show = (shown, moveFocus) => {
    app.hidden = !shown;
    root.classList.toggle("open", shown);
    if (shown && !begun) {
      begun = true;
      begin({ close: () => show(false, true), larger: () => root.classList.toggle("large"), named });
    }
    launcher.setAttribute("aria-expanded", String(shown));
    session.set(open, shown ? "yes" : null);
    if (moveFocus) shown ? focus() : launcher.focus();
  };

  app.id = "panel";
  app.setAttribute("role", "dialog");
  root.prepend(launcher);
  named(lang());
  launcher.addEventListener("click", () => show(app.hidden, true));
  app.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing && !app.querySelector("dialog[open]")) show(false, true);
  });
  // The page's own shortcuts are not for what is typed here: outside, the target no longer looks like a field.
  for (const kind of KEYS) place.addEventListener(kind, (event) => event.stopPropagation());
  show(session.get(open) === "yes", false);
}
