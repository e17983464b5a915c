// @ts-check
/**
 * The view Microscope: which network and which images, the update and its losses, the network with its values, the step
 * itself stage by stage, and the chain rule of one weight.
 */

import { lineChart } from "./chart.js";
import { chainPanel } from "./microscope_chain.js";
import { networkDrawing } from "./microscope_network.js";
import { announcer, asker, bytes, contentOf, download, fill, make, modelMenu, newest, onTheme, paintInk, Refusal, writer } from "./parts.js";
import step from "./step.js";

/**
 * @typedef {{model: string, images: number[] | null, learning_rate: number, convention: string, updates: number}} Choice
 * @typedef {Choice & {presets: import("./parts.js").Listed[], losses: number[], after: number, labels: number[],
 *   pictures: string[], about: any, arrays: Record<string, string>, drawing: any, verdict?: string, altered?: string[]}} Step
 */

const FIRST_STAGE = "P"; // the forward pass is done: the network is full of values

if (import.meta.url.startsWith("http")) {
  // in notebooks the styles of the step come with those of this view
  const link = make("link", { rel: "stylesheet", href: new URL("./step.css", import.meta.url).href });
  document.head.append(link);
  await new Promise((resolve) => (link.onload = link.onerror = resolve));
}

/** @param {{model: import("./parts.js").Model, el: HTMLElement}} context */
function render({ model, el }) {
  const about = model.get("about");
  const { texts, bounds, first } = about;
  const write = writer(about.language);
  const { ask, close } = asker(model);
  /** @type {Step | null} */
  let now = null;
  let written = "";
  let leave = () => {};
  /** @type {import("./parts.js").Listed[]} */
  let bench = about.models;
  let inMenu = ""; // the model that the menu shows
  let turn = 0; // of steps: what was asked about an earlier one is no answer any more

  // The address

  /** What an address asks for; what it does not say, or says badly, is as at the beginning. @returns {Choice} */
  function choiceOf(/** @type {Record<string, string>} */ address) {
    const numbers = numbersIn(address.images ?? "");
    const rate = Number(address.rate);
    const updates = Number(address.updates ?? 0);
    const known = [...(now?.presets ?? about.presets), ...bench].some((one) => one.key === address.model && one.single);
    const key = known || (now && address.model === now.model) ? address.model : first.model;
    return {
      model: key,
      images: numbers ?? (key === "capsule" ? null : first.images),
      learning_rate: rate >= bounds.rate[0] && rate <= bounds.rate[1] ? rate : first.learning_rate,
      convention: address.convention === "per-example" ? address.convention : "mean",
      updates: Number.isInteger(updates) && updates >= 0 && updates <= bounds.updates ? updates : 0,
    };
  }

  /** Numbers of images, or null where that is not what was typed. @param {string} text */
  function numbersIn(text) {
    const numbers = text.split(/[\s,;]+/).filter(Boolean).map(Number);
    const good = numbers.length > 0 && numbers.length <= bounds.images && numbers.every((one) => Number.isInteger(one) && one >= 0 && one <= bounds.lastImage);
    return good ? numbers : null;
  }

  /** @type {import("./microscope_chain.js").Weight} */
  let weight = { layer: 1 };
  let weightChosen = false; // by the reader: then it is in the address
  readWeight();

  /** The weight that the address names. */
  function readWeight() {
    const named = /^(\d{1,9}),(\d{1,9}),(\d{1,9}),(\d{1,9})$/.exec(model.get("address").weight ?? "")?.slice(1).map(Number);
    weightChosen = named !== undefined;
    weight = named ? { layer: named[0], i: named[1], j: named[2], image: named[3] } : { layer: 1 };
  }

  const writeAddress = () => {
    if (!now) return;
    /** @type {Record<string, string>} */
    const address = {};
    if (now.model !== first.model) address.model = now.model;
    if (now.images && String(now.images) !== String(first.images)) address.images = String(now.images);
    if (now.learning_rate !== first.learning_rate) address.rate = String(now.learning_rate);
    if (now.convention !== "mean") address.convention = now.convention;
    if (now.updates) address.updates = String(now.updates);
    if (traits.stage !== FIRST_STAGE) address.stage = traits.stage;
    if (weightChosen) address.weight = [weight.layer, weight.i, weight.j, weight.image].join();
    written = JSON.stringify(address);
    if (written === JSON.stringify(model.get("address"))) return;
    model.set("address", address);
    model.save_changes();
  };
  let writing = 0;
  const writeSoon = () => {
    clearTimeout(writing);
    writing = window.setTimeout(writeAddress, 300);
  };

  // What the step view has for a model

  /** @type {{about: any, arrays: Record<string, Uint8Array>, stage: string}} */
  const traits = { about: null, arrays: {}, stage: "" };
  /** @type {Record<string, Function[]>} */
  const listeners = {};
  /** @param {string} event @param {any} [content] */
  const emit = (event, content) => [...(listeners[event] ?? [])].forEach((listener) => listener(content));
  /** @type {import("./parts.js").Model} */
  const inner = {
    get: (name) => Reflect.get(traits, name),
    set: (name, value) => {
      Reflect.set(traits, name, value);
      emit(`change:${name}`);
      if (name !== "stage") return;
      network.at(value);
      writeSoon();
    },
    save_changes: () => {},
    on: (event, listener) => void (listeners[event] ??= []).push(listener),
    off: (event, listener) => void (listeners[event] = (listeners[event] ?? []).filter((one) => one !== listener)),
    send: async ({ id, tensor, index, arrays }) => {
      const mine = turn;
      try {
        const answer = arrays ? await ask("arrays", { tensors: arrays }) : await ask("entry", { tensor, index });
        if (mine !== turn) return;
        if (arrays) inner.set("arrays", { ...traits.arrays, ...unpacked(answer.arrays) });
        else emit("msg:custom", { ...answer, id });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (mine === turn) emit("msg:custom", { id, error: error.message });
      }
    },
  };
  /** @param {Record<string, string>} arrays */
  const unpacked = (arrays) => Object.fromEntries(Object.entries(arrays).map(([name, text]) => [name, bytes(text)]));
  const isStage = (/** @type {string} */ name) => traits.about?.stages.some((/** @type {{name: string}} */ one) => one.name === name);
  /** @param {string} tensor @param {number[]} place */
  const go = (tensor, place) => {
    if (!isStage(tensor)) return;
    emit("msg:custom", { go: { tensor, place } });
    stepPlace.scrollIntoView({ block: "start" });
    /** @type {HTMLElement | null} */ (stepPlace.querySelector("[aria-current=step]"))?.focus({ preventScroll: true });
  };

  // The page

  const announce = announcer(el);
  const trouble = make("p", { class: "trouble", role: "alert" });
  const verdict = make("div", { class: "verdict", role: "status" });
  const menuPlace = make("div");
  const numbers = make("input", { type: "text", inputmode: "numeric", size: 16, autocomplete: "off", onchange: () => typed() });
  const rate = make("input", { type: "number", min: bounds.rate[0], max: bounds.rate[1], step: "any", onchange: () => typedRate() });
  const convention = make(
    "select",
    { onchange: () => choose({ convention: convention.value, updates: now?.updates ?? 0 }) },
    ...["mean", "per-example"].map((key) => make("option", { value: key, text: texts[key] })),
  );
  const others = make("button", {
    type: "button",
    text: texts.others,
    onclick: () => choose({ images: Array.from({ length: now?.images?.length ?? first.images.length }, () => Math.floor(Math.random() * (bounds.lastImage + 1))) }),
  });
  const pick = make("input", { type: "file", hidden: true, accept: ".capsule", "aria-label": texts.openCapsule });
  const batch = make("div", { class: "batch", role: "group", "aria-label": texts.batch });
  /** @param {string} text @param {HTMLElement} control */
  const field = (text, control) => make("label", { class: "field" }, make("span", { text }), control);

  const update = make("button", { type: "button", class: "main", text: texts.update, onclick: () => goTo(wanted + 1) });
  const undo = make("button", { type: "button", text: texts.undo, onclick: () => goTo(wanted - 1) });
  const restart = make("button", { type: "button", text: texts.restart, onclick: () => goTo(0) });
  const lossNow = make("span", { class: "amount numbers" });
  const lossAfter = make("span", { class: "amount numbers" });
  const history = lineChart({ title: texts.lossTitle, x: texts.updates, texts, height: 170, write: (value) => write.short(value), writeX: (value) => (Number.isInteger(value) ? write.integer(value) : "") });

  const network = networkDrawing({ texts, write, go, walk: (stage) => inner.set("stage", stage), followed: (image) => press(image) });
  const chain = chainPanel({
    ask, texts, go, isStage,
    shown: (shown, chosen) => {
      weight = shown;
      weightChosen ||= chosen;
      writeSoon();
    },
  });
  const stepPlace = make("div", { class: "step" });
  const root = make(
    "div",
    { class: "pasapas microscope", "aria-busy": "true", hidden: true },
    make(
      "div",
      { class: "row choices" },
      menuPlace,
      field(texts.numbersOfImages, numbers),
      others,
      field(texts.rate, rate),
      field(texts.convention, convention),
    ),
    trouble,
    verdict,
    make(
      "div",
      { class: "desk" },
      make(
        "div",
        { class: "left" },
        make(
          "div",
          { class: "row" },
          batch,
          make("button", { type: "button", text: texts.openCapsule, onclick: () => pick.click() }),
          pick,
          make("button", { type: "button", text: texts.saveCapsule, onclick: () => save() }),
        ),
        network.element,
      ),
      make(
        "section",
        { class: "doing" },
        make("h2", { text: texts.updateTitle }),
        make(
          "div",
          { class: "losses" },
          make("div", {}, make("span", { class: "quiet", text: texts.lossNow }), lossNow),
          make("span", { class: "arrow", "aria-hidden": "true", text: "→" }),
          make("div", {}, make("span", { class: "quiet", text: texts.lossAfter }), lossAfter),
        ),
        make("div", { class: "row" }, update, undo, restart),
        history.element,
      ),
    ),
    stepPlace,
    chain.element,
  );
  el.append(root);
  stepPlace.addEventListener("entry", (event) => network.look(/** @type {CustomEvent} */ (event).detail));

  // Choosing

  /** @param {Partial<Choice>} change */
  function choose(change) {
    const base = now ?? choiceOf({});
    const { model: key, images, learning_rate, convention: division } = base;
    load("step", { model: key, images, learning_rate, convention: division, updates: 0, ...change });
  }

  function typed() {
    const text = numbers.value.trim();
    const own = !text && now?.model === "capsule";
    const images = own ? null : numbersIn(text);
    if (own || images) choose({ images });
    else refuse(texts.badImages);
  }

  function typedRate() {
    const value = rate.valueAsNumber;
    if (value >= bounds.rate[0] && value <= bounds.rate[1]) choose({ learning_rate: value });
    else refuse(texts.badRate);
  }

  /** @param {string} sentence */
  function refuse(sentence) {
    trouble.textContent = sentence;
    root.hidden = false;
    if (!now) return;
    showChoice(now, true);
    if (inMenu !== now.model) showMenu(now);
  }

  let wanted = 0;
  /** @param {number} updates */
  function goTo(updates) {
    if (updates < 0 || updates > bounds.updates) return;
    wanted = updates;
    walk(updates);
  }
  const walk = newest(async (/** @type {number} */ updates) => {
    if (await load("go", { updates })) {
      const loss = write.number(now?.losses.at(-1) ?? NaN, 6);
      announce.say(updates ? fill(texts.done, { n: updates, loss }) : fill(texts.notDone, { loss }));
    }
  });

  /**
   * Asks for a step and shows it; what is refused leaves all as it was.
   * @param {string} kind @param {object} fields
   */
  async function load(kind, fields) {
    const mine = ++turn;
    root.setAttribute("aria-busy", "true");
    try {
      const answer = await ask(kind, fields);
      if (mine !== turn) return false;
      trouble.textContent = "";
      show(answer);
      return true;
    } catch (error) {
      if (mine !== turn) return false;
      if (!(error instanceof Refusal)) throw error;
      refuse(error.message);
      return false;
    } finally {
      if (mine === turn) root.removeAttribute("aria-busy");
    }
  }

  /** @param {Step} given */
  function show(given) {
    const before = now;
    now = given;
    root.hidden = false;
    verdict.replaceChildren(
      ...(given.verdict ? [make("p", { class: given.altered?.length ? "trouble" : "", text: given.verdict })] : []),
      ...(given.altered?.length ? [make("ul", {}, ...given.altered.map((text) => make("li", { text })))] : []),
    );
    showChoice(given);
    if (inMenu !== given.model || JSON.stringify(before?.presets) !== JSON.stringify(given.presets)) showMenu(given);
    lossNow.textContent = write.number(given.losses[given.losses.length - 1], 6);
    lossAfter.textContent = write.number(given.after, 6);
    update.disabled = given.updates >= bounds.updates;
    // not `disabled`, which would take the keyboard away from it
    for (const button of [undo, restart]) button.setAttribute("aria-disabled", String(!given.updates));
    history.element.hidden = given.losses.length < 2;
    history.set([{ name: texts.loss, points: given.losses.map((loss, k) => [k, loss]) }]);
    showStep(given);
    network.set(given, traits.stage);
    showBatch(given);
    chain.show(fitting(given));
    writeAddress();
  }

  /** The weight that is looked at, as far as this step has it. @param {Step} given */
  function fitting({ about: { tensors }, labels }) {
    const { layer, i = 0, j = 0, image = 0 } = weight;
    const shape = tensors[`W${layer}`];
    if (!shape || i >= shape.rows || j >= shape.columns) {
      weightChosen = false;
      return { layer: 1 };
    }
    return image < labels.length ? weight : { ...weight, image: undefined };
  }

  /**
   * What is being typed in one field stays when the answer to another comes.
   * @param {Step} given @param {boolean} [all]
   */
  function showChoice(given, all = false) {
    wanted = given.updates;
    if (all || numbers !== document.activeElement) numbers.value = given.images ? given.images.join(", ") : "";
    numbers.placeholder = given.images ? "" : texts.own;
    if (all || rate !== document.activeElement) rate.value = String(given.learning_rate);
    convention.value = given.convention;
  }

  /** @param {Step} given */
  function showMenu(given) {
    inMenu = given.model;
    const menu = modelMenu({
      // the networks of this view stand before the models of the bench
      ask: async (kind, fields) => {
        const answer = await ask(kind, fields);
        bench = answer.models;
        return { ...answer, models: [...(now?.presets ?? []), ...answer.models] };
      },
      texts,
      models: [...given.presets, ...bench],
      chosen: given.model,
      single: true,
      choose: (key) => {
        inMenu = key;
        const own = key === "capsule" ? null : (now?.images ?? first.images);
        choose({ model: key, images: own });
      },
      complain: (sentence) => (trouble.textContent = sentence),
    });
    menuPlace.replaceChildren(menu.element);
  }

  /** @param {Step} given */
  function showBatch(given) {
    batch.replaceChildren(
      ...given.labels.map((label, k) =>
        make(
          "button",
          { type: "button", "aria-label": fill(texts.showImage, { k, label }), onclick: () => { network.show(k); press(k); } },
          given.pictures.length ? make("canvas", { class: "pixels", "aria-hidden": "true" }) : null,
          make("span", { text: String(label) }),
        ),
      ),
    );
    paintBatch();
    press(network.image());
  }

  function paintBatch() {
    batch.querySelectorAll("canvas").forEach((canvas, k) => now && paintInk(canvas, bytes(now.pictures[k]), 28));
  }

  /** @param {number} image the one that the network is drawn with */
  function press(image) {
    [...batch.children].forEach((one, k) => one.setAttribute("aria-pressed", String(k === image)));
  }

  /** @param {Step} given */
  function showStep(given) {
    const names = (/** @type {any} */ one) => one?.stages.map((/** @type {{name: string}} */ stage) => stage.name).join();
    const same = names(traits.about) === names(given.about);
    traits.arrays = unpacked(given.arrays);
    if (same) inner.set("about", given.about);
    else {
      leave();
      stepPlace.replaceChildren();
      traits.about = given.about;
      const asked = traits.stage || model.get("address").stage;
      traits.stage = isStage(asked) ? asked : FIRST_STAGE;
      leave = step.render({ model: inner, el: stepPlace });
    }
  }

  // Capsules

  async function save() {
    try {
      const { name, content } = await ask("save");
      download(name, content);
      announce.say(fill(texts.saved, { name }));
      trouble.textContent = "";
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      trouble.textContent = error.message;
    }
  }

  pick.addEventListener("change", async () => {
    const file = pick.files?.[0];
    if (!file) return;
    try {
      verdict.replaceChildren(make("p", { class: "quiet", text: fill(texts.opening, { name: file.name }) }));
      const content = await contentOf(file, bounds.capsule, texts);
      if (!(await load("open", content))) verdict.replaceChildren();
    } catch (error) {
      verdict.replaceChildren();
      trouble.textContent = error instanceof Error ? error.message : String(error);
    }
    pick.value = "";
  });

  // From outside

  const moved = () => {
    const address = model.get("address");
    if (JSON.stringify(address) === written) return;
    inner.set("stage", isStage(address.stage) ? address.stage : FIRST_STAGE);
    readWeight();
    load("step", choiceOf(address));
  };
  model.on("change:address", moved);
  const unwatch = onTheme(paintBatch);
  begin();

  async function begin() {
    const asked = model.get("address");
    if (await load("step", choiceOf(asked))) return;
    if (!now) await load("step", choiceOf({})); // such as a capsule that is no longer open
  }

  return () => {
    clearTimeout(writing);
    leave();
    network.close();
    history.close();
    announce.close();
    unwatch();
    model.off("change:address", moved);
    close();
  };
}

export default { render };
