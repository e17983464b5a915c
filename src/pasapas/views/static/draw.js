// @ts-check
/** The view Draw: a digit is written, prepared as MNIST was, and read by a network whose hidden units light up. */

import { cells, ink, units } from "./draw_cells.js";
import { drawingPad } from "./draw_pad.js";
import { unitPanel } from "./draw_unit.js";
import { announcer, asker, bytes, contentOf, fill, floats, make, modelMenu, newest, onTheme, Refusal, svg, writer } from "./parts.js";

/**
 * @typedef {import("./draw_unit.js").Place} Place
 * @typedef {{units: number, activations: string | null, active: number | null}} Layer
 * @typedef {{found: boolean, why: string, image: string | null, box: number[] | null, label: number | null,
 *   probabilities: number[] | null, predicted: number | null, sure: boolean | null, threshold: number | null,
 *   layers: Layer[] | null, unit: import("./draw_unit.js").Opened | null}} Reading
 */

const CLASSES = 10;
const CROSS = (14.5 / 28) * 100; // the middle of MNIST's pixel 14, where it has the centre of mass
const MOST_MB = 45;

/** @param {{model: import("./parts.js").Model, el: HTMLElement}} context */
function render({ model, el }) {
  const { texts, language, models, images } = model.get("about");
  const write = writer(language);
  const { ask, close: closeAsker } = asker(model);
  /** @type {{model: string, unit: Place | null}} */
  const state = { model: "shipped", unit: null };
  /** @type {Reading | null} */
  let reading = null;

  // The pad, and other ways to a picture

  const pad = drawingPad({ texts, changed, say: (sentence) => voice.say(sentence) });
  const trouble = make("p", { class: "trouble", role: "alert" });
  const pick = make("input", { type: "file", hidden: true, accept: "image/*", "aria-label": texts.openPicture });
  const number = make("input", { type: "number", min: 0, max: images - 1, step: 1, inputmode: "numeric", onchange: takeNumbered });
  const known = new Set(models.map((/** @type {import("./parts.js").Listed} */ one) => one.key));
  const menuPlace = make("div");
  const makeMenu = () => menuPlace.replaceChildren(modelMenu({ ask, texts, models, chosen: state.model, choose: chooseModel, complain }).element);

  /** @param {string} key */
  function chooseModel(key) {
    known.add(key);
    state.model = key;
    openUnit(null);
    changed();
  }

  const padPart = make(
    "section",
    { class: "writing", "aria-label": texts.pad },
    pad.surface,
    make("div", { class: "row" }, ...pad.buttons),
    make("label", { class: "pen" }, make("span", { text: texts.penWidth }), pad.width),
  );
  const tools = make(
    "div",
    { class: "tools" },
    trouble,
    menuPlace,
    make(
      "div",
      { class: "row" },
      make("label", { class: "field" }, make("span", { text: fill(texts.testImage, { last: write.integer(images - 1) }) }), number),
      make("button", { type: "button", text: texts.random, onclick: () => take(Math.floor(Math.random() * images)) }),
    ),
    make("div", { class: "row" }, make("button", { type: "button", text: texts.openPicture, onclick: () => pick.click() }), pick),
    make("p", { class: "quiet", text: `${texts.openHelp} ${texts.padHelp}` }),
  );

  function takeNumbered() {
    if (number.value !== "" && number.checkValidity()) take(Number(number.value));
    else number.reportValidity();
  }

  /** @param {number} image */
  function take(image) {
    pad.put(image);
  }

  /** @param {File | null | undefined} file */
  async function openFile(file) {
    if (!file) return;
    try {
      pad.putPhoto(await ask("open", await contentOf(file, MOST_MB, texts)));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      complain(error.message);
    }
    pick.value = "";
  }

  pick.addEventListener("change", () => openFile(pick.files?.[0]));
  padPart.addEventListener("dragover", (event) => event.preventDefault());
  padPart.addEventListener("drop", (event) => {
    event.preventDefault();
    openFile(event.dataTransfer?.files[0]);
  });
  /** @param {ClipboardEvent} event */
  const pasted = (event) => {
    const here = event.target === document.body || root.contains(/** @type {Node} */ (event.target));
    if (here && event.clipboardData?.files.length) openFile(event.clipboardData.files[0]);
  };
  document.addEventListener("paste", pasted);

  // What is read

  const verdict = make("p", { class: "verdict" });
  const truth = make("p", { class: "quiet" });
  const prepared = cells({
    label: texts.prepared,
    paint: ink,
    describe: (cell, value) => fill(texts.pixel, { row: Math.floor(cell / 28) + 1, column: (cell % 28) + 1, value: reading?.found ? value : 0 }),
  });
  const cross = svg("svg", { class: "cross", "aria-hidden": "true" },
    svg("line", { x1: `${CROSS - 4}%`, x2: `${CROSS + 4}%`, y1: `${CROSS}%`, y2: `${CROSS}%` }),
    svg("line", { x1: `${CROSS}%`, x2: `${CROSS}%`, y1: `${CROSS - 4}%`, y2: `${CROSS + 4}%` }),
  );
  prepared.arrange(28);
  prepared.field.append(cross);
  const rows = Array.from({ length: CLASSES }, (_nothing, digit) => {
    const bar = make("span", { class: "length" });
    const share = make("span", { class: "share numbers" });
    const mark = make("span", { class: "mark", "aria-hidden": "true" });
    return { row: make("li", {}, mark, make("span", { class: "name", text: String(digit) }), make("span", { class: "track", "aria-hidden": "true" }, bar), share), bar, share, mark };
  });
  const threshold = make("p", { class: "quiet" });
  const readPart = make(
    "section",
    { class: "reading", "aria-label": texts.probabilities },
    make("div", { class: "got" }, make("figure", {}, make("figcaption", { text: texts.prepared }), prepared.field), make("div", {}, verdict, truth)),
    prepared.said,
    make("ol", { class: "bars", "aria-label": texts.probabilities }, ...rows.map(({ row }) => row)),
    threshold,
  );

  /** @param {Reading} found */
  function showVerdict(found) {
    const best = found.predicted;
    const sure = best === null ? "" : write.percent(found.probabilities?.[best] ?? NaN);
    verdict.classList.toggle("unsure", found.sure === false);
    verdict.replaceChildren(
      ...(best === null
        ? [make("span", { class: "quiet", text: found.why || (pad.blank() ? texts.none : "") })]
        : found.sure
          ? [make("strong", { text: String(best) }), make("span", { text: fill(texts.sure, { sure }) })]
          : [make("strong", { text: texts.unsure }), make("span", { text: fill(texts.likely, { predicted: best, sure }) })]),
    );
    truth.textContent = found.label === null ? "" : fill(texts.label, { image: pad.image() ?? "", label: found.label });
    rows.forEach(({ row, bar, share, mark }, digit) => {
      const p = found.probabilities?.[digit];
      bar.style.width = `${100 * (p ?? 0)}%`;
      share.textContent = p === undefined ? "" : write.percent(p);
      row.classList.toggle("best", digit === best);
      mark.textContent = digit !== best ? "" : found.sure ? "▸" : "?";
    });
    threshold.textContent = found.threshold === null ? "" : fill(texts.threshold, { threshold: write.percent(found.threshold, 2) });
    prepared.set(found.image ? bytes(found.image) : new Uint8Array(784), !found.found ? "" : found.label === null ? texts.preparedHow : texts.preparedAlready);
    cross.toggleAttribute("hidden", !found.box);
  }

  /** @param {Reading} found */
  function inWords(found) {
    const best = found.predicted;
    if (best === null) return found.why || texts.none;
    const values = { predicted: best, sure: write.percent(found.probabilities?.[best] ?? NaN) };
    return found.sure ? fill(texts.answer, values) : `${texts.unsure}: ${fill(texts.likely, values)}`;
  }

  // The hidden units

  const none = make("p", { class: "quiet" });
  const layersPart = make("div", { class: "layers" });
  const unitsPart = make("section", { class: "hidden-units" }, make("h2", { text: texts.units }), none, layersPart);
  /** @type {{title: HTMLElement, active: HTMLElement, grid: ReturnType<typeof cells>, count: number}[]} */
  let layers = [];
  const panel = unitPanel({ texts, write, close: () => leaveUnit(), open: (place) => openUnit(place, true), take });

  /** @param {Reading} answer */
  function showLayers({ layers: listed, found }) {
    const shown = listed ?? [];
    none.textContent = !listed ? texts.committee : !shown.length ? texts.noHidden : found ? texts.unitHelp : texts.unitWait;
    if (shown.length !== layers.length || shown.some((one, i) => one.units !== layers[i].count)) makeLayers(shown);
    shown.forEach((one, i) => {
      const values = one.activations ? floats(one.activations) : new Float32Array(one.units);
      layers[i].grid.set(values);
      layers[i].active.textContent = one.active === null ? "" : fill(texts.active, { active: write.integer(one.active) });
    });
  }

  /** @param {Layer[]} shown */
  function makeLayers(shown) {
    layers = shown.map(({ units: count }, layer) => {
      const label = fill(texts.layer, { layer: layer + 1, units: write.integer(count) });
      const grid = cells({
        label,
        paint: units,
        describe: (unit, value) => (reading?.found ? fill(texts.unitReadout, { unit, a: write.number(value, 3) }) : String(unit)),
        open: (unit) => openUnit({ layer, number: unit }, true),
      });
      return { title: make("h3", { text: label }), active: make("span", { class: "quiet numbers" }), grid, count };
    });
    layersPart.replaceChildren(
      ...layers.map(({ title, active, grid }) => make("div", { class: "layer" }, make("div", { class: "row between" }, title, active), grid.element)),
    );
    arrangeLayers();
  }

  /** So many cells of whole pixels to a row that a layer is some 180 pixels high. */
  function arrangeLayers() {
    const width = layersPart.clientWidth;
    for (const { grid, count } of width ? layers : []) {
      const cell = Math.floor(Math.min(Math.max(Math.sqrt((width * 180) / count), 5), 24));
      grid.arrange(Math.min(count, Math.floor(width / cell)), cell);
    }
  }

  /** @param {Place | null} place @param {boolean} [asked] whether the reader asked for it */
  function openUnit(place, asked = false) {
    state.unit = place;
    wanted = null;
    panel.examples([]);
    if (place?.layer === 0) {
      ask("excites", { model: state.model, unit: place.number }).then(
        ({ images: found }) => state.unit === place && panel.examples(found),
        (error) => complain(error.message),
      );
    }
    if (asked) {
      bring = true;
      changed();
    }
    mark();
    save();
  }
  /** @type {Place | null} what the address asks for, until it is known whether there is such a unit */
  let wanted = null;
  let bring = false; // the unit that is asked for next is brought into view

  function leaveUnit() {
    const place = state.unit;
    openUnit(null);
    panel.set(null);
    if (place) layers[place.layer]?.grid.field.focus();
  }

  function mark() {
    layers.forEach(({ grid }, layer) => grid.mark(state.unit?.layer === layer ? state.unit.number : null));
  }

  // One question at a time: the newest

  const read = newest(async () => {
    const [sheet, resting, brings] = [pad.sheet(), pad.resting(), bring];
    bring = false;
    /** @type {Reading} */
    let answer;
    try {
      answer = await ask("read", { ...pad.content(), model: state.model, ...(state.unit && { unit: state.unit }) });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      complain(error.message);
      return;
    }
    complain("");
    reading = answer;
    pad.found(answer, sheet);
    showVerdict(answer);
    showLayers(answer);
    mark();
    panel.set(answer.unit);
    if (wanted) {
      const place = wanted;
      wanted = null;
      if (place.number < (answer.layers?.[place.layer]?.units ?? 0)) {
        openUnit(place);
        changed();
      } else save();
    }
    if (brings && answer.unit) {
      panel.title.focus({ preventScroll: true });
      panel.element.scrollIntoView({ block: "nearest" });
    }
    if (resting) voice.say(inWords(answer));
  });

  function changed() {
    save();
    read(undefined);
  }

  // The address

  function save() {
    const image = pad.image();
    const { unit } = state;
    number.value = image === null ? "" : String(image);
    const address = {
      ...(state.model !== "shipped" && { model: state.model }),
      ...(image !== null && { image: String(image) }),
      ...(unit && { unit: `${unit.layer + 1}-${unit.number}` }),
    };
    if (wanted || JSON.stringify(address) === JSON.stringify(model.get("address"))) return;
    model.set("address", address);
    model.save_changes();
  }

  /** What the address says, where that differs from what is shown. */
  function obey() {
    const address = model.get("address") ?? {};
    const asked = /^([1-9]\d?)-(\d{1,6})$/.exec(address.unit ?? "");
    const unit = asked && { layer: Number(asked[1]) - 1, number: Number(asked[2]) };
    const image = /^\d{1,5}$/.test(address.image ?? "") && Number(address.image) < images ? Number(address.image) : null;
    const key = known.has(address.model) ? address.model : "shipped";
    const others = key !== state.model || unit?.layer !== state.unit?.layer || unit?.number !== state.unit?.number;
    if (others) {
      state.model = key;
      state.unit = null;
      wanted = unit;
      makeMenu();
    }
    if (image !== pad.image()) pad.put(image);
    else if (others) changed();
  }

  /** @param {string} sentence */
  function complain(sentence) {
    trouble.textContent = sentence;
  }

  const root = make("div", { class: "pasapas draw" }, make("div", { class: "side" }, padPart, tools), readPart, unitsPart, panel.element);
  el.append(root);
  const voice = announcer(root);
  const endTheme = onTheme(() => {
    pad.refresh();
    [prepared, panel, ...layers.map(({ grid }) => grid)].forEach((part) => part.repaint());
  });
  const resized = new ResizeObserver(arrangeLayers);
  resized.observe(layersPart);
  model.on("change:address", obey);
  makeMenu();
  obey();
  changed();

  return () => {
    model.off("change:address", obey);
    document.removeEventListener("paste", pasted);
    resized.disconnect();
    endTheme();
    voice.close();
    pad.close();
    closeAsker();
  };
}

export default { render };
