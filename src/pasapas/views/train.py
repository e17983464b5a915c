"""The view Train."""

from __future__ import annotations

from pasapas.views.view import View


class TrainView(View):
    """."""

    name = "train"
