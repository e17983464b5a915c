// @ts-check
/**
 * The view Descent: choose a function, drop a ball, and watch where gradient descent takes it. Python computes; the
 * pictures are in `descent_curve.js` and `descent_surface.js`.
 */

import { lineChart } from "./chart.js";
import { curvePicture } from "./descent_curve.js";
import { surfacePicture } from "./descent_surface.js";
import { announcer, asker, fill, make, newest, Refusal, still, writer } from "./parts.js";

/**
 * @typedef {import("./descent_ball.js").Landscape} Landscape
 * @typedef {import("./descent_ball.js").Path} Path
 * @typedef {{function: string, start: number[], rate: number, momentum: number, nesterov: boolean, compare: boolean, steps: number}} State
 */

const NOTCHES = 120; // of the slider of learning rates
const PACE = 400; // milliseconds a step takes; later ones take less
const QUICKEST = 90;
const SLOW_STEPS = 4;
const QUIET = 400; // milliseconds without a change until it is written into the address

/** @param {{model: import("./parts.js").Model, el: HTMLElement}} context */
function render({ model, el }) {
  const { texts, functions, regimes, most, language } = model.get("about");
  const write = writer(language);
  const { ask, close } = asker(model);
  const announce = announcer(el);
  const names = ["x", "y"];

  /** @param {string} name @returns {Landscape} */
  const landscapeOf = (name) => functions.find((/** @type {Landscape} */ one) => one.name === name) ?? functions[0];
  /** @param {number[]} point */
  const placeOf = (point) => (point.length === 1 ? `x = ${write.short(point[0])}` : fill(texts.pair, { x: write.short(point[0]), y: write.short(point[1]) }));

  /** What an address says, as far as it makes sense. @param {Record<string, string>} address @returns {State} */
  function read(address) {
    const landscape = landscapeOf(address.f);
    /** @param {string | undefined} text @param {number} low @param {number} high @param {number} otherwise */
    const number = (text, low, high, otherwise) => {
      const value = text ? Number(text) : NaN;
      return value >= low && value <= high ? value : otherwise;
    };
    return {
      function: landscape.name,
      start: landscape.start.map((x, i) => number(address[names[i]], landscape.low[i], landscape.high[i], x)),
      rate: number(address.rate, 1e-6, landscape.most, Object.values(landscape.rates)[0]),
      momentum: number(address.momentum, 0, most.momentum, 0),
      nesterov: address.nesterov === "1",
      compare: address.compare !== "0",
      steps: Math.round(number(address.steps, 1, most.steps, landscape.steps)),
    };
  }

  let state = read(model.get("address") ?? {});
  /** @type {Path | null} */
  let path = null;
  let position = 0; // of the ball: between two steps while it moves
  let written = "";
  let frame = 0; // of the animation; 0 while it stands
  let saving = 0;
  let falls = false; // whether the ball is let go as soon as the path is known

  // The pictures

  /** @type {import("./descent_ball.js").Hands} */
  const hands = {
    texts,
    place: placeOf,
    write: (value) => write.short(value),
    drop(start, done) {
      falls = done && !still();
      change({ start });
    },
    go: () => toggle(),
  };
  const curve = curvePicture(ask, hands);
  const surface = surfacePicture(ask, hands);
  const flat = () => state.start.length === 1;
  const picture = () => (flat() ? curve : surface);

  // What is chosen

  const select = make("select", { onchange: () => choose(select.value) },
    ...[1, 2].map((n) => make("optgroup", { label: n === 1 ? texts.oneNumber : texts.twoNumbers },
      ...functions.filter((/** @type {Landscape} */ one) => one.start.length === n).map((/** @type {Landscape} */ one) => make("option", { value: one.name, text: fill(texts.readout, { x: one.label, values: one.formula }) })))));
  const hint = make("p", { class: "quiet" });
  const slope = make("p", { class: "quiet slope" });

  /**
   * A slider with its value beside it.
   * @param {string} label @param {{min: number, max: number, step: number}} bounds @param {(value: number) => void} moved
   */
  function slider(label, bounds, moved) {
    const input = make("input", { type: "range", ...bounds, oninput: () => moved(Number(input.value)) });
    const output = make("span", { class: "numbers" }); // an <output> would take the label, and be read out at every change
    return {
      element: make("label", { class: "field slider" }, make("span", {}, label, " ", output), input),
      /** @param {number} value @param {string} text */
      set(value, text) {
        input.value = String(value);
        output.textContent = text;
        input.setAttribute("aria-valuetext", text);
      },
    };
  }
  const rate = slider(texts.rate, { min: 1, max: NOTCHES, step: 1 }, (notch) =>
    change({ rate: +((notch * landscapeOf(state.function).most) / NOTCHES).toPrecision(6) }));
  const momentum = slider(texts.momentum, { min: 0, max: most.momentum, step: 0.01 }, (value) => change({ momentum: value }));
  const steps = slider(texts.steps, { min: 1, max: most.steps, step: 1 }, (value) => change({ steps: value }));
  const nesterov = make("input", { type: "checkbox", onchange: () => change({ nesterov: nesterov.checked }) });
  const compare = make("input", { type: "checkbox", onchange: () => change({ compare: compare.checked }) });
  const nesterovField = make("label", { class: "check" }, nesterov, texts.nesterov);
  const compareField = make("label", { class: "check" }, compare, texts.compare);
  const marks = make("div", { class: "marks", "aria-hidden": "true" });
  const tries = make("div", { class: "tries", role: "group", "aria-label": texts.try });

  function drawTries() {
    const { rates, most: largest } = landscapeOf(state.function);
    tries.classList.toggle("pairs", Object.keys(rates).length % 3 === 1);
    tries.replaceChildren(...Object.entries(rates).map(([key, value]) =>
      make("button", { type: "button", "data-regime": key, "aria-pressed": String(value === state.rate && !state.momentum), onclick: () => change({ rate: value, momentum: 0 }) },
        regimes[key], make("span", { class: "numbers", text: `α = ${write.short(value)}` }))));
    marks.replaceChildren(...Object.values(rates).map((value) => {
      const mark = make("span");
      mark.style.left = `${(100 * (value / largest - 1 / NOTCHES)) / (1 - 1 / NOTCHES)}%`;
      return mark;
    }));
  }

  // What came of it

  const trouble = make("p", { class: "trouble", role: "alert" });
  const regime = make("p", { class: "regime" });
  const why = make("p");
  const result = make("p", { class: "quiet" });
  const play = make("button", { type: "button", class: "main", onclick: () => toggle() });
  const back = make("button", { type: "button", "aria-label": texts.back, title: texts.back, text: "←", onclick: () => walk(Math.ceil(position) - 1) });
  const forth = make("button", { type: "button", text: texts.step, onclick: () => walk(Math.floor(position) + 1) });
  const reset = make("button", { type: "button", text: texts.reset, onclick: () => walk(0) });
  const counter = make("p", { class: "counter numbers" });
  const arithmetic = make("div", { class: "arithmetic numbers" });
  const head = make("thead");
  const body = make("tbody");
  const box = make("div", { class: "wide rows", tabindex: 0, role: "region", "aria-label": texts.table }, make("table", {}, head, body));
  const charts = make("div", { class: "charts" });
  /** @type {ReturnType<typeof lineChart> | null} */
  let chart = null;
  let logarithmic = false;

  /** @param {Path | null} other */
  function drawLosses(other) {
    if (!path) return;
    const wanted = path.losses.every((value) => value >= 0);
    if (!chart || wanted !== logarithmic) {
      chart?.close();
      logarithmic = wanted;
      chart = lineChart({ title: texts.lossPerStep, x: texts.stepName, texts, logarithmic, write: (value) => write.short(value, 3) });
      charts.replaceChildren(chart.element);
    }
    /** @param {string} name @param {Path} one @returns {import("./chart.js").Series} */
    const series = (name, one) => ({ name, points: one.losses.map((value, k) => [k, value]) });
    chart.set(other ? [series(texts.withMomentum, path), series(texts.without, other)] : [series(texts.loss, path)]);
  }

  function drawTable() {
    if (!path) return;
    const { points, gradients, losses } = path;
    const columns = flat() ? [texts.stepName, "x", texts.slope, texts.move, texts.loss] : [texts.stepName, ...names, texts.gradient, texts.loss];
    head.replaceChildren(make("tr", {}, ...columns.map((text) => make("th", { scope: "col", text }))));
    /** @param {number[]} values */
    const several = (values) => (values.length === 1 ? write.short(values[0]) : fill(texts.pair, { x: write.short(values[0], 3), y: write.short(values[1], 3) }));
    body.replaceChildren(...points.map((point, k) => make("tr", {},
      make("th", { scope: "row", text: write.integer(k) }),
      ...point.map((x) => make("td", { text: write.short(x) })),
      make("td", { text: several(gradients[k]) }),
      flat() && make("td", { text: k + 1 < points.length ? write.short(points[k + 1][0] - point[0]) : "" }),
      make("td", { text: write.short(losses[k]) }))));
  }

  /** Shows the ball where it is. */
  function place() {
    if (!path) return;
    const last = path.points.length - 1;
    picture().move(position);
    const k = Math.floor(position);
    counter.textContent = fill(texts.stepOf, { k: write.integer(k), n: write.integer(last) });
    const shown = path.arithmetic[Math.min(k, last - 1)];
    arithmetic.replaceChildren(make("p", { class: "quiet", text: k < last ? texts.next : texts.lastStep }), ...shown.map((text) => make("p", { text })));
    play.textContent = frame ? texts.pause : texts.play;
    back.disabled = reset.disabled = position === 0;
    forth.disabled = position >= last;
    body.querySelector("[aria-current]")?.removeAttribute("aria-current");
    const row = body.rows[k];
    row?.setAttribute("aria-current", "step");
    if (row && (row.offsetTop < box.scrollTop + 40 || row.offsetTop > box.scrollTop + box.clientHeight - 60)) box.scrollTop = row.offsetTop - 80;
  }

  // The ball moves

  function stop() {
    cancelAnimationFrame(frame);
    frame = 0;
  }

  /** @param {number} step */
  function walk(step) {
    if (!path) return;
    stop();
    position = Math.min(Math.max(step, 0), path.points.length - 1);
    place();
    announce.say(fill(texts.readout, { x: counter.textContent ?? "", values: placeOf(path.points[position]) }));
  }

  /** Lets the ball go from where it is, or stops it. */
  function toggle() {
    if (!path) return;
    const last = path.points.length - 1;
    if (frame) {
      stop();
      position = Math.ceil(position);
      place();
      return;
    }
    if (still()) {
      walk(last);
      return;
    }
    if (position >= last) position = 0;
    let before = performance.now();
    /** @param {number} now */
    const go = (now) => {
      const pace = Math.max(QUICKEST, PACE * Math.min(1, (SLOW_STEPS / Math.max(position, 1)) ** 0.8));
      position = Math.min(position + Math.max(now - before, 0) / pace, last);
      before = now;
      frame = position < last ? requestAnimationFrame(go) : 0;
      place();
    };
    frame = requestAnimationFrame(go);
    place();
  }

  // Changes

  /** @param {string} name another function, with what is best tried on it first */
  function choose(name) {
    change(read({ f: name }));
  }

  /** @param {Partial<State>} changes */
  function change(changes) {
    stop();
    state = { ...state, ...changes };
    drawControls();
    clearTimeout(saving);
    saving = window.setTimeout(remember, QUIET);
    load(state);
  }

  function remember() {
    /** @type {Record<string, string>} */
    const address = { f: state.function };
    state.start.forEach((x, i) => (address[names[i]] = String(x)));
    Object.assign(address, { rate: String(state.rate), steps: String(state.steps) });
    if (state.momentum) address.momentum = String(state.momentum);
    if (state.nesterov) address.nesterov = "1";
    if (!state.compare) address.compare = "0";
    written = JSON.stringify(address);
    model.set("address", address);
    model.save_changes();
  }

  function drawControls() {
    const landscape = landscapeOf(state.function);
    select.value = state.function;
    hint.textContent = landscape.hint;
    slope.textContent = fill(texts.readout, { x: flat() ? texts.slope : texts.gradient, values: landscape.slope });
    rate.set(Math.round((state.rate / landscape.most) * NOTCHES), `= ${write.short(state.rate)}`);
    momentum.set(state.momentum, `= ${write.short(state.momentum)}`);
    steps.set(state.steps, write.integer(state.steps));
    nesterov.checked = state.nesterov;
    compare.checked = state.compare;
    nesterov.disabled = compare.disabled = !state.momentum;
    compareField.hidden = flat();
    if (tries.dataset.function !== state.function) drawTries();
    tries.dataset.function = state.function;
    tries.querySelectorAll("button").forEach((button) =>
      button.setAttribute("aria-pressed", String(landscape.rates[button.dataset.regime ?? ""] === state.rate && !state.momentum)));
  }

  const load = newest(async (/** @type {State} */ wanted) => {
    const fields = { function: wanted.function, start: wanted.start, learning_rate: wanted.rate, momentum: wanted.momentum, nesterov: wanted.nesterov, steps: wanted.steps };
    const compared = wanted.momentum > 0 && wanted.compare && wanted.start.length === 2;
    try {
      const [found, other] = await Promise.all([ask("path", fields), compared ? ask("path", { ...fields, momentum: 0 }) : null]);
      if (wanted.function !== state.function) return;
      trouble.textContent = "";
      path = /** @type {Path} */ (found);
      position = 0;
      curve.element.hidden = !flat();
      surface.element.hidden = flat();
      picture().show(landscapeOf(wanted.function), path, other);
      key.hidden = !other;
      regime.textContent = regimes[path.regime];
      regime.dataset.regime = path.regime;
      why.textContent = path.why;
      result.textContent = `${path.result[0].toLocaleUpperCase(language)}${path.result.slice(1)}.`;
      drawTable();
      place();
      drawLosses(other);
      announce.say(fill(texts.said, { regime: regimes[path.regime], result: path.result }));
      if (falls && wanted === state) {
        falls = false;
        toggle();
      }
    } catch (error) {
      if (error instanceof Refusal) trouble.textContent = error.message;
      throw error;
    }
  });

  // The page

  const key = make("p", { class: "quiet key" },
    make("span", { class: "mine", "aria-hidden": "true", text: "●" }), ` ${texts.withMomentum} `,
    make("span", { class: "theirs", "aria-hidden": "true", text: "■" }), ` ${texts.without}`);
  const root = make("div", { class: "pasapas descent" },
    make("div", { class: "top" },
      make("section", { class: "scene", "aria-label": texts.function },
        curve.element, surface.element, key,
        make("div", { class: "row playing" }, play, back, forth, reset, counter),
        make("p", { class: "quiet", text: texts.drop }),
        make("div", { class: "said" }, make("div", { class: "verdict" }, regime, why, result), arithmetic)),
      make("section", { class: "controls" },
        make("label", { class: "field" }, make("span", { text: texts.function }), select),
        make("div", {}, hint, slope),
        make("div", { class: "rates" }, rate.element, marks, tries),
        momentum.element,
        make("div", { class: "row" }, nesterovField, compareField),
        steps.element,
        trouble)),
    make("div", { class: "below" },
      charts,
      make("section", { class: "all" }, make("h2", { text: texts.table }), box)));
  el.append(root);
  drawControls();
  load(state);

  const onAddress = () => {
    if (JSON.stringify(model.get("address")) === written) return;
    clearTimeout(saving);
    stop();
    state = read(model.get("address") ?? {});
    drawControls();
    load(state);
  };
  model.on("change:address", onAddress);
  return () => {
    model.off("change:address", onAddress);
    clearTimeout(saving);
    stop();
    [curve, surface, chart, announce].forEach((one) => one?.close());
    close();
  };
}

export default { render };
