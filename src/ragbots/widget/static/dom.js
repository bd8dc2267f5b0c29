// Small helpers for building the component. Text goes in as text; nothing here parses HTML, and no style is set inline.

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  chat: "M5 5.5h14a1.5 1.5 0 0 1 1.5 1.5v8.5A1.5 1.5 0 0 1 19 17h-7l-4.5 3.5V17H5a1.5 1.5 0 0 1-1.5-1.5V7A1.5 1.5 0 0 1 5 5.5ZM8 9.5h8M8 13h5",
  close: "M6 6l12 12M18 6 6 18",
  plus: "M12 5v14M5 12h14",
  caret: "M7 10l5 5 5-5",
  menu: "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4",
  larger: "M14 4h6v6M10 20H4v-6M20 4l-7 7M4 20l7-7",
  smaller: "M20 10h-6V4M4 14h6v6M14 10l6-6M10 14l-6 6",
  copy: "M9 9h10.5v11H9zM15 9V4H4.5v11H9",
  up: "M7.5 11v9M4 11h3.5L11 3.5c1.7 0 2.6 1 2.3 2.6L12.6 10H19c1 0 1.7.9 1.4 1.9l-1.9 6.8c-.2.8-.8 1.3-1.6 1.3H4z",
  down: "M16.5 13V4M20 13h-3.5L13 20.5c-1.7 0-2.6-1-2.3-2.6l.7-3.9H5c-1 0-1.7-.9-1.4-1.9l1.9-6.8C5.700 4.500 6.300 4 7.100 4H20z",
};

/** An element with attributes (`on…` = listener; null, undefined and false are left out) and children. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A picture beside words, or alone in a button that has a name; never read out itself. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button that shows an icon, and its name to those who listen or point at it. */
export function iconButton(name, label, onclick, more = {}) {
  return el("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...more }, icon(name));
}

/** The address of a link that may be opened: http and https alone; null for anything else. */
export function webLink(link) {
  if (!link) return null;
  try {
    const url = new URL(link, document.baseURI);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

/** A link that opens beside the page; null where the address is not of the web. */
export function outsideLink(link, text, words) {
  const href = webLink(link);
  return href && el("a", { href, target: "_blank", rel: "noopener noreferrer" }, words.newWindow(text));
}

/** Characters as the server counts them (code points), not UTF-16 units. */
export function countCharacters(text) {
  return [...text].length;
}

/** Copies text; the second way, with a field put into `place`, is for pages on plain http, where the first is withheld. */
export async function copyText(text, place) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = el("textarea", { readonly: true, class: "visually-hidden", "aria-hidden": "true" });
    area.value = text;
    const focused = place.getRootNode().activeElement;
    place.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    focused?.focus();
    return copied;
  }
}
