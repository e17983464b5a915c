"""What the view Microscope asks."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field

from pasapas.lab.routes.common import ERRORS, Base64, Body, FileName, InSession, Key, Reply, slowly
from pasapas.lab.routes.models import Listed
from pasapas.views.microscope import HIGHEST_RATE, LAST_IMAGE, LOWEST_RATE, MOST_IMAGES, MOST_UPDATES, MicroscopeView

router = APIRouter(prefix="/api/microscope", tags=["microscope"], responses=ERRORS)

Updates = Annotated[int, Field(ge=0, le=MOST_UPDATES)]
Place = Annotated[int, Field(ge=0, lt=1 << 31)]
Name = Annotated[str, Field(min_length=1, max_length=32)]
MathML = Annotated[list[Any], Field(description="MathML: an element's name, and its text or a list of such elements")]


class Choice(Body):
    """A step: of which network, on which of MNIST's training images, and after how many updates.

    `images` null are those of the capsule that was opened last; of other networks the first five.
    """

    model: Key
    images: Annotated[
        list[Annotated[int, Field(ge=0, le=LAST_IMAGE)]] | None, Field(min_length=1, max_length=MOST_IMAGES)
    ] = None
    learning_rate: Annotated[float, Field(ge=LOWEST_RATE, le=HIGHEST_RATE)] = 0.01
    convention: Literal["mean", "per-example"] = "mean"
    updates: Updates = 0


class Going(Body):
    """So many updates from where one began."""

    updates: Updates


class Tensors(Body):
    """Tensors by name."""

    tensors: Annotated[list[Name], Field(min_length=1, max_length=8)]


class Asked(Body):
    """An entry of a tensor."""

    tensor: Name
    index: Annotated[list[Place], Field(max_length=2)]


class Weight(Body):
    """W[i,j] of a dense layer, counted from 1, seen through one image of the batch; what is null is chosen."""

    layer: Annotated[int, Field(ge=1, le=1000)] = 1
    i: Place | None = None
    j: Place | None = None
    image: Place | None = None


class File(Body):
    """A capsule: its name and its bytes."""

    name: FileName
    content: Base64


class Column(Reply):
    """Units that are drawn: how many the layer has, which of them, and for each tensor (images, units) as float32."""

    size: int
    units: list[int]
    values: dict[str, str]


class Drawing(Reply):
    """The network: columns of units, and between two of them W, dW and W_new as float32."""

    columns: list[Column]
    links: list[dict[str, str]]


class Step(Reply):
    """A step: what was chosen, the losses so far, the loss after its update, and all that its picture needs.

    `about` has its stages and tensors with every word; `arrays` the numbers of the smaller tensors as float32.
    """

    model: str
    presets: list[Listed]
    images: list[int] | None
    learning_rate: float
    convention: str
    updates: int
    losses: list[float]
    after: float
    labels: list[int]
    pictures: list[str]
    about: dict[str, Any]
    arrays: dict[str, str]
    drawing: Drawing


class Opened(Step):
    """The step in a capsule; what in it was altered, in a sentence, and the first such numbers."""

    verdict: str
    altered: list[str]


class Arrays(Reply):
    """Numbers of tensors as float32."""

    arrays: dict[str, str]


class Region(Reply):
    """A block of a tensor's entries: from, and up to but without."""

    tensor: str
    text: str
    rows: list[int]
    columns: list[int]


class Entry(Reply):
    """Where an entry comes from, and the terms of the sum that gave it."""

    tensor: str
    index: list[int]
    entry: str
    value: str
    say: str
    note: str
    regions: list[Region]
    terms: list[dict[str, Any]]
    inside: list[dict[str, Any]]
    more: str


class Spot(Reply):
    """A row and a column of a tensor."""

    tensor: str
    place: list[int]


class Named(Reply):
    """A number by its name; `place` is where it stands, if it is an entry."""

    name: str
    place: Spot | None
    value: str


class Factor(Named):
    """A factor of a path, and which derivative it is."""

    math: MathML


class Product(Reply):
    """One term of a sum."""

    factors: list[Named]
    product: str


class Sum(Named):
    """A sum on the way from the loss to the weight."""

    math: MathML
    terms: list[Product]
    more: str


class Chain(Reply):
    """The chain rule of one weight: one path as factors, and the sums on the way."""

    layer: int
    i: int
    j: int
    image: int
    layers: list[list[int]]
    images: list[int]
    weight: str
    gradient: Named
    factors: list[Factor]
    product: str
    paths: str
    sums: list[Sum]
    check: str
    update: str


class Saved(Reply):
    """A file: its name and its bytes."""

    name: str
    content: str


@router.get("")
def about(session: InSession) -> dict[str, Any]:
    """What the view begins with: its words, and what can be chosen."""
    return session.view(MicroscopeView).about()


@router.post("/step")
async def step(choice: Choice, session: InSession) -> Step:
    """Records a step, and keeps it for the other questions."""
    return Step.model_validate(await slowly(session, MicroscopeView, "step", choice.model_dump()))


@router.post("/go")
async def go(going: Going, session: InSession) -> Step:
    """The step after so many updates on the same images."""
    return Step.model_validate(await slowly(session, MicroscopeView, "go", going.model_dump()))


@router.post("/arrays")
def arrays(tensors: Tensors, session: InSession) -> Arrays:
    """The numbers of tensors of the step."""
    return Arrays.model_validate(session.answer(MicroscopeView, "arrays", tensors.model_dump()))


@router.post("/entry")
def entry(asked: Asked, session: InSession) -> Entry:
    """Which entries an entry was computed from, and how."""
    return Entry.model_validate(session.answer(MicroscopeView, "entry", asked.model_dump()))


@router.post("/chain")
async def chain(weight: Weight, session: InSession) -> Chain:
    """The chain rule from the loss to one weight, with its numbers."""
    return Chain.model_validate(await slowly(session, MicroscopeView, "chain", weight.model_dump()))


@router.post("/save")
async def save(session: InSession) -> Saved:
    """The step as a capsule."""
    return Saved.model_validate(await slowly(session, MicroscopeView, "save", {}))


@router.post("/open")
async def open(file: File, session: InSession) -> Opened:
    """Opens a capsule, and checks every number in it. Nothing in it is executed."""
    return Opened.model_validate(await slowly(session, MicroscopeView, "open", file.model_dump()))
