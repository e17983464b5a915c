"""Interactive views: those of the lab's page, each of which is a widget for notebooks too, and that of one step."""

from __future__ import annotations

import importlib
from typing import Any

from pasapas.errors import PasapasError, one_of
from pasapas.i18n import _
from pasapas.models import Classifier
from pasapas.tracing import Trace

VIEWS = {
    "draw": "DrawView",
    "microscope": "MicroscopeView",
    "train": "TrainView",
    "descent": "DescentView",
    "evaluate": "EvaluateView",
    "doctor": "DoctorView",
}
"""The views of the lab, in the order of its page; each is in the module of its name."""


def lab_view(name: str, model: Classifier | None = None, **address: str) -> Any:
    """A view of the lab as a widget for notebooks: `lab_view("draw")`, `lab_view("evaluate", my_model)`.

    `model` is one of yours to begin with: without one, views share what is opened and trained in them. `address` is what
    the view's address in the lab says, such as `image="17"`.
    Raises PasapasError for an unknown view, and where anywidget is not installed.
    """
    from pasapas.views.bench import Bench, notebook_bench

    name = one_of(_("view"), name, VIEWS)
    try:
        from pasapas.views.widget import view_widget
    except ImportError:
        raise PasapasError(_("Views need anywidget: run pip install 'pasapas[course]'.")) from None
    bench = notebook_bench() if model is None else Bench(model)
    view = getattr(importlib.import_module(f"pasapas.views.{name}"), VIEWS[name])(bench)
    return view_widget(view, {**({"model": "given"} if model is not None else {}), **address})


def step_view(step: Trace) -> Any:
    """A step, stage by stage: an anywidget. Without anywidget, the step itself, which shows itself as plain HTML.

    Raises PasapasError for what is no step.
    """
    if not isinstance(step, Trace):
        raise PasapasError(
            _("step_view shows a step as pasapas.trace gives it, not an object of type {kind}.").format(
                kind=type(step).__name__
            )
        )
    try:
        from pasapas.views.widget import StepView
    except ImportError:
        return step
    return StepView(step)
