// @ts-check
/** The chain rule of one weight: a path from the loss as factors, and the sums on the way, each with its numbers. */

import { make, Refusal } from "./parts.js";
import { mathElement } from "./step.js";

/**
 * @typedef {{tensor: string, place: number[]}} Spot
 * @typedef {{name: string, place: Spot | null, value: string}} Named
 * @typedef {{layer: number, i: number, j: number, image: number, layers: number[][], images: number[], weight: string,
 *   gradient: Named, factors: (Named & {math: any})[], product: string, paths: string, check: string, update: string,
 *   sums: (Named & {math: any, terms: {factors: Named[], product: string}[], more: string})[]}} Chain
 * @typedef {{layer: number, i?: number, j?: number, image?: number}} Weight
 */

/** @param {any} tree @param {boolean} [block] */
function formula(tree, block = false) {
  const math = document.createElementNS("http://www.w3.org/1998/Math/MathML", "math");
  if (block) math.setAttribute("display", "block");
  math.append(mathElement(tree));
  return math;
}

/**
 * @param {{ask: (kind: string, fields?: object) => Promise<any>, texts: Record<string, string>,
 *   go: (tensor: string, place: number[]) => void, isStage: (tensor: string) => boolean,
 *   shown: (weight: Weight, chosen: boolean) => void}} options `chosen` says whether the reader did
 */
export function chainPanel({ ask, texts, go, isStage, shown }) {
  const layer = make("select", { onchange: () => show({ layer: Number(layer.value) }, true) });
  const [i, j] = [0, 1].map(() => make("input", { type: "number", min: 0, step: 1, onchange: typed }));
  const image = make("select", { onchange: typed });
  const largest = make("button", { type: "button", text: texts.largest, onclick: () => show({ layer: Number(layer.value) }, true) });
  const trouble = make("p", { class: "trouble", role: "alert" });
  const content = make("div", { class: "links" });
  /** @param {string} text @param {HTMLElement} control */
  const field = (text, control) => make("label", { class: "field" }, make("span", { text }), control);
  const element = make(
    "section",
    { class: "chain" },
    make("h2", { text: texts.chainTitle }),
    make("p", { class: "quiet", text: texts.chainHelp }),
    make("div", { class: "row" }, field(texts.weights, layer), field(texts.row, i), field(texts.column, j), field(texts.throughImage, image), largest),
    trouble,
    content,
  );
  let turn = 0;

  function typed() {
    const [row, column] = [i, j].map((input) => Math.min(Math.max(Math.round(input.valueAsNumber) || 0, 0), Number(input.max)));
    show({ layer: Number(layer.value), i: row, j: column, image: Number(image.value) }, true);
  }

  /** The name of a number; a button where one can go to it. @param {Named} named */
  function opener({ name, place }) {
    if (!place || !isStage(place.tensor)) return make("code", { text: name });
    return make("button", { type: "button", class: "open", text: name, title: texts.go.replace("{entry}", name), onclick: () => go(place.tensor, place.place) });
  }

  /** @param {Chain} found */
  function path(found) {
    const line = make("div", { class: "path" });
    found.factors.forEach((factor, k) => {
      if (k) line.append(make("span", { class: "sign" }, make("span", { "aria-hidden": "true", text: "×" }), make("span", { class: "unseen", text: texts.times })));
      line.append(make("span", { class: "factor" }, formula(factor.math), opener(factor), make("span", { class: "numbers", text: factor.value })));
    });
    line.append(make("span", { class: "sign", text: "=" }), make("strong", { class: "numbers", text: found.product }));
    return line;
  }

  /** @param {Chain["sums"][number]} sum */
  function table(sum) {
    const rows = sum.terms.map(({ factors, product }, k) =>
      make(
        "tr",
        {},
        make("td", { class: "names" }, ...factors.flatMap((factor, at) => (at ? [" · ", opener(factor)] : [opener(factor)]))),
        make("td", { class: "names", text: factors.map((factor) => (factor.value.startsWith("−") && factors.length > 1 ? `(${factor.value})` : factor.value)).join(" · ") }),
        make("td", { text: (k && !product.startsWith("−") ? "+ " : "") + product }),
      ),
    );
    if (sum.more) rows.push(make("tr", {}, make("td", { colspan: 3, class: "quiet", text: sum.more })));
    rows.push(make("tr", { class: "total" }, make("td", { colspan: 2, class: "names" }, opener(sum)), make("td", { text: `= ${sum.value}` })));
    return make("li", {}, formula(sum.math, true), make("div", { class: "wide" }, make("table", {}, make("tbody", {}, ...rows))));
  }

  /** @param {Chain} found */
  function fillIn(found) {
    layer.replaceChildren(...found.layers.map((_shape, k) => make("option", { value: k + 1, text: `W${k + 1}` })));
    layer.value = String(found.layer);
    image.replaceChildren(...found.images.map((digit, k) => make("option", { value: k, text: texts.imageLabel.replace("{k}", String(k)).replace("{label}", String(digit)) })));
    image.value = String(found.image);
    [i, j].forEach((input, axis) => {
      input.max = String(found.layers[found.layer - 1][axis] - 1);
      const value = axis ? found.j : found.i;
      // what is being typed in one field stays when the answer to the other comes
      if (input !== document.activeElement || input.valueAsNumber > Number(input.max)) input.value = String(value);
    });
    content.replaceChildren(
      make("h3", {}, `${texts.pathTitle} `, opener(found.gradient)),
      make("div", { class: "wide" }, path(found)),
      make("p", { class: "quiet", text: found.paths }),
      make("h3", { text: texts.sumsTitle }),
      make("ol", {}, ...found.sums.map(table)),
      make("p", { class: "numbers", text: found.check }),
      make("p", { class: "numbers", text: found.update }),
    );
  }

  /** Asks for the chain of a weight; without i and j Python chooses one. @param {Weight} weight @param {boolean} [chosen] */
  async function show(weight, chosen = false) {
    const mine = ++turn;
    try {
      const found = await ask("chain", weight);
      if (mine !== turn) return;
      trouble.textContent = "";
      fillIn(found);
      shown({ layer: found.layer, i: found.i, j: found.j, image: found.image }, chosen);
    } catch (error) {
      if (mine !== turn) return;
      if (!(error instanceof Refusal)) throw error;
      trouble.textContent = error.message;
    }
  }

  return { element, show };
}
