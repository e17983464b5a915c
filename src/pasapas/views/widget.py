"""Views as widgets for notebooks. They need anywidget; `pasapas.views.step_view` does without where that is not installed."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import anywidget
import traitlets

from pasapas.errors import PasapasError
from pasapas.i18n import language, speaking
from pasapas.tracing import Trace
from pasapas.views.modules import STATIC, bundled, stylesheet
from pasapas.views.stages import answer, arrays, describe
from pasapas.views.view import View

_SLICE, _PAUSE = 0.05, 0.1  # seconds: of computing before others have their turn, and between two pieces of news


class StepView(anywidget.AnyWidget):
    """One training step, stage by stage. The page draws; what an entry was computed from, it asks here.

    `stage` is the name of the tensor that is shown: it can be read and set.
    """

    _esm = (STATIC / "step.js").read_text(encoding="utf-8")
    _css = (STATIC / "step.css").read_text(encoding="utf-8")
    about = traitlets.Dict(read_only=True).tag(sync=True)
    arrays = traitlets.Dict(read_only=True).tag(sync=True)
    stage = traitlets.Unicode("X").tag(sync=True)

    def __init__(self, step: Trace) -> None:
        self.step = step
        super().__init__()
        self.set_trait("about", describe(step))
        self.set_trait("arrays", arrays(step))
        self.on_msg(self._answer)

    @traitlets.validate("stage")
    def _known(self, proposal: dict[str, Any]) -> str:
        return self.step[str(proposal["value"])].name

    def _answer(self, _widget: object, question: object, _buffers: object) -> None:
        self.send(answer(self.step, question))

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The widget, and for whoever shows none the plain HTML and text of the step."""
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**data, "text/html": self.step._repr_html_(), "text/plain": repr(self.step)}, metadata


def view_widget(view: View, address: Mapping[str, str] | None = None) -> ViewWidget:
    """The widget of a view, of a class of its own: on a notebook's page anywidget keeps one style sheet for each class."""
    kind = type(
        f"{view.name.capitalize()}Widget", (ViewWidget,), {"__doc__": ViewWidget.__doc__, "__module__": __name__}
    )
    widget: ViewWidget = kind(view, address)
    return widget


class ViewWidget(anywidget.AnyWidget):
    """A view of the lab in a notebook: its JavaScript asks, `view` answers. `view_widget` makes one.

    `address` is what the view would write into the address of its page: it can be read, and set to go there.
    """

    about = traitlets.Dict(read_only=True).tag(sync=True)
    address = traitlets.Dict().tag(sync=True)

    def __init__(self, view: View, address: Mapping[str, str] | None = None) -> None:
        self.view, self._language = view, language()
        self._works: threading.Thread | None = None
        self._esm = bundled(f"{view.name}.js")
        self._css = stylesheet(f"{view.name}.css")
        super().__init__(address=dict(address or {}))
        self.set_trait("about", view.about())
        self.on_msg(self._answer)

    def _answer(self, _widget: object, question: Any, _buffers: object) -> None:
        asked = dict(question) if isinstance(question, Mapping) else {}
        identity, kind = asked.pop("id", None), str(asked.pop("ask", ""))
        with speaking(self._language):
            try:
                reply = self.view.answer(kind, asked)
            except (PasapasError, TypeError) as error:
                reply = {"error": str(error)}
        self.send({**reply, "id": identity})
        if self.view.running and (self._works is None or not self._works.is_alive()):
            self._works = threading.Thread(target=self._work, daemon=True)
            self._works.start()

    def _work(self) -> None:
        """Goes on for as long as the view has something to do, and tells the page."""
        told = 0.0
        with speaking(self._language):
            while self.view.running:
                self.view.advance(_SLICE)
                if time.monotonic() - told > _PAUSE or not self.view.running:
                    told = time.monotonic()
                    news = self.view.news()
                    if news is not None:
                        self.send({"news": news})

    def close(self) -> None:
        """Ends what runs, and the widget."""
        self.view.close()
        super().close()
