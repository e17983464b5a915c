// @ts-check
/** A descent on a function of two numbers: contour lines, the ball, its steps, and those of another descent. */

import { scale, ticks } from "./chart.js";
import { arrow, ball, between, droppable, seen, within } from "./descent_ball.js";
import { colourOf, fill, floats, make, onTheme, svg } from "./parts.js";

const MARGIN = { top: 26, right: 14, bottom: 30, left: 46 };
const TALLEST = 560;

/**
 * @param {(kind: string, fields: object) => Promise<any>} ask
 * @param {import("./descent_ball.js").Hands} hands
 * @returns {import("./descent_ball.js").Picture}
 */
export function surfacePicture(ask, hands) {
  const canvas = make("canvas", { "aria-hidden": "true" });
  const drawing = svg("svg", { class: "drawing", role: "group" });
  const element = make("div", { class: "picture" }, canvas, drawing);
  /** @type {import("./descent_ball.js").Landscape | null} */
  let landscape = null;
  /** @type {import("./descent_ball.js").Path | null} */
  let path = null;
  /** @type {import("./descent_ball.js").Path | null} */
  let other = null;
  let surface = { name: "", columns: 0, rows: 0, values: new Float32Array(), levels: /** @type {number[]} */ ([]) };
  let position = 0;
  /** @type {(x: number) => number} */
  let across = (x) => x;
  /** @type {(y: number) => number} */
  let up = (y) => y;
  /** @type {SVGElement} */
  let token = svg("g");
  const moving = svg("g", { class: "moving" });
  /** @type {SVGElement[]} */
  let marks = [];

  /** The ground: the lower, the bluer, with a line at each level. */
  function paint() {
    const context = canvas.getContext("2d");
    const { columns, rows, values, levels, name } = surface;
    if (!context || !landscape || name !== landscape.name) return;
    const [width, height] = [across(landscape.high[0]) - MARGIN.left, up(landscape.low[1]) - MARGIN.top];
    const fine = Math.min(devicePixelRatio || 1, 2);
    canvas.width = Math.round(width * fine);
    canvas.height = Math.round(height * fine);
    const [deep, paper] = [colourOf(canvas, "--plus"), colourOf(canvas, "--paper")];
    const small = new ImageData(columns, rows);
    for (let i = 0; i < values.length; i++) {
      const above = levels.findIndex((level) => values[i] < level);
      const share = 0.42 * (1 - (above < 0 ? levels.length : above) / levels.length);
      const place = 4 * ((rows - 1 - Math.floor(i / columns)) * columns + (i % columns));
      small.data.set([...paper.map((c, k) => c + (deep[k] - c) * share), 255], place);
    }
    const copy = new OffscreenCanvas(columns, rows);
    copy.getContext("2d")?.putImageData(small, 0, 0);
    context.imageSmoothingQuality = "high";
    // the values stand at the corners of the picture's cells, the pixels of the copy in the middle of theirs
    context.drawImage(copy, 0.5, 0.5, columns - 1, rows - 1, 0, 0, canvas.width, canvas.height);
    context.strokeStyle = getComputedStyle(element).getPropertyValue("--quiet");
    context.globalAlpha = 0.55;
    context.lineWidth = fine;
    context.beginPath();
    for (const level of levels) contour(level, (column, row) => [(column / (columns - 1)) * canvas.width, (1 - row / (rows - 1)) * canvas.height], context);
    context.stroke();
    context.globalAlpha = 1;
  }

  /**
   * The line where the surface has one level: in each cell between the edges that it crosses.
   * @param {number} level @param {(column: number, row: number) => [number, number]} at @param {CanvasRenderingContext2D} context
   */
  function contour(level, at, context) {
    const { columns, rows, values } = surface;
    for (let row = 0; row + 1 < rows; row++) {
      for (let column = 0; column + 1 < columns; column++) {
        /** @type {[number, number][]} around the cell */
        const corners = [[column, row], [column + 1, row], [column + 1, row + 1], [column, row + 1]];
        /** @type {[number, number][]} */
        const crossings = [];
        corners.forEach(([c, r], i) => {
          const [d, s] = corners[(i + 1) % 4];
          const [a, b] = [values[r * columns + c] - level, values[s * columns + d] - level];
          if (a < 0 !== b < 0) crossings.push(at(c + ((d - c) * a) / (a - b), r + ((s - r) * a) / (a - b)));
        });
        for (let i = 0; i + 1 < crossings.length; i += 2) {
          context.moveTo(...crossings[i]);
          context.lineTo(...crossings[i + 1]);
        }
      }
    }
  }

  function draw() {
    if (!landscape || !path) return;
    const { low, high, minima } = landscape;
    const full = element.clientWidth || 640;
    const inner = Math.min(full - MARGIN.left - MARGIN.right, (TALLEST * (high[0] - low[0])) / (high[1] - low[1]));
    const tall = (inner * (high[1] - low[1])) / (high[0] - low[0]);
    const [width, height] = [inner + MARGIN.left + MARGIN.right, tall + MARGIN.top + MARGIN.bottom];
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawing.style.width = `${width}px`;
    Object.assign(canvas.style, { left: `${MARGIN.left}px`, top: `${MARGIN.top}px`, width: `${inner}px`, height: `${tall}px` });
    drawing.setAttribute("aria-label", fill(hands.texts.surface, { formula: landscape.formula }));
    across = scale(low[0], high[0], MARGIN.left, width - MARGIN.right);
    up = scale(low[1], high[1], height - MARGIN.bottom, MARGIN.top);
    const axes = [
      ...ticks(low[0], high[0], Math.max(3, Math.floor(inner / 90))).map((x) => svg("text", { x: across(x), y: height - 11, "text-anchor": "middle", text: hands.write(x) })),
      ...ticks(low[1], high[1], Math.max(2, Math.floor(tall / 90))).map((y) => svg("text", { x: MARGIN.left - 7, y: up(y) + 4, "text-anchor": "end", text: hands.write(y) })),
      svg("rect", { class: "frame", x: MARGIN.left, y: MARGIN.top, width: inner, height: tall }),
      svg("text", { class: "formula", x: MARGIN.left, y: 16, text: landscape.formula }),
    ];
    const place = (/** @type {number[]} */ [x, y]) => [seen(across(x)), seen(up(y))];
    const places = path.points.map(place);
    marks = places.flatMap(([x, y], k) => (k ? [svg("g", {}, svg("line", { x1: places[k - 1][0], y1: places[k - 1][1], x2: x, y2: y }), svg("circle", { cx: x, cy: y, r: 3 }))] : []));
    const others = (other?.points ?? []).map(place);
    const inside = svg("svg", { x: MARGIN.left, y: MARGIN.top, width: inner, height: tall, viewBox: `${MARGIN.left} ${MARGIN.top} ${inner} ${tall}` },
      ...minima.map((one) => svg("path", { class: "minimum", d: `M${across(one[0]) - 6} ${up(one[1])}h12m-6-6v12` })),
      svg("g", { class: "other" },
        svg("path", { d: others.map(([x, y], k) => `${k ? "L" : "M"}${x} ${y}`).join("") }),
        ...others.slice(1).map(([x, y]) => svg("rect", { x: x - 2.5, y: y - 2.5, width: 5, height: 5 }))),
      svg("g", { class: "steps" }, ...marks),
      moving,
    );
    const focused = token.matches(":focus");
    token = ball(landscape, path.points[0], hands);
    drawing.replaceChildren(...axes, inside, token);
    if (focused) /** @type {any} */ (token).focus();
    move(position);
  }

  /** @param {number} now */
  function move(now) {
    position = now;
    if (!path || !landscape) return;
    const { points } = path;
    const { k, next, share } = between(position, points.length - 1);
    const [x1, y1, x2, y2] = [across(points[k][0]), up(points[k][1]), across(points[next][0]), up(points[next][1])].map(seen);
    const x = Math.min(Math.max(x1 + (x2 - x1) * share, MARGIN.left), across(landscape.high[0]));
    const y = Math.min(Math.max(y1 + (y2 - y1) * share, MARGIN.top), up(landscape.low[1]));
    token.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    marks.forEach((mark, i) => mark.setAttribute("class", i < k ? "done" : "later"));
    const step = share ? null : arrow(x1, y1, x2, y2);
    moving.replaceChildren(...(step ? [step] : []));
  }

  droppable(drawing, (x, y) => {
    const { low, high } = /** @type {import("./descent_ball.js").Landscape} */ (landscape);
    const shares = [(x - MARGIN.left) / (across(high[0]) - MARGIN.left), (up(low[1]) - y) / (up(low[1]) - MARGIN.top)];
    return shares.map((share, i) => within(low[i] + share * (high[i] - low[i]), low[i], high[i]));
  }, hands);
  const observer = new ResizeObserver(() => {
    draw();
    paint();
  });
  observer.observe(element);
  const endTheme = onTheme(paint);

  return {
    element,
    show(given, found, compared) {
      const asked = landscape?.name !== given.name;
      [landscape, path, other, position] = [given, found, compared, 0];
      draw();
      if (!asked) return;
      ask("surface", { function: given.name }).then((answer) => {
        surface = { ...answer, name: given.name, values: floats(answer.values) };
        paint();
      }, console.error);
    },
    move,
    close() {
      observer.disconnect();
      endTheme();
    },
  };
}
