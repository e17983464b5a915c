"""What the view Descent asks."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field

from pasapas.lab.routes.common import ERRORS, Body, InSession, Reply
from pasapas.views.descent import MOST_MOMENTUM, MOST_RATE, MOST_START, MOST_STEPS, DescentView

router = APIRouter(prefix="/api/descent", tags=["descent"], responses=ERRORS)

Coordinate = Annotated[float, Field(ge=-MOST_START, le=MOST_START, allow_inf_nan=False)]


class OfFunction(Body):
    """Which function: its name, see `functions` in what the view begins with."""

    function: Annotated[str, Field(min_length=1, max_length=40)]


class Dropped(OfFunction):
    """A ball dropped at `start`, as many numbers as the function has; `nesterov` needs a momentum."""

    start: Annotated[list[Coordinate], Field(min_length=1, max_length=2)]
    learning_rate: Annotated[float, Field(gt=0, le=MOST_RATE, allow_inf_nan=False)]
    momentum: Annotated[float, Field(ge=0, le=MOST_MOMENTUM, allow_inf_nan=False)] = 0.0
    nesterov: bool = False
    steps: Annotated[int, Field(ge=1, le=MOST_STEPS)] = 30


class Curve(Reply):
    """Places and values, float32 as base64."""

    x: str
    values: str


class Surface(Reply):
    """Values (rows, columns), float32 as base64, the lowest y first; levels for contour lines."""

    columns: int
    rows: int
    values: str
    levels: list[float]


class Path(Reply):
    """A descent: for the start and after each step the point, gradient and loss; for each step its arithmetic.

    `regime` is a key of `regimes` in what the view begins with; `arrived` the step from which on it stays at a minimum.
    There are fewer steps than asked for where it went too far.
    """

    points: list[list[float]]
    gradients: list[list[float]]
    losses: list[float]
    arithmetic: list[list[str]]
    regime: Literal["slow", "good", "exact", "oscillating", "endless", "diverging", "stuck", "resting"]
    arrived: int | None
    why: str
    result: str


@router.get("")
def about(session: InSession) -> dict[str, Any]:
    """What the view begins with: its words, and what can be chosen."""
    return session.view(DescentView).about()


@router.post("/curve")
def curve(asked: OfFunction, session: InSession) -> Curve:
    """A function of one number."""
    return Curve.model_validate(session.answer(DescentView, "curve", asked.model_dump()))


@router.post("/surface")
def surface(asked: OfFunction, session: InSession) -> Surface:
    """A function of two numbers."""
    return Surface.model_validate(session.answer(DescentView, "surface", asked.model_dump()))


@router.post("/path")
def path(dropped: Dropped, session: InSession) -> Path:
    """A descent from where the ball was dropped."""
    return Path.model_validate(session.answer(DescentView, "path", dropped.model_dump()))
