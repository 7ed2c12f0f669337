// The log lines of all boards, live, with a search.

import { get } from "../api.js";
import { calm, h, icon, put } from "../dom.js";
import { boards, fleet, on } from "../fleet.js";
import { logList } from "../log.js";

export default function view(main, _id, query) {
  const log = logList(false, "Log of all boards");
  log.box.classList.add("tall");
  const search = h("input", { type: "search", placeholder: "Search the lines", "aria-label": "Search the lines" });
  const board = h("input", { type: "search", placeholder: "All boards", "aria-label": "Board", list: "board-names", value: query.get("board") || "" });
  const names = h("datalist", { id: "board-names" }, boards().slice(0, 1000).map((row) => h("option", { value: row.id })));
  const hold = h("button", { "aria-pressed": "false", onclick: () => { held = !held; paint(); if (!held) draw(); } });
  const count = h("p", { class: "sub" });
  let held = false, older = null;

  const wanted = (row) => (!board.value || row.device === board.value) && (!search.value || row.text.toLowerCase().includes(search.value.toLowerCase()));
  const paint = () => { put(hold, icon(held ? "play" : "pause"), held ? "Go on" : "Hold"); hold.setAttribute("aria-pressed", String(held)); };
  const say = (shown) => put(count, shown ? "Live, newest at the end." : fleet.lines.length || older ? "No line matches." : "Nothing logged yet. Lines appear here as boards send them.");

  function draw() {
    const known = older && older.board === board.value ? [...older.rows, ...fleet.lines.filter((row) => row.id > older.last)] : fleet.lines;
    const rows = known.filter(wanted);
    log.reset(rows);
    say(rows.length);
  }

  async function choose() {
    older = null;
    if (fleet.boards.has(board.value)) {
      const after = await get("/logs/start", { count: 500, device: board.value });
      const rows = (await get("/logs", { after, device: board.value, limit: 1000 })).items;
      older = { board: board.value, rows, last: rows.length ? rows[rows.length - 1].id : 0 };
    }
    draw();
  }

  search.addEventListener("input", calm(draw, 150));
  board.addEventListener("input", calm(choose, 300));
  paint();
  put(main, h("div", { class: "head" }, h("div", { class: "grow" }, h("h1", null, "Logs"), count)),
    h("section", { class: "panel" }, h("header", null, h("div", { class: "filters two" }, search, board, hold), names), h("div", { class: "body hidden" }), log.box));
  main.querySelector(".filters").style.flex = "1";
  log.box.style.marginTop = "14px";
  choose();
  return on("logs", (rows) => {
    if (held) return;
    if (!rows) return draw();
    const found = rows.filter(wanted);
    if (found.length) { log.add(found); say(true); }
  });
}
