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
    const name = to.article && to.heading ? `${to.article}(${to.heading})` : to.article || to.heading || "";
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
  if (!previous && !next && !away) return [];
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

/** The rows of one table: its heading (a row without cells) if it has one, and what has the same columns. */
function rowsFrom(blocks, start) {
  let columns = null;
  let end = start;
  for (; blocks[end]?.kind === "row"; end += 1) {
    const own = isHead(blocks[end]) ? null : JSON.stringify(blocks[end].cells.map(([column]) => column));
    if (columns !== null && own !== columns) break;
    columns = own;
  }
  return blocks.slice(start, end);
}

function isHead(row) {
  return !row.cells?.length;
}

function passageBlock(block) {
  const tag = block.kind === "article" || block.kind === "heading" ? "h3" : "p";
  const quoted = block.quoted ? " quoted" : "";
  return el(tag, { class: `block ${block.kind}${quoted}` }, marked(block.text, unitRanges(block.text, block.marks ?? [])));
}

function table(rows) {
  const heads = rows.filter(isHead);
  const data = rows.filter((row) => !isHead(row));
  const columns = data[0]?.cells.map(([column]) => column) ?? [];
  const drawn = heads.flatMap(headRows);
  const fits = drawn.every((row) => row.cells.length === columns.length || data.length === 0);
  const named = columns.some(Boolean) ? [namedColumns(columns, heads.some((row) => row.quoted))] : null;
  const head = drawn.length && fits ? drawn : (named ?? drawn);
  const label = rows[0].address ? `${rows[0].address} 표` : "표";
  return el("div", { class: "table", tabindex: "0", role: "region", "aria-label": label }, [
    el("table", {}, head && el("thead", {}, head), el("tbody", {}, data.map(dataRow))),
  ]);
}

function namedColumns(columns, quoted) {
  const cell = (name) => el("th", { scope: "col" }, quoted ? el("mark", {}, name) : name);
  return el("tr", { class: quoted ? "quoted" : null }, columns.map(cell));
}

/** A heading's text holds its lines one below the other, the cells of a line parted by tabs. */
function headRows({ text, quoted, marks }) {
  const ranges = unitRanges(text, marks ?? []);
  return pieces(text, "\n").map((line) => {
    const cells = pieces(line.text, "\t", line.start);
    return el("tr", { class: quoted ? "quoted" : null }, cells.map((cell) => el("th", { scope: "col" }, markedPiece(cell, ranges))));
  });
}

/** A row's text is its cells parted by tabs. Where it is not, a quoted row is marked whole rather than not at all. */
function dataRow({ text, cells, quoted, marks }) {
  const ranges = unitRanges(text, marks ?? []);
  const parts = pieces(text, "\t");
  const values =
    parts.length === cells.length
      ? parts.map((part) => markedPiece(part, ranges))
      : cells.map(([, value]) => marked(value, quoted ? [[0, value.length]] : []));
  return el("tr", { class: quoted ? "quoted" : null }, values.map((value) => el("td", {}, value)));
}

/** The parts of a text and where each starts (in UTF-16 units, counted from `offset`). */
function pieces(text, separator, offset = 0) {
  let start = offset;
  return text.split(separator).map((part) => {
    const piece = { text: part, start };
    start += part.length + separator.length;
    return piece;
  });
}

function markedPiece({ text, start }, ranges) {
  return marked(text, ranges.map(([from, to]) => [from - start, to - start]));
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
