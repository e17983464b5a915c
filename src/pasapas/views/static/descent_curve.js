// @ts-check
/** A descent on a function of one number: the curve, the ball on it with its tangent, and the steps. */

import { scale, ticks } from "./chart.js";
import { arrow, ball, between, droppable, seen, within } from "./descent_ball.js";
import { fill, floats, make, svg } from "./parts.js";

const MARGIN = { top: 26, right: 14, bottom: 30, left: 46 };

/**
 * @param {(kind: string, fields: object) => Promise<any>} ask
 * @param {import("./descent_ball.js").Hands} hands
 * @returns {import("./descent_ball.js").Picture}
 */
export function curvePicture(ask, hands) {
  const drawing = svg("svg", { class: "drawing", role: "group" });
  const element = make("div", { class: "picture flat" }, drawing);
  /** @type {import("./descent_ball.js").Landscape | null} */
  let landscape = null;
  /** @type {import("./descent_ball.js").Path | null} */
  let path = null;
  /** @type {{name: string, x: Float32Array, values: Float32Array}} */
  let curve = { name: "", x: new Float32Array(), values: new Float32Array() };
  let position = 0;
  let [width, height] = [0, 0];
  /** @type {(x: number) => number} */
  let across = (x) => x;
  /** @type {(y: number) => number} */
  let up = (y) => y;
  /** @type {SVGElement} */
  let token = svg("g");
  const moving = svg("g", { class: "moving" });
  /** @type {SVGElement[]} */
  let marks = [];

  function draw() {
    if (!landscape || !path || curve.name !== landscape.name) return;
    width = element.clientWidth || 640;
    height = Math.round(Math.min(Math.max(0.56 * width, 230), 460));
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawing.setAttribute("aria-label", fill(hands.texts.curve, { formula: landscape.formula }));
    const [low, high] = [landscape.low[0], landscape.high[0]];
    const bottom = Math.min(...curve.values);
    const top = Math.max(...curve.values);
    const pad = 0.09 * (top - bottom);
    across = scale(low, high, MARGIN.left, width - MARGIN.right);
    up = scale(bottom - pad, top + pad, height - MARGIN.bottom, MARGIN.top);
    const grid = [
      ...ticks(bottom, top, 5).flatMap((value) => [
        svg("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: up(value), y2: up(value) }),
        svg("text", { x: MARGIN.left - 7, y: up(value) + 4, "text-anchor": "end", text: hands.write(value) }),
      ]),
      ...ticks(low, high, Math.floor(width / 80)).flatMap((value) => [
        svg("line", { class: "grid", x1: across(value), x2: across(value), y1: MARGIN.top, y2: height - MARGIN.bottom }),
        svg("text", { x: across(value), y: height - 11, "text-anchor": "middle", text: hands.write(value) }),
      ]),
      svg("text", { class: "formula", x: MARGIN.left, y: 16, text: landscape.formula }),
    ];
    const line = [...curve.x].map((x, i) => `${i ? "L" : "M"}${across(x).toFixed(1)} ${up(curve.values[i]).toFixed(1)}`).join("");
    const places = path.points.map(([x], k) => [seen(across(x)), seen(up(/** @type {any} */ (path).losses[k]))]);
    marks = places.flatMap(([x, y], k) => (k ? [svg("g", {}, svg("line", { x1: places[k - 1][0], y1: places[k - 1][1], x2: x, y2: y }), svg("circle", { cx: x, cy: y, r: 4 }))] : []));
    // what lies outside of the axes is cut off, as an inner drawing does
    const inside = svg("svg", { x: MARGIN.left, y: 0, width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.bottom + 12, viewBox: `${MARGIN.left} 0 ${width - MARGIN.left - MARGIN.right} ${height - MARGIN.bottom + 12}` },
      svg("path", { class: "curve", d: line }),
      ...landscape.minima.map(([x]) => svg("path", { class: "minimum", d: `M${across(x)} ${height - MARGIN.bottom - 11}l5 10h-10Z` })),
      svg("g", { class: "steps" }, ...marks),
      moving,
    );
    const focused = token.matches(":focus");
    token = ball(landscape, path.points[0], hands);
    drawing.replaceChildren(...grid, inside, token);
    if (focused) /** @type {any} */ (token).focus();
    move(position);
  }

  /** @param {number} now */
  function move(now) {
    position = now;
    if (!path || !landscape) return;
    const { points, losses, gradients } = path;
    const { k, next, share } = between(position, points.length - 1);
    const [x1, y1] = [seen(across(points[k][0])), seen(up(losses[k]))];
    const [x2, y2] = [seen(across(points[next][0])), seen(up(losses[next]))];
    const hop = Math.min(0.3 * Math.abs(x2 - x1), 50) * 4 * share * (1 - share);
    const x = Math.min(Math.max(x1 + (x2 - x1) * share, MARGIN.left), width - MARGIN.right);
    const y = Math.min(Math.max(y1 + (y2 - y1) * share - hop, 12), height - MARGIN.bottom);
    token.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    marks.forEach((mark, i) => mark.setAttribute("class", i < k ? "done" : "later"));
    if (share) {
      moving.replaceChildren();
      return;
    }
    const reach = 0.16 * (landscape.high[0] - landscape.low[0]); // of the tangent, to both sides
    const ends = [-reach, reach].map((by) => [seen(across(points[k][0] + by)), seen(up(losses[k] + gradients[k][0] * by))]);
    const step = next > k ? arrow(x1, y1, x2, y1) : null;
    moving.replaceChildren(
      svg("line", { class: "tangent", x1: ends[0][0], y1: ends[0][1], x2: ends[1][0], y2: ends[1][1] }),
      ...(step ? [step, svg("line", { class: "fall", x1: x2, x2, y1, y2 })] : []),
    );
  }

  droppable(drawing, (x) => {
    const { low, high } = /** @type {import("./descent_ball.js").Landscape} */ (landscape);
    const share = (x - MARGIN.left) / (width - MARGIN.left - MARGIN.right);
    return [within(low[0] + share * (high[0] - low[0]), low[0], high[0])];
  }, hands);
  const observer = new ResizeObserver(draw);
  observer.observe(element);

  return {
    element,
    show(given, found) {
      const asked = landscape?.name !== given.name;
      [landscape, path, position] = [given, found, 0];
      draw();
      if (!asked) return;
      ask("curve", { function: given.name }).then(({ x, values }) => {
        curve = { name: given.name, x: floats(x), values: floats(values) };
        draw();
      }, console.error);
    },
    move,
    close: () => observer.disconnect(),
  };
}
