"""What the view Descent asks."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from pasapas.lab.routes.common import ERRORS, InSession
from pasapas.views.descent import DescentView

router = APIRouter(prefix="/api/descent", tags=["descent"], responses=ERRORS)


@router.get("")
def about(session: InSession) -> dict[str, Any]:
    """What the view begins with: its words, and what can be chosen."""
    return session.view(DescentView).about()
