// Talking to the fleet's HTTP API: JSON in, JSON out, errors as plain sentences.

const BASE = "/api/v1";

/** What the API refused, in its own words. */
export class Problem extends Error {
  constructor(sentence, status) {
    super(sentence);
    this.status = status;
  }
}

async function send(verb, path, body, raw) {
  const headers = { "X-Fleet-Dashboard": "1" };
  if (body !== undefined && !raw) headers["Content-Type"] = "application/json";
  if (raw) headers["Content-Type"] = "application/octet-stream";
  let response;
  try {
    response = await fetch(BASE + path, { method: verb, headers, body: raw ? body : body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Problem("The fleet does not answer. Is `fleet up` running?", 0);
  }
  if (response.ok) return response;
  let sentence = `The fleet answered with status ${response.status}.`;
  try {
    sentence = (await response.json()).error || sentence;
  } catch { /* not JSON: a proxy's page */ }
  throw new Problem(sentence, response.status);
}

async function json(verb, path, body, raw) {
  const response = await send(verb, path, body, raw);
  return response.status === 204 ? null : response.json();
}

/** A path with its query; empty values are left out. */
export function path(base, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? `${base}?${new URLSearchParams(given)}` : base;
}

export const get = (where, query) => json("GET", path(where, query));
export const post = (where, body = {}) => json("POST", where, body);
export const upload = (where, bytes) => json("POST", where, bytes, true);
export const remove = (where) => json("DELETE", where);

/** All rows of a list; `seen(rows)` is called after each page. */
export async function all(where, query = {}, seen = null) {
  const rows = [];
  let after = null;
  do {
    const page = await get(where, { ...query, limit: 1000, after });
    rows.push(...page.items);
    after = page.next;
    if (seen) seen(rows);
  } while (after !== null);
  return rows;
}

/** Save bytes of the API as a file. */
export async function download(where, name) {
  const blob = await (await send("GET", where)).blob();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
