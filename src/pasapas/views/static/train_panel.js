// @ts-check
/** What is shown of one run in the view Train: its numbers, its layers, the pictures of its first layer, its hardest images. */

import { lineChart } from "./chart.js";
import { bytes, fill, make, paintInk, paintSigned } from "./parts.js";

/**
 * @typedef {{batch: number, loss: number | null, accuracy: number | null, gradients: (number | null)[],
 *   weights: (number | null)[], off: (number | null)[]}} Measure
 * @typedef {{batches: number, epoch: number, in_epoch: number, per_epoch: number, images: number, learning_rate: number, rate_changed: boolean,
 *   losses: {start: number, rows: [number, number, number][]}, measures: {start: number, rows: Measure[]},
 *   tested: {epoch: number, accuracy: number | null} | null, trouble: string | null}} News
 * @typedef {{number: number, label: number, answer: number, probability: number | null, pixels: string}} Hard
 */

const SIDE = 28;

/**
 * @param {{run: "a" | "b", texts: Record<string, string>, write: ReturnType<typeof import("./parts.js").writer>}} options
 */
export function trainPanel({ run, texts, write }) {
  const name = run.toUpperCase();
  /** @type {[number, number, number][]} */
  let losses = [];
  /** @type {Measure[]} */
  let measures = [];
  /** @type {News | null} */
  let last = null;
  let activation = "relu";
  /** @type {Map<HTMLCanvasElement, () => void>} what is drawn again in other colours */
  const pictures = new Map();

  const title = make("span", { class: "architecture numbers" });
  const figures = make("dl", { class: "figures" });
  const testedNote = make("p", { class: "quiet numbers tested" });
  const rateNote = make("p", { class: "quiet numbers rate-changed" });
  const trouble = make("p", { class: "trouble", role: "alert" });
  const gradients = lineChart({
    title: fill(texts.gradientsOf, { run: name }), x: texts.xBatch, texts, height: 170, logarithmic: true,
    write: (value) => write.short(value, 2), writeX: write.integer,
  });
  const layers = make("tbody");
  const offHead = make("th", { scope: "col" });
  const offHelp = make("p", { class: "quiet" });
  const tiles = make("div", { class: "tiles", role: "img", "aria-label": texts.units });
  const unitsNote = make("p", { class: "quiet numbers" });
  const hard = make("div", { class: "hard" });
  const hardNote = make("p", { class: "quiet", text: texts.hardestEmpty });

  const score = make("div", { class: "score" }, make("h3", {}, make("span", { class: `badge ${run}`, text: name }), title), figures, testedNote, rateNote, trouble);
  const details = make("section", { class: "panel", "aria-label": fill(texts.run, { run: name }) },
    make("h3", { class: "panel-title" }, make("span", { class: `badge ${run}`, text: name }), fill(texts.run, { run: name })),
    make("div", { class: "part" },
      gradients.element,
      make("div", { class: "wide" },
        make("table", { class: "layers" },
          make("caption", { class: "unseen", text: texts.layers }),
          make("thead", {}, make("tr", {}, make("th", { scope: "col", text: texts.layer }), make("th", { scope: "col", text: texts.sizeW }), make("th", { scope: "col", text: texts.sizeG }), offHead)),
          layers)),
      offHelp),
    make("div", { class: "part" }, make("h3", { text: texts.units }), tiles, unitsNote),
    make("div", { class: "part hardest" }, make("h3", { text: texts.hardest }), hard, hardNote),
  );

  /** @param {News} news */
  function hear(news) {
    losses = [...losses.slice(0, news.losses.start), ...news.losses.rows];
    measures = [...measures.slice(0, news.measures.start), ...news.measures.rows];
    last = news;
  }

  /** @param {number | null | undefined} loss */
  const lossText = (loss) => (loss === null || loss === undefined ? texts.none : loss < 1000 ? write.number(loss, 3) : write.short(loss, 3));

  function draw() {
    if (!last) return;
    const { epoch, in_epoch, per_epoch, images, tested } = last;
    const [point, measure] = [losses.at(-1), measures.at(-1)];
    const share = (/** @type {number | null | undefined} */ value) => (value === null || value === undefined ? texts.none : write.percent(value));
    const rows = [
      [texts.epochNumber, write.integer(epoch)],
      [texts.batchNumber, `${write.integer(in_epoch)} / ${write.integer(per_epoch)}`],
      [texts.imagesSeen, write.integer(images)],
      [texts.nowLoss, lossText(point?.[1] ?? measure?.loss)],
      [texts.nowTraining, share(point?.[2])],
      [texts.nowTest, share(measure?.accuracy)],
    ];
    figures.replaceChildren(...rows.map(([term, value], i) => make("div", { class: i < 3 ? "small" : null }, make("dt", { text: term }), make("dd", { class: "numbers", text: value }))));
    testedNote.textContent = tested && tested.accuracy !== null ? fill(texts.tested, { epoch: write.integer(tested.epoch), accuracy: write.percent(tested.accuracy, 2) }) : "";
    noteRate();
    if (trouble.textContent !== (last.trouble ?? "")) trouble.textContent = last.trouble ?? "";
    drawLayers(measure);
  }

  function noteRate() {
    rateNote.textContent = last?.rate_changed ? fill(texts.rateChanged, { rate: write.short(last.learning_rate, 4) }) : "";
  }

  /** @param {Measure | undefined} measure */
  function drawLayers(measure) {
    if (!measure) return;
    const count = measure.gradients.length;
    // four lines can be told apart; of five layers the last but one is left to the table
    const shown = [...Array(count).keys()].filter((k) => count <= 4 || k !== 3);
    gradients.set(shown.map((k) => ({ name: `W${k + 1}`, points: pointsOf(measures, (one) => one.gradients[k]) })));
    const size = (/** @type {number | null} */ value) => (value === null ? "∞" : write.short(value, 3));
    layers.replaceChildren(...measure.gradients.map((gradient, k) => {
      const off = measure.off[k];
      const bar = make("span", { class: "meter", "aria-hidden": "true" }, make("span"));
      /** @type {HTMLElement} */ (bar.firstElementChild).style.width = `${100 * (off ?? 0)}%`;
      return make("tr", {},
        make("th", { scope: "row", text: `W${k + 1}` }),
        make("td", { text: size(measure.weights[k]) }),
        make("td", { text: size(gradient) }),
        make("td", {}, off === null || off === undefined ? texts.none : write.percent(off), off === null || off === undefined ? null : bar));
    }));
  }

  return {
    score,
    details,
    hear,
    /** @param {{learning_rate: number, rate_changed: boolean}} now */
    rate({ learning_rate, rate_changed }) {
      if (last) last = { ...last, learning_rate, rate_changed };
      noteRate();
    },
    draw,
    /** @returns {{batches: number, losses: [number, number][], accuracies: [number, number][], testLosses: [number, number][], testAccuracies: [number, number][]}} */
    curves: () => ({
      batches: last?.batches ?? 0,
      losses: losses.map(([batch, loss]) => [batch, loss]),
      accuracies: losses.map(([batch, , accuracy]) => [batch, accuracy]),
      testLosses: pointsOf(measures, (one) => one.loss),
      testAccuracies: pointsOf(measures, (one) => one.accuracy),
    }),
    /** What is said of it. */
    sentence: () => fill(texts.said, {
      run: name, batch: write.integer(last?.batches ?? 0), loss: lossText(losses.at(-1)?.[1]),
      accuracy: write.percent(measures.at(-1)?.accuracy ?? 0, 0),
    }),
    /** Another network. @param {string} architecture @param {string} kind its activation */
    name(architecture, kind) {
      title.textContent = architecture;
      activation = kind;
      const flat = activation === "tanh" || activation === "sigmoid";
      offHead.textContent = flat ? texts.saturated : texts.dead;
      offHelp.textContent = `${texts.noteGradients} ${flat ? texts.saturatedHelp : activation === "relu" ? texts.deadHelp : texts.leakyHelp}`;
    },
    /** @param {{values: string, largest: number, shown: number, units: number}} found */
    units({ values, largest, shown, units }) {
      const all = bytes(values);
      while (tiles.childElementCount > shown) {
        pictures.delete(/** @type {HTMLCanvasElement} */ (tiles.lastElementChild));
        tiles.lastElementChild?.remove();
      }
      while (tiles.childElementCount < shown) tiles.append(make("canvas", { class: "pixels" }));
      [...tiles.children].forEach((one, k) => {
        const canvas = /** @type {HTMLCanvasElement} */ (one);
        const paint = () => paintSigned(canvas, all.subarray(k * SIDE * SIDE, (k + 1) * SIDE * SIDE), SIDE);
        pictures.set(canvas, paint);
        paint();
      });
      tiles.setAttribute("aria-label", fill(texts.unitsName, { shown, run: name }));
      unitsNote.textContent = fill(texts.unitsShown, { shown: write.integer(shown), units: write.integer(units), largest: write.short(largest, 2) });
    },
    /** @param {Hard[]} images */
    hardest(images) {
      for (const canvas of hard.querySelectorAll("canvas")) pictures.delete(canvas);
      hard.replaceChildren(...images.map(({ label, answer, probability, pixels }) => {
        const told = fill(texts.hardestOne, { label, answer, probability: write.percent(probability ?? 0, 0) });
        const canvas = make("canvas", { class: "pixels", role: "img", "aria-label": told, title: told });
        const paint = () => paintInk(canvas, bytes(pixels), SIDE);
        pictures.set(canvas, paint);
        paint();
        return make("figure", {}, canvas, make("figcaption", { class: "numbers", "aria-hidden": "true", text: `${label} → ${answer}` }));
      }));
      hardNote.textContent = images.length ? texts.hardestHelp : texts.hardestEmpty;
    },
    repaint: () => pictures.forEach((paint) => paint()),
    close: () => gradients.close(),
  };
}

/** @param {Measure[]} measures @param {(one: Measure) => number | null | undefined} value @returns {[number, number][]} */
function pointsOf(measures, value) {
  return measures.flatMap((one) => {
    const y = value(one);
    return y === null || y === undefined ? [] : [/** @type {[number, number]} */ ([one.batch, y])];
  });
}
