// @ts-check
/** The view Doctor: a program to paste or drop, and the report on it, hint by hint. Nothing is run in the browser. */

import { announcer, asker, contentOf, fill, make, Refusal, still } from "./parts.js";

/**
 * @typedef {{message: string, code: string, line: number | null, text: string, hints: string[], lesson: string, command: string}} Finding
 * @typedef {{titles: [string, string], rows: number[], columns: number[], sides: [string[][], string[][]], differs: boolean[][],
 *   caption: string}} Numbers
 * @typedef {{verdict: string, mark: string, headline: string, read: string[], right: string, details: string[],
 *   line: number | null, findings: Finding[], numbers: Numbers | null, notes: string[]}} Report
 */

const SKETCH = "import numpy as np\n\ndef forward(X, W1, b1, W2, b2):\n    …\n\ndef backward(X, Y, …):\n    …";
const KEPT = "pasapas-doctor"; // where the lab keeps the program for as long as the tab is open
const LARGEST_FILE = 20; // MB: notebooks bring their pictures

/** A text with its `code` as code. @param {string} text @returns {(Node | string)[]} */
function coded(text) {
  return text.split("`").map((piece, i) => (i % 2 ? make("code", { text: piece }) : piece));
}

let views = 0; // so far: a page may have several

/** @param {{model: import("./parts.js").Model, el: HTMLElement}} context */
function render({ model, el }) {
  const { texts, runsCode, inLab } = model.get("about");
  const { ask, close } = asker(model);
  const id = `doctor-${++views}`;
  let busy = false;
  let before = ""; // the program that was there before another one took its place
  let checked = "";
  /** @type {Report[]} */
  let reports = [];
  let hints = 1;
  /** @type {string[]} what was left out of the file */
  let notes = [];

  const trouble = make("p", { class: "trouble", role: "alert", text: runsCode ? "" : texts.closed });
  /** @param {unknown} error */
  const complain = (error) => {
    if (!(error instanceof Refusal)) console.error(error);
    trouble.textContent = error instanceof Error ? error.message : String(error);
  };

  // The program

  const area = make("textarea", {
    id, placeholder: SKETCH, wrap: "off", spellcheck: "false", autocapitalize: "off", autocomplete: "off", "aria-describedby": `${id}-help`,
    oninput: () => edited(), onscroll: () => (gutter.scrollTop = area.scrollTop), onkeydown: (event) => shortcut(event),
  });
  const gutter = make("pre", { class: "gutter numbers", "aria-hidden": "true", text: "1" });
  const editor = make("div", { class: "editor" }, gutter, area, make("p", { class: "over", "aria-hidden": "true", text: texts.drop }));
  const pick = make("input", { type: "file", hidden: true, accept: ".py,.ipynb", "aria-label": texts.openFile, onchange: () => {
    const file = pick.files?.[0];
    if (file) openFile(file);
    pick.value = "";
  } });
  const button = make("button", { class: "main", text: texts.check, onclick: () => check() });
  if (!runsCode) button.disabled = true;
  const back = make("button", { text: texts.putBack, hidden: true, onclick: () => replace(before) });
  const about = make("p", { class: "quiet", role: "status" });
  const forward = make("input", { autocomplete: "off", spellcheck: "false", maxlength: 200, onkeydown: (event) => shortcut(event) });
  const backward = make("input", { autocomplete: "off", spellcheck: "false", maxlength: 200, onkeydown: (event) => shortcut(event) });

  /** @param {Event} event */
  function shortcut(event) {
    const { key, ctrlKey, metaKey } = /** @type {KeyboardEvent} */ (event);
    if (key !== "Enter" || !(ctrlKey || metaKey)) return;
    event.preventDefault();
    check();
  }

  /** What was here before another view, or another language, was opened. */
  function kept() {
    try {
      return sessionStorage.getItem(KEPT) ?? "";
    } catch {
      return ""; // a browser that keeps nothing
    }
  }

  function keep() {
    try {
      if (inLab) sessionStorage.setItem(KEPT, area.value);
    } catch {
      // as above, or the program is larger than what it keeps
    }
  }

  let lines = 1;
  function edited() {
    keep();
    const now = area.value.split("\n").length;
    if (now !== lines) gutter.textContent = Array.from({ length: now }, (_nothing, i) => i + 1).join("\n");
    lines = now;
    gutter.scrollTop = area.scrollTop;
    stale.hidden = !reports.length || area.value === checked;
  }

  /** Puts another program into the field; the one that was there can be brought back. @param {string} code */
  function replace(code) {
    before = area.value;
    area.value = code;
    back.hidden = !before.trim();
    about.textContent = "";
    notes = [];
    area.setSelectionRange(0, 0);
    area.scrollTop = 0;
    edited();
  }

  /** @param {File} file */
  async function openFile(file) {
    try {
      trouble.textContent = "";
      about.textContent = fill(texts.opening, { name: file.name });
      const found = await ask("open", await contentOf(file, LARGEST_FILE, texts));
      replace(found.code);
      about.textContent = file.name;
      notes = found.notes;
      if (runsCode) await check();
    } catch (error) {
      about.textContent = "";
      complain(error);
    }
  }

  async function plant() {
    try {
      trouble.textContent = "";
      const found = await ask("planted");
      replace(found.code);
      about.textContent = `${found.sentence} ${texts.hidden}`;
      forget();
    } catch (error) {
      complain(error);
    }
  }

  /** Selects a line of the program. @param {number} line */
  function select(line) {
    const all = area.value.split("\n");
    const start = all.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    area.focus({ preventScroll: true });
    area.setSelectionRange(start, start + (all[line - 1] ?? "").length);
    area.scrollTop = Math.max(0, (line - 1) * parseFloat(getComputedStyle(area).lineHeight) - area.clientHeight / 2);
    area.scrollLeft = 0;
    editor.scrollIntoView({ block: "nearest", behavior: still() ? "auto" : "smooth" });
  }

  for (const event of ["dragenter", "dragover"]) {
    editor.addEventListener(event, (dragged) => {
      if (![.../** @type {DragEvent} */ (dragged).dataTransfer?.types ?? []].includes("Files")) return;
      dragged.preventDefault();
      editor.classList.add("dropping");
    });
  }
  editor.addEventListener("dragleave", (event) => {
    if (!editor.contains(/** @type {Node | null} */ (event.relatedTarget))) editor.classList.remove("dropping");
  });
  editor.addEventListener("drop", (event) => {
    editor.classList.remove("dropping");
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    openFile(file);
  });

  // The report

  const stale = make("p", { class: "quiet", role: "status", hidden: true, text: texts.changed });
  const report = make("div", { class: "report" });
  const progress = make("p", { class: "quiet", role: "status" });

  function forget() {
    reports = [];
    stale.hidden = true;
    report.replaceChildren(make("div", { class: "parts" }, make("p", { text: texts.about }), make("p", { class: "quiet", text: fill(texts.trust, { seconds: texts.seconds }) })));
  }

  async function check() {
    if (busy || !runsCode) return;
    trouble.textContent = "";
    if (!area.value.trim()) {
      trouble.textContent = texts.nothing;
      area.focus();
      return;
    }
    busy = true;
    button.setAttribute("aria-disabled", "true");
    report.setAttribute("aria-busy", "true");
    progress.textContent = fill(texts.checking, { seconds: texts.seconds });
    const code = area.value;
    try {
      reports = (await ask("check", { code, forward: forward.value.trim(), backward: backward.value.trim() })).reports;
      checked = code;
      hints = 1;
      draw();
      edited();
      const [first] = reports;
      spoken.say([first.headline, first.findings[0]?.message ?? first.details[0] ?? ""].join(" ").replaceAll("`", ""));
      report.scrollIntoView({ block: "nearest", behavior: still() ? "auto" : "smooth" });
    } catch (error) {
      complain(error);
    } finally {
      busy = false;
      button.removeAttribute("aria-disabled");
      report.removeAttribute("aria-busy");
      progress.textContent = "";
    }
  }

  function draw() {
    const now = reports[hints - 1];
    const table = now.numbers && numbersOf(now.numbers);
    const more = hints < 3 && now.findings.length > 0;
    const next = more && make("button", { class: "next", text: hints === 1 ? texts.kind : texts.correction, onclick: () => {
      hints++;
      draw();
      /** @type {HTMLElement | null} */ (report.querySelector(`[data-hint="${hints}"]`))?.focus();
    } });
    report.replaceChildren(make("div", { class: "parts" },
      make("p", { class: `verdict ${now.verdict}` }, make("span", { class: "mark", "aria-hidden": "true", text: now.mark }), make("strong", {}, ...coded(now.headline))),
      ...now.details.map((text) => make("p", {}, ...coded(text))),
      ...(now.line ? [lineButton(now.line, checked.split("\n")[now.line - 1].trim())] : []),
      now.right && make("p", { class: "right" }, make("span", { "aria-hidden": "true", text: "✓ " }), ...coded(now.right)),
      now.findings.length > 0 && make("ol", { class: now.findings.length > 1 ? "findings" : "findings single" }, ...now.findings.map((finding, i) => make("li", {}, ...findingParts(finding, i ? null : table)))),
      next,
      !now.findings.length && table,
      ...[...notes, ...now.notes].map((text) => make("p", { class: "note" }, ...coded(text))),
      ...now.read.map((text) => make("p", { class: "quiet" }, ...coded(text))),
    ));
  }

  /** @param {Finding} finding @param {HTMLElement | null} table @returns {(Node | null)[]} */
  function findingParts(finding, table) {
    return [
      make("p", { class: "mistake" }, ...coded(finding.message)),
      finding.line ? lineButton(finding.line, finding.text) : finding.text ? make("p", {}, make("code", { text: finding.text })) : null,
      table,
      ...finding.hints.map((hint, i) => make("div", { class: "hint", "data-hint": i + 1, tabindex: -1 },
        make("p", { class: "label", text: fill(texts.hint, { n: i + 1 }) }), make("p", {}, ...coded(hint)))),
      make("p", { class: "quiet" }, finding.lesson && `→ ${finding.lesson}. `,
        ...coded([finding.command && fill(texts.lessonOpen, { command: `\`${finding.command}\`` }), fill(texts.mistakeMore, { code: finding.code })].filter(Boolean).join(" · "))),
    ].filter(Boolean);
  }

  /** @param {number} line @param {string} text */
  function lineButton(line, text) {
    return make("button", { class: "line", "aria-label": `${fill(texts.toLine, { line })}: ${text}`, onclick: () => select(line) },
      make("span", { class: "quiet numbers", text: fill(texts.line, { line }) }), make("code", { text }));
  }

  /** Theirs beside the expected. @param {Numbers} shown @returns {HTMLElement} */
  function numbersOf(shown) {
    const tables = shown.sides.map((cells, side) => make("div", { class: "wide", tabindex: 0, role: "region", "aria-label": shown.titles[side] }, make("table", {},
      make("caption", { text: shown.titles[side] }),
      make("thead", {}, make("tr", {}, make("td"), ...shown.columns.map((j) => make("th", { scope: "col", text: String(j) })))),
      make("tbody", {}, ...cells.map((row, i) => make("tr", {}, make("th", { scope: "row", text: String(shown.rows[i]) }),
        ...row.map((cell, j) => make("td", { class: shown.differs[i][j] ? (side ? "due" : "differs") : "" },
          shown.differs[i][j] && !side && make("span", {}, make("span", { "aria-hidden": "true", text: "≠" }), make("span", { class: "unseen", text: `${texts.differs} ` })),
          cell || "–"))))))));
    return make("div", { class: "sides" }, ...tables, make("p", { class: "quiet", text: shown.caption }));
  }

  // All of it

  const root = make("div", { class: "pasapas doctor-view" },
    trouble,
    make("div", { class: "halves" },
      make("section", {},
        make("div", { class: "titled" }, make("h2", {}, make("label", { for: id, text: texts.code })), about),
        editor,
        make("p", { class: "quiet", id: `${id}-help`, text: texts.codeHelp }),
        make("div", { class: "row" }, button, make("button", { text: texts.openFile, onclick: () => pick.click() }), pick,
          make("button", { text: texts.planted, onclick: () => plant() }), back),
        make("details", {}, make("summary", { text: texts.names }), make("div", { class: "row" },
          make("label", { class: "field" }, make("span", { text: texts.forward }), forward),
          make("label", { class: "field" }, make("span", { text: texts.backward }), backward)))),
      make("section", {}, make("h2", { text: texts.report }), progress, stale, report)));
  el.append(root);
  const spoken = announcer(root);
  forget();
  if (inLab) area.value = kept();
  edited();
  return () => {
    spoken.close();
    close();
    root.remove();
  };
}

export default { render };
