// One board: what it runs and should run, how it is, its readings as plots and its log, live.

import { all, get, post, remove } from "../api.js";
import { calm, confirm, empty, h, icon, put, toast } from "../dom.js";
import { fleet, may, on } from "../fleet.js";
import { logList } from "../log.js";
import { plot } from "../plot.js";
import { badge, health, kib, labels, module, reason, sentence, when } from "../words.js";

const POINTS = 600, COMMAND_S = 15;

export default function view(main, id) {
  const title = h("div", { class: "grow" }), note = h("div"), facts = h("div"), plots = h("div", { class: "plots" });
  const log = logList(true, `Log of ${id}`);
  const readings = h("section", { class: "panel" }, h("header", null, h("h2", null, "Readings")), h("div", { class: "body" }, plots));
  const figures = new Map(), series = new Map();
  let ended = false, refused = false;

  async function draw() {
    let row;
    try {
      row = await get(`/devices/${encodeURIComponent(id)}`);
    } catch (problem) {
      if (!ended && !refused) put(main, h("h1", null, id), empty("boards", "This board can't be shown", problem.message, h("a", { class: "button", href: "#/boards" }, "All boards")));
      refused = true;
      return;
    }
    if (ended) return;
    put(title, h("h1", null, row.id, " "), h("p", { class: "sub" }, health(row), " ", h("span", null, "in ", row.groups.join(", ") || "no group")));
    put(note, row.why && row.health !== "ok" ? h("div", { class: `note ${{ attention: "is-bad", behind: "is-warn", offline: "is-warn", busy: "is-busy" }[row.health] || ""}` }, icon(row.health === "attention" ? "warn" : "info"), h("span", null, sentence(row.why))) : null);
    put(facts, list(row));
  }

  async function load() {
    const start = await get("/readings/start", { count: POINTS, device: id });
    add(await all("/readings", { after: start, device: id }));
    if (!series.size) put(plots, empty("logs", "No readings yet", "What the module reports with telemetry is drawn here."));
    const from = await get("/logs/start", { count: 300, device: id });
    const lines = (await get("/logs", { after: from, device: id, limit: 1000 })).items;
    log.reset(lines);
    if (!lines.length) log.box.append(h("div", { class: "soft" }, h("span"), "Nothing logged yet."));
  }

  function add(rows) {
    if (rows.length && !series.size) put(plots);
    for (const row of rows) {
      if (!series.has(row.name)) {
        series.set(row.name, []);
        figures.set(row.name, plot(row.name));
        plots.append(figures.get(row.name).figure);
      }
      const points = series.get(row.name);
      if (!points.length || points[points.length - 1].id < row.id) points.push(row);
      if (points.length > POINTS) points.shift();
    }
    for (const name of new Set(rows.map((row) => row.name))) figures.get(name).update(series.get(name));
  }

  const forget = () => confirm(`Remove ${id}?`, "Its key and password are void at once. To come back, it must be set up anew.", "Remove", async () => {
    await remove(`/devices/${encodeURIComponent(id)}`);
    toast(`Removed ${id}.`);
    location.hash = "#/boards";
  }, "danger");
  const tell = (name) => h("button", { onclick: (event) => command(id, name, event.currentTarget) }, name[0].toUpperCase() + name.slice(1));
  put(main, h("a", { class: "back", href: "#/boards" }, icon("back"), "All boards"),
    h("div", { class: "head" }, title, h("div", { class: "buttons" }, may("operator") && [tell("identify"), tell("restart")], may("admin") && h("button", { class: "danger", onclick: forget }, "Remove"))),
    h("div", { class: "stack" }, note, h("div", { class: "cols" }, h("section", { class: "panel" }, h("header", null, h("h2", null, "State")), h("div", { class: "body" }, facts)), readings),
      h("section", { class: "panel" }, h("header", null, h("h2", null, "Log"), h("span", { class: "end small" }, h("a", { href: `#/logs?board=${id}` }, "All logs"))), h("div", { class: "body hidden" }), log.box)));
  log.box.style.marginTop = "12px";
  put(title, h("h1", null, id));
  draw();
  load();
  const redraw = calm(draw, 500);
  const ends = [
    on("boards", (data) => { if (!data || data.changed.some((row) => row.id === id) || data.gone.includes(id)) redraw(); }),
    on("readings", (rows) => add(rows.filter((row) => row.device === id))),
    on("logs", (rows) => { if (rows) log.add(rows.filter((row) => row.device === id)); }),
  ];
  return () => { ended = true; for (const end of ends) end(); };
}

/** Tell a board to do something, once, and say what became of it. */
async function command(id, name, button) {
  button.disabled = true;
  try {
    let told = await post(`/devices/${encodeURIComponent(id)}/commands`, { name, ttl_s: COMMAND_S });
    for (const end = Date.now() + (COMMAND_S + 2) * 1000; !told.final && Date.now() < end;) {
      await new Promise((resolve) => setTimeout(resolve, 400));
      told = await get(`/commands/${told.id}`);
    }
    const words = { done: `${name} done${told.detail ? `: ${told.detail}` : "."}`, refused: `${name} refused: ${reason(told.reason)}` };
    toast(`${id}: ${words[told.state] || `${name} not done, the board did not answer in time.`}`, told.state === "done" ? "is-ok" : "is-bad");
  } catch (problem) {
    toast(problem.message, "is-bad");
  }
  button.disabled = false;
}

function list(row) {
  const report = row.report || {};
  const wanted = row.desired;
  const same = wanted && wanted.module === row.module && wanted.version === row.version;
  const rows = [
    ["Runs", module(row) || h("span", { class: "soft" }, "nothing yet")],
    ["Should run", wanted ? [module(wanted), " ", same ? badge("is-ok", "it does") : null, h("span", { class: "soft small" }, ` order ${wanted.seq}`)] : h("span", { class: "soft" }, "nothing was pushed yet")],
    ["Last update", row.status ? [fleet.words.steps[row.status] || row.status, row.reason ? h("div", { class: "soft small" }, reason(row.reason)) : null] : null],
    ["Labels", labels(row).length ? h("div", { class: "tags" }, labels(row).map((name) => h("span", { class: "tag" }, name))) : null],
    ["Executor", row.executor],
    ["Connection", [row.state, h("span", { class: "soft" }, ", seen ", when(row.seen))]],
    ["Free heap", report.free_heap !== undefined && report.free_heap !== null ? [kib(report.free_heap), report.min_free_heap ? h("span", { class: "soft" }, `, at least ${kib(report.min_free_heap)}`) : null] : null],
    ["Wi-Fi signal", report.rssi ? `${report.rssi} dBm` : null],
    ["Starts", report.boots],
    ["Kind", [row.port, report.firmware].filter(Boolean).join(", MicroPython ") || null],
    ["TLS", row.tls ? "yes" : "no: the network can read what it is told and says"],
    ["Agent", report.agent ? [report.agent, report.abi ? h("span", { class: "soft" }, `, engine ABI ${report.abi}`) : null] : null],
    ["May use", h("div", { class: "tags" }, row.capabilities.map((name) => h("span", { class: "tag mono" }, name)))],
  ];
  return h("dl", { class: "facts" }, rows.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value]) => [h("dt", null, name), h("dd", null, value)]));
}
