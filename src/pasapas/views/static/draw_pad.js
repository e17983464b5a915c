// @ts-check
/**
 * The pad to write on, with mouse, finger, pen or keyboard. What was written is a list of strokes over a picture or over
 * nothing; every change makes a new list, so that each can be taken back.
 */

import { base64, bytes, colourOf, make, paintInk } from "./parts.js";

/**
 * Places and widths are shares of the pad's side.
 * @typedef {{path: Path2D, width: number}} Stroke
 * @typedef {{image: number, ink: Uint8Array | null}} TestImage
 * @typedef {{greys: Uint8Array, width: number}} Photo
 * @typedef {{image: TestImage | null, photo: Photo | null, strokes: Stroke[]}} Sheet
 */

const SIDE = 140; // pixels that are sent: five for each of MNIST's, finer changes no answer
const STEP = 1 / 28; // of the pen by keyboard
const MNIST = 28;
/** @type {Sheet} */
const BLANK = { image: null, photo: null, strokes: [] };
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * @param {{texts: Record<string, string>, changed: () => void, say: (sentence: string) => void}} options
 */
export function drawingPad({ texts, changed, say }) {
  const canvas = make("canvas", { "aria-hidden": "true" });
  const hint = make("p", { class: "hint", "aria-hidden": "true", text: texts.padHint });
  const surface = make("div", { class: "pad", role: "application", tabindex: 0, "aria-label": `${texts.pad}. ${texts.padHelp}` }, canvas, hint);
  const width = make("input", { type: "range", min: 3, max: 14, value: 8, step: 1 });
  const undoing = make("button", { type: "button", text: texts.undo, onclick: () => undo() });
  const redoing = make("button", { type: "button", text: texts.redo, onclick: () => redo() });
  const clearing = make("button", { type: "button", text: texts.clear, onclick: () => clear() });

  let sheet = BLANK;
  /** @type {Sheet[]} */
  let past = [];
  /** @type {Sheet[]} */
  let future = [];
  /** @type {number | null} the pointer that draws */
  let pointer = null;
  const pen = { x: 0.5, y: 0.5, down: false, shown: false };
  const held = new Set();
  /** @type {[number, number, number, number] | null} what is found to be the digit: top, left, bottom, right */
  let box = null;

  // What is on it

  /** @param {Sheet} next */
  function become(next) {
    past.push(sheet);
    future = [];
    replace(next);
  }

  /** @param {Sheet} next */
  function replace(next) {
    sheet = next;
    box = null;
    refresh();
    changed();
  }

  function undo() {
    const before = past.pop();
    if (!before) return;
    lift();
    future.push(sheet);
    replace(before);
  }

  function redo() {
    const after = future.pop();
    if (!after) return;
    lift();
    past.push(sheet);
    replace(after);
  }

  function clear() {
    lift();
    if (!blank()) become(BLANK);
  }

  /** Ends the stroke that is being drawn, by whatever means. */
  function lift() {
    pen.down = false;
    pointer = null;
  }

  const blank = () => !sheet.strokes.length && !sheet.image && !sheet.photo;

  /** @param {number} x @param {number} y */
  function begin(x, y) {
    const path = new Path2D();
    path.moveTo(x, y);
    path.lineTo(x + 1e-4, y); // so that a dot is seen
    const stroke = { path, width: Number(width.value) / 100 };
    // a photo has its own ground and light: writing begins anew instead
    become({ ...sheet, photo: null, strokes: [...sheet.strokes, stroke] });
  }

  /** @param {[number, number][]} points */
  function go(points) {
    const path = sheet.strokes.at(-1)?.path;
    for (const [x, y] of points) path?.lineTo(x, y);
    refresh();
    changed();
  }

  // The picture of it

  const ground = make("canvas");
  const sent = make("canvas", { width: SIDE, height: SIDE });
  const raster = /** @type {CanvasRenderingContext2D} */ (sent.getContext("2d", { willReadFrequently: true }));

  /** @param {CanvasRenderingContext2D} context @param {number} side @param {string} ink */
  function write(context, side, ink) {
    context.save();
    context.scale(side, side);
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = ink;
    for (const stroke of sheet.strokes) {
      context.lineWidth = stroke.width;
      context.stroke(stroke.path);
    }
    context.restore();
  }

  /** Bytes of grey, from black ink to white paper. */
  function greys() {
    raster.fillStyle = "white";
    raster.fillRect(0, 0, SIDE, SIDE);
    if (sheet.image?.ink) {
      paintGrey(ground, sheet.image.ink.map((value) => 255 - value), MNIST);
      raster.drawImage(ground, 0, 0, SIDE, SIDE);
    }
    write(raster, SIDE, "black");
    const { data } = raster.getImageData(0, 0, SIDE, SIDE);
    const values = new Uint8Array(SIDE * SIDE);
    for (let i = 0; i < values.length; i++) values[i] = data[4 * i];
    return values;
  }

  let frame = 0;

  /** Draws the pad anew, once before the browser shows it. */
  function refresh() {
    frame ||= requestAnimationFrame(draw);
  }

  function draw() {
    frame = 0;
    const side = canvas.width;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const ink = rgb(colourOf(surface, "--ink"));
    context.clearRect(0, 0, side, side);
    let [left, top, scale] = [0, 0, side / SIDE];
    if (sheet.photo) {
      const height = sheet.photo.greys.length / sheet.photo.width;
      scale = side / Math.max(sheet.photo.width, height);
      [left, top] = [(side - sheet.photo.width * scale) / 2, (side - height * scale) / 2];
      paintGrey(ground, sheet.photo.greys, sheet.photo.width);
      context.drawImage(ground, left, top, sheet.photo.width * scale, height * scale);
    } else if (sheet.image?.ink) {
      paintInk(ground, sheet.image.ink, MNIST);
      context.drawImage(ground, 0, 0, side, side);
    }
    write(context, side, ink);
    if (box) {
      const [first, from, last, to] = box;
      context.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
      context.lineWidth = devicePixelRatio;
      context.strokeStyle = rgb(colourOf(surface, "--plus"));
      context.strokeRect(left + from * scale, top + first * scale, (to - from) * scale, (last - first) * scale);
      context.setLineDash([]);
    }
    if (pen.shown) drawPen(context, side);
    hint.hidden = !blank();
    for (const [button, possible] of /** @type {const} */ ([[undoing, past.length], [redoing, future.length], [clearing, !blank()]])) {
      button.setAttribute("aria-disabled", String(!possible));
    }
  }

  /** A ring where the pen is, full while it is down. @param {CanvasRenderingContext2D} context @param {number} side */
  function drawPen(context, side) {
    context.beginPath();
    context.arc(pen.x * side, pen.y * side, Math.max(0.025, Number(width.value) / 200) * side, 0, 2 * Math.PI);
    context.fillStyle = context.strokeStyle = rgb(colourOf(surface, pen.down ? "--minus" : "--plus"));
    context.lineWidth = 2 * devicePixelRatio;
    context.stroke();
    if (pen.down) context.fill();
  }

  // Pointers

  /** @param {PointerEvent} event @returns {[number, number]} */
  function place(event) {
    const edges = canvas.getBoundingClientRect();
    return [(event.clientX - edges.left) / edges.width, (event.clientY - edges.top) / edges.height];
  }

  surface.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button !== 0) return;
    lift();
    pointer = event.pointerId;
    surface.setPointerCapture(pointer);
    pen.shown = false;
    begin(...place(event));
  });
  surface.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const all = event.getCoalescedEvents?.() ?? [];
    go((all.length ? all : [event]).map(place));
  });
  for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) {
    surface.addEventListener(end, (event) => {
      if (event.pointerId !== pointer) return;
      pointer = null;
      changed();
    });
  }

  // Keys

  surface.addEventListener("keydown", (event) => {
    const command = event.ctrlKey || event.metaKey;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (command && key === "z") (event.shiftKey ? redo : undo)();
    else if (command && key === "y") redo();
    else if (command || event.altKey) return;
    else if (key in ARROWS) move(event);
    else if (key === " ") press();
    else if (key === "Delete" || key === "Backspace") clear();
    else if (key === "Escape" && pen.down) press();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  surface.addEventListener("keyup", (event) => held.delete(event.key));
  surface.addEventListener("focus", () => {
    pen.shown = surface.matches(":focus-visible");
    refresh();
  });
  surface.addEventListener("blur", () => {
    held.clear();
    pen.down = false;
    pen.shown = false;
    refresh();
  });

  /** Two arrows held at once go aslant. @param {KeyboardEvent} event */
  function move(event) {
    held.add(event.key);
    const step = event.shiftKey ? 3 * STEP : STEP;
    for (const key of held) {
      pen.x = Math.min(Math.max(pen.x + ARROWS[key][0] * step, 0), 1);
      pen.y = Math.min(Math.max(pen.y + ARROWS[key][1] * step, 0), 1);
    }
    pen.shown = true;
    if (pen.down) go([[pen.x, pen.y]]);
    else refresh();
  }

  function press() {
    pen.down = !pen.down;
    pen.shown = true;
    if (pen.down) begin(pen.x, pen.y);
    else {
      refresh();
      changed();
    }
    say(pen.down ? texts.penDown : texts.penUp);
  }

  const observer = new ResizeObserver(() => {
    canvas.width = canvas.height = Math.round(surface.clientWidth * devicePixelRatio) || SIDE;
    refresh();
  });
  observer.observe(surface);

  return {
    surface,
    width,
    buttons: [undoing, redoing, clearing],
    refresh,
    blank,
    /** Whether nobody is writing at the moment. */
    resting: () => pointer === null && !pen.down,
    /** The test image that is shown as it is, if one is. */
    image: () => (sheet.image && !sheet.strokes.length ? sheet.image.image : null),
    /** What is on the pad now; an answer belongs to the sheet that was on it when it was asked for. */
    sheet: () => sheet,
    /** What is on the pad, as Python reads it: a test image by its number, until its ink is known. */
    content() {
      if (blank()) return {};
      if (sheet.photo) return { pixels: base64(sheet.photo.greys), width: sheet.photo.width };
      if (sheet.image && !(sheet.image.ink && sheet.strokes.length)) return { image: sheet.image.image };
      return { pixels: base64(greys()), width: SIDE };
    },
    /** @param {number | null} image the number of a test image, or nothing */
    put(image) {
      lift();
      become(image === null ? BLANK : { ...BLANK, image: { image, ink: null } });
    },
    /** @param {{pixels: string, width: number}} photo */
    putPhoto(photo) {
      lift();
      become({ ...BLANK, photo: { greys: bytes(photo.pixels), width: photo.width } });
    },
    /** What Python found on a sheet. @param {{image: string | null, box: any}} reading @param {Sheet} of */
    found(reading, of) {
      if (of === sheet) box = reading.box;
      const inked = of.image && !of.image.ink && reading.image;
      if (of.image && inked) of.image.ink = bytes(inked);
      refresh();
      if (inked && of.strokes.length) changed(); // it was read without them
    },
    close() {
      observer.disconnect();
      cancelAnimationFrame(frame);
    },
  };
}

/** @param {HTMLCanvasElement} canvas @param {Uint8Array} greys @param {number} width */
function paintGrey(canvas, greys, width) {
  canvas.width = width;
  canvas.height = greys.length / width;
  const image = new ImageData(width, canvas.height);
  greys.forEach((grey, i) => image.data.set([grey, grey, grey, 255], 4 * i));
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}

/** @param {number[]} colour */
function rgb(colour) {
  return `rgb(${colour.join(" ")})`;
}
