// @ts-check
/**
 * One training step, stage by stage: pictures, numbers, and where each number comes from.
 *
 * This page draws. It knows no formula: which entries a number was computed from, and the sum that gave it, is asked of
 * Python by `model.send({id, tensor, index})` and comes back as `msg:custom`. Every word comes from Python too.
 *
 * What stands around it can give it another step of the same stages (`about` and `arrays` change), leave out arrays until
 * they are asked for by `model.send({id, arrays: names})`, and send it to an entry (`msg:custom` with `go`). It hears from
 * `entry` events which entry is looked at.
 */

/**
 * @typedef {{name: string, group: string, say: string, row: number, column: number, half: number}} Stage
 * @typedef {[string, string | MathNode[], string?]} MathNode
 * @typedef {{rows: number, columns: number, dimensions: number, shape: string, formula: string, math: MathNode | [],
 *   meaning: string, statistics: string, picture: string, side: number, captions: string[], largest: number,
 *   scale: string[], digits: number, start: number[], operands: string[]}} Tensor
 * @typedef {{language: string, decimal: string, title: string, convention: string,
 *   groups: {key: string, title: string}[], stages: Stage[], tensors: Record<string, Tensor>,
 *   texts: Record<string, string>}} About
 * @typedef {{tensor: string, text: string, rows: number[], columns: number[]}} Region
 * @typedef {{tensor: string, place: number[], text: string}} Entry
 * @typedef {{names: string, numbers: string, value: string, share: number, entries: Entry[]}} Term
 * @typedef {{id: number, tensor: string, index: number[], entry: string, value: string, say: string, note: string,
 *   regions: Region[], terms: Term[], inside: Term[], more: string, error?: string,
 *   go?: {tensor: string, place: number[]}}} Answer
 * @typedef {{get(name: string): any, set(name: string, value: any): void, save_changes(): void,
 *   send(content: any): void, on(event: string, callback: Function): void, off(event: string, callback: Function): void}} Model
 * @typedef {{plus: number[], minus: number[], neutral: number[]}} Colours
 * @typedef {{tensor: string, row: number, column: number}} Place
 * @typedef {{name: string, figure: HTMLElement, stack: HTMLElement, base: HTMLCanvasElement, lit: HTMLCanvasElement,
 *   marks: HTMLElement, note: HTMLElement}} Picture
 */

const MATH = "http://www.w3.org/1998/Math/MathML";
const MATH_TAGS = new Set("mrow mi mo mn mtext mspace mfrac msub msup msubsup munder".split(" "));
const ROWS = 8; // of numbers shown at once
const ACROSS = 8; // images side by side
const PATIENCE = 4000; // milliseconds until the page says that Python is silent

/**
 * An element with properties, attributes and children.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number | boolean | undefined>} [attributes] `text` is its text
 * @param {(Node | null)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = String(value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, String(value));
  }
  // JupyterLab takes single letters and arrows for itself, even here, unless the element in focus says no
  if (tag === "button" || attributes.role === "gridcell") element.setAttribute("data-lm-suppress-shortcuts", "true");
  element.append(.../** @type {Node[]} */ (children.filter((child) => child !== null)));
  return element;
}

/**
 * A formula's tree as MathML.
 * @param {MathNode} node
 * @returns {Element}
 */
export function mathElement([tag, content, style]) {
  const element = document.createElementNS(MATH, MATH_TAGS.has(tag) ? tag : "mtext");
  if (typeof content === "string") element.textContent = content;
  else element.append(...content.map(mathElement));
  if (tag === "mspace") element.setAttribute("width", "0.25em");
  if (style === "bold") element.setAttribute("class", "bold");
  return element;
}

/**
 * The colour of a share of the largest value, from −1 to 1; roots make small values visible.
 * @param {number} share
 * @param {Colours} colours
 * @returns {number[]}
 */
function colour(share, colours) {
  const end = share < 0 ? colours.minus : colours.plus;
  const strength = Math.min(1, Math.abs(share)) ** 0.7;
  return colours.neutral.map((from, i) => Math.round(from + (end[i] - from) * strength));
}

/**
 * How an array lies on a picture: a pixel for each entry, or images side by side, a pixel apart.
 * @param {Tensor} tensor
 */
function layout(tensor) {
  const { rows, columns, side } = tensor;
  if (!side) {
    return {
      width: columns,
      height: rows,
      x: (/** @type {number} */ _row, /** @type {number} */ column) => column,
      y: (/** @type {number} */ row, /** @type {number} */ _column) => row,
      /** @type {(x: number, y: number) => [number, number] | null} */
      at: (x, y) => [y, x],
    };
  }
  const across = Math.min(rows, ACROSS);
  const pitch = side + 1;
  return {
    width: across * pitch - 1,
    height: Math.ceil(rows / across) * pitch - 1,
    x: (/** @type {number} */ row, /** @type {number} */ column) => (row % across) * pitch + (column % side),
    y: (/** @type {number} */ row, /** @type {number} */ column) =>
      Math.floor(row / across) * pitch + Math.floor(column / side),
    /** @type {(x: number, y: number) => [number, number] | null} */
    at: (x, y) => {
      const row = Math.floor(y / pitch) * across + Math.floor(x / pitch);
      if (x % pitch === side || y % pitch === side || row >= rows) return null;
      return [row, (y % pitch) * side + (x % pitch)];
    },
  };
}

/**
 * How large a picture is drawn, in pixels of the page: entries square where there is room, never a hair's breadth.
 * @param {Tensor} tensor
 * @param {number} room
 * @param {number} height
 */
function size(tensor, room, height) {
  const plan = layout(tensor);
  if (tensor.side) {
    const scale = Math.min(room / plan.width, height / plan.height, 6);
    return [plan.width * scale, plan.height * scale];
  }
  let across = Math.min(26, room / plan.width);
  let down = Math.min(26, height / plan.height);
  down = Math.min(down, Math.max(2.5 * across, 18));
  across = Math.min(across, Math.max(2.5 * down, Math.min(room, 150) / plan.width));
  return [plan.width * across, plan.height * down];
}

/**
 * The view of one step.
 * @param {{model: Model, el: HTMLElement}} context
 */
function render({ model, el }) {
  /** @type {About} */
  let about = model.get("about");
  let { tensors } = about;
  const { texts, stages } = about;
  /** @type {Map<string, Float32Array>} */
  const numbers = new Map();
  /** @type {Map<string, ImageData>} */
  const images = new Map();
  /** @type {Map<string, Answer>} */
  const answers = new Map();
  /** @type {Map<string, number[]>} where one looked last in arrays of a shape */
  const looked = new Map();
  const stageNames = new Set(stages.map((stage) => stage.name));

  let stage = stages[0];
  /** @type {Place} the entry that is selected */
  let selected = { tensor: stage.name, row: 0, column: 0 };
  /** @type {Place | null} the entry that is pointed at */
  let pointed = null;
  let top = 0;
  let left = 0;
  let pinned = false; // whether the entry was chosen, by a click or a key
  let seen = [NaN, NaN]; // where the pointer was seen last
  let announce = false;
  let asked = 0;
  let width = 0;
  let complete = true; // whether all arrays are there that the stage shows
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let asking;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  /** @type {Picture | null} */
  let picture = null;
  /** @type {Picture[]} */
  let operands = [];

  // Numbers

  /** @param {string} name @returns {Float32Array} */
  function values(name) {
    let array = numbers.get(name);
    if (!array) {
      const bytes = model.get("arrays")[name];
      const view =
        bytes instanceof ArrayBuffer ? new DataView(bytes) : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      array = new Float32Array(view.byteLength / 4);
      for (let i = 0; i < array.length; i++) array[i] = view.getFloat32(4 * i, true);
      numbers.set(name, array);
    }
    return array;
  }

  /** @param {number} value @param {number} digits */
  function format(value, digits) {
    const text = digits < 0 ? value.toExponential(2) : value.toFixed(digits);
    const sign = /[1-9]/.test(text) ? text : text.replace("-", "");
    return sign.replace("-", "−").replace(".", about.decimal);
  }

  // The page, which is made once

  const title = make("p", { class: "title", text: about.title });
  const diagram = make("div", { class: "diagram" });
  const nav = make("nav", { "aria-label": texts.stages }, diagram);
  /** @type {Map<string, HTMLButtonElement>} */
  const buttons = new Map();
  for (const group of about.groups) {
    const box = make("div", { class: `group ${group.key}`, role: "group", "aria-label": group.title });
    box.append(make("span", { class: "label", "aria-hidden": "true", text: group.title }));
    for (const one of stages.filter((candidate) => candidate.group === group.key)) {
      const button = make("button", { type: "button", class: `stage row${one.row}${one.half ? " part" : ""}`, text: one.name, tabindex: -1 });
      const track = 2 * one.column;
      button.style.gridRow = String(one.row);
      button.style.gridColumn = one.half ? `${track + one.half - 1}` : `${track} / span 2`;
      button.title = tensors[one.name].meaning;
      button.addEventListener("click", () => show(one.name));
      buttons.set(one.name, button);
      box.append(button);
    }
    diagram.append(box);
  }
  const lossAt = stages.find((one) => one.name === "L");
  const turnFrom = stages.find((one) => one.row === 2);
  if (lossAt && turnFrom) {
    for (const line of ["turn", "again"]) {
      const drawn = make("span", { class: line, "aria-hidden": "true" });
      drawn.style.gridColumn = `${2 * turnFrom.column + 2} / ${2 * lossAt.column + (line === "turn" ? 1 : 0)}`;
      diagram.append(drawn);
    }
  }
  const before = make("button", { type: "button", class: "walk", text: `← ${texts.previous}` });
  const after = make("button", { type: "button", class: "walk", text: `${texts.next} →` });
  const count = make("span", { class: "count", "aria-hidden": "true" });
  before.addEventListener("click", () => walk(-1));
  after.addEventListener("click", () => walk(1));
  const controls = make("div", { class: "controls" }, before, after, count);

  const heading = make("h3");
  const formula = make("div", { class: "formula" });
  const meaning = make("p", { class: "meaning" });
  const said = make("span", { class: "unseen" });
  const sentence = make("span");
  meaning.setAttribute("aria-live", "polite");
  meaning.append(said, sentence);
  const statistics = make("p", { class: "quiet" });
  const main = make("div", { class: "tensor" });
  const table = make("div", { class: "wide" });
  const jump = make("div", { class: "jump" });
  const sum = make("div", { class: "sum" });
  const from = make("div", { class: "operands" });
  const fromTitle = make("h4", { text: texts.sources });
  const sumPart = make("div", { class: "side" }, make("h4", { text: texts.sum }), sum);
  const sourceSide = make("div", { class: "side" }, fromTitle, from, sumPart);
  const tensorSide = make("div", { class: "side" }, main, jump, table);
  const halves = make("div", { class: "halves" }, tensorSide, sourceSide);
  const convention = make("p", { class: "quiet", text: about.convention });
  const status = make("p", { class: "unseen", role: "status" });
  const root = make(
    "section",
    { class: "pasapas-step", lang: about.language, "aria-label": about.title },
    make("div", { class: "top" }, title, controls),
    nav,
    make("div", { class: "head" }, heading, formula),
    meaning,
    statistics,
    halves,
    make("p", { class: "quiet", text: texts.help }),
    convention,
    status,
  );
  el.append(root);

  // Stages

  /** @param {number} by */
  function walk(by) {
    const i = stages.indexOf(stage) + by;
    if (i >= 0 && i < stages.length) show(stages[i].name);
  }

  /**
   * Shows a stage, at an entry if one is given, otherwise where one looked last in an array of this shape.
   * @param {string} name
   * @param {number[]} [place]
   */
  function show(name, place) {
    const next = stages.find((one) => one.name === name);
    if (!next) return;
    stage = next;
    const tensor = tensors[name];
    const [row, column] = place || looked.get(tensor.shape) || tensor.start;
    pointed = null;
    pinned = place !== undefined;
    top = left = 0;
    selected = { tensor: name, row, column };
    looked.set(tensor.shape, [row, column]);
    draw();
    if (model.get("stage") !== name) {
      model.set("stage", name);
      model.save_changes();
    }
  }

  function draw() {
    const tensor = tensors[stage.name];
    const i = stages.indexOf(stage);
    for (const [name, button] of buttons) {
      const current = name === stage.name;
      button.tabIndex = current ? 0 : -1;
      if (current) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
      button.classList.toggle("past", stages.findIndex((one) => one.name === name) < i);
    }
    before.disabled = i === 0;
    after.disabled = i === stages.length - 1;
    count.textContent = `${i + 1} / ${stages.length}`;
    heading.replaceChildren(make("code", { text: stage.name }), make("span", { class: "shape", text: tensor.shape }));
    formula.replaceChildren();
    if (tensor.math.length) {
      const math = document.createElementNS(MATH, "math");
      math.setAttribute("display", "block");
      math.append(mathElement(/** @type {MathNode} */ (tensor.math)));
      formula.append(math, make("code", { text: `${stage.name} = ${tensor.formula}` }));
    }
    said.textContent = `${stage.say} `;
    sentence.textContent = tensor.meaning;
    statistics.textContent = tensor.statistics;
    convention.hidden = stage.group !== "backward";
    sourceSide.classList.toggle("given", !tensor.operands.length);
    (tensor.dimensions ? sourceSide : tensorSide).append(sumPart);
    const missing = [stage.name, ...tensor.operands].filter((name) => !(name in model.get("arrays")));
    complete = !missing.length;
    halves.classList.toggle("waiting", !complete);
    if (complete) drawNumbers();
    else model.send({ id: ++asked, arrays: missing });
  }

  function drawNumbers() {
    drawPicture();
    drawJump();
    drawOperands();
    select(selected.row, selected.column, false, pinned);
  }

  /** The width that a picture may take. @param {HTMLElement} place */
  const room = (place) => Math.max(120, place.clientWidth - 4);

  function drawPicture() {
    const tensor = tensors[stage.name];
    main.replaceChildren();
    picture = null;
    if (!tensor.dimensions) {
      main.append(make("p", { class: "single", text: format(values(stage.name)[0], 6) }));
      return;
    }
    picture = makePicture(stage.name, room(main), tensor.side ? 220 : 260);
    main.append(picture.figure);
    const plan = layout(tensor);
    const { stack, base } = picture;
    /** @param {PointerEvent | MouseEvent} event */
    const entry = (event) => {
      const box = base.getBoundingClientRect();
      const x = Math.floor(((event.clientX - box.left) / box.width) * plan.width);
      const y = Math.floor(((event.clientY - box.top) / box.height) * plan.height);
      return plan.at(Math.min(Math.max(x, 0), plan.width - 1), Math.min(Math.max(y, 0), plan.height - 1));
    };
    stack.addEventListener("pointermove", (event) => {
      const place = moves(event) ? entry(event) : null;
      if (place) point(place[0], place[1]);
    });
    stack.addEventListener("pointerleave", unpoint);
    stack.addEventListener("click", (event) => {
      const place = entry(event);
      if (place) select(place[0], place[1], false);
    });
    main.append(legend(tensor));
  }

  /**
   * A picture of a tensor, with a layer for what is lit and one for marks.
   * @param {string} name
   * @param {number} across the width that it may take
   * @param {number} height
   * @returns {Picture}
   */
  function makePicture(name, across, height) {
    const tensor = tensors[name];
    const plan = layout(tensor);
    const [wide, high] = size(tensor, across, height);
    const base = make("canvas", { width: plan.width, height: plan.height, role: "img", "aria-label": tensor.picture });
    const lit = make("canvas", { width: plan.width, height: plan.height, "aria-hidden": "true", class: "lit" });
    const marks = make("span", { class: "marks", "aria-hidden": "true" });
    const stack = make("span", { class: "stack" }, base, lit, marks);
    stack.style.width = `${wide}px`;
    stack.style.height = `${high}px`;
    stack.classList.toggle("fine", wide < plan.width || high < plan.height);
    base.getContext("2d")?.putImageData(image(name), 0, 0);
    const note = make("span", { class: "lit-text" });
    const figure = make("figure", { "data-tensor": name }, stack);
    if (tensor.captions.length && tensor.rows <= ACROSS) {
      const captions = make("span", { class: "captions" });
      captions.style.width = `${wide}px`;
      for (const caption of tensor.captions) captions.append(make("span", { text: caption }));
      figure.append(captions);
    }
    return { name, figure, stack, base, lit, marks, note };
  }

  /** @returns {Colours} */
  function colours() {
    const style = getComputedStyle(root);
    const [plus, minus, neutral] = ["--plus", "--minus", "--neutral"].map((property) => {
      const hex = style.getPropertyValue(property).trim().slice(1);
      return [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16) || 0);
    });
    return { plus, minus, neutral };
  }

  /** The pixels of a tensor's picture. @param {string} name */
  function image(name) {
    let pixels = images.get(name);
    if (!pixels) {
      const tensor = tensors[name];
      const plan = layout(tensor);
      const array = values(name);
      const scheme = colours();
      const shades = Array.from({ length: 511 }, (_nothing, i) => colour((i - 255) / 255, scheme));
      pixels = new ImageData(plan.width, plan.height);
      for (let row = 0; row < tensor.rows; row++) {
        for (let column = 0; column < tensor.columns; column++) {
          const at = 4 * (plan.y(row, column) * plan.width + plan.x(row, column));
          const share = tensor.largest ? array[row * tensor.columns + column] / tensor.largest : 0;
          const [red, green, blue] = shades[255 + Math.round(255 * share)];
          pixels.data[at] = red;
          pixels.data[at + 1] = green;
          pixels.data[at + 2] = blue;
          pixels.data[at + 3] = 255;
        }
      }
      images.set(name, pixels);
    }
    return pixels;
  }

  /** @param {Tensor} tensor */
  function legend(tensor) {
    const [low, zero, high] = tensor.scale;
    const text = texts.scale.replace("{low}", low).replace("{high}", high);
    const bar = make("canvas", { width: 101, height: 1, role: "img", "aria-label": text });
    const context = bar.getContext("2d");
    const scheme = colours();
    for (let i = 0; context && i <= 100; i++) {
      context.fillStyle = `rgb(${colour((i - 50) / 50, scheme).join()})`;
      context.fillRect(i, 0, 1, 1);
    }
    return make(
      "span",
      { class: "legend" },
      bar,
      ...[low, zero, high].map((end) => make("span", { "aria-hidden": "true", text: end })),
    );
  }

  function drawOperands() {
    operands = [];
    from.replaceChildren();
    const names = tensors[stage.name].operands;
    const half = names.length > 1 && from.clientWidth > 380 ? (room(from) - 24) / 2 : room(from);
    for (const name of names) {
      const tensor = tensors[name];
      const whole = tensor.side || (tensor.rows > 1 && tensor.rows * 6 < tensor.columns);
      const made = makePicture(name, whole ? room(from) : half, tensor.side ? 96 : 130);
      const caption = make("figcaption", {}, opener(name, null, name), make("span", { class: "shape", text: tensor.shape }));
      caption.append(make("br"), made.note);
      made.figure.prepend(caption);
      operands.push(made);
      from.append(made.figure);
    }
  }

  /**
   * The name of a tensor or an entry; a button where it is a stage to go to.
   * @param {string} name
   * @param {number[] | null} place
   * @param {string} text
   */
  function opener(name, place, text) {
    if (!stageNames.has(name)) return make("code", { text });
    const button = make("button", { type: "button", class: "open", title: texts.open.replace("{entry}", text), text });
    button.addEventListener("click", () => {
      buttons.get(name)?.focus({ preventScroll: true }); // before this button is gone
      show(name, place || undefined);
    });
    return button;
  }

  // Numbers of the tensor, and the entry that is looked at

  function drawJump() {
    const tensor = tensors[stage.name];
    jump.replaceChildren();
    if (!tensor.dimensions || (tensor.rows === 1 && tensor.columns === 1)) return;
    for (const [axis, count, shown] of /** @type {["row" | "column", number, boolean][]} */ ([
      ["row", tensor.rows, tensor.dimensions === 2],
      ["column", tensor.columns, true],
    ])) {
      if (!shown) continue;
      const input = make("input", { type: "number", min: 0, max: count - 1, step: 1, "data-axis": axis });
      input.addEventListener("change", () => {
        const typed = Math.min(Math.max(Math.round(input.valueAsNumber) || 0, 0), count - 1);
        if (axis === "row") select(typed, selected.column, false);
        else select(selected.row, typed, false);
      });
      jump.append(make("label", {}, make("span", { text: texts[axis] }), input));
    }
  }

  /** How many columns of numbers fit. The widths are those of our type, a little too large. */
  function columnsShown() {
    const { largest, digits } = tensors[stage.name];
    const one = Math.max(54, 7.4 * format(-largest, digits).length + 15);
    return Math.min(10, Math.max(2, Math.floor((room(table) - 52) / one)));
  }

  /**
   * Selects an entry, brings it into the window of numbers, and asks where it comes from.
   * @param {number} row
   * @param {number} column
   * @param {boolean} focus whether the keyboard goes to it
   * @param {boolean} [pin] whether it comes back when the pointer has left
   */
  function select(row, column, focus, pin = true) {
    const tensor = tensors[stage.name];
    pinned = pin;
    selected = { tensor: stage.name, row, column };
    looked.set(tensor.shape, [row, column]);
    const wide = columnsShown();
    if (row < top || row >= top + ROWS) top = row - 2;
    if (column < left || column >= left + wide) left = column - (focus ? (column < left ? 0 : wide - 1) : 2);
    top = Math.max(0, Math.min(top, tensor.rows - ROWS));
    left = Math.max(0, Math.min(left, tensor.columns - wide));
    for (const input of jump.querySelectorAll("input")) {
      input.value = String(input.dataset.axis === "row" ? row : column);
    }
    drawTable(wide);
    announce = focus;
    if (focus) cell(row, column)?.focus({ preventScroll: true });
    pointed = null;
    look();
  }

  /** @param {number} row @param {number} column @returns {HTMLElement | null} */
  const cell = (row, column) => table.querySelector(`td[data-row="${row}"][data-column="${column}"]`);

  /**
   * Fills the window of numbers. Its cells stay as long as there are as many: the keyboard may stand on one of them.
   * @param {number} wide
   */
  function drawTable(wide) {
    const tensor = tensors[stage.name];
    const high = tensor.dimensions ? Math.min(ROWS, tensor.rows) : 0;
    const across = Math.min(wide, tensor.columns);
    if (table.querySelectorAll("tbody tr").length !== high || table.querySelectorAll("thead th").length !== across) {
      table.replaceChildren(...(high ? [newTable(high, across)] : []));
    }
    const grid = table.querySelector("table");
    if (!grid) return;
    grid.setAttribute("aria-rowcount", String(tensor.rows + 1));
    grid.setAttribute("aria-colcount", String(tensor.columns + 1));
    const ends = { name: stage.name, top, bottom: top + high - 1, left, right: left + across - 1 };
    grid.setAttribute("aria-label", texts.numbers.replace(/{(\w+)}/g, (_, end) => String(Reflect.get(ends, end))));
    grid.querySelectorAll("thead th").forEach((head, i) => {
      head.textContent = String(left + i);
      head.setAttribute("aria-colindex", String(left + i + 2));
    });
    const array = values(stage.name);
    grid.querySelectorAll("tbody tr").forEach((line, i) => {
      const row = top + i;
      line.setAttribute("aria-rowindex", String(row + 2));
      /** @type {HTMLElement} */ (line.firstElementChild).textContent = String(row);
      line.querySelectorAll("td").forEach((one, j) => {
        const column = left + j;
        const value = array[row * tensor.columns + column];
        const chosen = row === selected.row && column === selected.column;
        const share = tensor.largest ? Math.abs(value) / tensor.largest : 0;
        one.textContent = format(value, tensor.digits);
        one.tabIndex = chosen ? 0 : -1;
        one.className = value < 0 ? "minus" : "plus";
        one.dataset.row = String(row);
        one.dataset.column = String(column);
        one.setAttribute("aria-selected", String(chosen));
        one.setAttribute("aria-colindex", String(column + 2));
        one.style.setProperty("--share", `${(55 * share ** 0.7).toFixed(1)}%`);
      });
    });
  }

  /** @param {number} high @param {number} across */
  function newTable(high, across) {
    const cells = (/** @type {() => HTMLElement} */ one) => Array.from({ length: across }, one);
    const head = make("tr", { role: "row", "aria-rowindex": 1 }, make("td", { role: "gridcell" }));
    head.append(...cells(() => make("th", { scope: "col", role: "columnheader" })));
    const body = make("tbody", { role: "rowgroup" });
    for (let i = 0; i < high; i++) {
      const line = make("tr", { role: "row" }, make("th", { scope: "row", role: "rowheader" }));
      line.append(...cells(() => make("td", { role: "gridcell" })));
      body.append(line);
    }
    const grid = make("table", { role: "grid" }, make("thead", { role: "rowgroup" }, head), body);
    grid.addEventListener("pointerover", (event) => {
      const place = moves(event) ? placeOf(event) : null;
      if (place) point(place[0], place[1]);
    });
    grid.addEventListener("pointerleave", unpoint);
    grid.addEventListener("click", (event) => {
      const place = placeOf(event);
      if (place) select(place[0], place[1], true);
    });
    grid.addEventListener("keydown", moveInTable);
    return grid;
  }

  /** The entry under an event. @param {Event} event @returns {[number, number] | null} */
  function placeOf(event) {
    const at = event.target instanceof HTMLElement ? event.target.closest("td[data-row]") : null;
    return at instanceof HTMLElement ? [Number(at.dataset.row), Number(at.dataset.column)] : null;
  }

  /** @param {KeyboardEvent} event */
  function moveInTable(event) {
    const tensor = tensors[stage.name];
    let { row, column } = selected;
    if (event.altKey || event.metaKey) return;
    if (event.key === "ArrowLeft") column -= 1;
    else if (event.key === "ArrowRight") column += 1;
    else if (event.key === "ArrowUp") row -= 1;
    else if (event.key === "ArrowDown") row += 1;
    else if (event.key === "PageUp") row -= ROWS;
    else if (event.key === "PageDown") row += ROWS;
    else if (event.key === "Home") [row, column] = [event.ctrlKey ? 0 : row, 0];
    else if (event.key === "End") [row, column] = [event.ctrlKey ? tensor.rows - 1 : row, tensor.columns - 1];
    else return;
    event.preventDefault();
    event.stopPropagation();
    row = Math.min(Math.max(row, 0), tensor.rows - 1);
    column = Math.min(Math.max(column, 0), tensor.columns - 1);
    select(row, column, true);
  }

  /** Whether a pointer moved, and it is not the page that moved under it. @param {PointerEvent} event */
  function moves(event) {
    const still = event.screenX === seen[0] && event.screenY === seen[1];
    seen = [event.screenX, event.screenY];
    return !still && event.pointerType !== "touch";
  }

  /** @param {number} row @param {number} column */
  function point(row, column) {
    if (pointed && pointed.row === row && pointed.column === column) return;
    pointed = { tensor: stage.name, row, column };
    announce = false;
    look();
  }

  function unpoint() {
    if (!pointed || !pinned) return;
    pointed = null;
    look();
  }

  // Where an entry comes from

  /** @param {Place} place */
  const key = ({ tensor, row, column }) => `${tensor} ${row} ${column}`;

  /** Shows where the entry that is looked at comes from, asking for it if that is not known yet. */
  function look() {
    const place = pointed || selected;
    for (const one of table.querySelectorAll(".here")) one.classList.remove("here");
    cell(place.row, place.column)?.classList.add("here");
    if (picture) {
      picture.marks.replaceChildren();
      mark(picture, { rows: [place.row, place.row + 1], columns: [place.column, place.column + 1] });
    }
    clearTimeout(asking);
    clearTimeout(waiting);
    const known = answers.get(key(place));
    if (known) {
      tell(known);
      return;
    }
    asking = setTimeout(() => {
      const index = [place.row, place.column].slice(2 - tensors[place.tensor].dimensions);
      model.send({ id: ++asked, tensor: place.tensor, index });
    }, pointed ? 40 : 0);
    waiting = setTimeout(() => {
      light([]);
      sum.replaceChildren(make("p", { class: "quiet", text: texts.silent }));
    }, PATIENCE);
  }

  /** @param {Answer} answer */
  function hear(answer) {
    if (!answer || typeof answer !== "object") return;
    if (answer.go) show(answer.go.tensor, answer.go.place);
    if (!("id" in answer)) return;
    const place = pointed || selected;
    if (answer.error) {
      if (answer.id !== asked) return;
      clearTimeout(waiting);
      light([]);
      sum.replaceChildren(make("p", { text: answer.error }));
      return;
    }
    const [row, column] = [0, 0, ...answer.index].slice(-2);
    const heard = key({ tensor: answer.tensor, row, column });
    if (answers.size > 2000) answers.clear();
    answers.set(heard, answer);
    if (heard === key(place)) {
      clearTimeout(waiting);
      tell(answer);
    }
  }

  /** @param {Answer} answer */
  function tell(answer) {
    light(answer.regions);
    const parts = [make("p", { class: "entry" }, make("code", { text: `${answer.entry} = ${answer.value}` }))];
    if (answer.terms.length) parts.push(termTable(answer.terms, answer.more, `= ${answer.value}`));
    if (answer.note) parts.push(make("p", { class: "quiet", text: answer.note }));
    if (answer.inside.length) parts.push(termTable(answer.inside, "", ""));
    sum.replaceChildren(...parts);
    if (announce) status.textContent = answer.say;
    announce = false;
    root.dispatchEvent(new CustomEvent("entry", { bubbles: true, detail: answer }));
  }

  /**
   * @param {Term[]} terms
   * @param {string} more
   * @param {string} total
   */
  function termTable(terms, more, total) {
    const body = make("tbody");
    terms.forEach((term, i) => {
      const names = make("td", { class: "names" });
      names.append(...linked(term));
      const bar = make("span", { class: `bar ${term.share < 0 ? "minus" : "plus"}`, "aria-hidden": "true" });
      bar.style.width = `${(Math.abs(term.share) * 100).toFixed(1)}%`;
      const value = make("td", { class: "value", text: (i && !term.value.startsWith("−") ? "+ " : "") + term.value });
      const line = make(
        "tr",
        {},
        names,
        make("td", { class: "numbers", text: term.numbers }),
        value,
        make("td", { class: "bars", "aria-hidden": "true" }, bar),
      );
      if (terms.length === 1) line.lastElementChild?.replaceChildren();
      line.addEventListener("pointerenter", () => single(term.entries));
      line.addEventListener("pointerleave", () => single([]));
      body.append(line);
    });
    const foot = make("tfoot");
    if (more) foot.append(make("tr", { class: "more" }, make("td", { colspan: 3, text: more }), make("td")));
    if (total) foot.append(make("tr", { class: "total" }, make("td", { colspan: 2 }), make("td", { text: total }), make("td")));
    const head = make("tr");
    for (const heading of [texts.term, texts.withNumbers, texts.value]) {
      head.append(make("th", { scope: "col", text: heading }));
    }
    head.append(make("td"));
    return make("div", { class: "wide" }, make("table", { class: "terms" }, make("thead", {}, head), body, foot));
  }

  /** A term's names, each a button where one can go there. @param {Term} term */
  function linked(term) {
    /** @type {Node[]} */
    const parts = [];
    let rest = term.names;
    for (const entry of term.entries) {
      const at = rest.indexOf(entry.text);
      if (at < 0) continue;
      parts.push(document.createTextNode(rest.slice(0, at)), opener(entry.tensor, entry.place, entry.text));
      rest = rest.slice(at + entry.text.length);
    }
    return [...parts, document.createTextNode(rest)];
  }

  /** Lights these regions in the pictures of what the stage was computed from. @param {Region[]} regions */
  function light(regions) {
    for (const one of operands) {
      const its = regions.filter((region) => region.tensor === one.name);
      const context = one.lit.getContext("2d");
      one.marks.replaceChildren();
      context?.clearRect(0, 0, one.lit.width, one.lit.height);
      const pixels = image(one.name);
      for (const region of its) {
        for (const [x, y, w, h] of boxes(one.name, region)) context?.putImageData(pixels, 0, 0, x, y, w, h);
        const { rows, columns } = tensors[one.name];
        const all = region.rows[1] - region.rows[0] === rows && region.columns[1] - region.columns[0] === columns;
        if (!all) mark(one, region);
      }
      one.stack.classList.toggle("dim", its.length > 0);
      one.note.textContent = its.map((region) => region.text).join(", ");
      one.figure.dataset.lit = its.map((region) => `${region.rows.join("-")}×${region.columns.join("-")}`).join(" ");
    }
  }

  /**
   * Rectangles on a picture for a block of entries: x, y, width, height in entries.
   * @param {string} name
   * @param {{rows: number[], columns: number[]}} block
   * @returns {number[][]}
   */
  function boxes(name, { rows, columns }) {
    const tensor = tensors[name];
    if (!tensor.side) return [[columns[0], rows[0], columns[1] - columns[0], rows[1] - rows[0]]];
    const plan = layout(tensor);
    const whole = columns[1] - columns[0] === tensor.columns;
    const found = [];
    for (let row = rows[0]; row < rows[1]; row++) {
      if (whole) found.push([plan.x(row, 0), plan.y(row, 0), tensor.side, tensor.side]);
      else {
        for (let column = columns[0]; column < columns[1]; column++) {
          found.push([plan.x(row, column), plan.y(row, column), 1, 1]);
        }
      }
    }
    return found;
  }

  /**
   * Draws a frame around a block of entries.
   * @param {Picture} on
   * @param {{rows: number[], columns: number[]}} block
   * @param {string} [kind]
   */
  function mark(on, block, kind = "") {
    const { width: wide, height: high } = layout(tensors[on.name]);
    for (const [x, y, w, h] of boxes(on.name, block)) {
      const frame = make("span", { class: `frame ${kind}` });
      frame.style.left = `${(100 * x) / wide}%`;
      frame.style.top = `${(100 * y) / high}%`;
      frame.style.width = `${(100 * w) / wide}%`;
      frame.style.height = `${(100 * h) / high}%`;
      on.marks.append(frame);
    }
  }

  /** Marks the entries of one term. @param {Entry[]} entries */
  function single(entries) {
    for (const one of operands) {
      for (const old of one.marks.querySelectorAll(".one")) old.remove();
      for (const { tensor, place } of entries) {
        if (tensor !== one.name) continue;
        mark(one, { rows: [place[0], place[0] + 1], columns: [place[1], place[1] + 1] }, "one");
      }
    }
  }

  // Events from outside

  nav.addEventListener("keydown", keys);
  controls.addEventListener("keydown", keys);
  /** @param {KeyboardEvent} event */
  function keys(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const i = stages.indexOf(stage);
    /** @type {Record<string, number>} */
    const goes = { ArrowRight: i + 1, ArrowDown: i + 1, ArrowLeft: i - 1, ArrowUp: i - 1, Home: 0, End: stages.length - 1 };
    if (!(event.key in goes)) return;
    event.preventDefault();
    event.stopPropagation();
    const next = stages[goes[event.key]];
    if (!next) return;
    show(next.name);
    buttons.get(next.name)?.focus({ preventScroll: true });
  }

  const moved = () => {
    if (model.get("stage") !== stage.name) show(model.get("stage"));
  };
  const redraw = () => {
    images.clear();
    draw();
  };
  /** Another step of the same stages: the stage and the entry stay. */
  const replaced = () => {
    about = model.get("about");
    tensors = about.tensors;
    title.textContent = about.title;
    convention.textContent = about.convention;
    for (const known of [numbers, answers]) known.clear();
    const { rows, columns } = tensors[stage.name];
    selected = { tensor: stage.name, row: Math.min(selected.row, rows - 1), column: Math.min(selected.column, columns - 1) };
    pointed = null;
    redraw();
  };
  const arrived = () => {
    if (!complete) draw();
  };
  const observer = new ResizeObserver(() => {
    if (Math.abs(root.clientWidth - width) < 2) return;
    width = root.clientWidth;
    arrange();
    draw();
  });
  /** Draws the stages as a diagram where it fits, in lines where not. */
  function arrange() {
    root.classList.toggle("stacked", width < 720);
    root.classList.remove("narrow");
    root.classList.toggle("narrow", diagram.scrollWidth > nav.clientWidth + 1);
  }
  const themes = new MutationObserver(redraw);
  themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  themes.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", redraw);
  model.on("msg:custom", hear);
  model.on("change:stage", moved);
  model.on("change:about", replaced);
  model.on("change:arrays", arrived);
  show(stageNames.has(model.get("stage")) ? model.get("stage") : stage.name);
  observer.observe(root);

  return () => {
    observer.disconnect();
    themes.disconnect();
    dark.removeEventListener("change", redraw);
    model.off("msg:custom", hear);
    model.off("change:stage", moved);
    model.off("change:about", replaced);
    model.off("change:arrays", arrived);
    clearTimeout(asking);
    clearTimeout(waiting);
  };
}

export default { render };
