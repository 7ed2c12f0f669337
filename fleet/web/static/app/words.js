// From the API's short names to what people read, and the tone (colour) that goes with it.

import { h } from "./dom.js";
import { fleet, now } from "./fleet.js";

/** Health of a board -> [tone, word]. */
export const HEALTH = {
  ok: ["is-ok", "Healthy"], busy: ["is-busy", "Updating"], attention: ["is-bad", "Needs attention"], behind: ["is-behind", "Behind"],
  sleeping: ["is-off", "Sleeping"], offline: ["is-warn", "Offline"], new: ["is-off is-new", "Not seen yet"],
};

const TARGET_TONES = {
  confirmed: "is-ok", refused: "is-bad", "rolled-back": "is-bad", failed: "is-bad", timeout: "is-bad", retrying: "is-warn",
  queued: "is-off", superseded: "is-off", cancelled: "is-off",
};
const ROLLOUT = {
  running: ["is-busy", "Running"], done: ["is-ok", "Done"], paused: ["is-warn", "Paused"], aborted: ["is-off", "Aborted"], undone: ["is-off", "Undone"],
};

export const tone = (state) => TARGET_TONES[state] || "is-busy";

export function badge(kind, text, title = null) {
  return h("span", { class: `badge ${kind}`, title }, h("span", { class: "dot" }), text);
}

export function health(board) {
  const [kind, text] = HEALTH[board.health] || ["is-off", board.health];
  return badge(kind.split(" ")[0], text, board.why);
}

/** How many boards of a rollout ended well, badly, are at it, or wait. */
export function tally(counts) {
  const found = { ok: 0, bad: 0, busy: 0, off: 0, total: 0 };
  for (const [state, count] of Object.entries(counts)) {
    found.total += count;
    const kind = tone(state);
    found[kind === "is-warn" ? "busy" : kind.slice(3)] += count;
  }
  return found;
}

export function rolloutBadge(row) {
  let [kind, text] = ROLLOUT[row.state] || ["is-off", row.state];
  if (row.state === "done" && tally(row.counts).bad) [kind, text] = ["is-bad", "Done, with failures"];
  return badge(kind, text);
}

export const step = (state) => fleet.words.steps[state] || state;
export const reason = (name, detail) => name && (fleet.words.reasons[name] || name) + (detail ? ` (${detail})` : "");

const capital = (text) => text && text[0].toUpperCase() + text.slice(1);
export const sentence = (text) => text && `${capital(text)}${/[.!?]$/.test(text) ? "" : "."}`;

/** How long ago, in words. */
export function ago(then) {
  if (then === null || then === undefined) return "never";
  const seconds = Math.max(0, Math.floor(now() - then));
  if (seconds < 5) return "just now";
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) if (seconds >= size) return `${Math.floor(seconds / size)} ${unit} ago`;
  return `${seconds} s ago`;
}

/** A duration in seconds, in words. */
export function span(seconds) {
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) if (seconds >= size) return `${Math.round(seconds / size)} ${unit}`;
  return `${Math.round(seconds)} s`;
}

/** A <time> that stays true: main.js refreshes all of them. */
export function when(then) {
  return h("time", { "data-ago": then ?? "", title: then ? new Date(then * 1000).toLocaleString() : null }, ago(then));
}

export const clock = (then) => new Date(then * 1000).toLocaleTimeString([], { hour12: false });
export const kib = (bytes) => (bytes === null || bytes === undefined ? "–" : bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(bytes < 10240 ? 1 : 0)} KiB`);
export const labels = (row) => Object.entries(row.labels || {}).map(([name, value]) => `${name}=${value}`).sort();
export const module = (row) => (row && row.module ? `${row.module} ${row.version}` : null);
export const many = (count, one, more = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : more}`;

/** A stacked bar of a rollout's counts, with words for those who don't see it. */
export function countBar(counts) {
  const { ok, bad, busy, off, total } = tally(counts);
  const parts = [["is-ok", ok], ["is-bad", bad], ["is-busy", busy], ["is-off", off]].filter(([, count]) => count);
  const bar = h("div", { class: "bar", role: "img", "aria-label": `${ok} confirmed, ${bad} failed, ${busy} in progress, ${off} waiting, of ${total}` });
  for (const [kind, count] of parts) {
    const part = h("i", { class: kind });
    part.style.flexGrow = count;
    bar.append(part);
  }
  return bar;
}

export function countLegend(counts) {
  const { ok, bad, busy, off } = tally(counts);
  const rows = [["is-ok", ok, "confirmed"], ["is-bad", bad, "failed"], ["is-busy", busy, "in progress"], ["is-off", off, "waiting"]];
  return h("div", { class: "legend" }, rows.filter(([, count]) => count).map(([kind, count, word]) => h("span", null, h("i", { class: `dot ${kind}` }), h("b", null, count), word)));
}
