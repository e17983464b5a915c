"""What the view Evaluate asks."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from pasapas.lab.routes.common import ERRORS, Body, InSession, Key, Reply, slowly
from pasapas.views.evaluate import EvaluateView

router = APIRouter(prefix="/api/evaluate", tags=["evaluate"], responses=ERRORS)

Digit = Annotated[int, Field(ge=0, le=9)]


class OfModel(Body):
    """Which model: its key, see /api/models."""

    model: Key


class Cell(OfModel):
    """An entry of the confusion matrix; without `truth` or `answer`, the mistakes of a whole row or column, or all."""

    truth: Digit | None = None
    answer: Digit | None = None
    offset: Annotated[int, Field(ge=0, le=100_000)] = 0


class Number(OfModel):
    """A test image."""

    number: Annotated[int, Field(ge=0, le=100_000)]


class Disturbing(OfModel):
    """A disturbance by its name, and how strong it is to be, in its own unit."""

    kind: Annotated[str, Field(min_length=1, max_length=40)]
    strength: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]


class OfClass(Reply):
    """A digit: how many images there are of it; `precision` is null for an answer never given."""

    images: int
    precision: float | None
    recall: float | None


class Silent(Reply):
    """What answering only from a probability of `threshold` on leaves."""

    threshold: float
    answered: int
    coverage: float
    errors: int


class Overview(Reply):
    """A model on the test images. `counts[i][j]` images of digit i were read as j; `worst` is the most frequent mistake."""

    images: int
    accuracy: float
    errors: int
    loss: float | None
    calibration_error: float
    counts: list[list[int]]
    worst: tuple[int, int] | None
    classes: list[OfClass]
    abstention: list[Silent]


class Image(Reply):
    """A test image: its number, what it is, what the model reads; 28×28 bytes as base64."""

    number: int
    label: int
    answer: int
    pixels: str


class Read(Image):
    """A test image with the probability of the answer."""

    probability: float


class Opened(Image):
    """A test image with the probabilities of all ten digits."""

    probabilities: list[float]


class Images(Reply):
    """Some of the images asked for, of `total`."""

    total: int
    images: list[Read]


class Example(Reply):
    """A disturbed image: what it is, what the model reads; 28×28 bytes as base64."""

    label: int
    answer: int
    pixels: str


class Disturbed(Reply):
    """The accuracy on disturbed images, a fraction of `images` of them; `clean` on the same undisturbed; `cost` is the difference."""

    kind: str
    strength: float
    images: int
    accuracy: float
    clean: float
    cost: float
    examples: list[Example]


@router.get("")
def about(session: InSession) -> dict[str, Any]:
    """What the view begins with: its words, and what can be chosen."""
    return {**session.view(EvaluateView).about(), "inLab": True}


@router.post("/overview")
async def overview(body: OfModel, session: InSession) -> Overview:
    """Accuracy, loss, confusion matrix, each digit, and what answering only when sure gives."""
    return Overview.model_validate(await slowly(session, EvaluateView, "overview", body.model_dump()))


@router.post("/images")
def images(body: Cell, session: InSession) -> Images:
    """24 images of an entry of the confusion matrix: the surest mistakes first, the least sure right answers first."""
    return Images.model_validate(session.answer(EvaluateView, "images", body.model_dump()))


@router.post("/image")
def image(body: Number, session: InSession) -> Opened:
    """One test image with its probabilities."""
    return Opened.model_validate(session.answer(EvaluateView, "image", body.model_dump()))


@router.post("/disturb")
async def disturb(body: Disturbing, session: InSession) -> Disturbed:
    """The accuracy on images that are shifted, rotated, noisy, thick or thin."""
    return Disturbed.model_validate(await slowly(session, EvaluateView, "disturb", body.model_dump()))
