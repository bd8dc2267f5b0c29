// Small helpers for building the page. Text goes in as text; nothing here parses HTML.

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
export function outsideLink(link, text) {
  const href = webLink(link);
  return href && el("a", { href, target: "_blank", rel: "noopener noreferrer" }, `${text} (새 창)`);
}

/** Tells those who listen rather than look; the same words twice are read twice. */
export function announce(text) {
  const status = document.getElementById("status");
  status.textContent = "";
  requestAnimationFrame(() => (status.textContent = text));
}

/** `2026-01-01` as people write it; anything else stays as it is. */
export function readableDate(date) {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(date ?? "");
  return parts ? `${parts[1]}. ${Number(parts[2])}. ${Number(parts[3])}.` : (date ?? "");
}

/** Characters as the server counts them (code points), not UTF-16 units. */
export function countCharacters(text) {
  return [...text].length;
}

/** Copies text; the second way is for pages served over plain http, where the first is withheld. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = el("textarea", { readonly: true, class: "visually-hidden", "aria-hidden": "true" });
    area.value = text;
    const focused = document.activeElement;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    focused?.focus();
    return copied;
  }
}
