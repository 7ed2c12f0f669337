// Line plots of readings, in SVG: one per name, with the value under the pointer.

import { h, put, s } from "./dom.js";
import { clock } from "./words.js";

const HEIGHT = 150, LEFT = 44, BOTTOM = 20, TOP = 6;

const short = (value) => (Math.abs(value) >= 1e5 ? value.toExponential(2) : String(+value.toPrecision(4)));

/** A figure that plots `points` [{received, value}] under `name`; `update(points)` draws anew. */
export function plot(name) {
  const svg = s("svg", { role: "img" }), value = h("b"), title = h("span", null, name);
  const figure = h("figure", { class: "plot" }, h("figcaption", null, title, value), svg);
  let points = [], pointer = null;
  const draw = () => paint(svg, value, name, points, pointer);
  new ResizeObserver(draw).observe(figure);
  svg.addEventListener("pointermove", (event) => { pointer = event.offsetX; draw(); });
  svg.addEventListener("pointerleave", () => { pointer = null; draw(); });
  return { figure, update(given) { points = given; draw(); } };
}

/** Three or four round numbers between `low` and `high`. */
function round(low, high) {
  const rough = (high - low) / 4, size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((times) => times * size).find((each) => each >= rough);
  const ticks = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) ticks.push(tick);
  return ticks;
}

function scale(points, width) {
  const values = points.map((point) => point.value), times = points.map((point) => point.received);
  let low = Math.min(...values), high = Math.max(...values);
  if (low === high) [low, high] = [low - 1, high + 1];
  const pad = (high - low) * 0.06, first = times[0], last = times[times.length - 1];
  [low, high] = [low - pad, high + pad];
  return {
    low, high, first, last,
    x: (time) => LEFT + ((time - first) / (last - first || 1)) * (width - LEFT - 4),
    y: (reading) => TOP + ((high - reading) / (high - low)) * (HEIGHT - TOP - BOTTOM),
  };
}

function paint(svg, shown, name, points, pointer) {
  const width = svg.clientWidth;
  if (!points.length || !width) return;
  const at = scale(points, width), last = points[points.length - 1];
  const line = points.map((point, i) => `${i ? "L" : "M"}${at.x(point.received).toFixed(1)} ${at.y(point.value).toFixed(1)}`).join("");
  const base = HEIGHT - BOTTOM;
  const ticks = round(at.low, at.high);
  const near = pointer === null ? last : points.reduce((best, point) => (Math.abs(at.x(point.received) - pointer) < Math.abs(at.x(best.received) - pointer) ? point : best));
  const x = at.x(near.received);
  svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  svg.setAttribute("aria-label", `${name}: ${short(last.value)} now, between ${short(Math.min(...points.map((p) => p.value)))} and ${short(Math.max(...points.map((p) => p.value)))}`);
  shown.textContent = short(near.value);
  put(svg,
    ticks.map((tick) => [s("line", { class: "grid", x1: LEFT, x2: width, y1: at.y(tick), y2: at.y(tick) }), s("text", { x: LEFT - 8, y: at.y(tick) + 4, "text-anchor": "end" }, short(tick))]),
    s("path", { class: "area", d: `${line}L${at.x(last.received)} ${base}L${at.x(at.first)} ${base}Z` }),
    s("path", { class: "line", d: line }),
    pointer === null ? null : s("line", { class: "rule", x1: x, x2: x, y1: TOP, y2: base }),
    s("circle", { class: "spot", cx: x, cy: at.y(near.value), r: 4.5 }),
    s("text", { x: LEFT, y: HEIGHT - 4 }, clock(at.first)),
    s("text", { x: width, y: HEIGHT - 4, "text-anchor": "end" }, clock(pointer === null ? at.last : near.received)));
}
