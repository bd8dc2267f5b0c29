// The panel that shows a citation in its article, with the quoted words marked.

import { fetchPassage } from "./api.js";
import { announce, el, outsideLink, readableDate } from "./dom.js";

/** Wires the dialog of the page; returns open(citation). */
export function passagePanel(dialog) {
  const part = (name) => dialog.querySelector(`#passage-${name}`);
  const parts = { trail: part("trail"), title: part("title"), facts: part("facts"), body: part("body"), nav: part("nav") };
  let cited = null;
  let loading = null;

  const show = async (id, named) => {
    loading?.abort();
    loading = new AbortController();
    const { signal } = loading;
    fill(parts, { title: named, body: [el("p", { class: "searching" }, "조문을 불러오는 중")] });
    try {
      const passage = await fetchPassage(id, signal);
      if (!signal.aborted) drawPassage(parts, passage, { cited, show });
    } catch (error) {
      if (!signal.aborted) drawFailure(parts, error, { cited, named, again: () => show(id, named) });
    }
  };

  part("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => loading?.abort());
  return {
    open(citation) {
      cited = citation;
      dialog.showModal();
      show(citation.id, placeName(citation));
    },
  };
}

function placeName({ document: name, address }) {
  return [name, address].filter(Boolean).join(" ");
}

function fill(parts, { trail = "", title = "", facts = [], body = [], nav = [] }) {
  parts.trail.textContent = trail;
  parts.title.textContent = title;
  parts.facts.replaceChildren(...facts);
  parts.body.replaceChildren(...body);
  parts.nav.replaceChildren(...nav);
}

function drawPassage(parts, passage, { cited, show }) {
  fill(parts, {
    trail: (passage.breadcrumb ?? []).join(" › "),
    title: placeName(passage),
    facts: facts(passage),
    body: passageBlocks(passage.blocks ?? []),
    nav: neighbours(passage, { cited, show }),
  });
  const first = parts.body.querySelector("mark") ?? parts.body.querySelector(".quoted");
  parts.body.scrollTop = 0;
  first?.scrollIntoView({ block: "center" });
  announce(first ? `${placeName(passage)}. 인용한 부분: ${passage.quote ?? ""}` : placeName(passage));
}

function drawFailure(parts, error, { cited, named, again }) {
  const quote = cited?.quote && el("blockquote", {}, cited.quote);
  const message = el("div", { class: "notice", role: "alert" }, [
    el("p", {}, el("strong", {}, error.title ?? "조문을 불러오지 못했습니다"), " ", error.message),
    el("button", { type: "button", onclick: again }, "다시 시도"),
  ]);
  fill(parts, { title: named, body: [message, quote].filter(Boolean) });
}

function facts(passage) {
  const items = [
    passage.effective && el("span", {}, `${readableDate(passage.effective)} 시행`),
    passage.page && el("span", {}, `${passage.page}쪽`),
    outsideLink(passage.link, "원문 열기"),
  ];
  return items.filter(Boolean);
}

function neighbours({ id, previous, next }, { cited, show }) {
  const button = (to, label) => {
    const name = to.heading ? `${to.article}(${to.heading})` : to.article;
    return el("button", { type: "button", class: "quiet", onclick: () => go(to.id, name) }, [
      el("span", { class: "muted" }, label),
      el("span", {}, name),
    ]);
  };
  // The pressed button is gone after drawing, so the heading takes the focus and is read.
  const go = (to, name) => {
    show(to, name);
    document.getElementById("passage-title").focus();
  };
  const away = cited && id !== cited.id;
  return [
    previous ? button(previous, "이전") : el("span"),
    away && el("button", { type: "button", onclick: () => go(cited.id, placeName(cited)) }, "인용한 곳으로"),
    next ? button(next, "다음") : el("span"),
  ].filter(Boolean);
}

/** The article's blocks as elements; rows that belong together become one table. */
function passageBlocks(blocks) {
  const drawn = [];
  for (let at = 0; at < blocks.length; ) {
    const rows = rowsFrom(blocks, at);
    drawn.push(rows.length ? table(rows) : passageBlock(blocks[at]));
    at += Math.max(rows.length, 1);
  }
  return drawn;
}

function columnsOf(block) {
  return JSON.stringify(block.cells.map(([column]) => column));
}

function rowsFrom(blocks, start) {
  const isRow = (block) => block?.kind === "row" && block.cells?.length > 0;
  let end = start;
  while (isRow(blocks[end]) && columnsOf(blocks[end]) === columnsOf(blocks[start])) end += 1;
  return blocks.slice(start, end);
}

function passageBlock(block) {
  const tag = block.kind === "article" || block.kind === "heading" ? "h3" : "p";
  const quoted = block.quoted ? " quoted" : "";
  return el(tag, { class: `block ${block.kind}${quoted}` }, marked(block.text, unitRanges(block.text, block.marks ?? [])));
}

function table(rows) {
  const columns = rows[0].cells.map(([column]) => column);
  const head = columns.some(Boolean) && el("thead", {}, el("tr", {}, columns.map((name) => el("th", { scope: "col" }, name))));
  const body = el("tbody", {}, rows.map(tableRow));
  const label = rows[0].address ? `표, ${rows[0].address}부터` : "표";
  return el("div", { class: "table", tabindex: "0", role: "region", "aria-label": label }, el("table", {}, head, body));
}

function tableRow(block) {
  const ranges = cellRanges(block);
  const cells = block.cells.map(([, value], at) => el("td", {}, marked(value, ranges[at])));
  return el("tr", { class: block.quoted ? "quoted" : null }, cells);
}

/**
 * A row's marks, cell by cell: each value is looked up in the row's text behind its column's name.
 * Where the quoted words cannot be placed, a quoted row is marked whole rather than not at all.
 */
function cellRanges({ text, cells, marks = [], quoted }) {
  const ranges = unitRanges(text, marks);
  let from = 0;
  const placed = cells.map(([column, value]) => {
    const named = column ? text.indexOf(column, from) : -1;
    const start = value ? text.indexOf(value, named < 0 ? from : named + column.length) : -1;
    if (start < 0) return [];
    from = start + value.length;
    return ranges.map(([a, b]) => [a - start, b - start]).filter(([a, b]) => a < value.length && b > 0);
  });
  const any = placed.some((list) => list.length > 0);
  return any || !quoted ? placed : cells.map(([, value]) => [[0, value.length]]);
}

/** Ranges in code points (the server's) as ranges in UTF-16 units (JavaScript's). */
function unitRanges(text, ranges) {
  const units = [0];
  for (const character of text) units.push(units.at(-1) + character.length);
  const unit = (at) => units[Math.min(Math.max(at, 0), units.length - 1)];
  return ranges.map(([start, end]) => [unit(start), unit(end)]);
}

/** Text with the ranges in <mark>; ranges may overlap or reach beyond the text. */
function marked(text, ranges) {
  const parts = [];
  let at = 0;
  for (const [start, end] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const from = Math.max(start, at);
    const to = Math.min(end, text.length);
    if (to <= from) continue;
    parts.push(text.slice(at, from), el("mark", {}, text.slice(from, to)));
    at = to;
  }
  return [...parts, text.slice(at)];
}
