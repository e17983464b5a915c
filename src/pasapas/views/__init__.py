"""Interactive views for notebooks. Each is readable without its JavaScript, and without anywidget altogether."""

from __future__ import annotations

from typing import Any

from pasapas.errors import PasapasError
from pasapas.i18n import _
from pasapas.tracing import Trace


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
