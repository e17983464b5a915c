"""The view Evaluate."""

from __future__ import annotations

from pasapas.views.view import View


class EvaluateView(View):
    """."""

    name = "evaluate"
