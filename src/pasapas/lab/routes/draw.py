"""What the view Draw asks."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from pasapas.lab.routes.common import ERRORS, InSession
from pasapas.views.draw import DrawView

router = APIRouter(prefix="/api/draw", tags=["draw"], responses=ERRORS)


@router.get("")
def about(session: InSession) -> dict[str, Any]:
    """What the view begins with: its words, and what can be chosen."""
    return session.view(DrawView).about()
