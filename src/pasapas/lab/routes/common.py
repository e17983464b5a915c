"""What all routes share: bodies that are strict, the session of a request, and work that takes its time."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import Depends, Header, Request
from pydantic import BaseModel, ConfigDict, StringConstraints
from starlette.exceptions import HTTPException

from pasapas.i18n import _
from pasapas.lab.sessions import Session
from pasapas.views.view import View


class Body(BaseModel):
    """What comes with a request: no field that the API does not name, no number written as text."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Reply(BaseModel):
    """What is answered."""

    model_config = ConfigDict(ser_json_inf_nan="null")


class Trouble(Reply):
    """What went wrong, in one sentence."""

    error: str


class Invalid(Trouble):
    """What of a request is not as the API says: where, and what is wrong there."""

    problems: list[dict[str, str]]


ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": Trouble, "description": "What was asked cannot be answered"},
    404: {"model": Trouble, "description": "There is no such session: it was idle for long, or the lab was restarted"},
    413: {"model": Trouble, "description": "Too much came"},
    422: {"model": Invalid, "description": "The request is not as described here"},
}
"""The answers that any ask may get, for the description of the API."""

Key = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[\w-]+$")]
"""The key of a model on the bench: `shipped`, `opened-1`, `run-a`."""

Base64 = Annotated[str, StringConstraints(max_length=64 << 20, pattern=r"^[A-Za-z0-9+/]*={0,2}$")]
"""Bytes as base64."""

FileName = Annotated[str, StringConstraints(min_length=1, max_length=200)]


async def in_session(request: Request, x_session: Annotated[str, Header(max_length=64)]) -> Session:
    """The session that a request belongs to."""
    session: Session | None = request.app.state.sessions.get(x_session)
    if session is None:
        raise HTTPException(404, _("This session is over: reload the page to begin another."))
    return session


InSession = Annotated[Session, Depends(in_session)]


async def slowly(session: Session, view: type[View], ask: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """`session.answer` for what takes longer than a moment: two at a time, so that quick answers stay quick."""
    return await anyio.to_thread.run_sync(partial(session.answer, view, ask, fields), limiter=_slow_work())


_limiters: dict[Any, CapacityLimiter] = {}


def _slow_work() -> CapacityLimiter:
    from anyio.lowlevel import current_token

    token = current_token()  # a limiter belongs to one event loop
    if token not in _limiters:
        _limiters.clear()
        _limiters[token] = CapacityLimiter(2)
    return _limiters[token]
