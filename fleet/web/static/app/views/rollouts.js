// All rollouts, newest first, with how far each is.

import { calm, command, empty, follow, h, icon, put } from "../dom.js";
import { may, on, rollouts } from "../fleet.js";
import { countBar, countLegend, many, rolloutBadge, when } from "../words.js";

export default function view(main) {
  const list = h("section", { class: "panel" }), none = h("section", { class: "panel" }), subtitle = h("p", { class: "sub" });
  const draw = () => {
    const rows = rollouts();
    const running = rows.filter((row) => row.state === "running").length;
    put(subtitle, rows.length ? `${running ? `${running} under way, ` : ""}${many(rows.length, "rollout")} in all` : "Nothing was pushed yet.");
    list.classList.toggle("hidden", !rows.length);
    none.classList.toggle("hidden", rows.length > 0);
    follow(list, rows, (row) => row.id, line);
  };
  put(none, empty("rollouts", "No rollouts yet", "A push starts one: the module goes to the boards of a group, and you see here how each takes it.",
    command("fleet push sensor.wasm --group greenhouse"), may("operator") && h("a", { class: "button", href: "#/push" }, icon("push"), "Push a module")));
  put(main, h("div", { class: "head" }, h("div", { class: "grow" }, h("h1", null, "Rollouts"), subtitle), may("operator") && h("a", { class: "button", href: "#/push" }, icon("push"), "Push a module")), list, none);
  draw();
  return on("rollouts", calm(draw, 300));
}

function line(row) {
  return h("a", { class: "rollout", href: `#/rollouts/${row.id}` },
    h("div", null, h("strong", null, `${row.module} ${row.version}`), h("span", { class: "soft" }, ` to ${row.group}`)),
    rolloutBadge(row),
    h("div", { class: "wide" }, countBar(row.counts)),
    countLegend(row.counts),
    h("span", { class: "soft small nowrap by" }, `#${row.id} by ${row.actor}, `, when(row.created)));
}
