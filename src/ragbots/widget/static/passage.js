// The panel that shows a citation in its article, with the quoted words marked.

import { comparisons } from "./compare.js";
import { el, outsideLink } from "./dom.js";
import { readableDate } from "./words.js";

const RULES = "ko"; // the language of the regulations, whatever that of the buttons
const UNIT_LINE = /^\s*[([<]\s*단\s?위/;

/** The dialog, closed; returns {root, open(citation, {compare}): with what amendments changed in sight}. `ui`: words, api, announce(text). */
export function passagePanel(ui) {
  const { words } = ui;
  const parts = {
    trail: el("p", { class: "trail muted", lang: RULES }),
    title: el("h2", { id: "passage-title", tabindex: "-1", lang: RULES }),
    facts: el("p", { class: "facts" }),
    body: el("div", { class: "passage-body", tabindex: "0", role: "region", "aria-label": words.passage }),
    nav: el("nav", { class: "passage-nav", "aria-label": words.neighbours }),
  };
  const close = el("button", { type: "button" }, words.close);
  const head = el("div", { class: "passage-head" }, el("div", {}, parts.trail, parts.title, parts.facts), close);
  const frame = el("div", { class: "passage-frame" }, head, parts.body, parts.nav);
  const dialog = el("dialog", { id: "passage", "aria-labelledby": "passage-title" }, frame);
  let cited = null;
  let comparing = false;
  let loading = null;

  const show = async (id, named) => {
    loading?.abort();
    loading = new AbortController();
    const { signal } = loading;
    const seen = { ...ui, cited, comparing, show };
    fill(parts, { title: named, body: [el("p", { class: "searching" }, words.loadingPassage)] });
    try {
      const passage = await ui.api.passage(id, signal);
      if (!signal.aborted) drawPassage(parts, passage, seen);
    } catch (error) {
      if (!signal.aborted) drawFailure(parts, error, named, () => show(id, named), seen);
    }
  };

  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => loading?.abort());
  return {
    root: dialog,
    open(citation, { compare = false } = {}) {
      cited = citation;
      comparing = compare;
      dialog.showModal();
      parts.title.focus();
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

function drawPassage(parts, passage, seen) {
  const { announce, cited, comparing, words } = seen;
  const changes = comparisons(passage.amendments ?? [], comparing && passage.id === cited.id, words);
  fill(parts, {
    trail: (passage.breadcrumb ?? []).join(" › "),
    title: placeName(passage),
    facts: facts(passage, changes?.button, seen),
    body: [changes?.root, el("div", { lang: RULES }, passageBlocks(passage.blocks ?? [], words))].filter(Boolean),
    nav: neighbours(parts, passage, seen),
  });
  const first = parts.body.querySelector("mark") ?? parts.body.querySelector(".quoted");
  parts.body.scrollTop = 0;
  const table = first?.closest(".table");
  table?.scrollIntoView({ block: "start" }); // the column headings, then the row below them
  if (!changes || changes.root.hidden) first?.scrollIntoView({ block: table ? "nearest" : "center", inline: "nearest" });
  announce(first ? `${placeName(passage)}. ${words.quotedPart(passage.quote ?? "")}` : placeName(passage));
}

function drawFailure(parts, error, named, again, { cited, words }) {
  const quote = cited?.quote && el("blockquote", {}, cited.quote);
  const message = el("div", { class: "notice", role: "alert" }, [
    el("p", {}, el("strong", {}, error.title ?? words.passageFailed), " ", error.message),
    el("button", { type: "button", onclick: again }, words.retry),
  ]);
  fill(parts, { title: named, body: [message, quote].filter(Boolean) });
}

function facts(passage, compare, { api, words }) {
  const items = [
    passage.effective && el("span", {}, words.inForceFrom(readableDate(passage.effective, words))),
    passage.page && el("span", {}, words.page(passage.page)),
    compare,
    outsideLink(passage.link, words.openSource, words),
    outsideLink(api.address(`c/${encodeURIComponent(passage.id)}`), words.permalink, words),
  ];
  return items.filter(Boolean);
}

function neighbours(parts, { id, previous, next }, { cited, show, words }) {
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
    parts.title.focus();
  };
  const away = cited && id !== cited.id;
  if (!previous && !next && !away) return [];
  return [
    previous ? button(previous, words.previous) : el("span"),
    away && el("button", { type: "button", onclick: () => go(cited.id, placeName(cited)) }, words.backToCited),
    next ? button(next, words.next) : el("span"),
  ].filter(Boolean);
}

/** The article's blocks as elements; rows that belong together become one table. */
function passageBlocks(blocks, words) {
  const drawn = [];
  for (let at = 0; at < blocks.length; ) {
    const rows = rowsFrom(blocks, at);
    drawn.push(rows.length ? table(rows, captionOf(blocks, at, words), words) : passageBlock(blocks[at]));
    at += Math.max(rows.length, 1);
  }
  return drawn;
}

/** What the table at `start` is called: its annex or article, and the unit that stands over it. */
function captionOf(blocks, start, words) {
  const above = blocks.slice(0, start);
  const heading = above.findLast((block) => block.kind === "article" || block.kind === "heading");
  const last = above.at(-1);
  const unit = last && UNIT_LINE.test(last.text) && last.text;
  const names = [heading ? heading.text.split("\n").at(-1) : blocks[start].address, unit];
  return names.filter(Boolean).join(" ") || words.table;
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

function table(rows, caption, words) {
  const heads = rows.filter(isHead);
  const data = rows.filter((row) => !isHead(row));
  const columns = data[0]?.cells.map(([column]) => column) ?? [];
  const grid = heads.flatMap(headLines);
  const fits = grid.every((line) => line.cells.length === columns.length || data.length === 0);
  const named = columns.some(Boolean) ? [namedColumns(columns, heads.some((row) => row.quoted))] : null;
  const head = grid.length && fits ? headRows(grid) : (named ?? headRows(grid));
  // The heading above says the same to those who see it.
  const title = el("caption", {}, el("span", { class: "visually-hidden" }, caption));
  return el("div", { class: "table", tabindex: "0", role: "region", "aria-label": words.tableOf(caption) }, [
    el("table", {}, title, head.length ? el("thead", {}, head) : null, el("tbody", {}, data.map((row) => dataRow(row, words)))),
  ]);
}

function namedColumns(columns, quoted) {
  const cell = (name) => el("th", { scope: "col" }, quoted ? el("mark", {}, name) : name);
  return el("tr", { class: quoted ? "quoted" : null }, columns.map(cell));
}

/** A heading's text holds its lines one below the other, the cells of a line parted by tabs. */
function headLines({ text, quoted, marks }) {
  const ranges = unitRanges(text, marks ?? []);
  return pieces(text, "\n").map((line) => ({ cells: pieces(line.text, "\t", line.start), quoted, ranges }));
}

/** Heading rows in which equal neighbours are one cell again, as they were before merged cells were filled. */
function headRows(grid) {
  const taken = new Set();
  const text = (row, column) => grid[row]?.cells[column]?.text;
  return grid.map(({ cells, quoted, ranges }, row) => {
    const drawn = cells.map((cell, column) => {
      if (taken.has(`${row} ${column}`)) return null;
      const [down, across] = extent(text, row, column, row + 1 < grid.length);
      for (let r = row; r < row + down; r += 1) {
        for (let c = column; c < column + across; c += 1) taken.add(`${r} ${c}`);
      }
      const scope = across > 1 ? "colgroup" : "col";
      const spans = { rowspan: down > 1 && String(down), colspan: across > 1 && String(across) };
      return el("th", { scope, ...spans }, markedPiece(cell, ranges));
    });
    return el("tr", { class: quoted ? "quoted" : null }, drawn);
  });
}

/** How many rows and columns of the heading say the same as this cell; wide only above other headings. */
function extent(text, row, column, above) {
  const same = text(row, column);
  let down = 1;
  let across = 1;
  while (same && text(row + down, column) === same) down += 1;
  if (down > 1 || !above || !same) return [down, 1];
  while (text(row, column + across) === same && text(row + 1, column + across) !== same) across += 1;
  return [1, across];
}

/**
 * A row's text is its cells parted by tabs. Where it is not, a quoted row is marked whole rather than not at all.
 * Its first cell says what it is about, and that it is the one cited: not by colour alone.
 */
function dataRow({ text, cells, quoted, marks }, words) {
  const ranges = unitRanges(text, marks ?? []);
  const parts = pieces(text, "\t");
  const values =
    parts.length === cells.length
      ? parts.map((part) => markedPiece(part, ranges))
      : cells.map(([, value]) => marked(value, quoted ? [[0, value.length]] : []));
  const [first, ...others] = values;
  const said = quoted ? el("span", { class: "visually-hidden" }, words.quotedRow) : null;
  return el("tr", { class: quoted ? "quoted" : null }, [
    el("th", { scope: "row" }, said, first),
    ...others.map((value) => el("td", {}, value)),
  ]);
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
