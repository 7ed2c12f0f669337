// Who may use the fleet: tokens, release keys, and the audit log.

import { all, get, post, remove } from "../api.js";
import { ask, command, confirm, h, icon, put, toast } from "../dom.js";
import { fleet } from "../fleet.js";
import { badge, when } from "../words.js";

const ROLES = { viewer: "sees everything, changes nothing", operator: "pushes modules, steers rollouts, makes groups", admin: "all that, and boards, keys and tokens" };
const EVENTS = 200;

export default function view(main) {
  const tokens = h("tbody"), keys = h("tbody"), events = h("tbody");
  const head = (...names) => h("thead", null, h("tr", null, names.map((name) => h("th", { scope: "col" }, name))));
  const panel = (title, table, button) => h("section", { class: "panel" }, h("header", null, h("h2", null, title), button && h("div", { class: "end" }, button)), h("div", { class: "body flush scroll" }, table));

  async function draw() {
    const [held, signing, log] = await Promise.all([all("/tokens"), all("/keys"), get("/audit/start", { count: EVENTS }).then((after) => all("/audit", { after }))]);
    put(tokens, held.map(tokenLine));
    put(keys, signing.map((row) => h("tr", null, h("td", null, h("b", null, row.name)), h("td", { class: "mono", "data-wide": true }, row.kid), h("td", { "data-wide": true }, h("div", { class: "tags" }, row.scopes.map((name) => h("span", { class: "tag mono" }, name)))), h("td", null, row.revoked ? badge("is-bad", "revoked") : badge("is-ok", "valid")))));
    put(events, log.reverse().map((row) => h("tr", null, h("td", null, h("b", null, row.action)), h("td", { "data-wide": true }, row.subject, row.detail && h("div", { class: "soft small" }, row.detail)), h("td", { class: "soft", "data-wide": true, "data-label": "by" }, row.actor), h("td", { class: "soft nowrap", "data-wide": true }, when(row.created), row.count > 1 ? ` (${row.count} times)` : ""))));
  }

  function tokenLine(row) {
    const revoke = () => confirm(`Revoke ${row.name}?`, row.name === fleet.me.name ? "You are using it now: you will be logged out." : "Whoever uses it is locked out at once.", "Revoke", async () => {
      await remove(`/tokens/${encodeURIComponent(row.name)}`);
      if (row.name === fleet.me.name) location.reload();
      toast(`Revoked ${row.name}.`);
      draw();
    }, "danger");
    return h("tr", null, h("td", null, h("b", null, row.name)), h("td", null, row.role), h("td", { class: "soft", "data-wide": true }, row.created_by, ", ", when(row.created)), h("td", { class: "soft", "data-label": "used" }, when(row.used)),
      h("td", { class: "num end" }, h("button", { class: "quiet", "aria-label": `Revoke ${row.name}`, onclick: revoke }, "Revoke")));
  }

  function create() {
    ask("Make a token", (close) => {
      const name = h("input", { required: true, pattern: "[A-Za-z0-9][A-Za-z0-9._@\\-]{0,63}", maxlength: 64, placeholder: "ci", title: "Letters, digits and . _ @ -" });
      const role = h("select", null, Object.entries(ROLES).map(([value, words]) => h("option", { value }, `${value}: ${words}`)));
      const days = h("input", { type: "number", min: 1, max: 36500, placeholder: "never" });
      const save = async (event) => {
        event.preventDefault();
        const made = await post("/tokens", { name: name.value, role: role.value, days: days.value ? +days.value : null });
        close();
        draw();
        ask(`The token ${made.name}`, (done) => [h("p", null, "Copy it now: only its hash is kept, so it can't be shown again."), command(made.secret), h("div", { class: "buttons" }, h("button", { class: "main", onclick: done }, "Done"))]);
      };
      return h("form", { class: "form", onsubmit: save }, h("label", { class: "field" }, "Name", name), h("label", { class: "field" }, "May do", role), h("label", { class: "field" }, "Void after days", days),
        h("div", { class: "buttons" }, h("button", { type: "button", onclick: close }, "Cancel"), h("button", { class: "main" }, "Make it")));
    });
  }

  put(main, h("div", { class: "head" }, h("div", { class: "grow" }, h("h1", null, "Access"), h("p", { class: "sub" }, "Who may use this fleet, which keys may sign, and who did what."))),
    h("div", { class: "stack" },
      panel("Tokens", h("table", { class: "cards" }, head("Name", "Role", "Made", "Used", ""), tokens), h("button", { onclick: create }, icon("plus"), "Make a token")),
      panel("Release keys", h("table", { class: "cards" }, head("Name", "Key", "May sign", "State"), keys)),
      panel("Audit log", h("table", { class: "cards" }, head("What", "On what", "Who", "When"), events))));
  draw();
}
