// The page's frame: log in, navigation, and which view is shown for the part of the address after #.

import { get, post, remove } from "./api.js";
import { h, icon, put, toast } from "./dom.js";
import { connect, disconnect, fleet, may, on, rollouts } from "./fleet.js";
import { ago } from "./words.js";
import access from "./views/access.js";
import board from "./views/board.js";
import boards from "./views/boards.js";
import logs from "./views/logs.js";
import push from "./views/push.js";
import rollout from "./views/rollout.js";
import rolloutList from "./views/rollouts.js";

const app = document.getElementById("app");
const VIEWS = { boards: [boards, board], rollouts: [rolloutList, rollout], logs: [logs], push: [push], access: [access] };
const NAVIGATION = [["boards", "Boards", "viewer"], ["rollouts", "Rollouts", "viewer"], ["logs", "Logs", "viewer"], ["push", "Push", "operator"], ["access", "Access", "admin"]];

let main, leave = null;

async function start() {
  theme(read("theme"));
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) history.replaceState(null, "", location.pathname);
  try {
    fleet.me = token ? await post("/session", { token }) : await get("/session");
  } catch (problem) {
    return door(problem.status === 401 && !token ? "" : problem.message);
  }
  put(app, h("p", { class: "plain soft", role: "status" }, "Loading the fleet…"));
  try {
    await connect();
  } catch (problem) {
    return door(problem.message);
  }
  frame();
  addEventListener("hashchange", show);
  show();
}

/** What somebody without a valid token sees. */
function door(message) {
  const field = h("input", { type: "password", autocomplete: "current-password", required: true, "aria-label": "Token", placeholder: "fleet_…" });
  const enter = async (event) => {
    event.preventDefault();
    location.hash = `token=${encodeURIComponent(field.value.trim())}`;
    location.reload();
  };
  put(app, h("div", { class: "door" }, h("main", { id: "main", class: "panel" },
    h("img", { src: "/static/icon.svg", alt: "" }), h("h1", null, "WasmFleet"),
    h("p", { class: "soft" }, "Open the link that ", h("code", null, "fleet up"), " printed, or enter a token of ", h("code", null, "fleet token create"), "."),
    message && h("p", { class: "note is-bad", role: "alert" }, icon("warn"), message),
    h("form", { class: "form", onsubmit: enter }, h("label", { class: "field" }, "Token", field), h("button", { class: "main" }, "Open the dashboard")))));
  field.focus();
}

function frame() {
  main = h("main", { id: "main", tabindex: -1 });
  const leaveIt = async () => { await remove("/session"); disconnect(); location.reload(); };
  const foot = () => h("div", { class: "foot" }, h("div", { class: "broker" }),
    h("div", { class: "row" }, h("span", { title: fleet.me.name }, fleet.me.name, h("small", null, fleet.me.role)),
      h("span", null, h("button", { class: "quiet", "aria-label": "Light or dark", title: "Light or dark", onclick: toggle }, icon("moon")),
        h("button", { class: "quiet", "aria-label": "Log out", title: "Log out", onclick: leaveIt }, icon("out")))));
  const link = ([name, label]) => h("a", { href: `#/${name}`, "data-view": name }, icon(name), h("span", null, label), h("span", { class: "count hidden" }));
  put(app, h("div", { class: "shell" }, h("div", { class: "side" },
    h("a", { class: "brand", href: "#/boards" }, h("img", { src: "/static/icon.svg", alt: "" }), "WasmFleet"),
    h("nav", { class: "nav", "aria-label": "Pages" }, NAVIGATION.filter(([, , role]) => may(role)).map(link)),
    foot()), main, foot()));
  const state = () => { for (const node of app.querySelectorAll(".broker")) put(node, ...service()); };
  for (const event of ["service", "live"]) on(event, state);
  for (const event of ["boards", "rollouts"]) on(event, counts);
  on("live", (live) => { if (!live) toast("The connection is lost; trying again.", "is-bad"); });
  state();
  counts();
  setInterval(() => { for (const node of document.querySelectorAll("time[data-ago]")) if (node.dataset.ago) node.textContent = ago(+node.dataset.ago); }, 1000);
}

function service() {
  if (!fleet.live) return [h("i", { class: "dot is-bad" }), h("span", null, "No connection")];
  if (!fleet.service) return [h("i", { class: "dot is-warn" }), h("span", null, "Service not running: start it with fleet up")];
  return [h("i", { class: "dot is-ok" }), h("span", null, `Live, broker ${fleet.service.broker}`)];
}

function counts() {
  const set = (name, count, kind, words) => {
    const node = app.querySelector(`[data-view="${name}"] .count`);
    if (!node) return;
    node.className = `count ${kind} ${count ? "" : "hidden"}`;
    put(node, count > 99 ? "99+" : String(count), h("span", { class: "unseen" }, ` ${words}`));
  };
  set("boards", [...fleet.boards.values()].filter((row) => row.health === "attention").length, "", "need attention");
  set("rollouts", rollouts().filter((row) => row.state === "running" || row.state === "paused").length, "busy", "under way");
}

/** Show the view that the address names. */
function show() {
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("?")[0].split("/").map(decodeURIComponent);
  const known = VIEWS[name] ? name : "boards";
  const view = VIEWS[known][rest.length && rest[0] ? 1 : 0] || VIEWS[known][0];
  if (leave) leave();
  for (const link of app.querySelectorAll("[data-view]")) {
    if (link.dataset.view === known) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  put(main);
  leave = view(main, rest[0], new URLSearchParams(location.hash.split("?")[1] || "")) || null;
  document.title = `${main.querySelector("h1")?.textContent || "WasmFleet"} – WasmFleet`;
  scrollTo(0, 0);
  main.focus({ preventScroll: true });
}

const read = (name) => { try { return localStorage.getItem(name); } catch { return null; } };

function theme(name) {
  if (name) document.documentElement.dataset.theme = name;
}

function toggle() {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  theme(dark ? "light" : "dark");
  try { localStorage.setItem("theme", dark ? "light" : "dark"); } catch { /* a browser that keeps nothing */ }
}

addEventListener("unhandledrejection", (event) => toast(event.reason?.message || "Something went wrong.", "is-bad"));
start();
