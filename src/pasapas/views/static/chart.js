// @ts-check
/**
 * Lines over numbers: small, redrawn many times a second, walked through with the arrow keys, and told apart by dashes
 * as well as by colours. The libraries of charts that come with Python packages are of several MB, cannot be imported by
 * a module, write styles into attributes, which the page's policy forbids, and cannot be used with the keyboard.
 */

import { fill, make, svg } from "./parts.js";

/**
 * @typedef {{name: string, points: [number, number][]}} Series
 * @typedef {{title: string, x: string, texts: Record<string, string>, height?: number, logarithmic?: boolean,
 *   low?: number, high?: number, write: (value: number) => string, writeX?: (value: number) => string}} Options
 */

const KINDS = ["one", "two", "three", "four"];
const MARGIN = { top: 24, right: 12, bottom: 34, left: 56 };

/**
 * Numbers between `low` and `high` that are easy to read, `about` of them.
 * @param {number} low @param {number} high @param {number} about
 * @returns {number[]}
 */
export function ticks(low, high, about = 5) {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return Number.isFinite(low) ? [low] : [];
  const rough = span / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_nothing, i) => +((first + i) * step).toPrecision(12));
}

/**
 * A function from values to places, straight or by their logarithms.
 * @param {number} low @param {number} high @param {number} from @param {number} to @param {boolean} [logarithmic]
 * @returns {(value: number) => number}
 */
export function scale(low, high, from, to, logarithmic = false) {
  const map = logarithmic ? Math.log10 : (/** @type {number} */ value) => value;
  const [start, span] = [map(low), map(high) - map(low) || 1];
  return (value) => from + ((map(value) - start) / span) * (to - from);
}

/**
 * A chart of lines. `set` gives it other series, four at most.
 * @param {Options} options
 */
export function lineChart({ title, x, texts, height = 190, logarithmic = false, low, high, write, writeX = String }) {
  const drawing = svg("svg", { role: "img", tabindex: 0, height });
  const key = make("div", { class: "key", "aria-hidden": "true" });
  const spoken = make("p", { class: "unseen", role: "status" });
  const element = make("figure", { class: "chart" }, drawing, key, spoken);
  /** @type {Series[]} */
  let series = [];
  /** @type {number | null} the place that is read out, in the longest series */
  let at = null;
  /** @type {(value: number) => number} */
  let across = (value) => value;

  const longest = () => series.reduce((a, b) => (b.points.length > a.points.length ? b : a), { name: "", points: [] });

  /** @param {number} place @returns {[string, [number, number]][]} the points at, or just before, a place */
  function readings(place) {
    return series.flatMap(({ name, points }) => {
      const before = points.findLast(([one]) => one <= place);
      return before ? [/** @type {[string, [number, number]]} */ ([name, before])] : [];
    });
  }

  /** @param {number} place */
  function sentence(place) {
    const values = readings(place).map(([name, [, y]]) => `${name} ${write(y)}`).join(", ");
    return fill(texts.readout, { x: `${x} ${writeX(place)}`, values });
  }

  function draw() {
    const width = element.clientWidth || 480;
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const shown = series.map((one) => ({ ...one, points: one.points.filter(([, y]) => Number.isFinite(y) && (!logarithmic || y > 0)) }));
    const all = shown.flatMap((one) => one.points);
    const last = longest().points.at(-1);
    drawing.setAttribute("aria-label", last ? `${title}. ${sentence(last[0])} ${texts.chartHelp}` : `${title}. ${texts.nothingYet}`);
    /** @type {SVGElement[]} */
    const parts = [svg("text", { class: "title", x: 0, y: 13, text: title })];
    if (!all.length) {
      parts.push(svg("text", { x: width / 2, y: height / 2, "text-anchor": "middle", text: texts.nothingYet }));
      drawing.replaceChildren(...parts);
      key.replaceChildren();
      return;
    }
    const right = Math.max(...all.map(([one]) => one));
    const left = Math.min(...all.map(([one]) => one));
    let bottom = low ?? Math.min(...all.map(([, y]) => y));
    let top = high ?? Math.max(...all.map(([, y]) => y));
    if (logarithmic) {
      bottom = 10 ** Math.floor(Math.log10(bottom));
      top = 10 ** Math.ceil(Math.log10(top) + 1e-9);
    } else if (top === bottom) top = bottom + (Math.abs(bottom) || 1);
    across = scale(left, right > left ? right : left + 1, MARGIN.left, width - MARGIN.right);
    const up = scale(bottom, top, height - MARGIN.bottom, MARGIN.top, logarithmic);
    const rows = logarithmic
      ? ticks(Math.log10(bottom), Math.log10(top), 4).filter(Number.isInteger).map((power) => 10 ** power)
      : ticks(bottom, top, 4);
    for (const value of rows) {
      parts.push(svg("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: up(value), y2: up(value) }));
      parts.push(svg("text", { x: MARGIN.left - 6, y: up(value) + 4, "text-anchor": "end", text: write(value) }));
    }
    for (const value of ticks(left, right, Math.max(2, Math.floor(width / 110)))) {
      parts.push(svg("text", { x: across(value), y: height - MARGIN.bottom + 16, "text-anchor": "middle", text: writeX(value) }));
    }
    parts.push(svg("text", { x: width - MARGIN.right, y: height - 3, "text-anchor": "end", text: x }));
    shown.forEach(({ points }, i) => {
      const path = points.map(([one, y], k) => `${k ? "L" : "M"}${across(one).toFixed(1)} ${up(Math.min(Math.max(y, bottom), top)).toFixed(1)}`);
      parts.push(svg("path", { class: `line ${KINDS[i]}`, d: path.join("") }));
    });
    if (at !== null) {
      parts.push(svg("line", { class: "cursor", x1: across(at), x2: across(at), y1: MARGIN.top, y2: height - MARGIN.bottom }));
    }
    drawing.replaceChildren(...parts);
    const seen = at ?? last?.[0] ?? 0;
    const values = new Map(readings(seen));
    key.replaceChildren(
      ...series.map(({ name }, i) =>
        make(
          "span",
          { class: "numbers" },
          svg("svg", { viewBox: "0 0 28 10" }, svg("line", { class: `line ${KINDS[i]}`, x1: 0, x2: 28, y1: 5, y2: 5 })),
          `${name} ${values.has(name) ? write(/** @type {[number, number]} */ (values.get(name))[1]) : ""}`,
        ),
      ),
    );
  }

  /** @param {number | null} place */
  function read(place) {
    at = place;
    draw();
    spoken.textContent = place === null ? "" : sentence(place);
  }

  drawing.addEventListener("keydown", (event) => {
    const { key: pressed } = /** @type {KeyboardEvent} */ (event);
    const places = longest().points.map(([one]) => one);
    if (!places.length) return;
    const now = at === null ? places.length - 1 : Math.max(0, places.findLastIndex((one) => one <= /** @type {number} */ (at)));
    /** @type {Record<string, number>} */
    const goes = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: places.length - 1, PageUp: now - 10, PageDown: now + 10 };
    if (pressed === "Escape" && at !== null) read(null);
    else if (pressed in goes) read(places[Math.min(Math.max(goes[pressed], 0), places.length - 1)]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  drawing.addEventListener("pointermove", (event) => {
    const { clientX } = /** @type {PointerEvent} */ (event);
    const places = longest().points.map(([one]) => one);
    if (!places.length) return;
    const box = drawing.getBoundingClientRect();
    const near = places.reduce((a, b) => (Math.abs(across(b) - (clientX - box.left)) < Math.abs(across(a) - (clientX - box.left)) ? b : a));
    at = near;
    draw();
  });
  drawing.addEventListener("pointerleave", () => {
    at = null;
    draw();
  });
  drawing.addEventListener("blur", () => read(null));
  const observer = new ResizeObserver(draw);
  observer.observe(element);

  return {
    element,
    /** @param {Series[]} given */
    set(given) {
      series = given;
      draw();
    },
    close: () => observer.disconnect(),
  };
}
