// Elements, icons and lists that follow their data. Nothing here takes HTML: text stays text, whatever a board sends.

const SVG = "http://www.w3.org/2000/svg";

/** An element: properties (on… are listeners, class, data and aria-… attributes) and children, which may be strings, nested lists or null. */
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** The same for SVG. */
export function s(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) if (child !== null && child !== undefined && child !== false) node.append(child);
  return node;
}

/** Put these children in place of those that `node` has. */
export function put(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Make the children of `node` follow `items`: an item with the same key and the same signature keeps its element, and so its focus. */
export function follow(node, items, key, make, signature = JSON.stringify) {
  const known = node.known || (node.known = new Map());
  const wanted = new Map();
  let place = node.firstChild;
  for (const item of items) {
    const id = key(item), sign = signature(item), old = known.get(id);
    const entry = old && old.sign === sign ? old : { sign, element: make(item) };
    if (old && old !== entry) {
      if (place === old.element) place = old.element.nextSibling;
      const focused = old.element.contains(document.activeElement);
      old.element.replaceWith(entry.element);
      if (focused) (entry.element.querySelector("a, button") || entry.element).focus();
      if (place === null && entry.element.nextSibling) place = entry.element.nextSibling;
      wanted.set(id, entry);
      if (entry.element.nextSibling !== place) node.insertBefore(entry.element, place);
      continue;
    }
    wanted.set(id, entry);
    if (entry.element === place) place = place.nextSibling;
    else node.insertBefore(entry.element, place);
  }
  for (const [id, entry] of known) if (!wanted.has(id)) entry.element.remove();
  node.known = wanted;
}

const PATHS = {
  boards: "M7 7h10v10H7z M10 10h4v4h-4z M9 3v4 M15 3v4 M9 17v4 M15 17v4 M3 9h4 M3 15h4 M17 9h4 M17 15h4",
  rollouts: "M3 17c3 0 3-4 6-4s3 4 6 4 3-4 6-4 M3 10c3 0 3-4 6-4s3 4 6 4 3-4 6-4",
  logs: "M4 6h16 M4 10h10 M4 14h16 M4 18h7",
  push: "M12 16V4 M7 9l5-5 5 5 M4 16v3a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-3",
  access: "M8 15a4 4 0 1 1 3.5-6H21v3h-2v3h-3v-3h-4.5A4 4 0 0 1 8 15z M8 11h.01",
  back: "M15 5l-7 7 7 7",
  warn: "M12 4l9 16H3z M12 10v4 M12 17h.01",
  info: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z M12 11v5 M12 8h.01",
  check: "M5 13l4 4L19 7",
  cross: "M6 6l12 12 M18 6L6 18",
  copy: "M9 9h11v11H9z M5 15H4V4h11v1",
  pause: "M8 5v14 M16 5v14",
  play: "M7 5l12 7-12 7z",
  undo: "M9 7L4 12l5 5 M4 12h11a5 5 0 0 1 0 10h-2",
  moon: "M20 14A8 8 0 0 1 10 4a8 8 0 1 0 10 10z",
  plus: "M12 5v14 M5 12h14",
  out: "M10 4H5v16h5 M14 8l4 4-4 4 M18 12H9",
};

/** A line icon; decorative, so hidden from screen readers. */
export function icon(name) {
  const drawing = s("svg", { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": 1.8, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" });
  drawing.append(s("path", { d: PATHS[name] }));
  return drawing;
}

/** Say something that passes by. */
export function toast(text, tone = "") {
  const node = h("div", { class: `toast ${tone}` }, text);
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), tone ? 8000 : 4000);
}

/** A command line with a button that copies it. */
export function command(text) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast("Copied.");
    } catch {
      toast("The browser does not allow copying here; select the text.", "is-warn");
    }
  };
  return h("div", { class: "command" }, h("code", { tabindex: 0 }, text), h("button", { class: "quiet", "aria-label": `Copy ${text}`, onclick: copy }, icon("copy")));
}

/** What a page shows where there is nothing yet. */
export function empty(name, title, words, ...more) {
  return h("div", { class: "empty" }, icon(name), h("strong", null, title), words && h("p", null, words), more);
}

/** Ask in a dialog; `build(close)` gives its content. */
export function ask(title, build) {
  const dialog = h("dialog", { "aria-label": title, onclose: () => dialog.remove() });
  dialog.append(h("div", { class: "inner" }, h("h2", null, title), build(() => dialog.close())));
  document.body.append(dialog);
  dialog.showModal();
}

/** Ask whether to go on; `act` is called if so. */
export function confirm(title, words, verb, act, tone = "main") {
  ask(title, (close) => [
    h("p", null, words),
    h("div", { class: "buttons" }, h("button", { onclick: close }, "Cancel"), h("button", { class: tone, onclick: async () => { close(); await act(); } }, verb)),
  ]);
}

/** Call `run` at most once in `ms`, and once more at the end. */
export function calm(run, ms) {
  let timer = null, again = false;
  return () => {
    if (timer) { again = true; return; }
    run();
    timer = setTimeout(() => { timer = null; if (again) { again = false; run(); } }, ms);
  };
}
