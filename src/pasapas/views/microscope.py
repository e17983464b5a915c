"""The view Microscope."""

from __future__ import annotations

from pasapas.views.view import View


class MicroscopeView(View):
    """."""

    name = "microscope"
