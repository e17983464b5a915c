// @ts-check
/** Pictures made of cells, pixels or units, that one can walk through: one stop for the Tab key, arrows go from cell to cell. */

import { colourOf, make, paintInk, paintSigned } from "./parts.js";

/** @typedef {(canvas: HTMLCanvasElement, values: ArrayLike<number>, columns: number, cell: number) => void} Painter */

/** Bytes of ink. @type {Painter} */
export const ink = (canvas, values, columns) => paintInk(canvas, Uint8Array.from(values), columns);

/** Numbers of both signs. @type {Painter} */
export const bothSigns = (canvas, values, columns) => {
  const largest = largestOf(values);
  paintSigned(canvas, Int8Array.from(values, (value) => Math.round((value / largest) * 127)), columns);
};

/** Activations of units, one square each: full where positive, hollow where negative. @type {Painter} */
export const units = (canvas, values, columns, size) => {
  const cell = Math.max(2, Math.round(size * devicePixelRatio));
  const gap = cell > 5 ? Math.max(1, Math.round(cell / 9)) : 0;
  canvas.width = columns * cell;
  canvas.height = Math.ceil(values.length / columns) * cell;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const [off, plus, minus] = ["--line", "--plus", "--minus"].map((name) => `rgb(${colourOf(canvas, name).join(" ")})`);
  const largest = largestOf(values);
  // all cells that are off at once: a stroke has this drawn many times a second
  context.globalAlpha = 0.45;
  context.fillStyle = off;
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (let x = cell - gap; gap && x < canvas.width; x += cell) context.clearRect(x, 0, gap, canvas.height);
  for (let y = cell - gap; gap && y < canvas.height; y += cell) context.clearRect(0, y, canvas.width, gap);
  const last = values.length % columns;
  if (last) context.clearRect(last * cell, canvas.height - cell, canvas.width, cell);
  for (let i = 0; i < values.length; i++) {
    if (!values[i]) continue;
    const [x, y, side] = [(i % columns) * cell, Math.floor(i / columns) * cell, cell - gap];
    context.globalAlpha = (Math.abs(values[i]) / largest) ** 0.7;
    context.fillStyle = values[i] > 0 ? plus : minus;
    context.fillRect(x, y, side, side);
    if (values[i] < 0) context.clearRect(x + side / 4, y + side / 4, side / 2, side / 2);
  }
};

/** @param {ArrayLike<number>} values */
export function largestOf(values) {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
  return largest || 1;
}

/**
 * @param {{label: string, paint: Painter, describe: (cell: number, value: number) => string, open?: (cell: number) => void}} options
 */
export function cells({ label, paint, describe, open }) {
  const canvas = make("canvas", { class: paint === units ? "" : "pixels", "aria-hidden": "true" });
  const cursor = make("div", { class: "cursor", hidden: true });
  const chosen = make("div", { class: "chosen", hidden: true });
  const field = make("div", { class: "field-of-cells", role: "slider", tabindex: 0, "aria-valuemin": 0 }, canvas, chosen, cursor);
  const said = make("p", { class: "quiet numbers said", "aria-hidden": "true" });
  const element = make("div", { class: "cells" }, field, said);
  /** @type {ArrayLike<number>} */
  let values = [];
  let columns = 1;
  let size = 0;
  let at = 0;
  let rest = "";
  /** @type {number | null} */
  let opened = null;
  let pointing = false;

  const focused = () => document.activeElement === field;

  /** @param {HTMLElement} frame @param {number} cell */
  function frame(frame, cell) {
    const rows = Math.ceil(values.length / columns);
    frame.style.left = `${((cell % columns) / columns) * 100}%`;
    frame.style.top = `${(Math.floor(cell / columns) / rows) * 100}%`;
    frame.style.width = `${100 / columns}%`;
    frame.style.height = `${100 / rows}%`;
  }

  function point() {
    if (!values.length) return;
    const shown = pointing || focused();
    cursor.hidden = !shown;
    frame(cursor, at);
    chosen.hidden = opened === null;
    if (opened !== null) frame(chosen, opened);
    const text = describe(at, values[at]);
    said.textContent = shown ? text : rest;
    field.setAttribute("aria-valuemax", String(values.length - 1));
    field.setAttribute("aria-valuenow", String(at));
    field.setAttribute("aria-valuetext", text);
  }

  field.setAttribute("aria-label", label);
  field.addEventListener("keydown", (event) => {
    /** @type {Record<string, number>} */
    const goes = {
      ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - columns, ArrowDown: at + columns,
      PageUp: at - 5 * columns, PageDown: at + 5 * columns, Home: 0, End: values.length - 1,
    };
    if (event.key in goes) {
      const next = goes[event.key];
      if (next >= 0 && next < values.length) at = next;
      point();
    } else if (open && (event.key === "Enter" || event.key === " ")) open(at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  /** @param {PointerEvent | MouseEvent} event */
  const under = (event) => {
    const edges = canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - edges.left) / edges.width) * columns);
    const row = Math.floor(((event.clientY - edges.top) / edges.height) * Math.ceil(values.length / columns));
    const cell = row * columns + column;
    return column >= 0 && column < columns && cell >= 0 && cell < values.length ? cell : null;
  };
  field.addEventListener("pointermove", (event) => {
    const cell = under(event);
    pointing = cell !== null;
    at = cell ?? at;
    point();
  });
  field.addEventListener("pointerleave", () => {
    pointing = false;
    point();
  });
  field.addEventListener("click", (event) => {
    const cell = under(event);
    if (cell === null) return;
    at = cell;
    point();
    open?.(cell);
  });
  field.addEventListener("focus", point);
  field.addEventListener("blur", point);

  function repaint() {
    if (values.length) paint(canvas, values, columns, size);
  }

  return {
    element,
    field,
    said,
    /** @param {ArrayLike<number>} given @param {string} [sentence] said while no cell is pointed at */
    set(given, sentence = "") {
      if (given.length !== values.length) at = Math.min(at, given.length - 1);
      values = given;
      rest = sentence;
      repaint();
      point();
    },
    /** @param {number} across cells in a row @param {number} [pixels] the side of a cell; otherwise they fill the width */
    arrange(across, pixels = 0) {
      columns = across;
      size = pixels;
      field.style.width = pixels ? `${columns * pixels}px` : "";
      repaint();
      point();
    },
    /** @param {number | null} cell the one that is open */
    mark(cell) {
      opened = cell;
      if (cell !== null) at = cell;
      point();
    },
    repaint,
  };
}
