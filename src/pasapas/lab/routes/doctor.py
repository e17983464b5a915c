"""What the view Doctor asks."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field, StringConstraints

from pasapas.doctor.reading import LARGEST_CODE
from pasapas.errors import PasapasError
from pasapas.lab.routes.common import ERRORS, Base64, Body, FileName, InSession, Reply, slowly
from pasapas.views.doctor import DoctorView, closed

router = APIRouter(prefix="/api/doctor", tags=["doctor"], responses=ERRORS)

_Function = Annotated[str, StringConstraints(max_length=200)]


class Program(Body):
    """A program, and the names of its two passes where they are not recognised."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=LARGEST_CODE)]
    forward: _Function = ""
    backward: _Function = ""


class File(Body):
    """A Python file or a notebook: its name, and its bytes as base64."""

    name: FileName
    content: Base64


class Drawn(Body):
    """What draws the mistake: the same seed, the same one. Without, any."""

    seed: Annotated[int, Field(ge=0, le=2**53)] | None = None


class Finding(Reply):
    """One mistake: its code in the catalogue, the line where it shows, its text; hints as far as they are shown."""

    message: str
    code: str
    line: int | None
    text: str
    hints: list[str]
    lesson: str
    command: str


class Numbers(Reply):
    """A corner of the first wrong tensor, as the program has it and as expected, and which entries differ."""

    titles: tuple[str, str]
    rows: list[int]
    columns: list[int]
    sides: tuple[list[list[str]], list[list[str]]]
    differs: list[list[bool]]
    caption: str


class Report(Reply):
    """What is wrong with a program, in sentences. `verdict` is correct, wrong, unknown or unrunnable."""

    verdict: str
    mark: str
    headline: str
    read: list[str]
    right: str
    details: list[str]
    line: int | None
    findings: list[Finding]
    numbers: Numbers | None
    notes: list[str]


class Reports(Reply):
    """The report with one, two and three hints."""

    reports: list[Report]


class Text(Reply):
    """The program in a file, and what was left out of it."""

    code: str
    notes: list[str]


class Planted(Reply):
    """A program with a mistake in it, and how well it learns all the same."""

    code: str
    sentence: str


@router.get("")
def about(request: Request, session: InSession) -> dict[str, Any]:
    """What the view begins with: its words; `runsCode` is whether it checks anything."""
    return {**session.view(DoctorView).about(), "runsCode": request.app.state.runs_code, "inLab": True}


@router.post("/check")
async def check(body: Program, request: Request, session: InSession) -> Reports:
    """Runs a program in a process of its own, for 10 seconds at most, and says which mistake its backward pass makes."""
    if not request.app.state.runs_code:
        raise PasapasError(closed())
    return Reports.model_validate(await slowly(session, DoctorView, "check", body.model_dump()))


@router.post("/open")
async def open(body: File, session: InSession) -> Text:
    """The program in a Python file or a notebook. Nothing in it is run."""
    return Text.model_validate(await slowly(session, DoctorView, "open", body.model_dump()))


@router.post("/planted")
def planted(body: Drawn, session: InSession) -> Planted:
    """A program with a mistake planted in it, to try the doctor on."""
    return Planted.model_validate(session.answer(DoctorView, "planted", body.model_dump()))
