"""The models of a session: which there are, and one more from a file."""

from __future__ import annotations

from fastapi import APIRouter

from pasapas.lab.routes.common import ERRORS, Base64, Body, FileName, InSession, Reply
from pasapas.views.view import View

router = APIRouter(prefix="/api/models", tags=["models"], responses=ERRORS)


class Listed(Reply):
    """A model: `single` is false for a committee, which has no one network to look into."""

    key: str
    label: str
    architecture: str
    single: bool


class Models(Reply):
    """The models of this session; `opened` is the key of the one just opened."""

    models: list[Listed]
    opened: str | None = None


class File(Body):
    """A file: its name and its bytes."""

    name: FileName
    content: Base64


@router.get("")
def models(session: InSession) -> Models:
    """The models of this session."""
    return Models.model_validate(session.answer(View, "models", {}))


@router.post("/open")
def open(file: File, session: InSession) -> Models:
    """Opens a model's file. Nothing in it is executed."""
    return Models.model_validate(session.answer(View, "open_model", file.model_dump()))
