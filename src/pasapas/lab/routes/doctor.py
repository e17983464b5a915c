"""What the view Doctor asks."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from pasapas.lab.routes.common import ERRORS, InSession
from pasapas.views.doctor import DoctorView

router = APIRouter(prefix="/api/doctor", tags=["doctor"], responses=ERRORS)


@router.get("")
def about(session: InSession) -> dict[str, Any]:
    """What the view begins with: its words, and what can be chosen."""
    return session.view(DoctorView).about()
