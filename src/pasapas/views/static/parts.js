// @ts-check
/**
 * What all views are made of: elements, questions to Python, numbers as each language writes them, pictures of arrays.
 *
 * A view is a module with `render({model, el})`, which draws into `el` and returns what ends it. `model` is that of
 * anywidget; in the lab, `lab.js` makes one that speaks HTTP.
 */

/**
 * @typedef {{get(name: string): any, set(name: string, value: any): void, save_changes(): void,
 *   send(content: any): void, on(event: string, callback: Function): void, off(event: string, callback: Function): void}} Model
 * @typedef {Record<string, string | number | boolean | undefined | null | EventListener>} Attributes
 * @typedef {{key: string, label: string, architecture: string, single: boolean}} Listed
 */

/**
 * An element with attributes and children. `text` is its text; `onclick` and the like are listeners.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Attributes} [attributes]
 * @param {(Node | string | null | undefined | false)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  dress(element, attributes);
  // JupyterLab takes single letters and arrows for itself, unless the element in focus says no
  if (/^(button|input|select|textarea)$/.test(tag) || "tabindex" in attributes) {
    element.setAttribute("data-lm-suppress-shortcuts", "true");
  }
  element.append(...present(children));
  return element;
}

/**
 * The same for SVG.
 * @param {string} tag
 * @param {Attributes} [attributes]
 * @param {(Node | string | null | undefined | false)[]} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  dress(element, attributes);
  element.append(...present(children));
  return element;
}

/** @param {Element} element @param {Attributes} attributes */
function dress(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "text") element.textContent = String(value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) element.setAttribute(name, String(value));
  }
}

/** @param {(Node | string | null | undefined | false)[]} children @returns {(Node | string)[]} */
function present(children) {
  return /** @type {(Node | string)[]} */ (children.filter((child) => child !== null && child !== undefined && child !== false));
}

/** What Python answers with a sentence in place of an answer. */
export class Refusal extends Error {}

/**
 * Questions to Python: `ask(kind, fields)` gives a promise of the answer, which fails with a `Refusal`. `onNews` hears
 * what Python says unasked. `close` ends both.
 * @param {Model} model
 * @param {(news: any) => void} [onNews]
 */
export function asker(model, onNews) {
  let last = Math.floor(Math.random() * 2 ** 32) * 2 ** 16; // a notebook may show a widget twice, and both hear each answer
  /** @type {Map<number, {resolve: (answer: any) => void, reject: (error: Error) => void}>} */
  const open = new Map();
  /** @param {any} message */
  const hear = (message) => {
    if (message && message.news !== undefined) onNews?.(message.news);
    const waiting = open.get(message?.id);
    if (!waiting) return;
    open.delete(message.id);
    if (message.error !== undefined) waiting.reject(new Refusal(message.error));
    else waiting.resolve(message);
  };
  model.on("msg:custom", hear);
  return {
    /** @param {string} kind @param {object} [fields] @returns {Promise<any>} */
    ask(kind, fields = {}) {
      return new Promise((resolve, reject) => {
        const id = ++last;
        open.set(id, { resolve, reject });
        model.send({ ...fields, id, ask: kind });
      });
    },
    close() {
      model.off("msg:custom", hear);
      open.clear();
    },
  };
}

/**
 * Only the newest of many questions: while one is under way, the last of those that came meanwhile waits, the others
 * are forgotten.
 * @template T
 * @param {(value: T) => Promise<void>} work
 * @returns {(value: T) => void}
 */
export function newest(work) {
  let busy = false;
  /** @type {{value: T} | null} */
  let next = null;
  return async function put(value) {
    next = { value };
    if (busy) return;
    busy = true;
    while (next) {
      const now = /** @type {{value: T}} */ (next);
      next = null;
      try {
        await work(now.value);
      } catch (error) {
        if (!(error instanceof Refusal)) console.error(error);
      }
    }
    busy = false;
  };
}

/** A text with values in the places of `{name}`. @param {string} text @param {Record<string, string | number | boolean>} values */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
}

/**
 * Numbers as a language writes them. A minus is a minus, and no zero is negative.
 * @param {string} language
 */
export function writer(language) {
  /** @type {Map<string, Intl.NumberFormat>} */
  const made = new Map(); // a formatter takes a hundred times as long to make as to use
  /** @param {Intl.NumberFormatOptions} options */
  const formatter = (options) => {
    const key = JSON.stringify(options);
    const one = made.get(key) ?? new Intl.NumberFormat(language, { signDisplay: "negative", ...options });
    made.set(key, one);
    return one;
  };
  /** @param {number} value @param {Intl.NumberFormatOptions} options */
  const write = (value, options) =>
    Number.isFinite(value)
      ? formatter(options).format(value).replace("-", "−")
      : value > 0 ? "∞" : value < 0 ? "−∞" : "NaN";
  return {
    /** @param {number} value @param {number} [digits] */
    number: (value, digits = 4) => write(value, { minimumFractionDigits: digits, maximumFractionDigits: digits }),
    /** @param {number} value as many digits as it needs @param {number} [digits] */
    short: (value, digits = 4) =>
      value !== 0 && Number.isFinite(value) && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e7)
        ? value.toExponential(2).replace("-", "−").replace(".", language === "fr" ? "," : ".").replace("e+", "e")
        : write(value, { maximumSignificantDigits: digits }),
    /** @param {number} value with all its digits */
    exact: (value) => write(value, { maximumSignificantDigits: 15 }),
    /** @param {number} value */
    integer: (value) => write(value, { maximumFractionDigits: 0 }),
    /** @param {number} share @param {number} [digits] */
    percent: (share, digits = 1) =>
      write(share, { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits }),
  };
}

/** @param {string} text base64 @returns {Uint8Array<ArrayBuffer>} */
export function bytes(text) {
  const raw = atob(text);
  const content = new Uint8Array(raw.length); // a loop: `Uint8Array.from` takes ten times as long for megabytes
  for (let i = 0; i < raw.length; i++) content[i] = raw.charCodeAt(i);
  return content;
}

/** @param {string} text base64 of little-endian float32 @returns {Float32Array} */
export function floats(text) {
  const view = new DataView(bytes(text).buffer);
  return Float32Array.from({ length: view.byteLength / 4 }, (_nothing, i) => view.getFloat32(4 * i, true));
}

/** @param {Uint8Array} content @returns {string} base64 */
export function base64(content) {
  let text = "";
  for (let i = 0; i < content.length; i += 8192) text += String.fromCharCode(...content.subarray(i, i + 8192));
  return btoa(text);
}

/**
 * A picture of ink, bytes from 0 (ground) to 255 (ink), dark on light or light on dark as the page is.
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array} values
 * @param {number} width
 */
export function paintInk(canvas, values, width) {
  const [ground, ink] = [colourOf(canvas, "--paper"), colourOf(canvas, "--ink")];
  paint(canvas, values, width, (value) => mix(ground, ink, value / 255));
}

/**
 * A picture of numbers of both signs, bytes from −127 to 127: orange below zero, blue above.
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array | Int8Array} values
 * @param {number} width
 */
export function paintSigned(canvas, values, width) {
  const [minus, zero, plus] = ["--minus", "--neutral", "--plus"].map((name) => colourOf(canvas, name));
  paint(canvas, new Int8Array(values.buffer, values.byteOffset, values.length), width, (value) =>
    mix(zero, value < 0 ? minus : plus, (Math.abs(value) / 127) ** 0.7),
  );
}

/**
 * @param {HTMLCanvasElement} canvas @param {ArrayLike<number>} values @param {number} width
 * @param {(value: number) => number[]} colour
 */
function paint(canvas, values, width, colour) {
  const height = values.length / width;
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height);
  for (let i = 0; i < values.length; i++) image.data.set([...colour(values[i]), 255], 4 * i);
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}

/** @param {number[]} from @param {number[]} to @param {number} share */
function mix(from, to, share) {
  return from.map((value, i) => Math.round(value + (to[i] - value) * share));
}

/**
 * A colour of the styles, as red, green, blue.
 * @param {Element} element within the page
 * @param {string} name such as "--ink"
 * @returns {number[]}
 */
export function colourOf(element, name) {
  const root = element.isConnected ? element : document.querySelector(".pasapas") ?? document.body;
  const text = getComputedStyle(root).getPropertyValue(name).trim() || "#808080";
  const value = parseInt(text.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

/**
 * Calls `redraw` whenever the page changes between light and dark.
 * @param {() => void} redraw
 * @returns {() => void} ends it
 */
export function onTheme(redraw) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const changes = new MutationObserver(redraw);
  changes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  changes.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  dark.addEventListener("change", redraw);
  return () => {
    changes.disconnect();
    dark.removeEventListener("change", redraw);
  };
}

/** Whether the reader asked for little movement. */
export function still() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/**
 * Says changing values to those who hear the page, at most every two seconds and only the last one.
 * @param {HTMLElement} el where it stands, unseen
 */
export function announcer(el) {
  const place = make("p", { class: "unseen", role: "status" });
  el.append(place);
  let waiting = 0;
  let text = "";
  return {
    /** @param {string} said */
    say(said) {
      text = said;
      if (waiting) return;
      place.textContent = text;
      waiting = window.setTimeout(() => {
        waiting = 0;
        if (place.textContent !== text) this.say(text);
      }, 2000);
    },
    close: () => clearTimeout(waiting),
  };
}

/**
 * A menu of the models at hand, with a way to open a file. `texts` are those of the view.
 * @param {{ask: (kind: string, fields?: object) => Promise<any>, texts: Record<string, string>, models: Listed[],
 *   chosen: string, single?: boolean, choose: (key: string) => void, complain: (sentence: string) => void}} options
 */
export function modelMenu({ ask, texts, models, chosen, single = false, choose, complain }) {
  const select = make("select", {
    onchange: () => {
      if (select.value !== "…") {
        chosen = select.value;
        choose(chosen);
        return;
      }
      select.value = chosen;
      pick.click();
    },
    onfocus: () => refresh(),
  });
  const pick = make("input", { type: "file", hidden: true, accept: ".safetensors,.pkl,.pickle", "aria-label": texts.openModel });
  /** @param {Listed[]} listed */
  const list = (listed) => {
    models = listed;
    const shown = models.filter((one) => one.single || !single);
    if (!shown.some((one) => one.key === chosen)) chosen = "shipped";
    select.replaceChildren(
      ...shown.map((one) => make("option", { value: one.key, text: fill(texts.network, one) })),
      make("option", { value: "…", text: texts.openModel }),
    );
    select.value = chosen;
  };
  const refresh = async () => {
    const listed = (await ask("models")).models;
    if (JSON.stringify(listed) !== JSON.stringify(models)) list(listed);
  };
  pick.addEventListener("change", async () => {
    const file = pick.files?.[0];
    if (!file) return;
    try {
      const answer = await ask("open_model", await contentOf(file, 45, texts));
      chosen = answer.opened;
      list(answer.models);
      choose(chosen);
    } catch (error) {
      complain(error instanceof Error ? error.message : String(error));
    }
    pick.value = "";
  });
  list(models);
  return { element: make("label", { class: "field" }, make("span", { text: texts.model }), select, pick), refresh };
}

/**
 * A file for Python: its name and its bytes as base64. Fails with a `Refusal` where it is larger than so many MB.
 * @param {File} file @param {number} most @param {Record<string, string>} texts
 */
export async function contentOf(file, most, texts) {
  if (file.size > most << 20) throw new Refusal(fill(texts.tooLarge, { name: file.name, most }));
  return { name: file.name, content: base64(new Uint8Array(await file.arrayBuffer())) };
}

/**
 * Hands a file to the reader, who keeps it.
 * @param {string} name @param {string} content base64
 */
export function download(name, content) {
  const address = URL.createObjectURL(new Blob([bytes(content)], { type: "application/octet-stream" }));
  const link = make("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
