"""What the view Microscope asks."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from pasapas.lab.routes.common import ERRORS, InSession
from pasapas.views.microscope import MicroscopeView

router = APIRouter(prefix="/api/microscope", tags=["microscope"], responses=ERRORS)


@router.get("")
def about(session: InSession) -> dict[str, Any]:
    """What the view begins with: its words, and what can be chosen."""
    return session.view(MicroscopeView).about()
