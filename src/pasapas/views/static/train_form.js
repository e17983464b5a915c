// @ts-check
/** The settings of the runs A and B of the view Train: as a form, in an address, and as Python takes them. */

import { fill, make } from "./parts.js";

/**
 * @typedef {{name: string, label: string, type: string, choices: {value: string, label: string}[], low: number,
 *   high: number | null, most: number | null, default: any}} Setting
 * @typedef {Record<string, any>} Values
 * @typedef {{a: Values, other: Values | null}} Chosen `other` is what B has other than A, null where there is no B
 */

const PLACES = { groupNetwork: ["hidden", "activation", "initializer", "sigma", "dropout"], groupLearning: ["optimizer", "batch_size", "l2"], groupData: ["train_images", "deform", "seed"] };

/** The settings of B. @param {Chosen} chosen @returns {Values | null} */
export function settingsOfB({ a, other }) {
  return other && { ...a, ...other };
}

/** What B has other than A. @param {Values} a @param {Values} b @returns {Values} */
export function otherThan(a, b) {
  return Object.fromEntries(Object.entries(b).filter(([name, value]) => String(value) !== String(a[name])));
}

/** The value that a text stands for, or undefined. @param {Setting} setting @param {string} text @returns {any} */
function valueOf({ type, choices, low, high, most }, text) {
  const within = (/** @type {number} */ value) => value >= low && value <= (high ?? Infinity);
  if (type === "tuple") {
    const parts = text.trim() === "none" || !text.trim() ? [] : text.split(",").map((part) => part.trim());
    return parts.length <= (most ?? 0) && parts.every((part) => /^\d{1,9}$/.test(part) && within(Number(part))) ? parts.map(Number) : undefined;
  }
  if (type === "str") return choices.some(({ value }) => value === text) ? text : undefined;
  if (type === "bool") return text === "1" ? true : text === "0" ? false : undefined;
  const value = text.trim() ? Number(text) : NaN;
  return within(value) && (type === "float" || Number.isInteger(value)) ? value : undefined;
}

/** @param {any} value */
function textOf(value) {
  return Array.isArray(value) ? value.join(",") || "none" : typeof value === "boolean" ? String(Number(value)) : String(value);
}

/** What an address says, as far as it makes sense. @param {Setting[]} settings @param {Record<string, string>} address @returns {Chosen} */
export function readAddress(settings, address) {
  const values = (/** @type {string} */ prefix) =>
    Object.fromEntries(
      settings.flatMap((one) => {
        const text = address[prefix + one.name];
        const value = text === undefined ? undefined : valueOf(one, text);
        return value === undefined ? [] : [[one.name, value]];
      }),
    );
  const a = { ...Object.fromEntries(settings.map((one) => [one.name, one.default])), ...values("") };
  return { a, other: address.compare === "1" ? otherThan(a, { ...a, ...values("b.") }) : null };
}

/** What goes into the address. @param {Setting[]} settings @param {Chosen} chosen @returns {Record<string, string>} */
export function writtenAddress(settings, { a, other }) {
  /** @type {Record<string, string>} */
  const address = {};
  for (const one of settings) if (textOf(a[one.name]) !== textOf(one.default)) address[one.name] = textOf(a[one.name]);
  if (other) address.compare = "1";
  for (const [name, value] of Object.entries(other ?? {})) address[`b.${name}`] = textOf(value);
  // an address that says nothing is that of whoever came without one
  return Object.keys(address).length ? address : { hidden: textOf(a.hidden) };
}

/**
 * The form of all settings but the learning rate. `change` hears of a setting that is complete and other than before.
 * @param {{texts: Record<string, string>, write: ReturnType<typeof import("./parts.js").writer>, settings: Setting[], chosen: Chosen, change: () => void, complain: (sentence: string) => void}} options
 */
export function trainForm({ texts, write, settings, chosen, change, complain }) {
  const byName = new Map(settings.map((one) => [one.name, one]));
  /** @type {(() => void)[]} */
  const refreshers = [];

  /** @param {Setting} setting @param {"a" | "b"} run @param {any} value */
  function put(setting, run, value) {
    const before = JSON.stringify(chosen);
    if (run === "a") chosen.a[setting.name] = value;
    else if (chosen.other) chosen.other[setting.name] = value;
    if (chosen.other) chosen.other = otherThan(chosen.a, { ...chosen.a, ...chosen.other });
    complain("");
    refresh();
    if (JSON.stringify(chosen) !== before) change();
  }

  /** @param {Setting} setting @param {"a" | "b"} run */
  function control(setting, run) {
    const { name, type, choices, low, high, most } = setting;
    const label = fill(texts.ofRun, { label: setting.label, run: run.toUpperCase() });
    const now = () => (run === "a" ? chosen.a : settingsOfB(chosen) ?? chosen.a)[name];
    if (type === "str") {
      const select = make("select", { "aria-label": label, "data-name": `${run}.${name}`, onchange: () => put(setting, run, select.value) },
        ...choices.map((one) => make("option", { value: one.value, text: one.label })));
      refreshers.push(() => (select.value = now()));
      return select;
    }
    if (type === "bool") {
      const box = make("input", { type: "checkbox", "aria-label": label, "data-name": `${run}.${name}`, onchange: () => put(setting, run, box.checked) });
      refreshers.push(() => (box.checked = now()));
      return box;
    }
    const input = make("input", {
      type: type === "tuple" ? "text" : "number", min: type === "tuple" ? null : low, max: type === "tuple" ? null : high, step: type === "float" ? "any" : 1,
      autocomplete: "off", "aria-label": label, "data-name": `${run}.${name}`,
      onchange: () => {
        const value = valueOf(setting, input.value);
        input.toggleAttribute("aria-invalid", value === undefined);
        if (value === undefined) complain(fill(type === "tuple" ? texts.badHidden : texts.badNumber, { label: setting.label, low: write.exact(low), high: high === null ? "" : write.exact(high), most: most ?? "" }));
        else put(setting, run, value);
      },
    });
    refreshers.push(() => {
      input.removeAttribute("aria-invalid");
      input.value = type === "tuple" ? now().join(", ") : String(now());
    });
    return input;
  }

  /** @param {string} name */
  function row(name) {
    const setting = /** @type {Setting} */ (byName.get(name));
    const mark = make("span", { class: "mark", text: "≠", title: texts.differs });
    const b = make("div", { class: "cell b" }, mark, control(setting, "b"));
    const line = make("div", { class: "setting" }, make("span", { class: "name", text: setting.label }), make("div", { class: "cell" }, control(setting, "a")), b);
    refreshers.push(() => {
      b.hidden = !chosen.other;
      mark.classList.toggle("off", !chosen.other || !(name in chosen.other));
      if (name === "sigma") line.hidden = chosen.a.initializer !== "normal" && settingsOfB(chosen)?.initializer !== "normal";
    });
    return line;
  }

  const heads = make("div", { class: "setting heads", "aria-hidden": "true" }, make("span"), make("span", { text: "A" }), make("span", { class: "b", text: "B" }));
  const groups = Object.entries(PLACES).map(([group, names]) => make("fieldset", {}, make("legend", { text: texts[group] }), ...names.map(row)));
  const element = make("div", { class: "settings-form" }, heads, ...groups);
  function refresh() {
    element.classList.toggle("two", Boolean(chosen.other));
    heads.hidden = !chosen.other;
    refreshers.forEach((one) => one());
  }
  refresh();
  return { element, refresh };
}

/**
 * A learning rate: a slider over powers of ten, and a number.
 * @param {{label: string, setting: Setting, value: number, run: "a" | "b", choose: (value: number) => void, complain: (sentence: string) => void, texts: Record<string, string>, write: ReturnType<typeof import("./parts.js").writer>}} options
 */
export function rateControl({ label, setting, value, run, choose, complain, texts, write }) {
  const high = setting.high ?? 1;
  const slider = make("input", {
    type: "range", min: Math.log10(setting.low), max: Math.log10(high), step: 0.05, "aria-label": label, "data-name": `${run}.slider`,
    oninput: () => {
      const chosen = Number((10 ** Number(slider.value)).toPrecision(2));
      show(Math.min(Math.max(chosen, setting.low), high), false);
      choose(Number(number.value));
    },
  });
  const number = make("input", {
    type: "number", min: setting.low, max: high, step: "any", "aria-label": label, "data-name": `${run}.learning_rate`,
    onchange: () => {
      const chosen = valueOf(setting, number.value);
      if (chosen === undefined) complain(fill(texts.badNumber, { label: setting.label, low: write.exact(setting.low), high: write.exact(high) }));
      else {
        complain("");
        show(chosen);
        choose(chosen);
      }
    },
  });
  /** @param {number} now */
  function show(now, slide = true) {
    number.value = String(now);
    if (slide) slider.value = String(Math.log10(now));
    slider.setAttribute("aria-valuetext", String(now));
  }
  show(value);
  const element = make("div", { class: "rate" }, make("span", { class: "name", text: label }), slider, number);
  return {
    element,
    /** Another value, unless the reader is about to choose one. @param {number} now */
    show: (now) => {
      if (!element.contains(document.activeElement)) show(now);
    },
  };
}
