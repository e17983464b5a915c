// @ts-check
/** The part of the view Evaluate that disturbs the images and says what it costs. */

import { lineChart } from "./chart.js";
import { bytes, fill, make, newest, paintInk } from "./parts.js";

/**
 * @typedef {{name: string, title: string, sign: string, symbol: string, steps: number[]}} Disturbance
 * @typedef {{kind: string, strength: number, images: number, accuracy: number, clean: number, cost: number,
 *   examples: {label: number, answer: number, pixels: string}[]}} Answer
 */

let parts = 0; // so far: a page may have several, each with radio buttons of its own

/**
 * @param {{ask: (kind: string, fields?: object) => Promise<any>, write: ReturnType<typeof import("./parts.js").writer>,
 *   texts: Record<string, string>, disturbances: Disturbance[], complain: (error: unknown) => void, remember: () => void,
 *   address: Record<string, string>}} options
 */
export function disturbPart({ ask, write, texts, disturbances, complain, remember, address }) {
  let kind = disturbances.find((one) => one.name === address.by) ?? disturbances[0];
  let model = "";
  let turn = 0;
  /** @type {Map<number, number>} accuracy by strength, as far as it is known */
  let known = new Map();
  /** @type {Answer | null} */
  let last = null;

  const name = `evaluate-kind-${++parts}`;
  const radios = disturbances.map((one) => make("label", { class: "choice" },
    make("input", { type: "radio", name, value: one.name, checked: one === kind, onchange: () => choose(one) }), one.title));
  const slider = make("input", { type: "range", "aria-label": texts.strength, min: 0, step: 1, oninput: () => moved(), onchange: () => remember() });
  const value = make("output", { class: "numbers" });
  const sentence = make("p", { class: "cost", role: "status" });
  const measured = make("p", { class: "quiet" });
  const examples = make("div", { class: "examples" });
  const chart = lineChart({ title: texts.curve, x: texts.strength, texts, height: 230, low: 0, high: 1, write: (share) => write.percent(share), writeX: label });
  const element = make("section", { class: "disturb" },
    make("h2", { text: texts.disturb }),
    make("fieldset", {}, make("legend", { text: texts.kind }), ...radios),
    make("div", { class: "field" }, make("span", { "aria-hidden": "true", text: texts.strength }), make("span", { class: "slider" }, slider, value)),
    sentence, examples, chart.element, measured);

  /** @param {number} strength */
  function label(strength) {
    return `${kind.sign}${write.short(strength)}${kind.symbol}`;
  }

  const strength = () => kind.steps[Number(slider.value)];

  /** @param {number} wanted puts the slider to the step that is nearest */
  function set(wanted) {
    const apart = kind.steps.map((one) => Math.abs(one - wanted));
    slider.max = String(kind.steps.length - 1);
    slider.value = String(apart.indexOf(Math.min(...apart)));
    say();
  }

  function say() {
    value.textContent = label(strength());
    slider.setAttribute("aria-valuetext", label(strength()));
  }

  /** @param {Disturbance} one */
  function choose(one) {
    kind = one;
    set(one.steps[Math.floor(one.steps.length / 2)]);
    known = new Map();
    remember();
    moved();
  }

  function moved() {
    turn++;
    say();
    measure({ kind, strength: strength(), turn, model });
  }

  const measure = newest(async (/** @type {{kind: Disturbance, strength: number, turn: number, model: string}} */ asked) => {
    element.setAttribute("aria-busy", "true");
    if (!last) sentence.textContent = texts.measuring;
    try {
      const answer = /** @type {Answer} */ (await ask("disturb", { model: asked.model, kind: asked.kind.name, strength: asked.strength }));
      if (asked.kind !== kind || asked.model !== model) return;
      known.set(answer.strength, answer.accuracy).set(0, answer.clean);
      if (asked.turn !== turn) return drawCurve();
      last = answer;
      drawAnswer(answer);
      drawCurve();
      remainder(asked.turn).catch(complain);
    } catch (error) {
      complain(error);
    } finally {
      if (asked.turn === turn) element.removeAttribute("aria-busy");
    }
  });

  /** Measures the other strengths too, one after the other, for the curve. @param {number} mine */
  async function remainder(mine) {
    for (const one of kind.steps) {
      if (known.has(one)) continue;
      const answer = await ask("disturb", { model, kind: kind.name, strength: one });
      if (mine !== turn) return;
      known.set(answer.strength, answer.accuracy);
      drawCurve();
    }
  }

  /** @param {Answer} answer */
  function drawAnswer(answer) {
    const [accuracy, clean] = [write.percent(answer.accuracy), write.percent(answer.clean)];
    const text = answer.strength === 0 ? texts.undisturbed : answer.cost > 0 ? texts.cost : texts.gain;
    sentence.textContent = fill(text, { accuracy, clean, points: write.number(100 * answer.cost, 1) });
    measured.textContent = fill(texts.measured, { images: write.integer(answer.images) });
    examples.replaceChildren(...answer.examples.map((one) => {
      const right = one.label === one.answer;
      const canvas = make("canvas", { class: "pixels", role: "img", "aria-label": fill(texts.example, one) });
      paintInk(canvas, bytes(one.pixels), 28);
      return make("figure", { class: right ? "" : "mistaken" }, canvas,
        make("figcaption", { class: "numbers", "aria-hidden": "true" }, make("span", { class: right ? "good" : "bad", text: right ? "✓ " : "✗ " }), String(one.answer)));
    }));
  }

  function drawCurve() {
    const points = /** @type {[number, number][]} */ ([...known].sort(([a], [b]) => a - b));
    const now = known.get(strength());
    chart.set([
      { name: texts.accuracy, points },
      ...(now === undefined ? [] : [{ name: label(strength()), points: /** @type {[number, number][]} */ ([[strength(), 0], [strength(), now]]) }]),
    ]);
  }

  set(address.strength !== undefined && Number.isFinite(Number(address.strength)) ? Number(address.strength) : kind.steps[Math.floor(kind.steps.length / 2)]);

  return {
    element,
    /** Disturbs the images for a model. @param {string} key */
    show(key) {
      model = key;
      known = new Map();
      moved();
    },
    address: () => ({ by: kind.name, strength: String(strength()) }),
    redraw: () => last && drawAnswer(last),
    close: () => chart.close(),
  };
}
