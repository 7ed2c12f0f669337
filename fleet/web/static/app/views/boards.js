// All boards: how many are how, a map of them, and a table that can be searched and filtered.

import { download, post } from "../api.js";
import { ask, calm, command, empty, follow, h, icon, put, toast } from "../dom.js";
import { boards, collator, fleet, may, on } from "../fleet.js";
import { HEALTH, health, kib, labels, many, module, when } from "../words.js";

const STEP = 100, MAPPED = 3000, LARGE = 300;
const TILES = [
  ["", "All boards", () => true, ""], ["online", "Online", (row) => row.online, "is-ok"], ["busy", "Updating", (row) => row.health === "busy", "is-busy"],
  ["away", "Away", (row) => !row.online, "is-warn"], ["attention", "Need attention", (row) => row.health === "attention", "is-bad"],
];
const kept = { text: "", group: "", module: "", health: "" };

export default function view(main, _id, query) {
  for (const name of Object.keys(kept)) if (query.has(name)) kept[name] = query.get(name);
  let shown = STEP;
  const tiles = h("div", { class: "tiles", role: "group", "aria-label": "Filter by state" }), map = h("div", { class: "map" }), subtitle = h("p", { class: "sub" }), legends = h("div", { class: "legend end" });
  const mapPanel = h("section", { class: "panel" }, h("header", null, h("h2", null, "Map"), legends), h("div", { class: "body" }, map));
  const search = h("input", { type: "search", placeholder: "Search boards", "aria-label": "Search boards", value: kept.text });
  const groups = h("select", { "aria-label": "Group" }), modules = h("select", { "aria-label": "Module" });
  const state = h("select", { "aria-label": "State" }, [["", "Any state"], ["online", "Online"], ["away", "Away"], ...Object.entries(HEALTH).map(([name, [, word]]) => [name, word])].map(([name, word]) => h("option", { value: name }, word)));
  const body = h("tbody"), more = h("div", { class: "more" }), nothing = h("div");
  const table = h("table", { class: "cards" }, h("thead", null, h("tr", null, ["Board", "State", "Groups", "Runs", "Free heap", "Seen"].map((name) => h("th", { scope: "col", class: name === "Free heap" ? "num" : null }, name)))), body);
  const list = h("section", { class: "panel" }, h("header", null, h("div", { class: "filters" }, search, groups, modules, state)), h("div", { class: "body flush scroll" }, table, nothing), more);
  const first = h("section", { class: "panel" });
  const content = h("div", { class: "stack" }, mapPanel, list);
  list.querySelector(".filters").style.flex = "1";

  function draw() {
    const rows = boards();
    const none = rows.length === 0;
    content.classList.toggle("hidden", none);
    tiles.classList.toggle("hidden", none);
    first.classList.toggle("hidden", !none);
    put(subtitle, none ? "No boards yet." : `${many(rows.length, "board")} in ${many(new Set(rows.flatMap((row) => row.groups)).size, "group")}`);
    if (none) return put(first, welcome());
    drawTiles(rows);
    options(groups, "Any group", new Set(rows.flatMap((row) => row.groups)), kept.group);
    options(modules, "Any module", new Set(rows.map(module).filter(Boolean)), kept.module);
    state.value = kept.health;
    drawMap(map, rows);
    put(legends, Object.entries(HEALTH).filter(([name]) => rows.some((row) => row.health === name)).map(([, words]) => legend(words)));
    mapPanel.classList.toggle("hidden", rows.length > MAPPED);
    const found = rows.filter(matches);
    follow(body, found.slice(0, shown), (row) => row.id, line);
    table.classList.toggle("hidden", !found.length);
    put(nothing, found.length ? null : empty("boards", "No board matches", "Change the search or the filters.", h("button", { onclick: clear }, "Show all boards")));
    more.classList.toggle("hidden", found.length <= shown);
    put(more, h("button", { onclick: () => { shown += STEP; draw(); } }, `Show ${Math.min(STEP, found.length - shown)} more of ${found.length - shown}`));
  }

  function drawTiles(rows) {
    follow(tiles, TILES.map(([name, word, test, kind]) => ({ name, word, kind, count: rows.filter(test).length, pressed: kept.health === name })), (tile) => tile.name,
      ({ name, word, kind, count, pressed }) => h("button", { class: `tile ${count ? kind : ""}`, "aria-pressed": String(pressed), onclick: () => { kept.health = name; shown = STEP; draw(); } },
        h("b", null, count.toLocaleString("en")), h("span", null, kind && h("i", { class: `dot ${kind}` }), word)));
  }

  function clear() {
    Object.assign(kept, { text: "", group: "", module: "", health: "" });
    search.value = "";
    draw();
  }

  const change = () => { Object.assign(kept, { text: search.value, group: groups.value, module: modules.value, health: state.value }); shown = STEP; draw(); };
  search.addEventListener("input", calm(change, 120));
  for (const select of [groups, modules, state]) select.addEventListener("change", change);
  map.addEventListener("click", (event) => { if (event.target.dataset.id) location.hash = `#/boards/${event.target.dataset.id}`; });
  put(main, h("div", { class: "head" }, h("div", { class: "grow" }, h("h1", null, "Boards"), subtitle), may("admin") && h("button", { onclick: addBoard }, icon("plus"), "Add a board")), tiles, first, content);
  draw();
  return on("boards", calm(draw, 300));
}

const legend = ([kind, word]) => h("span", null, h("i", { class: `dot ${kind}` }), word);

function matches(row) {
  const tile = TILES.find(([name]) => name && name === kept.health);
  const state = !kept.health || (tile ? tile[2](row) : row.health === kept.health);
  const text = kept.text.trim().toLowerCase();
  const words = [row.id, ...row.groups, ...labels(row), module(row) || "", row.reason || ""].join(" ").toLowerCase();
  return state && (!kept.group || row.groups.includes(kept.group)) && (!kept.module || module(row) === kept.module) && (!text || words.includes(text));
}

function options(select, any, values, chosen) {
  const names = [...values].sort(collator.compare);
  if (select.names !== names.join("\n")) {
    select.names = names.join("\n");
    put(select, h("option", { value: "" }, any), names.map((name) => h("option", { value: name }, name)));
  }
  select.value = values.has(chosen) ? chosen : "";
}

function line(row) {
  const wanted = row.desired && row.desired.module !== undefined && (row.desired.module !== row.module || row.desired.version !== row.version);
  const go = (event) => { if (!event.target.closest("a") && !getSelection().toString()) location.hash = `#/boards/${row.id}`; };
  return h("tr", { class: "go", onclick: go },
    h("td", null, h("a", { class: "name", href: `#/boards/${row.id}` }, row.id)),
    h("td", null, health(row)),
    h("td", { "data-wide": true }, h("div", { class: "tags" }, row.groups.map((name) => h("span", { class: "tag" }, name)), labels(row).map((name) => h("span", { class: "tag soft" }, name)))),
    h("td", { "data-wide": true }, module(row) || h("span", { class: "soft" }, "nothing yet"), wanted && h("div", { class: "soft small" }, `should run ${module(row.desired)}`)),
    h("td", { class: "num hide" }, row.free_heap === null ? "–" : kib(row.free_heap)),
    h("td", { class: "nowrap soft", "data-wide": true }, when(row.seen)));
}

function drawMap(map, rows) {
  const groups = new Map();
  for (const row of rows) for (const name of row.groups.length ? row.groups : ["no group"]) groups.set(name, [...(groups.get(name) || []), row]);
  const found = [...groups].sort(([one], [other]) => collator.compare(one, other));
  map.classList.toggle("large", rows.length > LARGE);
  follow(map, found, ([name]) => name, ([name, members]) => h("div", null,
    h("div", { class: "name" }, h("b", null, name), h("span", null, String(members.length))),
    h("div", { class: `cells ${rows.length > LARGE ? "many" : ""}`, role: "img", "aria-label": summary(members) },
      members.map((row) => h("i", { class: (HEALTH[row.health] || ["is-off"])[0], "data-id": row.id, title: `${row.id}: ${row.why || (HEALTH[row.health] || [])[1]}` })))),
  ([name, members]) => name + rows.length + members.map((row) => row.id + row.health).join());
}

function summary(members) {
  const counts = new Map();
  for (const row of members) counts.set(row.health, (counts.get(row.health) || 0) + 1);
  return [...counts].map(([name, count]) => `${count} ${((HEALTH[name] || [])[1] || name).toLowerCase()}`).join(", ");
}

function welcome() {
  return empty("boards", "Add the first boards", "Try it with simulated ones, each a real MicroPython, or flash a board that is plugged in:",
    command("fleet sim up --count 3 --group greenhouse"), command("fleet flash --group greenhouse"), may("admin") && h("button", { class: "main", onclick: addBoard }, icon("plus"), "Add a board by hand"));
}

function addBoard() {
  ask("Add a board", (close) => {
    const name = h("input", { required: true, pattern: "[a-z0-9\\-]{1,32}", maxlength: 32, placeholder: "greenhouse-7", title: "1 to 32 of a-z, 0-9 and -" });
    const group = h("input", { required: true, pattern: "[a-z0-9\\-]{1,32}", maxlength: 32, placeholder: "greenhouse", list: "groups", title: "1 to 32 of a-z, 0-9 and -" });
    const known = h("datalist", { id: "groups" }, [...new Set([...fleet.boards.values()].flatMap((row) => row.groups))].map((value) => h("option", { value })));
    const save = async (event) => {
      event.preventDefault();
      try {
        const made = await post("/devices", { name: name.value, group: group.value, capabilities: null });
        close();
        added(made.id);
      } catch (problem) {
        toast(problem.message, "is-bad");
      }
    };
    return h("form", { class: "form", onsubmit: save }, h("label", { class: "field" }, "Name", name), h("label", { class: "field" }, "Group (made if it is not there)", group, known),
      h("div", { class: "buttons" }, h("button", { type: "button", onclick: close }, "Cancel"), h("button", { class: "main" }, "Add")));
  });
}

function added(id) {
  ask(`${id} is added`, (close) => [
    h("p", null, "Plug it in and let this machine set it up, or put its identity file on it yourself as ", h("code", null, "/cfg/identity.cbor"), ". The file holds the board's key: delete it afterwards."),
    command(`fleet flash --name ${id}`),
    h("div", { class: "buttons" }, h("button", { onclick: () => download(`/devices/${id}/identity`, "identity.cbor") }, "Download the identity file"), h("button", { class: "main", onclick: close }, "Done")),
  ]);
}
