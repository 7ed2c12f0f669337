// One rollout: its waves, every board's step, and the buttons that steer it.

import { get, post } from "../api.js";
import { calm, confirm, empty, follow, h, icon, put, toast } from "../dom.js";
import { collator, fleet, may, on } from "../fleet.js";
import { badge, countBar, countLegend, many, module, reason, rolloutBadge, sentence, step, tally, tone, when } from "../words.js";

const STEP = 100, POLL_MS = 1000;
const ORDER = ["is-bad", "is-warn", "is-busy", "is-off", "is-ok"];
// action -> (states in which it makes sense, button, icon, question)
const ACTIONS = [
  ["pause", ["running"], "Pause", "pause", null],
  ["resume", ["paused"], "Resume", "play", null],
  ["abort", ["running", "paused"], "Abort", "cross", "Boards that have no order yet will not get it. Those that run the new module keep it."],
  ["undo", ["running", "paused", "done", "aborted"], "Undo", "undo", "Every board of this rollout is sent back to the module that it was to run before."],
];

export default function view(main, id) {
  const title = h("div", { class: "grow" }), buttons = h("div", { class: "buttons" }), note = h("div"), bar = h("div", { class: "stack" }), waves = h("div", { class: "waves" });
  const body = h("tbody"), more = h("div", { class: "more" });
  const wavePanel = h("section", { class: "panel hidden" }, h("header", null, h("h2", null, "Waves")), h("div", { class: "body" }, waves));
  const filter = h("select", { "aria-label": "Boards to show" }, [["", "All boards"], ["is-bad", "Failed"], ["is-busy", "In progress"], ["is-off", "Waiting"], ["is-ok", "Confirmed"]].map(([value, word]) => h("option", { value }, word)));
  let found = null, shown = STEP, ended = false, timer = null;

  async function load() {
    clearTimeout(timer);
    try {
      found = await get(`/rollouts/${encodeURIComponent(id)}`);
    } catch (problem) {
      if (!found) put(main, h("h1", null, `Rollout ${id}`), empty("rollouts", "This rollout can't be shown", problem.message, h("a", { class: "button", href: "#/rollouts" }, "All rollouts")));
      return;
    }
    if (ended) return;
    draw();
    if (found.state === "running") timer = setTimeout(load, POLL_MS);
  }

  function draw() {
    const counts = {};
    for (const target of found.targets) counts[target.state] = (counts[target.state] || 0) + 1;
    const row = { ...fleet.rollouts.get(found.id), ...found, counts };
    put(title, h("h1", null, row.module ? module(row) : `Rollout ${row.id}`), h("p", { class: "sub" }, rolloutBadge(row), ` to ${row.group}, rollout ${row.id}`, row.actor ? [` by ${row.actor}, `, when(row.created)] : null));
    put(note, words(row));
    put(bar, countBar(counts), countLegend(counts));
    put(buttons, may("operator") ? ACTIONS.filter(([, states]) => states.includes(row.state)).map(button) : null);
    drawWaves(row);
    drawTargets();
  }

  function button([name, , word, picture, question]) {
    const act = async () => {
      const made = await post(`/rollouts/${found.id}/${name}`);
      toast(`${word}: done.`);
      if (made && made.rollout && made.rollout !== found.id) location.hash = `#/rollouts/${made.rollout}`;
      else load();
    };
    return h("button", { class: name === "undo" ? "main" : name === "abort" ? "danger" : "", onclick: () => (question ? confirm(`${word} this rollout?`, question, word, act, name === "abort" ? "danger" : "main") : act()) }, icon(picture), word);
  }

  function drawWaves(row) {
    const steps = (row.steps || []).filter((step) => step.size);
    const live = row.state === "running" || row.state === "paused";
    wavePanel.classList.toggle("hidden", steps.length < 2);
    follow(waves, steps.map((step, place) => ({ number: place, size: step.size, counts: step.counts, open: live && row.wave === step.wave, later: step.wave > row.wave })), (wave) => wave.number, waveBox);
  }

  function drawTargets() {
    const rows = found.targets.filter((target) => !filter.value || tone(target.state) === filter.value);
    rows.sort((one, other) => ORDER.indexOf(tone(one.state)) - ORDER.indexOf(tone(other.state)) || collator.compare(one.device, other.device));
    follow(body, rows.slice(0, shown), (target) => target.device, line);
    more.classList.toggle("hidden", rows.length <= shown);
    put(more, h("button", { onclick: () => { shown += STEP; drawTargets(); } }, `Show ${Math.min(STEP, rows.length - shown)} more of ${rows.length - shown}`));
  }

  filter.addEventListener("change", () => { shown = STEP; if (found) drawTargets(); });
  put(title, h("h1", null, `Rollout ${id}`));
  put(main, h("a", { class: "back", href: "#/rollouts" }, icon("back"), "All rollouts"), h("div", { class: "head" }, title, buttons),
    h("div", { class: "stack" }, note, h("section", { class: "panel" }, h("header", null, h("h2", null, "Progress")), h("div", { class: "body" }, bar)), wavePanel,
      h("section", { class: "panel" }, h("header", null, h("h2", null, "Boards"), h("div", { class: "end" }, filter)), h("div", { class: "body flush scroll" },
        h("table", { class: "cards" }, h("thead", null, h("tr", null, ["Board", "Step", "Progress", "Since"].map((name) => h("th", { scope: "col" }, name)))), body)), more)));
  load();
  const again = calm(load, 500);
  const ends = [on("rollouts", (rows) => { if (!rows || rows.some((row) => String(row.id) === id)) again(); })];
  return () => { ended = true; clearTimeout(timer); for (const end of ends) end(); };
}

/** Why it stands where it stands, if that needs saying. */
function words(row) {
  if (row.state === "paused") return h("div", { class: "note is-warn" }, icon("pause"), h("span", null, `${sentence(`Paused: ${fleet.words.pauses[row.reason] || row.reason || "somebody paused it"}`)} No further board gets its order until somebody resumes it.`));
  const { bad, off } = tally(row.counts);
  if (row.state === "done" && bad) return h("div", { class: "note is-bad" }, icon("warn"), h("span", null, `${many(bad, "board")} did not take it. Boards that refused or rolled back go on with the module they had.`));
  const away = row.targets.filter((target) => !target.online && !target.final).length;
  return row.state === "running" && away ? h("div", { class: "note is-off" }, icon("info"), h("span", null, `${many(away, "board is", "boards are")} offline: each takes its order when it comes back.`)) : off && null;
}

function waveBox({ number, size, counts, open, later }) {
  return h("div", { class: `wave ${open ? "open" : ""} ${later ? "later" : ""}` }, h("header", null, h("h3", null, `Wave ${number + 1}`), h("span", { class: "soft" }, many(size, "board"))), countBar(counts), h("div", { class: "small" }, Object.keys(counts).length ? countLegend(counts) : h("span", { class: "soft" }, later ? "later" : "none has its order yet")));
}

function line(target) {
  const percent = target.final ? null : target.progress, away = !target.online && !target.final;
  const meter = h("i", { class: tone(target.state) });
  meter.style.width = `${percent || 0}%`;
  return h("tr", null, h("td", null, h("a", { class: "name", href: `#/boards/${target.device}` }, target.device)),
    h("td", null, away ? badge("is-off", "offline") : badge(tone(target.state), step(target.state))),
    h("td", { "data-wide": true }, away ? h("span", { class: "soft" }, sentence(step("offline").replace("offline, ", ""))) : target.reason ? h("span", { class: target.final ? "" : "soft" }, sentence(reason(target.reason, target.detail))) : target.state === "downloading" ? [h("span", { class: "meter" }, meter), ` ${percent || 0} %`] : null),
    h("td", { class: "soft nowrap", "data-wide": true }, target.updated ? when(target.updated) : null));
}
