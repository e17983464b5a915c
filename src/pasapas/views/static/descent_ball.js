// @ts-check
/** What the two pictures of a descent share: the ball, which is dropped with pointer or keys, and arrows. */

import { fill, svg } from "./parts.js";

/**
 * @typedef {{name: string, label: string, hint: string, formula: string, slope: string, low: number[], high: number[],
 *   start: number[], steps: number, minima: number[][], rates: Record<string, number>, most: number}} Landscape
 * @typedef {{points: number[][], gradients: number[][], losses: number[], arithmetic: string[][], regime: string,
 *   arrived: number | null, why: string, result: string}} Path
 * @typedef {{texts: Record<string, string>, place: (point: number[]) => string, write: (value: number) => string,
 *   drop: (start: number[], done: boolean) => void, go: () => void}} Hands what a picture can do with the descent
 * @typedef {{element: HTMLElement, show: (landscape: Landscape, path: Path, other: Path | null) => void,
 *   move: (position: number) => void, close: () => void}} Picture
 */

const FINE = 100; // arrow keys move by this part of the picture, with Shift by ten of them
const FARTHEST = 1e5; // pixels: what is further away is not seen anyway

/** @param {number} pixel */
export function seen(pixel) {
  return Math.min(Math.max(pixel, -FARTHEST), FARTHEST);
}

/**
 * The ball, at the place (0, 0) of its group.
 * @param {Landscape} landscape @param {number[]} start @param {Hands} hands
 */
export function ball(landscape, start, { texts, place, drop, go }) {
  const flat = landscape.low.length === 1;
  const where = fill(texts.ballAt, { place: place(start) });
  const kind = flat
    ? { role: "slider", "aria-label": texts.ball, "aria-valuemin": landscape.low[0], "aria-valuemax": landscape.high[0], "aria-valuenow": start[0], "aria-valuetext": where }
    : { role: "button", "aria-label": `${texts.ball} ${where}` };
  return svg("g", { class: "ball", tabindex: 0, "data-lm-suppress-shortcuts": "true", onkeydown: (event) => {
    const { key, shiftKey } = /** @type {KeyboardEvent} */ (event);
    /** @type {Record<string, [number, number]>} */
    const goes = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowDown: [flat ? 0 : 1, -1], ArrowUp: [flat ? 0 : 1, 1] };
    if (key === "Enter" || key === " ") go();
    else if (key in goes) {
      const [i, sign] = goes[key];
      const { low, high } = landscape;
      const by = ((high[i] - low[i]) / FINE) * (shiftKey ? 10 : 1) * sign;
      drop(start.map((x, k) => (k === i ? within(x + by, low[i], high[i]) : x)), false);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }, ...kind }, svg("circle", { class: "halo", r: 17 }), svg("circle", { class: "body", r: 11 }), svg("circle", { class: "shine", cx: -3.5, cy: -3.5, r: 2.5 }));
}

/**
 * Lets a pointer drop the ball anywhere on a drawing.
 * @param {SVGElement} drawing @param {(x: number, y: number) => number[]} placeAt from pixels of the drawing @param {Hands} hands
 */
export function droppable(drawing, placeAt, { drop }) {
  let held = false;
  /** @param {PointerEvent} event @param {boolean} done */
  const put = (event, done) => {
    const box = drawing.getBoundingClientRect();
    drop(placeAt(event.clientX - box.left, event.clientY - box.top), done);
  };
  drawing.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    held = true;
    drawing.setPointerCapture(event.pointerId);
    put(event, false);
  });
  drawing.addEventListener("pointermove", (event) => held && put(event, false));
  drawing.addEventListener("pointerup", (event) => {
    if (held) put(event, true);
    held = false;
  });
  drawing.addEventListener("pointercancel", () => (held = false));
}

/** @param {number} x @param {number} low @param {number} high @returns {number} as near as it may be, in few digits */
export function within(x, low, high) {
  return +Math.min(Math.max(x, low), high).toPrecision(4);
}

/**
 * An arrow between two places in pixels; nothing where it would be shorter than its head.
 * @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2
 */
export function arrow(x1, y1, x2, y2) {
  const length = Math.hypot(x2 - x1, y2 - y1);
  if (length < 10) return null;
  const [u, v] = [(x2 - x1) / length, (y2 - y1) / length];
  const [bx, by] = [x2 - 9 * u, y2 - 9 * v];
  const head = `M${x2} ${y2}L${bx - 4 * v} ${by + 4 * u}L${bx + 4 * v} ${by - 4 * u}Z`;
  return svg("g", { class: "arrow" }, svg("line", { x1, y1, x2: bx, y2: by }), svg("path", { d: head }));
}

/**
 * Where between its points a descent is: the two steps, and how far it has got from one to the other.
 * @param {number} position @param {number} last
 */
export function between(position, last) {
  const k = Math.min(Math.floor(position), last);
  return { k, next: Math.min(k + 1, last), share: position - k };
}
