"""Each view of the lab is a widget for notebooks: one module, one style sheet, and a Python that answers."""

from __future__ import annotations

import importlib
import re
import sys
import time
from contextlib import contextmanager

import pytest
from view_page import BASE

from pasapas import Model, PasapasError, mlp
from pasapas.errors import PasapasError as Error
from pasapas.i18n import speaking
from pasapas.views import VIEWS, lab_view
from pasapas.views.bench import notebook_bench
from pasapas.views.modules import STATIC, bundled, stylesheet
from pasapas.views.view import View

HTML = """<!doctype html><html lang="en"><meta charset="utf-8"><title>view</title><link rel="icon" href="data:,">
<style>{css}</style><body><main id="view"></main></body></html>"""
SCRIPT = """async ([source, about, address]) => {
  const view = (await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })))).default;
  const traits = { about, address };
  const listeners = {};
  const emit = (event, content) => (listeners[event] ?? []).forEach((listener) => listener(content));
  const model = {
    get: (name) => traits[name],
    set: (name, value) => { traits[name] = value; emit(`change:${name}`); },
    save_changes: () => {},
    on: (event, listener) => (listeners[event] ??= []).push(listener),
    off: (event, listener) => { listeners[event] = (listeners[event] ?? []).filter((one) => one !== listener); },
    send: async (content) => emit("msg:custom", await window.ask(content)),
  };
  window.listening = () => Object.values(listeners).flat().length;
  window.leave = view.render({ model, el: document.getElementById("view") });
}"""


def view_of(name: str) -> View:
    return getattr(importlib.import_module(f"pasapas.views.{name}"), VIEWS[name])()


def answered(view: View, question: dict) -> dict:
    identity, kind = question.pop("id"), question.pop("ask")
    try:
        return {**view.answer(kind, question), "id": identity}
    except Error as error:
        return {"error": str(error), "id": identity}


@contextmanager
def shown(browser, view):
    """The view on a page of its own, as a notebook shows it."""
    troubles = []
    context = browser.new_context(viewport={"width": 1000, "height": 900})
    page = context.new_page()
    page.on("console", lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.route(
        BASE,
        lambda route: route.fulfill(body=HTML.format(css=stylesheet(f"{view.name}.css")), content_type="text/html"),
    )
    page.expose_function("ask", lambda question: answered(view, question))
    page.goto(BASE)
    page.evaluate(SCRIPT, [bundled(f"{view.name}.js"), view.about(), {}])
    page.wait_for_selector(".pasapas")
    page.wait_for_timeout(100)  # what it asks at once has its answer
    yield page
    context.close()
    assert troubles == []


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_runs_from_one_module(browser, name):
    with shown(browser, view_of(name)) as page:
        assert page.inner_text("#view").strip()
        assert page.locator(".trouble:visible").all_inner_texts() == []
        page.evaluate("window.leave()")
        assert page.evaluate("window.listening()") == 0


def test_a_training_ends_when_its_cell_is_run_again(browser):
    view = view_of("train")
    with shown(browser, view) as page:
        page.click("text=Start training")
        page.wait_for_selector("text=Pause")
        assert view.running
        page.evaluate("window.leave()")
        page.wait_for_timeout(100)
        assert not view.running


@pytest.mark.parametrize("name", VIEWS)
def test_no_import_is_left_in_a_bundle(name):
    assert not re.search(r'from "\./', bundled(f"{name}.js"))
    assert 'from "data:text/javascript;base64,' in bundled(f"{name}.js")


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_has_its_words_in_both_languages(name):
    view = view_of(name)
    with speaking("en"):
        english = view.about()["texts"]
    with speaking("fr"):
        about = view.about()
    assert about["language"] == "fr"
    assert set(about["texts"]) == set(english)
    assert about["texts"] != english
    used = set(
        re.findall(
            r"texts\.(\w+)",
            "".join(
                p.read_text("utf-8") for p in STATIC.iterdir() if p.name.startswith(name) and p.name.endswith(".js")
            ),
        )
    )
    assert used <= set(english)


def test_a_widget_asks_and_is_answered():
    network = mlp(784, 6, 10)
    widget = lab_view("draw", Model(network, network.initialize(seed=3)), image="3")
    assert widget.address == {"model": "given", "image": "3"}
    assert [one["architecture"] for one in widget.about["models"]][-1] == "784-6-10"
    sent: list[dict] = []
    widget.send = sent.append
    widget._answer(widget, {"id": 1, "ask": "models"}, [])
    widget._answer(widget, {"id": 2, "ask": "close"}, [])
    widget._answer(widget, {"id": 3, "ask": "open_model", "nonsense": 1}, [])
    widget._answer(widget, "nonsense", [])
    assert sent[0]["models"][-1]["label"] == "your model"
    assert [one["id"] for one in sent] == [1, 2, 3, None]
    assert all(isinstance(one["error"], str) for one in sent[1:])
    widget.close()


def test_each_view_keeps_its_styles_beside_others():
    drawing, again, evaluating = lab_view("draw"), lab_view("draw"), lab_view("evaluate")
    assert drawing._css != evaluating._css
    assert (
        drawing._anywidget_id == again._anywidget_id != evaluating._anywidget_id
    )  # anywidget: one style sheet for each


def test_views_of_a_notebook_share_what_was_opened():
    drawing, evaluating = lab_view("draw"), lab_view("evaluate")
    network = mlp(784, 5, 10)
    drawing.view.bench.put("opened-9", "mine.npz", Model(network, network.initialize(seed=1)))
    assert evaluating.view.bench.classifier("opened-9").architecture == "784-5-10"
    network = mlp(784, 6, 10)
    alone = lab_view("draw", Model(network, network.initialize(seed=3)))
    assert "given" not in [one["key"] for one in drawing.view.bench.listed()]
    assert "opened-9" not in [one["key"] for one in alone.view.bench.listed()]
    notebook_bench.cache_clear()


class Busy(View):
    """A view that has something to do, three times."""

    name = "draw"
    asks = ("go",)
    left = 0

    def go(self) -> dict[str, int]:
        self.left = 3
        return {}

    @property
    def running(self) -> bool:
        return self.left > 0

    def advance(self, seconds: float) -> None:
        self.left -= 1

    def news(self) -> dict[str, int]:
        return {"left": self.left}


def test_a_widget_works_on_by_itself_and_tells():
    from pasapas.views.widget import ViewWidget

    widget = ViewWidget(Busy())
    sent: list[dict] = []
    widget.send = sent.append
    widget._answer(widget, {"id": 1, "ask": "go"}, [])
    end = time.monotonic() + 10
    while not (sent and sent[-1] == {"news": {"left": 0}}) and time.monotonic() < end:
        time.sleep(0.01)
    assert sent[-1] == {"news": {"left": 0}}
    widget.close()


def test_an_unknown_view_and_a_missing_package(monkeypatch):
    with pytest.raises(PasapasError, match="draw"):
        lab_view("drwa")
    monkeypatch.setitem(sys.modules, "pasapas.views.widget", None)
    with pytest.raises(PasapasError, match="pip install"):
        lab_view("draw")
