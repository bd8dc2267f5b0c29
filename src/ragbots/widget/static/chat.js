// The component: holds the state of a conversation and joins the parts. Talks to the API alone and decides nothing itself.

import { spokenSummary, turnView } from "./answer.js";
import { client } from "./api.js";
import { EMPTY, advance, history, newTurn, restored } from "./conversation.js";
import { countCharacters, el, icon } from "./dom.js";
import { frame } from "./frame.js";
import { passagePanel } from "./passage.js";
import { Problem } from "./problem.js";
import { tokenHeaders } from "./token.js";
import { WORDS, readableDate } from "./words.js";

const LIMIT = 2000;
const COUNTED_FROM = 1600; // characters from which on it is worth saying how many there are
const AUTO_SAMPLES = 6;
const LEFT = "new conversation";
const NO_LLM = "none"; // asks for the articles themselves

/** What a component is begun with, and what lasts when it is drawn anew in another language. */
export function newState(bot) {
  return {
    bots: null,
    organisation: null,
    chosen: bot ?? "",
    conversation: EMPTY,
    restoring: false,
    putAway: null, // the conversation that `새 대화` closed, until the next one begins
    asking: null, // AbortController of the question under way
    failed: false, // whether the list of bots could not be had
    asOf: "",
  };
}

/**
 * Draws the component into `app` and begins. `options`: base, lang, state, version, token, full, remembered (memory of
 * the conversation's id: get(), set(id)), dark(), and what its buttons do: theme(), language(lang), larger(), close().
 * Returns {focus()}.
 */
export function chat(app, options) {
  const { base, full, remembered, state, version } = options;
  const words = WORDS[options.lang];
  const api = client(base, words, tokenHeaders(options.token, words));
  const $ = (id) => app.querySelector(`#${id}`);
  const botOf = (id) => (state.bots ?? []).find((bot) => bot.id === id);
  const panel = passagePanel({ words, api, announce });
  let views = [];

  app.lang = words.lang;
  app.replaceChildren(
    frame(words, full, {
      skip: () => $("question").focus(),
      newConversation,
      menu: () => showSettings($("menu").getAttribute("aria-expanded") !== "true"),
      pick: (event) => choose(event.target.value),
      theme: () => {
        options.theme();
        drawTheme();
      },
      language: () => free() && options.language(words.lang === "ko" ? "en" : "ko"),
      forget: askToForget,
      larger: options.larger && (() => drawLarger(options.larger())),
      close: options.close,
    }),
    panel.root,
  );
  $("language").textContent = WORDS[words.lang === "ko" ? "en" : "ko"].name;
  if (version) {
    $("preview").textContent = words.preview(version);
    $("preview").hidden = false;
  }
  wireComposer();
  drawTheme();
  drawQuestion();
  drawSend();
  setAsOf(state.asOf);
  begun();
  return { focus: () => $("question").focus(), drawTheme };

  async function begun() {
    if (full) showAccount();
    const first = state.bots === null;
    if (first) {
      drawWelcome();
      await Promise.all([loadBots(), restore()]);
    }
    drawBots();
    drawConversation();
    if (views.length) toTop(views.at(-1));
  }

  /** Tells those who listen rather than look; the same words twice are read twice. */
  function announce(text) {
    const status = $("status");
    status.textContent = "";
    requestAnimationFrame(() => (status.textContent = text));
  }

  // ---- bots ----------------------------------------------------------------------------------

  async function loadBots() {
    state.failed = false;
    try {
      const { bots, organisation } = await api.bots();
      state.bots = bots;
      state.organisation = organisation ?? null;
    } catch {
      state.failed = true;
    }
    if (!state.failed && !botOf(state.chosen)?.released) state.chosen = "";
  }

  async function showAccount() {
    const { name, sign_in: signIn, sign_out: signOut } = await api.me();
    const link = signOut
      ? el("a", { href: api.address(signOut) }, words.signOut)
      : signIn && el("a", { href: api.address(signIn) }, words.signIn);
    if (!link) return;
    $("account").replaceChildren(...(signOut ? [el("span", {}, name), " "] : []), link);
    $("account").hidden = false;
  }

  async function loadBotsAgain() {
    await loadBots();
    drawBots();
    drawConversation();
  }

  function drawBots() {
    const title = state.organisation ? words.titleOf(state.organisation) : words.title;
    $("title").textContent = title;
    if (full) document.title = title;
    const all = [{ id: "", name: words.auto, description: words.autoDescription, released: true }, ...(state.bots ?? [])];
    $("bots").replaceChildren(...all.map(botChoice));
    $("bot-picker").replaceChildren(
      ...all.map(({ id, name, released }) =>
        el("option", { value: id, disabled: !released }, released ? name : words.notReady(name)),
      ),
    );
    choose(state.chosen);
  }

  function botChoice({ id, name, description, released }) {
    const radio = el("input", { type: "radio", name: "bot", value: id, disabled: !released, onchange: () => choose(id) });
    return el("label", { class: "bot" }, radio, [
      el("span", { class: "bot-name" }, name, !released && el("span", { class: "label" }, words.inPreparation)),
      el("span", { class: "bot-description" }, description),
    ]);
  }

  function choose(id) {
    state.chosen = id;
    $("bot-picker").value = id;
    for (const radio of app.querySelectorAll("input[name=bot]")) radio.checked = radio.value === id;
    drawWriters(botOf(id)?.llms ?? []);
    $("question").placeholder = botOf(id) ? words.placeholderOf(botOf(id).name) : words.placeholder;
    drawWelcome();
  }

  /** Who may write the answers of the chosen bot; hidden where there is nothing to choose. */
  function drawWriters(llms) {
    const choices = [...llms.map((name) => [name, `AI (${name})`]), [NO_LLM, words.asWritten]];
    $("writer").replaceChildren(...choices.map(([value, name]) => el("option", { value }, name)));
    if (llms.length === 0) $("writer").value = "";
    $("writer-box").hidden = llms.length === 0;
  }

  // ---- before the first question ----------------------------------------------------------------

  function drawWelcome() {
    const welcome = $("welcome");
    welcome.hidden = state.conversation.turns.length > 0;
    $("forget").hidden = !state.conversation.id;
    if (welcome.hidden) return;
    if (state.restoring) {
      welcome.replaceChildren(el("h2", { id: "welcome-title", class: "searching" }, words.restoring));
      return;
    }
    const bot = botOf(state.chosen);
    welcome.replaceChildren(
      el("h2", { id: "welcome-title", tabindex: "-1" }, bot?.name ?? words.welcome),
      el("p", { class: "lead" }, bot?.description ?? words.lead),
      ...aboutBot(bot),
      ...samples(bot),
      ...(state.failed ? [botsFailed()] : []),
      ...(state.putAway ? [el("button", { type: "button", class: "quiet", onclick: bringBack }, words.bringBack)] : []),
    );
  }

  function aboutBot(bot) {
    const facts = [
      [words.documents, bot?.documents?.join(", ")],
      [words.contact, bot?.contact],
    ].filter(([, value]) => value);
    if (facts.length === 0) return [];
    return [el("dl", { class: "about" }, facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))))];
  }

  function samples(bot) {
    const ready = (state.bots ?? []).filter((one) => one.released);
    const from = bot ? bot.sample_questions : ready.map((one) => one.sample_questions[0]);
    const questions = from.filter(Boolean).slice(0, AUTO_SAMPLES);
    if (questions.length === 0) return [];
    const button = (text) => el("li", {}, el("button", { type: "button", onclick: () => askByButton(text) }, text));
    return [el("h3", {}, words.samples), el("ul", { class: "samples" }, questions.map(button))];
  }

  function botsFailed() {
    return el("div", { class: "notice", role: "alert" }, [
      el("p", {}, el("strong", {}, words.botsFailed), ` ${words.checkConnection}`),
      el("button", { type: "button", onclick: loadBotsAgain }, words.retry),
    ]);
  }

  // ---- the conversation ------------------------------------------------------------------------

  /** The conversation of the last visit, as the server has it. */
  async function restore() {
    const id = remembered.get();
    if (!id) return;
    state.restoring = true;
    drawWelcome();
    try {
      const turns = await api.conversation(id);
      if (state.conversation.turns.length > 0) return; // Somebody did not wait for it.
      if (turns?.length) state.conversation = restored(id, turns);
      else remembered.set(null);
    } catch {
      // Out of reach now: the id stays for the next visit.
    } finally {
      state.restoring = false;
    }
  }

  function drawConversation() {
    views = state.conversation.turns.map((turn, at) => addView(turn, at));
    $("conversation").replaceChildren(...views.map((view) => view.root));
    drawWelcome();
  }

  function addView(turn, at) {
    const view = turnView({
      words,
      botOf,
      announce,
      address: api.address,
      openCitation: panel.open,
      askAgain: (earlier, bot) => begin(newTurn(earlier.question, bot, earlier.asOf), true),
      retry: () => retry(at),
      rate: (rating, reason, comment) => rate(at, rating, reason, comment),
    });
    view.update(turn);
    return view;
  }

  function setTurn(at, turn) {
    state.conversation = { ...state.conversation, turns: state.conversation.turns.with(at, turn) };
    views[at].update(turn);
  }

  function toTop(view) {
    const scroller = $("scroller");
    scroller.scrollTop += view.root.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
  }

  /** Whether a question may be asked now; says so where it may not. */
  function free() {
    if (state.asking) announce(words.busy);
    return !state.asking;
  }

  function begin(turn, moveFocus) {
    if (!free()) return;
    const at = state.conversation.turns.length;
    state.putAway = null;
    state.conversation = { ...state.conversation, turns: [...state.conversation.turns, turn] };
    const view = addView(turn, at);
    views.push(view);
    $("conversation").append(view.root);
    drawWelcome();
    toTop(view);
    if (moveFocus) view.focus();
    run(at);
  }

  function askByButton(question) {
    begin(newTurn(question, state.chosen, state.asOf, $("writer").value), true);
  }

  function retry(at) {
    if (!free()) return;
    const { question, bot, asOf, llm } = state.conversation.turns[at];
    setTurn(at, newTurn(question, bot, asOf, llm));
    views[at].focus();
    run(at);
  }

  /** Asks turn number `at` and follows the stream to its end, whatever the end is. */
  async function run(at) {
    const controller = new AbortController();
    state.asking = controller;
    drawSend();
    announce(words.announceSearch);
    let turn = state.conversation.turns[at];
    try {
      for await (const { event, data } of api.ask(requestFor(at), controller.signal)) {
        if (controller.signal.aborted) break;
        turn = advance(turn, event, data);
        setTurn(at, turn);
      }
    } catch (error) {
      if (!controller.signal.aborted) turn = failed(turn, error);
    }
    if (controller.signal.reason === LEFT) return; // These turns are put away; the page shows others.
    finish(at, controller.signal.aborted ? { ...turn, phase: "stopped" } : turn);
  }

  function finish(at, turn) {
    state.asking = null;
    setTurn(at, turn);
    if (turn.answer) keep({ ...state.conversation, id: turn.answer.conversation_id });
    drawSend();
    announce(spokenSummary(turn, { botOf, words }));
  }

  function failed(turn, error) {
    const told = error instanceof Problem ? error : new Problem(words.unknown);
    if (told !== error) console.error(error);
    return { ...turn, phase: "failed", problem: { title: told.title, detail: told.message } };
  }

  function requestFor(at) {
    const { turns, id } = state.conversation;
    const { question, bot, asOf, llm } = turns[at];
    const request = { question, history: history(turns.slice(0, at)) };
    if (bot) request.bot = bot;
    if (id) request.conversation_id = id;
    if (asOf) request.as_of = asOf;
    if (llm) request.llm = llm;
    if (version) request.version = version;
    return request;
  }

  function keep(conversation) {
    state.conversation = conversation;
    remembered.set(conversation.id);
    $("forget").hidden = !conversation.id;
  }

  function newConversation() {
    state.asking?.abort(LEFT);
    state.asking = null;
    if (state.conversation.turns.length) state.putAway = stopWaiting(state.conversation);
    keep(EMPTY);
    setAsOf("");
    drawSend();
    drawConversation();
    $("scroller").scrollTop = 0;
    $("question").focus();
  }

  function stopWaiting(conversation) {
    const turns = conversation.turns.map((turn) => (turn.phase === "waiting" ? { ...turn, phase: "stopped" } : turn));
    return { ...conversation, turns };
  }

  function bringBack() {
    keep(state.putAway);
    state.putAway = null;
    drawConversation();
    toTop(views.at(-1));
    views.at(-1).focus();
  }

  // ---- what is thought of an answer, and taking a conversation away ----------------------------------

  /** Says it, or takes it back where the same was said before. */
  async function rate(at, rating, reason, comment) {
    const before = state.conversation.turns[at];
    const withdrawn = before.rating === rating && !reason;
    const id = before.answer.id;
    const of = (change) => {
      const now = state.conversation.turns[at];
      if (now?.answer?.id !== id) return; // Another conversation is shown by now.
      setTurn(at, { ...now, ...change });
      views[at].root.querySelectorAll(".thumbs button")[rating === "up" ? 0 : 1].focus();
    };
    of({ rating: withdrawn ? null : rating, reason, noted: null });
    const feedback = { answer_id: id, rating };
    if (reason) feedback.reason = reason;
    if (comment) feedback.comment = comment;
    try {
      if (withdrawn) await api.unrate(id);
      else await api.rate(feedback);
      if (!withdrawn && (rating === "up" || reason)) of({ noted: "thanks" });
      announce(withdrawn ? words.withdrawn : words.thanks);
    } catch {
      of({ rating: before.rating, reason: before.reason, noted: "notRated" });
      announce(words.notRated);
    }
  }

  /** Asks once more before a conversation is deleted; a dialog of its own, since pages in frames may have no `confirm`. */
  function askToForget() {
    const dialog = el("dialog", { class: "confirm", "aria-labelledby": "confirm-title", onclose: () => dialog.remove() }, [
      el("p", { id: "confirm-title" }, words.forgetSure),
      el("div", { class: "ways" }, [
        el("button", { type: "button", onclick: () => dialog.close() }, words.cancel),
        el("button", { type: "button", class: "primary", onclick: () => forget(dialog) }, words.forget),
      ]),
    ]);
    app.append(dialog);
    dialog.showModal();
  }

  async function forget(dialog) {
    try {
      await api.forget(state.conversation.id);
    } catch (error) {
      if (error.status !== 404) {
        dialog.querySelector("p").textContent = words.notForgotten;
        return;
      }
    }
    dialog.close();
    newConversation();
    state.putAway = null;
    drawWelcome();
    announce(words.forgotten);
  }

  // ---- the question field --------------------------------------------------------------------------

  function drawSend() {
    const button = $("send");
    button.textContent = state.asking ? words.stop : words.send;
    button.classList.toggle("stop", Boolean(state.asking));
  }

  function drawQuestion() {
    const field = $("question");
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
    const count = countCharacters(field.value.trim());
    const over = count - LIMIT;
    const counted = count >= COUNTED_FROM ? words.count(count, LIMIT) : "";
    $("question-count").textContent = over > 0 ? words.tooLong(over, LIMIT) : counted;
    $("question-count").classList.toggle("over", over > 0);
    if (over > 0 && field.getAttribute("aria-invalid") !== "true") announce(words.limit(LIMIT));
    field.setAttribute("aria-invalid", String(over > 0));
  }

  function submit() {
    const field = $("question");
    const question = field.value.trim();
    if (!question || countCharacters(question) > LIMIT || !validDate() || !free()) return;
    field.value = "";
    $("as-of-details").open = false;
    drawQuestion();
    begin(newTurn(question, state.chosen, state.asOf, $("writer").value), false);
  }

  /** A date that is half typed must not quietly become today. */
  function validDate() {
    if ($("as-of").validity.valid) return true;
    $("as-of-details").open = true;
    return $("as-of").reportValidity();
  }

  function setAsOf(value) {
    state.asOf = value;
    $("as-of").value = value;
    $("as-of-shown").textContent = value ? readableDate(value, words) : words.today;
    $("as-of-details").classList.toggle("set", Boolean(value));
  }

  function wireComposer() {
    $("question").addEventListener("input", drawQuestion);
    $("question").addEventListener("keydown", (event) => {
      // While Hangul is being composed, Enter only ends the composition (229: Safari says so late).
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      submit();
    });
    $("send").addEventListener("click", (event) => {
      if (!state.asking) return;
      event.preventDefault();
      if (event.detail <= 1) state.asking.abort(); // The second half of a double click must not stop what the first sent.
    });
    $("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      submit();
    });
    $("as-of").addEventListener("change", (event) => setAsOf(event.target.value));
    $("as-of-clear").addEventListener("click", () => {
      setAsOf("");
      $("as-of").focus();
    });
  }

  // ---- settings --------------------------------------------------------------------------------------

  function showSettings(shown) {
    $("menu").setAttribute("aria-expanded", String(shown));
    $("settings").classList.toggle("open", shown);
  }

  function drawTheme() {
    $("theme").textContent = options.dark() ? words.light : words.dark;
  }

  function drawLarger(large) {
    $("larger").setAttribute("aria-label", large ? words.smaller : words.larger);
    $("larger").title = large ? words.smaller : words.larger;
    $("larger").replaceChildren(icon(large ? "smaller" : "larger"));
  }
}
