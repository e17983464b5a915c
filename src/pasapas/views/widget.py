"""A step as a widget. It needs anywidget; `pasapas.views.step_view` does without where that is not installed."""

from __future__ import annotations

from importlib import resources
from typing import Any

import anywidget
import traitlets

from pasapas.tracing import Trace
from pasapas.views.stages import answer, arrays, describe

_STATIC = resources.files("pasapas.views") / "static"


class StepView(anywidget.AnyWidget):
    """One training step, stage by stage. The page draws; what an entry was computed from, it asks here.

    `stage` is the name of the tensor that is shown: it can be read and set.
    """

    _esm = (_STATIC / "step.js").read_text(encoding="utf-8")
    _css = (_STATIC / "step.css").read_text(encoding="utf-8")
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
