"""A page with one view on it, in a real browser. What it asks is answered by Python; nothing leaves the machine."""

from __future__ import annotations

import base64
import json
from importlib import resources
from typing import Any

from pasapas.tracing import Trace
from pasapas.views.stages import answer, arrays, describe

BASE = "http://localhost/"
STATIC = resources.files("pasapas.views") / "static"
HTML = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>step</title><link rel="icon" href="data:,"><link rel="stylesheet" href="step.css"><style>body { margin: 8px }</style>
<body><main id="view"></main><script type="module" src="page.js"></script></body></html>"""
SCRIPT = """
import view from "./step.js";
const state = await (await fetch("state.json")).json();
const bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
state.arrays = Object.fromEntries(Object.entries(state.arrays).map(([name, text]) => [name, bytes(text)]));
const listeners = {};
const emit = (event, content) => (listeners[event] ?? []).forEach((listener) => listener(content));
window.sent = [];
window.model = {
  get: (name) => state[name],
  set: (name, value) => { state[name] = value; emit(`change:${name}`); },
  save_changes: () => {},
  on: (event, listener) => (listeners[event] ??= []).push(listener),
  off: (event, listener) => { listeners[event] = (listeners[event] ?? []).filter((one) => one !== listener); },
  send: async (content) => { window.sent.push(content); const reply = await window.ask(content); if (reply) emit("msg:custom", reply); },
  listening: () => Object.values(listeners).flat().length,
};
window.leave = view.render({ model: window.model, el: document.getElementById("view") });
"""


class Page:
    """One step in a tab of `browser`; `troubles` collects errors of the console and requests that would leave."""

    def __init__(self, browser: Any, step: Trace, answering: bool = True, **options: Any) -> None:
        options = {"viewport": {"width": 1100, "height": 1000}, **options}
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.troubles: list[str] = []
        about, numbers = describe(step), arrays(step)
        state = {"about": about, "arrays": {k: base64.b64encode(v).decode() for k, v in numbers.items()}, "stage": "X"}
        files = {
            "": ("text/html", HTML),
            "page.js": ("text/javascript", SCRIPT),
            "step.js": ("text/javascript", (STATIC / "step.js").read_text(encoding="utf-8")),
            "step.css": ("text/css", (STATIC / "step.css").read_text(encoding="utf-8")),
            "state.json": ("application/json", json.dumps(state)),
        }

        def serve(route: Any) -> None:
            kind, body = files.get(route.request.url.removeprefix(BASE), ("", None))
            if body is None:
                self.troubles.append(f"asks for {route.request.url}")
                route.abort()
            else:
                route.fulfill(body=body, content_type=f"{kind}; charset=utf-8")

        self.page.route("**/*", serve)
        self.page.on(
            "console", lambda said: self.troubles.append(said.text) if said.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.expose_function("ask", lambda question: answer(step, question) if answering else None)
        self.page.goto(BASE)
        self.page.wait_for_selector(".pasapas-step h3")
