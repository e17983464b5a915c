// @ts-check
/** A hidden unit, opened: what it looks for, how its activation comes about, what it adds to each class. */

import { bothSigns, cells, ink, largestOf } from "./draw_cells.js";
import { bytes, fill, floats, make, svg } from "./parts.js";

/**
 * @typedef {{layer: number, number: number}} Place
 * @typedef {Place & {sum: number, bias: number, z: number, a: number, activation: string, seeks: string, finds: string | null,
 *   strongest: {number: number, part: number}[], adds: string, exact: boolean}} Opened
 * @typedef {{index: number, label: number, image: string, z: number, a: number}} Example
 * @typedef {ReturnType<typeof import("./parts.js").writer>} Writer
 */

/**
 * @param {{texts: Record<string, string>, write: Writer, close: () => void, open: (place: Place) => void,
 *   take: (image: number) => void}} options
 */
export function unitPanel({ texts, write, close, open, take }) {
  const title = make("h2", { tabindex: -1 });
  const seeksTitle = make("h3");
  const seeks = signedPicture(texts.seeks, texts, write);
  const finds = signedPicture(texts.finds, texts, write);
  const findsPart = make("figure", { class: "part" }, make("h3", { text: texts.finds }), finds.element);
  const sums = make("div", { class: "sums numbers" });
  const incoming = make("ul", { class: "links" });
  const incomingHow = make("p", { class: "quiet" });
  const incomingPart = make("div", { class: "part" }, make("h3", { text: texts.comesFrom }), incomingHow, incoming);
  const adds = make("div", { class: "adds", role: "img" });
  const addsHow = make("p", { class: "quiet" });
  const examples = make("ul", { class: "examples" });
  const examplesPart = make("div", { class: "part all" }, make("h3", { text: texts.excitedBy }), examples);
  const element = make(
    "section",
    { class: "opened", hidden: true },
    make("div", { class: "row between" }, title, make("button", { type: "button", text: texts.close, onclick: () => close() })),
    sums,
    make(
      "div",
      { class: "parts" },
      make("figure", { class: "part" }, seeksTitle, seeks.element),
      findsPart,
      incomingPart,
      make("div", { class: "part" }, make("h3", { text: texts.adds }), adds, addsHow),
      examplesPart,
    ),
  );
  /** @type {HTMLCanvasElement[]} */
  let shown = [];
  /** @type {Example[]} */
  let found = [];

  /** @param {Opened} unit */
  function tell(unit) {
    const { layer } = unit;
    title.textContent = fill(texts.unit, { unit: unit.number, layer: layer + 1 });
    seeksTitle.textContent = layer ? texts.seeksHere : texts.seeks;
    seeks.set(floats(unit.seeks), layer ? texts.seeksHere : texts.seeks, (largest) => fill(texts.seeksHow, { largest: write.number(largest, 3) }));
    findsPart.hidden = !unit.finds;
    if (unit.finds) finds.set(floats(unit.finds), texts.finds, () => fill(texts.findsHow, { sum: number(unit.sum) }));
    incomingPart.hidden = !layer;
    incomingHow.textContent = fill(texts.comesFromHow, { layer });
    refill(incoming, unit.strongest, ({ number: k, part }) =>
      make("li", {}, make("button", {
        type: "button", class: "small", text: fill(texts.unitPart, { unit: k, part: signed(part) }), onclick: () => open({ layer: layer - 1, number: k }),
      })),
    );
    sums.replaceChildren(
      make("span", { text: fill(layer ? texts.sumOfUnits : texts.sumOfPixels, { sum: number(unit.sum), bias: `${unit.bias < 0 ? "−" : "+"} ${number(Math.abs(unit.bias))}`, z: number(unit.z) }) }),
      make("strong", { text: fill(unit.activation ? texts.activation : texts.noActivation, { name: unit.activation, a: number(unit.a) }) }),
      ...(unit.a === 0 ? [make("span", { text: texts.off })] : []),
    );
    bars(floats(unit.adds));
    addsHow.textContent = `${unit.exact ? texts.addsExactly : texts.addsAbout} ${texts.addsCompared}`;
    examplesPart.hidden = layer > 0;
  }

  /** Bars to both sides of 0. @param {Float32Array} values */
  function bars(values) {
    const largest = largestOf(values);
    const [middle, reach, step] = [160, 78, 21];
    adds.setAttribute("aria-label", `${texts.adds}: ${[...values].map((value, digit) => `${digit}: ${signed(value)}`).join(", ")}`);
    const parts = [...values].flatMap((value, digit) => {
      const [y, length] = [digit * step, (Math.abs(value) / largest) * reach || 0];
      const after = middle + (value < 0 ? -length - 6 : length + 6);
      return [
        svg("text", { class: "digit", x: 8, y: y + 15, text: digit }),
        svg("rect", { class: value < 0 ? "minus" : "plus", x: value < 0 ? middle - length : middle, y: y + 3, width: length, height: step - 6 }),
        svg("text", { x: after, y: y + 15, "text-anchor": value < 0 ? "end" : "start", text: signed(value) }),
      ];
    });
    const axis = svg("line", { class: "axis", x1: middle, x2: middle, y1: 0, y2: step * values.length });
    adds.replaceChildren(svg("svg", { viewBox: `0 0 310 ${step * values.length}`, "aria-hidden": "true" }, axis, ...parts));
  }

  /** @param {number} value */
  const number = (value) => write.number(value ?? NaN, 3);
  /** @param {number} value */
  const signed = (value) => (value > 0 ? "+" : "") + number(value);

  function paintExamples() {
    shown.forEach((canvas, i) => ink(canvas, bytes(found[i].image), 28, 0));
  }

  return {
    element,
    title,
    /** @param {Opened | null} unit */
    set(unit) {
      element.hidden = !unit;
      if (unit) tell(unit);
    },
    /** @param {Example[]} images those that excite it most */
    examples(images) {
      found = images;
      shown = images.map(() => make("canvas", { class: "pixels" }));
      examples.replaceChildren(
        ...images.map((one, i) => {
          const values = { image: one.index, label: one.label, z: write.number(one.z ?? NaN, 2) };
          return make(
            "li",
            {},
            make("button", { type: "button", "aria-label": fill(texts.takeExample, values), onclick: () => take(one.index) }, shown[i], make("span", { text: fill(texts.digit, values) }), make("span", { class: "numbers", text: fill(texts.sum, values) })),
          );
        }),
      );
      paintExamples();
    },
    repaint() {
      seeks.repaint();
      finds.repaint();
      paintExamples();
    },
  };
}

/**
 * A picture of 28×28 numbers of both signs, with a sentence below.
 * @param {string} label @param {Record<string, string>} texts @param {Writer} write
 */
function signedPicture(label, texts, write) {
  const picture = cells({
    label,
    paint: bothSigns,
    describe: (cell, value) =>
      fill(texts.weight, { row: Math.floor(cell / 28) + 1, column: (cell % 28) + 1, value: write.number(value, 4) }),
  });
  picture.arrange(28);
  return {
    element: picture.element,
    repaint: picture.repaint,
    /** @param {Float32Array} values @param {string} name @param {(largest: number) => string} how */
    set(values, name, how) {
      picture.field.setAttribute("aria-label", name);
      picture.set(values, how(largestOf(values)));
    },
  };
}

/**
 * New items in a list whose focus stays where it was.
 * @template T
 * @param {HTMLElement} list @param {T[]} items @param {(item: T) => HTMLElement} item
 */
function refill(list, items, item) {
  const held = [...list.children].findIndex((child) => child.contains(document.activeElement));
  list.replaceChildren(...items.map(item));
  list.children[held]?.querySelector("button")?.focus({ preventScroll: true });
}
