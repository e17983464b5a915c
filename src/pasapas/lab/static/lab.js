// @ts-check
/**
 * The page around the views: which one is open, in which language and colours, and how a view asks the server.
 *
 * The address says everything: `?lang=fr#train?hidden=128` opens a view in a state. A view gets a `model` like that of
 * anywidget: what it sends becomes a request, or a message over a WebSocket where it trains.
 */

import { make, Refusal } from "./parts.js";

/**
 * @typedef {import("./parts.js").Model} Model
 * @typedef {{language: string, other: string, otherName: string, title: string, skip: string,
 *   views: {name: string, title: string, about: string}[], navigation: string, theme: string,
 *   themes: Record<string, string>, loading: string, lost: string, back: string, again: string, broken: string,
 *   runsCode: boolean, api: string}} Words
 */

/** @type {Words} */
const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");
const LIVE = new Set(["train"]); // views that speak over a WebSocket
const FIRST_WAIT = 500;
const LONGEST_WAIT = 5000; // milliseconds between two attempts to reach a lab that is gone

// The server

/** The server is gone, or has forgotten us. */
class Lost extends Error {}

let session = "";
let forgotten = false; // whether the server no longer knew the session that we had
/** @type {Promise<string> | null} */
let beginning = null;

/** The key of this page's session, a new one where there is none yet. @returns {Promise<string>} */
function begin() {
  beginning ??= (async () => {
    const answer = await call("POST", "/api/sessions");
    session = answer.session;
    return session;
  })();
  beginning.catch(() => (beginning = null));
  return beginning;
}

/**
 * A request. Fails with `Refusal` where the server says why, with `Lost` where it is not there.
 * @param {string} method @param {string} path @param {object} [body]
 */
async function call(method, path, body) {
  const mine = session;
  /** @type {Record<string, string>} */
  const headers = mine ? { "X-Session": mine } : {};
  if (body) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(`${path}?lang=${words.language}`, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Lost();
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  if (response.status === 404 && mine && path.startsWith("/api/")) {
    if (session === mine) { // a late answer about an older session leaves the new one alone
      session = "";
      beginning = null;
      forgotten = true;
    }
    throw new Lost();
  }
  throw new Refusal(answer.error ?? `${response.status} ${response.statusText}`);
}

/** Waits until the server answers again. */
async function returned() {
  for (let wait = FIRST_WAIT; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
    try {
      await call("GET", "/api/health");
      return;
    } catch {
      say(words.lost);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

/**
 * What a view of the page has in place of a notebook's model.
 * @param {string} view
 * @param {Record<string, any>} traits
 * @param {() => void} lost
 */
function labModel(view, traits, lost) {
  /** @type {Record<string, Function[]>} */
  const listeners = {};
  /** @type {WebSocket | null} */
  let socket = null;
  let closed = false;
  /** @param {string} event @param {any} [content] */
  const emit = (event, content) => [...(listeners[event] ?? [])].forEach((listener) => listener(content));

  /** @returns {Promise<WebSocket>} */
  function connected() {
    if (socket && socket.readyState <= WebSocket.OPEN) {
      const open = socket;
      return open.readyState === WebSocket.OPEN
        ? Promise.resolve(open)
        : new Promise((resolve, reject) => {
            open.addEventListener("open", () => resolve(open));
            open.addEventListener("close", () => reject(new Lost()));
          });
    }
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const made = new WebSocket(`${scheme}://${location.host}/api/${view}/live?session=${session}&lang=${words.language}`);
    made.addEventListener("message", (event) => emit("msg:custom", JSON.parse(event.data)));
    made.addEventListener("close", () => {
      if (!closed && socket === made) lost();
    });
    socket = made;
    return connected();
  }

  /** @param {{id: number, ask: string}} content */
  async function send({ id, ask, ...fields }) {
    if (closed) return;
    try {
      if (ask === "models") emit("msg:custom", { ...(await call("GET", "/api/models")), id });
      else if (ask === "open_model") emit("msg:custom", { ...(await call("POST", "/api/models/open", fields)), id });
      else if (LIVE.has(view)) (await connected()).send(JSON.stringify({ id, ask, ...fields }));
      else emit("msg:custom", { ...(await call("POST", `/api/${view}/${ask}`, fields)), id });
    } catch (error) {
      if (closed) return;
      if (error instanceof Lost) lost();
      else emit("msg:custom", { id, error: error instanceof Error ? error.message : String(error) });
    }
  }

  return {
    /** @param {string} name */
    get: (name) => traits[name],
    /** @param {string} name @param {any} value */
    set: (name, value) => {
      traits[name] = value;
      emit(`change:${name}`);
    },
    save_changes: () => writeAddress(view, traits.address),
    /** @param {string} event @param {Function} listener */
    on: (event, listener) => void (listeners[event] ??= []).push(listener),
    /** @param {string} event @param {Function} listener */
    off: (event, listener) => void (listeners[event] = (listeners[event] ?? []).filter((one) => one !== listener)),
    send,
    close: () => {
      closed = true;
      socket?.close();
    },
  };
}

// The address

/** Which view the address names, and in which state. @returns {{view: string, address: Record<string, string>}} */
function readAddress() {
  const [name, query = ""] = location.hash.slice(1).split("?");
  const known = words.views.some((view) => view.name === name);
  return { view: known ? name : words.views[0].name, address: Object.fromEntries(new URLSearchParams(query)) };
}

/** @param {string} view @param {Record<string, string>} address */
function writeAddress(view, address) {
  const query = new URLSearchParams(address).toString();
  history.replaceState(null, "", `#${view}${query ? `?${query}` : ""}`);
  other.href = otherAddress();
}

function otherAddress() {
  const query = new URLSearchParams(location.search);
  query.set("lang", words.other);
  return `?${query}${location.hash}`;
}

// The page

const notice = make("div", { class: "lab-notice", role: "status" });
const main = make("main", { id: "content", tabindex: -1 });
const other = make("a", { class: "language", lang: words.other, hreflang: words.other, text: words.otherName });
const links = new Map(
  words.views.map((view) => [view.name, make("a", { href: `#${view.name}`, title: view.about, text: view.title })]),
);
const theme = make(
  "select",
  { "aria-label": words.theme, onchange: () => setTheme(theme.value) },
  ...Object.entries(words.themes).map(([key, name]) => make("option", { value: key, text: name })),
);
document.body.append(
  make("a", { class: "skip", href: "#content", text: words.skip, onclick: skip }),
  make(
    "header",
    { class: "lab-bar" },
    make("a", { class: "brand", href: "#draw" }, make("img", { src: "/static/icon.svg", alt: "" }), words.title),
    make("nav", { "aria-label": words.navigation }, make("ul", {}, ...[...links.values()].map((link) => make("li", {}, link)))),
    make("div", { class: "lab-settings" }, theme, other),
  ),
  notice,
  main,
);

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  main.focus();
}

/** @param {string} name */
function setTheme(name) {
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  theme.value = name in words.themes ? name : "auto";
  try {
    localStorage.setItem("pasapas-theme", name);
  } catch {
    // a browser that keeps nothing: the choice lasts as long as the page
  }
}

/** @param {string} text */
function say(text) {
  if (notice.textContent !== text) notice.textContent = text;
}

/** @type {{view: string, model: ReturnType<typeof labModel>, leave: (() => void) | undefined} | null} */
let shown = null;
let turn = 0;

/** Opens the view that the address names. @param {boolean} [focus] whether the reader asked for it */
async function open(focus = false) {
  const mine = ++turn;
  const { view, address } = readAddress();
  if (shown?.view === view) {
    shown.model.set("address", address);
    return;
  }
  close();
  for (const [name, link] of links) {
    if (name === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const about = words.views.find((one) => one.name === view);
  document.title = `${about?.title} · ${words.title}`;
  other.href = otherAddress();
  const heading = make("div", { class: "lab-heading" }, make("h1", { text: about?.title ?? "" }), make("p", { text: about?.about ?? "" }));
  const el = make("div", { class: "view", "aria-busy": "true" }, make("p", { class: "quiet", text: words.loading }));
  main.replaceChildren(heading, el);
  if (focus) main.focus({ preventScroll: true });
  try {
    await begin();
    const [module, traits] = await Promise.all([import(`/static/${view}.js`), call("GET", `/api/${view}`), styled(view)]);
    if (mine !== turn) return;
    const model = labModel(view, { about: traits, address }, () => recover(mine));
    el.replaceChildren();
    el.removeAttribute("aria-busy");
    shown = { view, model, leave: undefined };
    shown.leave = module.default.render({ model, el });
  } catch (error) {
    if (mine !== turn) return;
    if (error instanceof Lost) await recover(mine);
    else {
      console.error(error);
      const text = error instanceof Error ? error.message : String(error);
      el.replaceChildren(make("p", { class: "trouble", text: error instanceof Refusal ? text : words.broken.replace("{error}", text) }));
      el.removeAttribute("aria-busy");
    }
  }
}

/** Opens the view again once the server is there. @param {number} mine */
async function recover(mine) {
  if (mine !== turn) return;
  const again = ++turn;
  await returned();
  if (again !== turn) return;
  close();
  await open();
  if (turn !== again + 1) return; // lost once more on the way, or left
  say(forgotten ? words.again : words.back);
  forgotten = false;
}

function close() {
  shown?.model.close(); // first: what a view says in leaving is not sent
  shown?.leave?.();
  shown = null;
}

/** The styles of a view, once. @param {string} view @returns {Promise<void>} */
function styled(view) {
  const href = `/static/${view}.css`;
  if (document.querySelector(`link[href="${href}"]`)) return Promise.resolve();
  const link = make("link", { rel: "stylesheet", href });
  return new Promise((resolve) => {
    link.onload = link.onerror = () => resolve();
    document.head.append(link);
  });
}

let chosen = "auto";
try {
  chosen = localStorage.getItem("pasapas-theme") ?? "auto";
} catch {
  // as above
}
setTheme(chosen);
addEventListener("hashchange", () => open(true));
addEventListener("pagehide", () => {
  if (session) fetch("/api/sessions", { method: "DELETE", headers: { "X-Session": session }, keepalive: true });
});
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
open();
