// @ts-check
/**
 * The view Evaluate: a model's numbers, its confusion matrix, the images behind each number of it, and what answering
 * only when sure gives. What disturbing the images costs is in `evaluate_disturb.js`.
 */

import { disturbPart } from "./evaluate_disturb.js";
import { announcer, asker, bytes, fill, make, modelMenu, onTheme, paintInk, Refusal, writer } from "./parts.js";

/**
 * @typedef {{number: number, label: number, answer: number, pixels: string}} Image
 * @typedef {Image & {probability: number}} Read
 * @typedef {{threshold: number, answered: number, coverage: number, errors: number}} Silent
 * @typedef {{images: number, accuracy: number, errors: number, loss: number | null, calibration_error: number,
 *   counts: number[][], worst: [number, number] | null,
 *   classes: {images: number, precision: number | null, recall: number | null}[], abstention: Silent[]}} Overview
 * @typedef {{truth: number | null, answer: number | null}} Cell null is any: its mistakes
 */

const DIGITS = [...Array(10).keys()];
const ANY = 10; // the row and the column of the mistakes

/** @param {{model: import("./parts.js").Model, el: HTMLElement}} context */
function render({ model, el }) {
  let written = "";
  /** @param {Record<string, string>} address */
  const writeAddress = (address) => {
    written = JSON.stringify(address);
    model.set("address", address);
    model.save_changes();
  };
  let leave = build(model, el, writeAddress);
  const onAddress = () => {
    if (JSON.stringify(model.get("address")) === written) return;
    leave();
    leave = build(model, el, writeAddress);
  };
  model.on("change:address", onAddress);
  return () => {
    model.off("change:address", onAddress);
    leave();
  };
}

/**
 * What an address says, as far as it makes sense.
 * @param {Record<string, string>} address @param {{key: string}[]} models
 */
function read(address, models) {
  const [, truth, answer] = /^([0-9x])-([0-9x])$/.exec(address.cell ?? "") ?? [];
  const digit = (/** @type {string} */ letter) => (letter === "x" ? null : Number(letter));
  return {
    key: models.some((one) => one.key === address.model) ? address.model : "shipped",
    wanted: truth === undefined ? null : { truth: digit(truth), answer: digit(answer) },
    image: /^\d{1,4}$/.test(address.image ?? "") ? Number(address.image) : null,
    sureness: /^\d{1,2}$/.test(address.sure ?? "") ? address.sure : "0",
  };
}

/**
 * The view in the state that the address says.
 * @param {import("./parts.js").Model} model @param {HTMLElement} el @param {(address: Record<string, string>) => void} writeAddress
 * @returns {() => void} ends it
 */
function build(model, el, writeAddress) {
  const { texts, models, language, disturbances, inLab } = model.get("about");
  const address = model.get("address") ?? {};
  const { key, wanted, image, sureness } = read(address, models);
  const { ask, close } = asker(model);
  const write = writer(language);

  /** @type {Overview | null} */
  let overview = null;
  /** @type {Cell} */
  let cell = { truth: null, answer: null };
  /** @type {number | null} the test image that is open */
  let number = null;
  let chosen = key;
  const turns = { model: 0, cell: 0, image: 0 }; // answers to questions of an earlier turn are late
  /** @type {Map<HTMLCanvasElement, Uint8Array>} what is drawn again in other colours */
  const pictures = new Map();

  const trouble = make("p", { class: "trouble", role: "alert" });
  /** @param {unknown} error */
  const complain = (error) => {
    if (!(error instanceof Refusal)) console.error(error);
    trouble.textContent = error instanceof Error ? error.message : String(error);
  };

  // The address

  function remember() {
    /** @type {Record<string, string>} */
    const now = { ...disturbing.address(), cell: `${cell.truth ?? "x"}-${cell.answer ?? "x"}` };
    if (chosen !== "shipped") now.model = chosen;
    if (number !== null) now.image = String(number);
    if (sure.value !== "0") now.sure = sure.value;
    writeAddress(now);
  }

  // Words

  /** @param {number} n */
  const count = (n) => (n === 0 ? texts.noImage : n === 1 ? texts.oneImage : fill(texts.manyImages, { n: write.integer(n) }));

  /** @param {Cell} one @param {number} n */
  function nameOf({ truth, answer }, n) {
    const text =
      truth === null
        ? answer === null ? texts.cellAll : texts.cellColumn
        : answer === null ? texts.cellRow : truth === answer ? texts.cellRight : texts.cell;
    return fill(text, { truth: truth ?? "", answer: answer ?? "", count: count(n) });
  }

  // The head

  const menu = modelMenu({ ask, texts, models, chosen, complain, choose: (now) => {
    chosen = now;
    load(null, null);
  } });
  const figures = make("dl", { class: "figures" });

  /** @param {Overview} found */
  function drawFigures(found) {
    const rows = [
      [write.percent(found.accuracy, 2), texts.accuracy],
      [write.integer(found.errors), fill(texts.mistakesOf, { images: write.integer(found.images) })],
      [found.loss === null ? "–" : write.number(found.loss), texts.loss],
      [write.percent(found.calibration_error, 2), texts.calibration],
    ];
    figures.replaceChildren(...rows.map(([value, name]) => make("div", {}, make("dt", { text: name }), make("dd", { class: "numbers", text: value }))));
  }

  // The matrix

  const table = make("table", { role: "grid", "aria-label": texts.matrix, onkeydown: (event) => walk(/** @type {KeyboardEvent} */ (event)) });

  /** @param {Overview} found */
  function drawMatrix({ counts }) {
    const wrong = counts.map((row, i) => row.map((n, j) => (i === j ? 0 : n)));
    const sum = (/** @type {number[]} */ values) => values.reduce((a, b) => a + b, 0);
    const most = Math.max(1, ...wrong.flat());
    const head = make("tr", {},
      make("th", { class: "corner" }, make("span", { class: "unseen", text: `${texts.truth} / ${texts.answer}` })),
      ...DIGITS.map((j) => make("th", { scope: "col", text: String(j) })),
      make("th", { scope: "col", class: "total" }, make("span", { "aria-hidden": "true", text: "✗" }), make("span", { class: "unseen", text: texts.wrong })),
    );
    const rows = [...DIGITS, ANY].map((i) => make("tr", {},
      i === ANY
        ? make("th", { scope: "row", class: "total" }, make("span", { "aria-hidden": "true", text: "✗" }), make("span", { class: "unseen", text: texts.wrong }))
        : make("th", { scope: "row", text: String(i) }),
      ...[...DIGITS, ANY].map((j) => {
        const n = i < ANY && j < ANY ? counts[i][j] : sum(wrong.filter((_row, r) => i === ANY || r === i).map((row) => (j === ANY ? sum(row) : row[j])));
        const here = { truth: i === ANY ? null : i, answer: j === ANY ? null : j };
        const kind = i === ANY || j === ANY ? "total" : i === j ? "right" : n ? "wrong" : "none";
        const button = make("button", {
          class: kind, "data-row": i, "data-column": j, tabindex: -1, "aria-label": nameOf(here, n), title: nameOf(here, n),
          text: n ? write.integer(n) : "·", onclick: () => openCell(here, null, true),
        });
        if (kind === "wrong") button.style.setProperty("--share", `${Math.round(15 + 45 * Math.sqrt(n / most))}%`);
        return make("td", {}, button);
      }),
    ));
    table.replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
  }

  /** @param {number} i @param {number} j @returns {HTMLButtonElement | null} */
  const at = (i, j) => table.querySelector(`button[data-row="${i}"][data-column="${j}"]`);

  function markCell() {
    for (const button of table.querySelectorAll("button")) {
      button.tabIndex = -1;
      button.removeAttribute("aria-current");
    }
    const button = at(cell.truth ?? ANY, cell.answer ?? ANY);
    if (!button) return;
    button.tabIndex = 0;
    button.setAttribute("aria-current", "true");
  }

  /** @param {KeyboardEvent} event */
  function walk(event) {
    if (!(event.target instanceof HTMLButtonElement) || event.ctrlKey || event.metaKey || event.altKey) return;
    const [i, j] = [Number(event.target.dataset.row), Number(event.target.dataset.column)];
    /** @type {Record<string, [number, number]>} */
    const goes = { ArrowLeft: [i, j - 1], ArrowRight: [i, j + 1], ArrowUp: [i - 1, j], ArrowDown: [i + 1, j], Home: [i, 0], End: [i, ANY], PageUp: [0, j], PageDown: [ANY, j] };
    if (!(event.key in goes)) return;
    event.preventDefault();
    event.stopPropagation();
    const next = at(...goes[event.key]);
    if (!next) return;
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  // The images of a cell, and one of them

  const title = make("h2");
  const order = make("p", { class: "quiet" });
  const gallery = make("div", { class: "gallery" });
  const more = make("button", { hidden: true, onclick: () => showMore().catch(complain) });
  const one = make("section", { class: "opened", hidden: true });
  /** @type {Read[]} */
  let shown = [];
  let total = 0;

  /** @param {string} pixels @returns {HTMLCanvasElement} */
  function picture(pixels) {
    const canvas = make("canvas", { class: "pixels", "aria-hidden": "true" });
    pictures.set(canvas, bytes(pixels));
    paintInk(canvas, bytes(pixels), 28);
    return canvas;
  }

  /**
   * Shows the images of an entry of the matrix, and opens one of them: `image`, otherwise the first.
   * @param {Cell} wanted @param {number | null} image @param {boolean} [asked] whether the reader chose it just now
   */
  async function openCell(wanted, image, asked = false) {
    const mine = ++turns.cell;
    cell = wanted;
    markCell();
    try {
      const found = await ask("images", { model: chosen, ...cell, offset: 0 });
      if (mine !== turns.cell) return;
      trouble.textContent = "";
      total = found.total;
      shown = [];
      title.textContent = nameOf(cell, total);
      order.textContent = total > 1 ? (cell.truth !== null && cell.truth === cell.answer ? texts.leastSureFirst : texts.surestFirst) : "";
      gallery.replaceChildren();
      pictures.clear();
      append(found.images);
      number = image ?? found.images[0]?.number ?? null;
      if (asked) spoken.say(title.textContent ?? "");
      await openImage();
    } catch (error) {
      complain(error);
    }
  }

  /** @param {Read[]} images */
  function append(images) {
    shown.push(...images);
    gallery.append(...images.map((image) => make(
      "button",
      {
        "data-number": image.number, "aria-label": fill(texts.thumb, { ...image, probability: write.percent(image.probability) }),
        onclick: () => {
          number = image.number;
          openImage(true).catch(complain);
        },
      },
      picture(image.pixels),
      make("span", { class: "numbers", text: `${image.label} → ${image.answer}` }),
      make("span", { class: "numbers quiet", text: write.percent(image.probability) }),
    )));
    more.hidden = shown.length >= total;
    more.textContent = fill(texts.more, { shown: write.integer(shown.length), total: write.integer(total) });
  }

  async function showMore() {
    const mine = turns.cell;
    const found = await ask("images", { model: chosen, ...cell, offset: shown.length });
    if (mine !== turns.cell) return;
    const next = shown.length;
    append(found.images);
    if (more.hidden) /** @type {HTMLElement | undefined} */ (gallery.children[next])?.focus();
  }

  /** Shows the image `number` large. @param {boolean} [asked] */
  async function openImage(asked = false) {
    const mine = ++turns.image;
    for (const button of gallery.querySelectorAll("button")) button.setAttribute("aria-pressed", String(Number(button.dataset.number) === number));
    one.hidden = number === null;
    remember();
    if (number === null) return;
    const image = await ask("image", { model: chosen, number });
    if (mine !== turns.image) return;
    trouble.textContent = "";
    const right = image.label === image.answer;
    const sentence = fill(right ? texts.imageRight : texts.imageWrong, image);
    const bars = make("ol", { class: "bars", "aria-label": texts.probabilities }, ...DIGITS.map((digit) => {
      const share = image.probabilities[digit];
      const mark = digit === image.label ? (right ? texts.isBoth : texts.isTruth) : digit === image.answer ? texts.isAnswer : "";
      const bar = make("span", { class: digit === image.label ? "filled truth" : "filled" });
      bar.style.width = `${100 * share}%`;
      return make("li", {}, make("span", { class: "digit", text: String(digit) }), make("span", { class: "track", "aria-hidden": "true" }, bar),
        make("span", { class: "share numbers", text: write.percent(share) }), make("span", { class: "mark", text: mark }));
    }));
    one.replaceChildren(
      picture(image.pixels),
      make("div", {},
        make("h3", { text: fill(texts.imageTitle, { number: write.integer(image.number) }) }),
        make("p", {}, make("span", { class: right ? "good" : "bad", "aria-hidden": "true", text: right ? "✓ " : "✗ " }), sentence),
        bars,
        inLab && make("p", {}, make("a", { href: `#draw?${new URLSearchParams({ image: String(image.number), model: chosen })}`, text: texts.toDraw })),
      ),
    );
    if (asked) {
      one.scrollIntoView({ block: "nearest" });
      spoken.say(sentence);
    }
  }

  // Digit by digit, and answering only when sure

  const classes = make("table", { class: "classes" });

  /** @param {Overview} found */
  function drawClasses(found) {
    const share = (/** @type {number | null} */ value) => (value === null ? "–" : write.percent(value, 2));
    classes.replaceChildren(
      make("thead", {}, make("tr", {}, ...[texts.digit, texts.imagesHead, texts.precision, texts.recall].map((text) => make("th", { scope: "col", text })))),
      make("tbody", {}, ...found.classes.map((row, digit) => make("tr", {}, make("th", { scope: "row", text: String(digit) }),
        ...[write.integer(row.images), share(row.precision), share(row.recall)].map((text) => make("td", { text }))))),
    );
  }

  const sure = make("input", { type: "range", min: 0, max: 99, value: sureness, step: 1, "aria-label": texts.sure, oninput: () => drawSilence(), onchange: () => remember() });
  const sureValue = make("output", { class: "numbers" });
  const silence = make("p", { role: "status" });

  function drawSilence() {
    if (!overview) return;
    sure.max = String(overview.abstention.length - 1);
    const now = overview.abstention[Number(sure.value)];
    const limit = now.threshold ? write.percent(now.threshold, now.threshold > 0.9 ? 2 : 0) : texts.always;
    sureValue.textContent = limit;
    sure.setAttribute("aria-valuetext", limit);
    silence.textContent = fill(texts.silenceCost, { coverage: write.percent(now.coverage, 1), errors: write.integer(now.errors), answered: write.integer(now.answered) });
  }

  // All of it

  const disturbing = disturbPart({ ask, write, texts, disturbances, complain, remember, address });
  const busy = make("p", { class: "quiet", role: "status", text: texts.computing });
  const content = make("div", { hidden: true },
    make("div", { class: "halves" },
      make("section", {}, make("h2", { text: texts.matrix }),
        make("div", {}, make("p", { class: "axes", "aria-hidden": "true" }, make("span", { text: `${texts.truth} ↓` }), make("span", { text: `${texts.answer} →` })),
          make("div", { class: "wide matrix" }, table)),
        make("p", { class: "quiet", text: texts.matrixHelp })),
      make("section", { class: "images" }, title, one, order, gallery, more)),
    make("hr"),
    make("div", { class: "halves" },
      disturbing.element,
      make("div", { class: "rest" },
        make("section", {}, make("h2", { text: texts.silence }),
          make("div", { class: "field" }, make("span", { "aria-hidden": "true", text: texts.sure }), make("span", { class: "slider" }, sure, sureValue)), silence),
        make("section", {}, make("h2", { text: texts.classes }), make("p", { class: "quiet", text: texts.classesHelp }), make("div", { class: "wide" }, classes)))),
  );
  const root = make("div", { class: "pasapas evaluate" }, make("div", { class: "head" }, menu.element, figures), trouble, busy, content);
  el.append(root);
  const spoken = announcer(root);

  /**
   * Shows the chosen model.
   * @param {Cell | null} wanted otherwise its most frequent confusion @param {number | null} image
   */
  async function load(wanted, image) {
    const mine = ++turns.model;
    /** The numbers of another model do not stay under this one's name. @param {unknown} error @returns {never} */
    const nothing = (error) => {
      if (mine === turns.model) {
        content.hidden = true;
        figures.replaceChildren();
      }
      throw error;
    };
    busy.hidden = false;
    try {
      const found = /** @type {Overview} */ (await ask("overview", { model: chosen }).catch(nothing));
      if (mine !== turns.model) return;
      overview = found;
      trouble.textContent = "";
      drawFigures(found);
      drawMatrix(found);
      drawClasses(found);
      drawSilence();
      content.hidden = false;
      const [truth, answer] = found.worst ?? [null, null];
      disturbing.show(chosen);
      await openCell(wanted ?? { truth, answer }, image);
    } catch (error) {
      complain(error);
    } finally {
      if (mine === turns.model) busy.hidden = true;
    }
  }

  const unTheme = onTheme(() => {
    pictures.forEach((values, canvas) => paintInk(canvas, values, 28));
    disturbing.redraw();
  });
  load(wanted, image);
  return () => {
    unTheme();
    spoken.close();
    disturbing.close();
    close();
    root.remove();
  };
}

export default { render };
