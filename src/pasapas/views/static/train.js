// @ts-check
/** The view Train: one or two runs, their settings, and what is seen of them while they learn. */

import { lineChart } from "./chart.js";
import { announcer, asker, download, fill, make, newest, onTheme, Refusal, still, writer } from "./parts.js";
import { otherThan, rateControl, readAddress, settingsOfB, trainForm, writtenAddress } from "./train_form.js";
import { trainPanel } from "./train_panel.js";

/** @typedef {"a" | "b"} Key */

const PICTURES = 1000; // milliseconds between two looks at the first layer, while it learns
const HARDEST = 5000;
const SAID = 5000;

/** @param {{model: import("./parts.js").Model, el: HTMLElement}} context */
function render({ model, el }) {
  let written = "";
  /** @type {import("./train_form.js").Chosen | null} what is there when an address says nothing */
  let kept = null;
  const { settings, current } = model.get("about");
  if (current.a) kept = { a: current.a, other: current.b && otherThan(current.a, current.b) };
  const opened = () => {
    const address = model.get("address") ?? {};
    return kept && !Object.keys(address).length ? kept : readAddress(settings, address);
  };
  /** @param {import("./train_form.js").Chosen} chosen */
  const keep = (chosen) => {
    kept = chosen;
    const address = writtenAddress(settings, chosen);
    written = JSON.stringify(address);
    if (written === JSON.stringify(model.get("address"))) return;
    model.set("address", address);
    model.save_changes();
  };
  let leave = build(model, el, opened(), keep);
  const onAddress = () => {
    if (JSON.stringify(model.get("address")) === written) return;
    leave();
    leave = build(model, el, opened(), keep);
  };
  model.on("change:address", onAddress);
  return () => {
    model.off("change:address", onAddress);
    leave();
  };
}

/**
 * @param {import("./parts.js").Model} model @param {HTMLElement} el @param {import("./train_form.js").Chosen} chosen
 * @param {(chosen: import("./train_form.js").Chosen) => void} keep
 * @returns {() => void} ends it
 */
function build(model, el, chosen, keep) {
  const { texts, language, settings } = model.get("about");
  const write = writer(language);
  const { ask, close } = asker(model, hear);
  let running = false;
  let turn = -1;
  /** @type {Map<Key, ReturnType<typeof trainPanel>>} */
  let panels = new Map();
  /** @type {Map<Key, ReturnType<typeof rateControl>>} */
  let controls = new Map();

  const trouble = make("p", { class: "trouble", role: "alert" });
  /** @param {string} sentence */
  const complain = (sentence) => void (trouble.textContent = sentence);
  /** What Python refuses is said; everything else is a mistake of ours. @param {unknown} error */
  const fail = (error) => {
    if (!(error instanceof Refusal)) console.error(error);
    complain(error instanceof Error ? error.message : String(error));
  };

  // What can be done

  const go = make("button", { class: "main go", onclick: () => (running ? act("pause") : act("start")) });
  /** @param {string} kind */
  async function act(kind) {
    try {
      complain("");
      running = (await ask(kind)).running;
      draw();
      if (!running) look(true);
    } catch (error) {
      fail(error);
    }
  }
  async function rewind() {
    try {
      complain("");
      take(await ask("rewind"));
    } catch (error) {
      fail(error);
    }
  }
  const state = make("p", { class: "state" });
  const compare = make("input", { type: "checkbox", id: "train-compare", onchange: () => {
    const rate = chosen.a.learning_rate;
    chosen.other = compare.checked ? { learning_rate: rate < 1 ? Number((10 * rate).toPrecision(12)) : Number((rate / 10).toPrecision(12)) } : null;
    setup();
  } });
  compare.checked = Boolean(chosen.other);
  const rates = make("div", { class: "rates" });
  const toolbar = make("div", { class: "toolbar", role: "group", "aria-label": texts.toolbar },
    make("div", { class: "buttons" },
      go,
      make("button", { text: texts.batch, onclick: () => act("batch") }),
      make("button", { text: texts.epoch, onclick: () => act("epoch") }),
      make("button", { text: texts.rewind, title: texts.rewindHelp, onclick: rewind }),
      make("label", { class: "choice" }, compare, texts.compare)),
    rates, state);

  // Settings

  const form = trainForm({ texts, write, settings, chosen, change: () => setup(), complain });
  const commands = make("div", { class: "commands" });
  const wide = matchMedia("(min-width: 901px)");
  const folded = make("details", { class: "chosen", open: wide.matches },
    make("summary", { text: texts.settings }),
    form.element,
    make("p", { class: "quiet", text: texts.settingsHelp }),
    make("p", { class: "quiet when-two", text: texts.compareHelp }),
    make("details", {}, make("summary", { text: texts.terminal }), commands));

  const set = newest(async () => {
    try {
      take(await ask("setup", { a: chosen.a, b: settingsOfB(chosen) }));
    } catch (error) {
      fail(error);
    }
  });
  function setup() {
    compare.checked = Boolean(chosen.other);
    form.refresh();
    set(null);
  }

  /** @param {Key} run */
  function rateOf(run) {
    const setting = settings.find((/** @type {{name: string}} */ one) => one.name === "learning_rate");
    const put = newest(async (value) => {
      try {
        const reply = await ask("rate", { run, value });
        const b = settingsOfB(chosen);
        if (run === "a") chosen.a.learning_rate = reply.learning_rate;
        else if (b) b.learning_rate = reply.learning_rate;
        if (b) chosen.other = otherThan(chosen.a, b);
        showCommand(run, reply.command);
        panels.get(run)?.rate(reply);
        keep(chosen);
      } catch (error) {
        fail(error);
      }
    });
    return rateControl({
      label: chosen.other ? fill(texts.ofRun, { label: setting.label, run: run.toUpperCase() }) : setting.label,
      setting, run, texts, write, complain, choose: put, value: (run === "a" ? chosen.a : settingsOfB(chosen) ?? chosen.a).learning_rate,
    });
  }

  /** @param {Key} run @param {string} command */
  function showCommand(run, command) {
    const place = commands.querySelector(`[data-run="${run}"]`);
    if (place) place.textContent = command;
  }

  // What is seen

  const loss = lineChart({ title: texts.loss, x: texts.xBatch, texts, height: 260, logarithmic: true, write: (value) => write.short(value, 3), writeX: write.integer });
  const accuracy = lineChart({ title: texts.accuracy, x: texts.xBatch, texts, height: 260, low: 0, high: 1, write: (value) => write.percent(value, value > 0 && value < 1 ? 1 : 0), writeX: write.integer });
  const scores = make("div", { class: "scores" });
  const details = make("div", { class: "panels" });
  const files = make("div", { class: "row files" });
  const root = make("div", { class: "pasapas train" },
    toolbar, trouble,
    make("div", { class: "body" },
      folded,
      make("div", { class: "results" },
        scores,
        make("div", { class: "charts" }, loss.element, accuracy.element),
        make("p", { class: "quiet", text: texts.noteCurves }),
        details,
        files,
        make("p", { class: "quiet", text: `${texts.others} ${texts.keys}` }))));
  const voice = announcer(root);
  el.append(root);

  /** Everything anew. @param {any} reply that of `setup` or `rewind` */
  function take(reply) {
    ({ turn, running } = reply);
    const keys = /** @type {Key[]} */ (Object.keys(reply.runs));
    if (keys.join() !== [...panels.keys()].join()) {
      panels.forEach((panel) => panel.close());
      panels = new Map(keys.map((run) => [run, trainPanel({ run, texts, write })]));
      scores.replaceChildren(...[...panels.values()].map((panel) => panel.score));
      details.replaceChildren(...[...panels.values()].map((panel) => panel.details));
      root.classList.toggle("two", keys.length > 1);
      controls = new Map(keys.map((run) => [run, rateOf(run)]));
      rates.replaceChildren(...[...controls.values()].map(({ element }) => element));
      files.replaceChildren(
        ...keys.map((run) => make("button", { text: fill(texts.saveModel, { run: run.toUpperCase() }), onclick: () => save("save", { run }) })),
        make("button", { text: texts.saveFigures, onclick: () => save("figures", {}) }));
      commands.replaceChildren(...keys.map((run) => make("p", {}, make("span", { class: `badge ${run}`, text: run.toUpperCase() }), make("code", { "data-run": run }))));
    }
    for (const [run, control] of controls) control.show(reply.settings[run].learning_rate);
    for (const [run, panel] of panels) {
      showCommand(run, reply.commands[run]);
      panel.name(reply.architectures[run], reply.settings[run].activation);
      panel.hear(reply.runs[run]);
      panel.hardest([]);
    }
    keep(chosen);
    draw();
    look(true);
  }

  /** @param {string} kind @param {object} fields */
  async function save(kind, fields) {
    try {
      const { name, content } = await ask(kind, fields);
      download(name, content);
    } catch (error) {
      fail(error);
    }
  }

  let waiting = 0;
  /** @param {any} news */
  function hear(news) {
    if (news.turn !== turn) return;
    const stopped = running && !news.running;
    running = news.running;
    for (const [run, panel] of panels) panel.hear(news.runs[run]);
    if (stopped) {
      draw();
      look(true);
    } else if (!waiting) {
      // those who want little movement see the numbers change once a second
      waiting = window.setTimeout(() => {
        waiting = 0;
        draw();
      }, still() ? 1000 : 0);
    }
  }

  let said = 0;
  function draw() {
    go.textContent = running ? `❚❚ ${texts.pause}` : `▶ ${texts.start}`;
    const all = [...panels].map(([run, panel]) => ({ name: run.toUpperCase(), panel, ...panel.curves() }));
    const fresh = all.every(({ batches }) => batches === 0);
    const now = running ? texts.training : fresh ? texts.fresh : texts.paused;
    if (state.textContent !== now) state.textContent = now;
    all.forEach(({ panel }) => panel.draw());
    /** @param {"losses" | "accuracies"} one @param {"testLosses" | "testAccuracies"} other */
    const lines = (one, other) => [
      ...all.map((run) => ({ name: named(run.name, texts.trainingLine), points: run[one] })),
      ...all.map((run) => ({ name: named(run.name, texts.testLine), points: run[other] })),
    ];
    const named = (/** @type {string} */ run, /** @type {string} */ line) => (all.length > 1 ? fill(texts.runLine, { run, line }) : line);
    loss.set(lines("losses", "testLosses"));
    accuracy.set(lines("accuracies", "testAccuracies"));
    if (running ? performance.now() - said > SAID : said && !fresh) {
      said = running ? performance.now() : 0;
      voice.say(`${running ? "" : texts.paused} ${all.map(({ panel }) => panel.sentence()).join(". ")}`.trim());
    }
  }

  // Pictures are asked for, so that nobody computes what nobody sees

  let looking = false;
  let lookAgain = false;
  let hardestAt = 0;
  /** @param {boolean} all */
  async function look(all) {
    if (looking) {
      lookAgain ||= all;
      return;
    }
    looking = true;
    const mine = turn;
    const learned = [...panels.values()].some((panel) => panel.curves().batches > 0);
    const hard = learned && (all || performance.now() - hardestAt > HARDEST);
    if (hard) hardestAt = performance.now();
    try {
      for (const [run, panel] of panels) {
        const units = await ask("units", { run });
        const images = hard ? (await ask("hardest", { run })).images : null;
        if (mine !== turn) break;
        panel.units(units);
        if (images) panel.hardest(images);
      }
    } catch (error) {
      fail(error);
    }
    looking = false;
    if (lookAgain) {
      lookAgain = false;
      look(true);
    }
  }
  const watch = setInterval(() => {
    if (running) look(false);
  }, PICTURES);

  /** The space bar, where nothing else wants it. @param {KeyboardEvent} event */
  function onKey(event) {
    const target = /** @type {Element} */ (event.target);
    if (event.key !== " " || event.ctrlKey || event.altKey || event.metaKey || !(target === document.body || target.id === "content")) return;
    event.preventDefault();
    go.click();
  }
  document.addEventListener("keydown", onKey);
  const endTheme = onTheme(() => {
    draw();
    panels.forEach((panel) => panel.repaint());
  });

  draw();
  setup();
  return () => {
    if (running) model.send({ ask: "pause", id: 0 }); // in a notebook the view lives on when its cell is run again
    clearInterval(watch);
    clearTimeout(waiting);
    document.removeEventListener("keydown", onKey);
    endTheme();
    voice.close();
    loss.close();
    accuracy.close();
    panels.forEach((panel) => panel.close());
    close();
    root.remove();
  };
}

export default { render };
