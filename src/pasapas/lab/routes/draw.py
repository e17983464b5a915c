"""What the view Draw asks."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from pasapas.lab.routes.common import ERRORS, Base64, Body, FileName, InSession, Key, Reply, slowly
from pasapas.views.draw import MOST_SIDE, DrawView

router = APIRouter(prefix="/api/draw", tags=["draw"], responses=ERRORS)

_MOST_UNITS = 1_000_000
_MOST_PIXELS = -(-MOST_SIDE * MOST_SIDE // 3) * 4  # as base64

Unit = Annotated[int, Field(ge=0, lt=_MOST_UNITS)]


class Place(Body):
    """A hidden unit: the number of its layer and its own, both from 0."""

    layer: Annotated[int, Field(ge=0, lt=100)]
    number: Unit


class Sheet(Body):
    """Either a drawing, as bytes of grey with `width` in a row, or the number of a test image, or neither."""

    model: Key = "shipped"
    pixels: Annotated[str, StringConstraints(max_length=_MOST_PIXELS, pattern=r"^[A-Za-z0-9+/]*={0,2}$")] | None = None
    width: Annotated[int, Field(ge=0, le=MOST_SIDE)] = 0
    image: Annotated[int, Field(ge=0, lt=10_000)] | None = None
    unit: Place | None = None


class Layer(Reply):
    """A hidden layer: how many units it has, their activations (float32), and how many of these are above 0."""

    units: int
    activations: str | None
    active: int | None


class Part(Reply):
    """A unit of the layer before, and its activation times the weight from it."""

    number: int
    part: float | None


class Opened(Reply):
    """A hidden unit: z = `sum` + `bias`, a = `activation`(z), and arrays of float32.

    `seeks` (784) is ∂z/∂x, which in the first layer are its weights; `finds` (784) are x · w there, `strongest` the largest
    a · w in the layers after it. `adds` (10) is a · ∂Z/∂a: `exact` where no other layer is between.
    """

    layer: int
    number: int
    sum: float | None
    bias: float | None
    z: float | None
    a: float | None
    activation: str
    seeks: str
    finds: str | None
    strongest: list[Part]
    adds: str
    exact: bool


class Reading(Reply):
    """What a model makes of a sheet.

    `found` is false where there is no digit on it; `why` says why in a sentence, where there is anything to say. `image` is
    what the network got, 28 × 28 bytes of ink; `box` where the ink is in the drawing: top, left, bottom, right. `sure` is
    whether the largest probability reaches the `threshold` that the model asks of itself. A committee has no `layers`.
    """

    found: bool
    why: str
    image: str | None
    box: list[int] | None
    label: int | None
    probabilities: list[float] | None
    predicted: int | None
    sure: bool | None
    threshold: float | None
    layers: list[Layer] | None
    unit: Opened | None


class Picture(Body):
    """A file with a picture: its name and its bytes."""

    name: FileName
    content: Base64


class Greys(Reply):
    """A picture as bytes of grey, `width` in a row."""

    pixels: str
    width: int


class First(Body):
    """A unit of the first hidden layer of a single network."""

    model: Key
    unit: Unit


class Example(Reply):
    """A test image, its label, and the unit's sum and activation for it."""

    index: int
    label: int
    image: str
    z: float | None
    a: float | None


class Examples(Reply):
    """Test images, that with the largest sum first."""

    images: list[Example]


@router.get("")
def about(session: InSession) -> dict[str, Any]:
    """What the view begins with: its words, and what can be chosen."""
    return session.view(DrawView).about()


@router.post("/read")
def read(sheet: Sheet, session: InSession) -> Reading:
    """Prepares a drawing as MNIST was and has a model read it."""
    return Reading.model_validate(session.answer(DrawView, "read", sheet.model_dump()))


@router.post("/open")
async def open(picture: Picture, session: InSession) -> Greys:
    """The picture in a file (PNG, JPEG, BMP, GIF, WEBP, TIFF), as greys to be read."""
    return Greys.model_validate(await slowly(session, DrawView, "open", picture.model_dump()))


@router.post("/excites")
def excites(first: First, session: InSession) -> Examples:
    """The test images that excite a unit of the first hidden layer most."""
    return Examples.model_validate(session.answer(DrawView, "excites", first.model_dump()))
