// Drop a .wasm to see what it is; drop a signed package (or sign here, where the fleet has a signer) to push it.

import { all, post, upload } from "../api.js";
import { command, h, icon, put, toast } from "../dom.js";
import { boards, collator } from "../fleet.js";
import { badge, kib, sentence, when } from "../words.js";

const LARGEST = 2 << 20;
const PLANS = {
  waves: ["Wave by wave: 1 board, 5 %, 25 %, all", { waves: ["1", "5%", "25%", "100%"] }],
  soak: ["The same, a minute apart", { waves: ["1", "5%", "25%", "100%"], soak_s: 60 }],
  once: ["All at once", { waves: ["100%"] }],
};

export default function view(main) {
  const result = h("div", { class: "stack" }), known = h("section", { class: "panel hidden" });
  const input = h("input", { type: "file", class: "unseen", accept: ".wasm,.suit,.toml", multiple: true, onchange: () => take([...input.files]) });
  const drop = h("label", { class: "drop" }, input, icon("push"), h("strong", null, "Drop a module here, or choose a file"), h("span", null, "A .wasm file is inspected, its manifest.toml goes with it; a .suit file of ", h("code", null, "fleet sign"), " can be pushed."));

  async function take(files) {
    const file = files.find((each) => !each.name.endsWith(".toml")), beside = files.find((each) => each.name.endsWith(".toml"));
    if (!file) return beside && toast(`${beside.name} describes a module: drop both together.`, "is-bad");
    if (file.size > LARGEST) return toast(`${file.name} has ${kib(file.size)}; boards take far less.`, "is-bad");
    put(result, h("p", { class: "soft", role: "status" }, `Inspecting ${file.name}…`));
    try {
      const found = await upload(`/inspect?name=${encodeURIComponent(file.name.slice(0, 100))}`, await file.arrayBuffer());
      put(result, found.package ? pushPanel(found) : signPanel(found, file, beside && await beside.text()), report(found.report));
    } catch (problem) {
      put(result, h("div", { class: "note is-bad", role: "alert" }, icon("warn"), h("span", null, problem.message)));
    }
    input.value = "";
  }

  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => { event.preventDefault(); drop.classList.remove("over"); take([...event.dataTransfer.files]); });
  put(main, h("div", { class: "head" }, h("div", { class: "grow" }, h("h1", null, "Push a module"), h("p", { class: "sub" }, "Whatever a board runs is signed by a key of this fleet. The key stays with you."))), h("div", { class: "stack" }, drop, result, known));
  modules(known);
}

/** The modules that were pushed before. */
async function modules(panel) {
  const rows = await all("/modules");
  if (!rows.length) return;
  put(panel, h("header", null, h("h2", null, "Pushed before")), h("div", { class: "body flush scroll" }, h("table", { class: "cards" },
    h("thead", null, h("tr", null, ["Module", "Size", "May use", "Signed by", "First pushed"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", null, rows.slice(0, 50).map((row) => h("tr", null, h("td", null, h("b", null, `${row.name} ${row.version}`)), h("td", { class: "nowrap" }, kib(row.payload_size)),
      h("td", { "data-wide": true }, h("div", { class: "tags" }, row.capabilities.map((name) => h("span", { class: "tag mono" }, name)))), h("td", { class: "mono soft", "data-wide": true, "data-label": "by" }, row.kid), h("td", { class: "soft nowrap", "data-wide": true }, when(row.created))))))));
  panel.classList.remove("hidden");
}

const groups = () => [...new Set(boards().flatMap((row) => row.groups))].sort(collator.compare);

/** What to do with a module that nobody has signed. */
function signPanel(found, file, described) {
  const group = groups()[0] || "GROUP", name = file.name;
  if (found.signer && found.report.accepted) return signHere(found, file, described);
  return h("section", { class: "panel" }, h("header", null, h("h2", null, "Not signed yet")), h("div", { class: "body form" },
    h("p", null, "Push it from where your key is, or sign it there and drop the package here:"),
    command(`fleet push ${name} --group ${group}`), command(`fleet sign ${name} --group ${group} --key release.key`)));
}

/** The form that has the fleet's signer sign a module. */
function signHere(found, file, described) {
  const group = h("select", null, groups().map((value) => h("option", { value }, value)));
  const needs = JSON.stringify(found.report.capabilities.map((name) => name.replace(/<\w+>$/, "*"))).replaceAll(",", ", ");
  const guess = `name = "${file.name.replace(/\.wasm$/, "").slice(0, 32)}"\nversion = "1"\ncapabilities = ${needs}  # narrower is better: gpio:15\n`;
  const settings = h("textarea", { rows: 8, spellcheck: false, class: "mono", value: described || guess });
  const panel = h("section", { class: "panel" }, h("header", null, h("h2", null, "Not signed yet")), h("form", { class: "body form", onsubmit: sign },
    h("p", null, "This fleet has a signer. What you sign is noted in the audit log under your token."),
    h("label", { class: "field" }, "For the group", group), h("label", { class: "field" }, "manifest.toml: what it is and may use", settings),
    h("div", { class: "buttons" }, h("button", { class: "main" }, "Sign"))));

  async function sign(event) {
    event.preventDefault();
    try {
      const signed = await post("/sign", { module: await base64(file), file: file.name, settings: settings.value, group: group.value });
      panel.replaceWith(pushPanel(signed));
    } catch (problem) {
      toast(problem.message, "is-bad");
    }
  }
  return panel;
}

/** A file's bytes in base64. */
const base64 = (file) => new Promise((done, failed) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
  reader.onerror = () => failed(reader.error);
  reader.readAsDataURL(file);
});

/** The button that starts a rollout of a signed package. */
function pushPanel({ package: sealed, manifest, trust }) {
  const fitting = groups().filter((name) => manifest.groups.includes(name));
  const group = h("select", null, fitting.map((value) => h("option", { value }, value)));
  const plan = h("select", null, Object.entries(PLANS).map(([value, [words]]) => h("option", { value }, words)));
  const go = h("button", { class: "main", disabled: Boolean(trust) || !fitting.length }, icon("push"), "Push");
  const start = async (event) => {
    event.preventDefault();
    go.disabled = true;
    try {
      const made = await post("/rollouts", { package: sealed, group: group.value, again: false, plan: PLANS[plan.value][1] });
      if (made.rollout) location.hash = `#/rollouts/${made.rollout}`;
      else toast("Nothing to do: every board was told to run this very module already.");
    } catch (problem) {
      toast(problem.message, "is-bad");
    }
    go.disabled = false;
  };
  return h("section", { class: "panel" }, h("header", null, h("h2", null, `${manifest.name} ${manifest.version}`), trust ? badge("is-bad", "not trusted") : badge("is-ok", "signed by a key of this fleet")), h("form", { class: "body form", onsubmit: start },
    trust ? h("div", { class: "note is-bad" }, icon("warn"), h("span", null, trust)) : null,
    h("dl", { class: "facts" }, [["Signed for", manifest.groups.join(", ")], ["Signed by", h("code", null, manifest.kid)], ["May use", manifest.capabilities.join(", ") || "nothing"]].map(([name, value]) => [h("dt", null, name), h("dd", null, value)])),
    fitting.length ? h("div", { class: "filters three" }, h("label", { class: "field" }, "Group", group), h("label", { class: "field" }, "How", plan)) : h("div", { class: "note is-warn" }, icon("info"), h("span", null, `It is signed for ${manifest.groups.join(", ")}, and there are no boards in there.`)),
    h("div", { class: "buttons" }, go)));
}

/** What `fleet inspect` says. */
function report(found) {
  const good = found.accepted && found.boards.every((board) => board.fits);
  const rows = (title, list, cells) => list && list.length ? h("section", { class: "panel" }, h("header", null, h("h2", null, title), h("span", { class: "soft small" }, String(list.length))), h("div", { class: "body scroll" }, h("table", null, h("tbody", null, list.map((row) => h("tr", null, cells(row).map((cell) => h("td", null, cell)))))))) : null;
  return [
    h("section", { class: "panel" }, h("div", { class: "body form" },
      h("div", { class: `verdict ${found.accepted ? (good ? "is-ok" : "is-warn") : "is-bad"}` }, icon(found.accepted ? (good ? "check" : "warn") : "cross"),
        h("div", null, h("h2", null, found.accepted ? (good ? "Boards would take it" : "Some boards have not enough memory") : "Boards would refuse it"), h("p", { class: "soft small" }, `${found.file}, ${kib(found.bytes)}, SHA-256 `, h("code", null, `${found.sha256.slice(0, 16)}…`)))),
      found.refusals.map((refusal) => h("div", { class: "note is-bad" }, icon("warn"), h("span", null, sentence(refusal.sentence)))),
      found.capabilities ? h("dl", { class: "facts" }, h("dt", null, "Needs"), h("dd", null, found.capabilities.length ? h("div", { class: "tags" }, found.capabilities.map((name) => h("span", { class: "tag mono" }, name))) : "no capability"), h("dt", null, "Starts with"), h("dd", null, h("code", null, found.entry.join(", then ") || "nothing: name an entry"))) : null,
      (found.boards || []).map(fit))),
    rows("Imports", found.imports, (row) => [h("code", null, `${row.module}.${row.name}`), h("code", null, row.type || row.kind), row.capability ? h("span", { class: "tag mono" }, row.capability) : ""]),
    rows("Exports", found.exports, (row) => [h("code", null, row.name), h("code", null, row.type || row.kind)]),
  ];
}

function fit(board) {
  const used = h("i", { class: board.fits ? "is-ok" : "is-bad" }), free = h("i", { class: "is-off" });
  used.style.flexGrow = Math.min(board.needed, board.free);
  free.style.flexGrow = Math.max(board.free - board.needed, 0);
  return h("div", { class: "fit" }, h("div", null, h("b", null, board.board), h("span", { class: "soft" }, `: about ${kib(board.needed)} of ${kib(board.free)} free for guests`)), h("div", { class: "bar", "aria-hidden": "true" }, used, free));
}
