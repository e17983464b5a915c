"""The view Doctor."""

from __future__ import annotations

from pasapas.views.view import View


class DoctorView(View):
    """."""

    name = "doctor"
