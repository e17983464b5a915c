// @ts-check
/**
 * The network of a step, drawn with its values: what the step has computed up to the stage that is shown.
 *
 * Columns of units stand between the picture that goes in and the classes that come out. Of a large layer Python chose
 * the units to draw. What an entry was computed from lights up here too.
 */

import { bytes, fill, floats, make, onTheme, paintInk, svg } from "./parts.js";

/**
 * @typedef {{size: number, units: number[], values: Record<string, string>}} Column
 * @typedef {{columns: Column[], links: Record<string, string>[]}} Drawing
 * @typedef {{name: string, group: string}} Stage
 * @typedef {{about: {stages: Stage[], groups: {key: string, title: string}[], tensors: Record<string, {largest: number, meaning: string}>},
 *   drawing: Drawing, pictures: string[], labels: number[]}} Step
 * @typedef {{tensor: string, index: number[], regions: {tensor: string, rows: number[], columns: number[]}[]}} Looked
 * @typedef {{element: SVGElement, column: number, unit: number, x: number, y: number}} Unit
 */

const HEAD = 26; // above the units, for the names of what they show
const FOOT = 40;
const TALL = 352;
const DIRECTIONS = /** @type {Record<string, string>} */ ({ forward: "→", loss: "→", backward: "←", update: "↻" });

/**
 * @param {{texts: Record<string, string>, write: ReturnType<typeof import("./parts.js").writer>,
 *   go: (tensor: string, place: number[]) => void, walk: (stage: string) => void, followed: (image: number) => void}} options
 */
export function networkDrawing({ texts, write, go, walk, followed }) {
  const direction = make("p", { class: "direction" });
  const meaning = make("p", { class: "quiet meaning" });
  const [back, on] = [-1, 1].map((by) =>
    make("button", { type: "button", text: by < 0 ? `← ${texts.previous}` : `${texts.next} →`, onclick: () => beside(by) && walk(beside(by)) }),
  );
  const drawing = svg("svg", { role: "group" });
  const readout = make("p", { class: "readout numbers quiet", "aria-hidden": "true" });
  const element = make("section", { class: "network" }, make("div", { class: "row" }, make("h2", { text: texts.networkTitle }), back, on, direction), meaning, make("div", { class: "wide" }, drawing), readout);

  /** @type {Step | null} */
  let step = null;
  let stage = "";
  let image = 0;
  let lookedRow = 0; // of the entry looked at last: the image follows it only when it moves
  /** @type {Looked | null} */
  let looked = null;
  /** @type {Map<string, Float32Array>} */
  const numbers = new Map();
  /** @type {Unit[]} */
  let units = [];
  /** @type {{element: SVGElement, link: number, from: number, to: number}[]} */
  let lines = [];
  let current = 0; // the unit that the keyboard comes to

  /** The stage so many before or after this one, if there is one. @param {number} by */
  function beside(by) {
    const stages = step?.about.stages.map((one) => one.name) ?? [];
    return stages[stages.indexOf(stage) + by] ?? "";
  }

  /** @param {string} key @param {string} packed */
  function values(key, packed) {
    let found = numbers.get(key);
    if (!found) numbers.set(key, (found = floats(packed)));
    return found;
  }

  /** The last of some tensors that the step has computed by now; parameters are there from the beginning. @param {string[]} names */
  function reached(names) {
    const stages = /** @type {Step} */ (step).about.stages.map((one) => one.name);
    const now = stages.indexOf(stage);
    return names.findLast((name) => stages.indexOf(name) <= now);
  }

  /** @param {Column} column @param {string} name @param {number} at */
  const valueOf = (column, name, at) => values(name, column.values[name])[image * column.units.length + at];

  /** @param {number} c @param {number} at what a unit says of itself */
  function sentence(c, at) {
    const { columns } = /** @type {Step} */ (step).drawing;
    const column = columns[c];
    const shown = Object.keys(column.values);
    const last = shown.indexOf(reached(shown) ?? "");
    const said = shown.slice(0, last + 1).map((name) => `${name} = ${write.short(valueOf(column, name, at))}`);
    const text = c === columns.length - 1 ? texts.class : c ? texts.unit : texts.inputUnit;
    return fill(text, { unit: column.units[at], k: c, image, values: said.join(", ") || "…" });
  }

  function draw() {
    if (!step) return;
    const { columns, links } = step.drawing;
    const pictured = step.pictures.length > 0;
    const width = Math.max(element.clientWidth - 2, 64 * (columns.length + 1));
    const small = width < 520;
    const side = small ? 84 : Math.min(150, width * 0.2);
    const bars = small ? 44 : Math.min(130, width * 0.16);
    const right = width - bars - (small ? 34 : 96);
    const left = pictured ? side + 6 : 40;
    const group = step.about.stages.find((one) => one.name === stage)?.group ?? "forward";
    direction.textContent = `${DIRECTIONS[group] ?? ""} ${step.about.groups.find((one) => one.key === group)?.title ?? ""} · ${stage}`;
    meaning.textContent = step.about.tensors[stage].meaning;
    back.setAttribute("aria-disabled", String(!beside(-1)));
    on.setAttribute("aria-disabled", String(!beside(1)));
    drawing.setAttribute("viewBox", `0 0 ${width} ${HEAD + TALL + FOOT}`);
    drawing.setAttribute("width", String(width));
    drawing.setAttribute("height", String(HEAD + TALL + FOOT));
    drawing.setAttribute("aria-label", fill(texts.networkLabel, { image }));
    units = [];
    lines = [];
    /** @type {SVGElement[]} */
    const under = [];
    /** @type {SVGElement[]} */
    const over = [];
    const places = columns.map((column, c) =>
      column.units.map((_unit, at) => ({
        x: c ? left + ((right - left) * c) / (columns.length - 1) : left,
        y: HEAD + (TALL * (at + 0.5)) / column.units.length,
      })),
    );

    links.forEach((link, l) => {
      const name = reached([...Object.keys(link)]) ?? Object.keys(link)[0];
      const array = values(name, link[name]);
      const largest = step?.about.tensors[name].largest || 1;
      const [from, to] = [columns[l].units, columns[l + 1].units];
      to.forEach((_unit, b) => {
        const end = places[l + 1][b];
        if (!l && pictured) {
          const y = HEAD + TALL / 2 + ((b + 0.5) / to.length - 0.5) * side;
          const fan = svg("line", { class: "link fan", x1: side, y1: y, x2: end.x, y2: end.y });
          under.push(fan);
          lines.push({ element: fan, link: 0, from: -1, to: to[b] });
          return;
        }
        from.forEach((unit, a) => {
          const start = places[l][a];
          const share = array[a * to.length + b] / largest;
          const line = svg("line", {
            class: `link ${share < 0 ? "minus" : "plus"}`, x1: start.x, y1: start.y, x2: end.x, y2: end.y,
            "stroke-width": 0.6 + 2.6 * Math.abs(share), "stroke-opacity": 0.12 + 0.75 * Math.abs(share),
          });
          under.push(line);
          lines.push({ element: line, link: l, from: unit, to: to[b] });
        });
      });
      const x = ((l || !pictured ? places[l][0].x : side) + places[l + 1][0].x) / 2;
      over.push(svg("text", { class: `name${name === stage ? " now" : ""}`, x, y: 15, "text-anchor": "middle", text: name }));
    });

    columns.forEach((column, c) => {
      const shown = Object.keys(column.values);
      const name = reached(shown);
      const last = c === columns.length - 1;
      const middle = c || !pictured ? places[c][0].x : side / 2;
      if (name) over.push(svg("text", { class: `name${name === stage ? " now" : ""}`, x: middle, y: 15, "text-anchor": "middle", text: name }));
      const size = write.integer(column.size);
      const about = c ? (last ? texts.classes : texts.layer) : pictured ? texts.input : texts.inputs;
      const more = column.size - column.units.length;
      const foot = HEAD + TALL + 16;
      over.push(svg("text", { x: middle, y: foot, "text-anchor": "middle", text: small && more && c ? `${column.units.length} / ${size}` : fill(about, { n: size, k: c }) }));
      if (more && !small && (c || !pictured)) over.push(svg("text", { x: middle, y: foot + 16, "text-anchor": "middle", text: fill(texts.moreUnits, { n: write.integer(more) }) }));
      if (!c && pictured) {
        over.push(...picture(side));
        return;
      }
      const largest = (name && step?.about.tensors[name].largest) || 1;
      const signed = name !== "P";
      column.units.forEach((unit, at) => {
        const { x, y } = places[c][at];
        const value = name ? valueOf(column, name, at) : 0;
        const share = value / largest;
        const label = sentence(c, at);
        const most = Math.min(10, TALL / column.units.length / 2 - 1);
        const one = svg(
          "g",
          {
            class: `unit ${!name || !value ? "none" : value < 0 ? "minus" : "plus"}`, role: "button", tabindex: -1, "aria-label": label,
            onclick: () => go(name ?? shown[0], [image, unit]), onfocus: () => say(label), onpointerenter: () => say(label),
            onpointerleave: () => say(""), onblur: () => say(""),
          },
          svg("circle", { class: "reach", cx: x, cy: y, r: Math.max(most, 10) }),
          svg("circle", { class: "dot", cx: x, cy: y, r: name && value ? 2.5 + (most - 2.5) * Math.sqrt(Math.abs(share)) : 2.5 }),
        );
        if (last) {
          const mine = step?.labels[image] === unit;
          const start = x + 32;
          const zero = signed ? start + bars / 2 : start;
          const long = (signed ? bars / 2 : bars) * Math.abs(share);
          one.append(
            svg("text", { class: mine ? "digit right" : "digit", x: x + 20, y: y + 4, "text-anchor": "middle", text: String(unit) }),
            svg("line", { class: "zero", x1: zero, x2: zero, y1: y - 9, y2: y + 9 }),
            svg("rect", { class: "measure", x: value < 0 ? zero - long : zero, y: y - 5, width: name ? long : 0, height: 10 }),
          );
          if (mine) one.append(svg("circle", { class: "target", cx: x + 20, cy: y, r: 10 }, svg("title", { text: texts.right })));
          if (!small && name) one.append(svg("text", { class: "value", x: width, y: y + 4, "text-anchor": "end", text: write.short(value, 3) }));
        }
        over.push(one);
        units.push({ element: one, column: c, unit, x, y });
      });
    });
    drawing.replaceChildren(...under, ...over);
    current = Math.min(current, units.length - 1);
    units[current]?.element.setAttribute("tabindex", "0");
    light();
  }

  /** The picture that goes in. @param {number} side @returns {SVGElement[]} */
  function picture(side) {
    const canvas = make("canvas");
    paintInk(canvas, bytes(/** @type {Step} */ (step).pictures[image]), 28);
    const y = HEAD + (TALL - side) / 2;
    const label = fill(texts.imageLabel, { k: image, label: /** @type {Step} */ (step).labels[image] });
    return [
      svg("image", { class: "pixels", href: canvas.toDataURL(), x: 0, y, width: side, height: side, role: "img", "aria-label": label }),
      svg("rect", { class: "border", x: 0, y, width: side, height: side }),
      svg("rect", { class: "sources", x: 0, y, width: 0, height: 0 }),
    ];
  }

  /** @param {string} text */
  function say(text) {
    readout.textContent = text || texts.networkHelp;
  }

  /** Lights what the entry was computed from. */
  function light() {
    const { columns, links } = /** @type {Step} */ (step).drawing;
    const regions = looked?.regions ?? [];
    /** @param {string[]} names @param {number} row @param {number} column */
    const among = (names, row, column) =>
      regions.some(
        (one) =>
          names.includes(one.tensor) && one.rows[0] <= row && row < one.rows[1] && one.columns[0] <= column && column < one.columns[1],
      );
    const [row, column] = looked ? [0, 0, ...looked.index].slice(-2) : [0, 0];
    for (const one of units) {
      const names = Object.keys(columns[one.column].values);
      one.element.classList.toggle("source", among(names, image, one.unit));
      one.element.classList.toggle("here", looked !== null && names.includes(looked.tensor) && row === image && one.unit === column);
    }
    for (const one of lines) {
      const names = Object.keys(links[one.link]);
      // the fan has no line for each pixel: one line stands for all weights of its unit
      const its = one.from < 0 ? regions.some((region) => names.includes(region.tensor) && region.columns[0] <= one.to && one.to < region.columns[1]) : among(names, one.from, one.to);
      const here = looked !== null && names.includes(looked.tensor) && (one.from < 0 || row === one.from) && column === one.to;
      one.element.classList.toggle("source", its || here);
    }
    drawing.classList.toggle("lit", lines.some((one) => one.element.classList.contains("source")));
    const frame = drawing.querySelector(".sources");
    const border = drawing.querySelector(".border");
    if (!frame || !border) return;
    const from = regions.find((one) => one.tensor === "X" && one.rows[0] <= image && image < one.rows[1]);
    const [side, top] = ["width", "y"].map((name) => Number(border.getAttribute(name)));
    const single = from !== undefined && from.columns[1] - from.columns[0] === 1;
    const pixel = side / 28;
    const place = !from ? [0, 0, 0] : single ? [(from.columns[0] % 28) * pixel, Math.floor(from.columns[0] / 28) * pixel, pixel] : [0, 0, side];
    frame.setAttribute("x", String(place[0]));
    frame.setAttribute("y", String(top + place[1]));
    for (const name of ["width", "height"]) frame.setAttribute(name, String(place[2]));
  }

  drawing.addEventListener("keydown", (event) => {
    const { key } = /** @type {KeyboardEvent} */ (event);
    const now = units.findIndex((one) => one.element === document.activeElement);
    if (now < 0) return;
    const here = units[now];
    const column = units.filter((one) => one.column === here.column);
    const inColumn = column.indexOf(here);
    /** @param {number} by */
    const across = (by) =>
      units
        .filter((one) => one.column === here.column + by)
        .reduce((/** @type {Unit | undefined} */ best, one) => (!best || Math.abs(one.y - here.y) < Math.abs(best.y - here.y) ? one : best), undefined);
    /** @type {Record<string, () => Unit | undefined>} */
    const moves = {
      ArrowDown: () => column[inColumn + 1], ArrowUp: () => column[inColumn - 1], ArrowRight: () => across(1), ArrowLeft: () => across(-1),
      Home: () => column[0], End: () => column.at(-1),
    };
    if (key === "Enter" || key === " ") here.element.dispatchEvent(new MouseEvent("click"));
    else if (key in moves) {
      const next = moves[key]();
      if (next) {
        here.element.setAttribute("tabindex", "-1");
        current = units.indexOf(next);
        next.element.setAttribute("tabindex", "0");
        next.element.focus();
      }
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });

  let wide = 0;
  const observer = new ResizeObserver(() => {
    if (Math.abs(element.clientWidth - wide) < 2) return;
    wide = element.clientWidth;
    draw();
  });
  observer.observe(element);
  const unwatch = onTheme(draw);
  say("");

  return {
    element,
    /** @param {Step} given @param {string} at the stage */
    set(given, at) {
      step = given;
      stage = at;
      looked = null;
      image = Math.min(image, given.labels.length - 1);
      numbers.clear();
      draw();
    },
    /** @param {string} name the stage that is shown */
    at(name) {
      if (stage === name) return;
      stage = name;
      draw();
    },
    /** Of the batch, the one that is drawn. */
    image: () => image,
    /** @param {number} chosen */
    show(chosen) {
      image = chosen;
      draw();
    },
    /** @param {Looked} answer the entry that is looked at, and where it comes from */
    look(answer) {
      looked = answer;
      const before = lookedRow;
      if (step?.drawing.columns.some((column) => answer.tensor in column.values)) lookedRow = answer.index.length === 2 ? answer.index[0] : 0;
      if (lookedRow !== before && lookedRow !== image && lookedRow < (step?.labels.length ?? 0)) {
        image = lookedRow;
        followed(lookedRow);
        draw();
      } else light();
    },
    close() {
      observer.disconnect();
      unwatch();
    },
  };
}
