// A list of log lines that stays at its end while nobody has scrolled up.

import { h } from "./dom.js";
import { clock } from "./words.js";

const SHOWN = 1000;

/** An element with `add(rows)` and `reset(rows)`; `single` leaves the board's name out. */
export function logList(single, label) {
  const box = h("div", { class: `log${single ? " single" : ""}`, role: "log", "aria-label": label, tabindex: 0 });
  const row = (line) => h("div", { class: `level-${line.level}` },
    h("time", { title: `uptime ${(line.uptime_ms / 1000).toFixed(3)} s` }, clock(line.received)),
    single ? null : h("a", { href: `#/boards/${line.device}`, title: line.device }, line.device),
    h("span", { class: "text" }, line.text));
  const add = (rows) => {
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    box.append(...rows.slice(-SHOWN).map(row));
    while (box.childElementCount > SHOWN) box.firstChild.remove();
    if (atEnd) box.scrollTop = box.scrollHeight;
  };
  return { box, add, reset(rows) { box.replaceChildren(); add(rows); box.scrollTop = box.scrollHeight; } };
}
