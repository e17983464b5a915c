"""The view Descent."""

from __future__ import annotations

from pasapas.views.view import View


class DescentView(View):
    """."""

    name = "descent"
