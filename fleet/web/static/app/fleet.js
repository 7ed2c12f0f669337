// The fleet as this page knows it: loaded once, then kept by the events of the API.

import { all, get } from "./api.js";

const KEPT_LINES = 2000;

export const fleet = {
  me: null, boards: new Map(), rollouts: new Map(), service: null, words: { reasons: {}, steps: {}, pauses: {} }, lines: [], loaded: false, live: false, skew: 0,
};

const hearers = new Map();
let source = null;

/** Call `hear(data)` at each `event` (boards, rollouts, service, logs, readings, live); returns a function that ends it. */
export function on(event, hear) {
  if (!hearers.has(event)) hearers.set(event, new Set());
  hearers.get(event).add(hear);
  return () => hearers.get(event).delete(hear);
}

function tell(event, data) {
  for (const hear of hearers.get(event) || []) hear(data);
}

/** Seconds since 1970 by the fleet's clock. */
export const now = () => Date.now() / 1000 + fleet.skew;

export const may = (role) => ["viewer", "operator", "admin"].indexOf(fleet.me?.role) >= ["viewer", "operator", "admin"].indexOf(role);

/** Listen to events and load everything; again whenever the connection comes back. Returns when the first load is done. */
export function connect() {
  return new Promise((resolve, reject) => {
    source = new EventSource("/api/v1/events");
    source.addEventListener("hello", (event) => {
      fleet.skew = JSON.parse(event.data).now - Date.now() / 1000;
      load().then(resolve, reject);
    });
    source.onerror = () => {
      setLive(false);
      if (!fleet.loaded && source.readyState === EventSource.CLOSED) reject(new Error("The fleet sends no events. Is `fleet up` running?"));
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, 5000);
    };
    for (const [event, take] of Object.entries(TAKES)) source.addEventListener(event, (message) => { const data = JSON.parse(message.data); take(data); tell(event, data); });
  });
}

export function disconnect() {
  source?.close();
  source = null;
}

// A browser gives a page six connections at most: tabs that nobody looks at give theirs back, and load anew when they are looked at.
function attend() {
  if (document.hidden) disconnect();
  else if (!source && fleet.loaded) connect();
}
addEventListener("visibilitychange", attend);
addEventListener("pagehide", disconnect);
addEventListener("pageshow", attend);

function setLive(live) {
  if (fleet.live !== live) {
    fleet.live = live;
    tell("live", live);
  }
}

async function load() {
  const [boards, rollouts, service, words, start] = await Promise.all([all("/devices"), get("/rollouts", { limit: 100 }), get("/service"), get("/words"), get("/logs/start", { count: 300 })]);
  fleet.boards = new Map(boards.map((row) => [row.id, row]));
  fleet.rollouts = new Map(rollouts.items.map((row) => [row.id, row]));
  Object.assign(fleet, { service, words });
  fleet.lines = (await get("/logs", { after: start, limit: 1000 })).items;
  fleet.loaded = true;
  setLive(true);
  for (const event of ["boards", "rollouts", "service"]) tell(event, null);
  tell("logs", null);
}

const TAKES = {
  boards({ changed, gone }) {
    for (const row of changed) fleet.boards.set(row.id, row);
    for (const id of gone) fleet.boards.delete(id);
  },
  rollouts(rows) {
    for (const row of rows) fleet.rollouts.set(row.id, row);
  },
  service(row) {
    fleet.service = row;
  },
  logs(rows) {
    const newest = fleet.lines.length ? fleet.lines[fleet.lines.length - 1].id : 0;
    fleet.lines.push(...rows.filter((row) => row.id > newest));
    if (fleet.lines.length > KEPT_LINES) fleet.lines.splice(0, fleet.lines.length - KEPT_LINES);
  },
  readings() {},
};

/** Boards by id, as a list in natural order (b2 before b10). */
export function boards() {
  return [...fleet.boards.values()].sort((one, other) => collator.compare(one.id, other.id));
}

/** Rollouts, newest first. */
export function rollouts() {
  return [...fleet.rollouts.values()].sort((one, other) => other.id - one.id);
}

export const collator = new Intl.Collator("en", { numeric: true });
