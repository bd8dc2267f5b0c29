// The chat page: holds its state and joins the parts. Talks to the API alone and decides nothing itself.

import { Problem, ask, fetchBots } from "./api.js";
import { spokenSummary, turnView } from "./answer.js";
import { EMPTY, advance, history, load, newTurn, save } from "./conversation.js";
import { announce, countCharacters, el, readableDate } from "./dom.js";
import { passagePanel } from "./passage.js";

const LIMIT = 2000;
const AUTO = { id: "", name: "자동으로 찾기", description: "질문에 맞는 규정을 찾아 답합니다." };
const AUTO_SAMPLES = 6;
const LEFT = "new conversation";
const NO_LLM = "none"; // asks for the articles themselves

const $ = (id) => document.getElementById(id);
const panel = passagePanel($("passage"));
const state = {
  bots: [],
  chosen: new URLSearchParams(location.search).get("bot") ?? "",
  conversation: load(),
  views: [],
  putAway: null, // the conversation that `새 대화` closed, until the next one begins
  asking: null, // AbortController of the question under way
  failed: false, // whether the list of bots could not be had
};

const botOf = (id) => state.bots.find((bot) => bot.id === id);

// ---- bots ------------------------------------------------------------------------------------

async function loadBots() {
  state.failed = false;
  try {
    const { bots, organisation } = await fetchBots();
    state.bots = bots;
    const title = organisation ? `${organisation} 규정 안내` : "규정 안내";
    $("title").textContent = title;
    document.title = title;
  } catch {
    state.failed = true;
  }
  if (!botOf(state.chosen)?.released) state.chosen = "";
  drawBots();
  drawConversation();
}

function drawBots() {
  const all = [{ ...AUTO, released: true }, ...state.bots];
  $("bots").replaceChildren(...all.map(botChoice));
  $("bot-picker").replaceChildren(
    ...all.map(({ id, name, released }) =>
      el("option", { value: id, disabled: !released }, released ? name : `${name} (준비 중)`),
    ),
  );
  choose(state.chosen);
}

function botChoice({ id, name, description, released }) {
  const radio = el("input", { type: "radio", name: "bot", value: id, disabled: !released, onchange: () => choose(id) });
  return el("label", { class: "bot" }, radio, [
    el("span", { class: "bot-name" }, name, !released && el("span", { class: "label" }, "준비 중")),
    el("span", { class: "bot-description" }, description),
  ]);
}

function choose(id) {
  state.chosen = id;
  $("bot-picker").value = id;
  for (const radio of document.querySelectorAll("input[name=bot]")) radio.checked = radio.value === id;
  drawWriters(botOf(id)?.llms ?? []);
  $("question").placeholder = id ? `${botOf(id).name}에 물어보세요` : "규정에 대해 물어보세요";
  drawWelcome();
}

/** Who may write the answers of the chosen bot; hidden where there is nothing to choose. */
function drawWriters(llms) {
  const choices = [...llms.map((name) => [name, `AI (${name})`]), [NO_LLM, "조문 그대로"]];
  $("writer").replaceChildren(...choices.map(([value, name]) => el("option", { value }, name)));
  if (llms.length === 0) $("writer").value = "";
  $("writer-box").hidden = llms.length === 0;
}

// ---- the empty page --------------------------------------------------------------------------

function drawWelcome() {
  const welcome = $("welcome");
  welcome.hidden = state.conversation.turns.length > 0;
  if (welcome.hidden) return;
  const bot = botOf(state.chosen);
  welcome.replaceChildren(
    el("h2", { id: "welcome-title", tabindex: "-1" }, bot?.name ?? "무엇을 찾아 드릴까요?"),
    el("p", { class: "lead" }, bot?.description ?? "조문을 인용해 답하고, 규정에 없으면 없다고 답합니다."),
    ...aboutBot(bot),
    ...samples(bot),
    ...(state.failed ? [botsFailed()] : []),
    ...(state.putAway ? [el("button", { type: "button", class: "quiet", onclick: bringBack }, "방금 대화로 돌아가기")] : []),
  );
}

function aboutBot(bot) {
  const facts = [
    ["문서", bot?.documents?.join(", ")],
    ["담당", bot?.contact],
  ].filter(([, value]) => value);
  if (facts.length === 0) return [];
  return [el("dl", { class: "about" }, facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))))];
}

function samples(bot) {
  const from = bot ? bot.sample_questions : state.bots.filter((one) => one.released).map((one) => one.sample_questions[0]);
  const questions = from.filter(Boolean).slice(0, AUTO_SAMPLES);
  if (questions.length === 0) return [];
  const button = (text) => el("li", {}, el("button", { type: "button", onclick: () => askByButton(text) }, text));
  return [el("h3", {}, "이렇게 물어보세요"), el("ul", { class: "samples" }, questions.map(button))];
}

function botsFailed() {
  return el("div", { class: "notice", role: "alert" }, [
    el("p", {}, el("strong", {}, "목록을 불러오지 못했습니다."), " 연결을 확인하고 다시 시도해 주세요."),
    el("button", { type: "button", onclick: loadBots }, "다시 시도"),
  ]);
}

// ---- the conversation ------------------------------------------------------------------------

function drawConversation() {
  state.views = state.conversation.turns.map((turn, at) => addView(turn, at));
  $("conversation").replaceChildren(...state.views.map((view) => view.root));
  drawWelcome();
}

function addView(turn, at) {
  const view = turnView({
    botOf,
    openCitation: (citation) => panel.open(citation),
    askAgain: (earlier, bot) => begin(newTurn(earlier.question, bot, earlier.asOf), true),
    retry: () => retry(at),
  });
  view.update(turn);
  return view;
}

function setTurn(at, turn) {
  state.conversation = { ...state.conversation, turns: state.conversation.turns.with(at, turn) };
  state.views[at].update(turn);
}

/** Whether a question may be asked now; says so where it may not. */
function free() {
  if (state.asking) announce("지금 답변이 끝나거나 멈춘 뒤에 물어볼 수 있습니다.");
  return !state.asking;
}

function begin(turn, moveFocus) {
  if (!free()) return;
  const at = state.conversation.turns.length;
  state.putAway = null;
  state.conversation = { ...state.conversation, turns: [...state.conversation.turns, turn] };
  const view = addView(turn, at);
  state.views.push(view);
  $("conversation").append(view.root);
  drawWelcome();
  view.root.scrollIntoView({ block: "start" });
  if (moveFocus) view.focus();
  run(at);
}

function askByButton(question) {
  begin(newTurn(question, state.chosen, $("as-of").value, $("writer").value), true);
}

function retry(at) {
  if (!free()) return;
  const { question, bot, asOf, llm } = state.conversation.turns[at];
  setTurn(at, newTurn(question, bot, asOf, llm));
  state.views[at].focus();
  run(at);
}

/** Asks turn number `at` and follows the stream to its end, whatever the end is. */
async function run(at) {
  const controller = new AbortController();
  state.asking = controller;
  drawSend();
  save(state.conversation);
  announce("답변을 찾고 있습니다.");
  let turn = state.conversation.turns[at];
  try {
    for await (const { event, data } of ask(requestFor(at), controller.signal)) {
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
  if (turn.answer) state.conversation = { ...state.conversation, id: turn.answer.conversation_id };
  save(state.conversation);
  drawSend();
  announce(spokenSummary(turn, botOf));
}

function failed(turn, error) {
  const { title, message } = error instanceof Problem ? error : new Problem();
  if (!(error instanceof Problem)) console.error(error);
  return { ...turn, phase: "failed", problem: { title, detail: message } };
}

function requestFor(at) {
  const { turns, id } = state.conversation;
  const { question, bot, asOf, llm } = turns[at];
  const request = { question, history: history(turns.slice(0, at)) };
  if (bot) request.bot = bot;
  if (id) request.conversation_id = id;
  if (asOf) request.as_of = asOf;
  if (llm) request.llm = llm;
  return request;
}

function newConversation() {
  state.asking?.abort(LEFT);
  state.asking = null;
  if (state.conversation.turns.length) state.putAway = stopWaiting(state.conversation);
  state.conversation = EMPTY;
  setAsOf("");
  save(state.conversation);
  drawSend();
  drawConversation();
  scrollTo({ top: 0 });
  $("question").focus();
}

function stopWaiting(conversation) {
  const turns = conversation.turns.map((turn) => (turn.phase === "waiting" ? { ...turn, phase: "stopped" } : turn));
  return { ...conversation, turns };
}

function bringBack() {
  state.conversation = state.putAway;
  state.putAway = null;
  save(state.conversation);
  drawConversation();
  state.views.at(-1).root.scrollIntoView({ block: "start" });
  state.views.at(-1).focus();
}

// ---- the question field ----------------------------------------------------------------------

function drawSend() {
  const button = $("send");
  button.textContent = state.asking ? "멈춤" : "보내기";
  button.classList.toggle("stop", Boolean(state.asking));
}

function drawQuestion() {
  const field = $("question");
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
  const count = countCharacters(field.value.trim());
  const over = count - LIMIT;
  const number = (value) => value.toLocaleString("ko-KR");
  $("question-count").textContent =
    over > 0 ? `${number(over)}자를 줄여 주세요 (${number(LIMIT)}자까지)` : `${number(count)} / ${number(LIMIT)}자`;
  $("question-count").classList.toggle("over", over > 0);
  if (over > 0 && field.getAttribute("aria-invalid") !== "true") announce(`질문은 ${number(LIMIT)}자까지 보낼 수 있습니다.`);
  field.setAttribute("aria-invalid", String(over > 0));
}

function submit() {
  const field = $("question");
  const question = field.value.trim();
  if (!question || countCharacters(question) > LIMIT || !validDate() || !free()) return;
  field.value = "";
  $("as-of-details").open = false;
  drawQuestion();
  begin(newTurn(question, state.chosen, $("as-of").value, $("writer").value), false);
}

/** A date that is half typed must not quietly become today. */
function validDate() {
  if ($("as-of").validity.valid) return true;
  $("as-of-details").open = true;
  return $("as-of").reportValidity();
}

function setAsOf(value) {
  $("as-of").value = value;
  $("as-of-shown").textContent = value ? readableDate(value) : "오늘";
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

// ---- light and dark --------------------------------------------------------------------------

const systemDark = matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  const theme = document.documentElement.dataset.theme;
  return theme ? theme === "dark" : systemDark.matches;
}

function drawTheme() {
  $("theme").textContent = isDark() ? "밝게" : "어둡게";
}

function toggleTheme() {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("ragbots.theme", theme);
  } catch {
    // Storage is off: the choice lasts as long as the page.
  }
  drawTheme();
}

// ---- start -----------------------------------------------------------------------------------

$("bot-picker").addEventListener("change", (event) => choose(event.target.value));
$("new-conversation").addEventListener("click", newConversation);
$("theme").addEventListener("click", toggleTheme);
systemDark.addEventListener("change", drawTheme);
wireComposer();
drawTheme();
drawQuestion();
drawSend();
await loadBots();
state.views.at(-1)?.root.scrollIntoView({ block: "start" });
