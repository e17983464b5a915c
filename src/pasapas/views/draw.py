"""The view Draw."""

from __future__ import annotations

from pasapas.views.view import View


class DrawView(View):
    """."""

    name = "draw"
