"""The application: pages, the API, and what is made of errors."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp
from threadpoolctl import threadpool_limits

from pasapas.errors import PasapasError
from pasapas.i18n import _
from pasapas.lab.guard import Guard
from pasapas.lab.routes import descent, doctor, draw, evaluate, microscope, models, pages, train
from pasapas.lab.sessions import IDLE, MOST, Full, Sessions
from pasapas.lab.trainer import Trainer

LOCAL = ("localhost", "127.0.0.1", "[::1]")
"""The names by which a lab is called that answers to this machine alone."""

QUICK = 4
"""Quick answers that are computed at once. They hold the interpreter's lock for much of their time: more would only wait."""

_SWEEP = 60  # seconds between two looks for idle sessions


def create_app(
    hosts: Iterable[str] | None = LOCAL,
    token: str | None = None,
    *,
    runs_code: bool = True,
    most: int = MOST,
    idle: float = IDLE,
) -> FastAPI:
    """The lab as an ASGI application; `app.state.guarded` is the same behind its guard, which is what to serve.

    `hosts` and `token` are those of `Guard`. With `runs_code` false nobody's file is run: the doctor is closed. `most` sessions
    are kept, each until it was idle for so many seconds.
    """

    @contextlib.asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = QUICK
        with threadpool_limits(1, "blas"):  # threads that answer and train beside each other are enough for the cores
            sweeping = asyncio.create_task(_sweep(app.state.sessions))
            yield
            sweeping.cancel()
        app.state.sessions.close()
        app.state.trainer.close()

    app = FastAPI(
        title="pasapas lab",
        version=version("pasapas"),
        description=(
            "What the lab's page asks. Begin with POST /api/sessions; send the key that comes back as the header "
            "X-Session. Arrays are base64 of their bytes, row after row, the least significant byte first. "
            "Errors are one sentence under `error`, in the language that `?lang=` or Accept-Language asks for."
        ),
        docs_url=None,
        redoc_url=None,
        lifespan=life,
    )
    app.state.sessions = Sessions(most, idle)
    app.state.trainer = Trainer()
    app.state.runs_code = runs_code
    for module in (pages, models, draw, microscope, train, descent, evaluate, doctor):
        app.include_router(module.router)
    app.add_exception_handler(PasapasError, _sentence)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.state.guarded = Guard(app, hosts, token)
    return app


def guarded(app: FastAPI) -> ASGIApp:
    """The application behind its guard."""
    guard: ASGIApp = app.state.guarded
    return guard


async def _sweep(sessions: Sessions) -> None:
    while True:
        await asyncio.sleep(min(_SWEEP, sessions.idle))
        await asyncio.to_thread(sessions.drop_idle)


async def _sentence(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": str(error)}, 503 if isinstance(error, Full) else 400)


async def _refused(request: Request, error: Any) -> JSONResponse:
    """A refusal of our own, or what the server says by itself, in the language asked for."""
    sentence = str(error.detail)
    if error.status_code == 404 and sentence == HTTPStatus.NOT_FOUND.phrase:
        sentence = _("There is nothing at this address of the lab.")
    elif error.status_code == 405:
        sentence = _("This address of the lab does not take {method}: /docs has what it takes.").format(
            method=request.method
        )
    elif error.status_code == 400:
        sentence = _("The body of the request cannot be read: it should be JSON, as /docs describes it.")
    return JSONResponse({"error": sentence}, error.status_code, error.headers)


async def _invalid(request: Request, error: Any) -> JSONResponse:
    """What of a request is not as the API says, without repeating what came."""
    problems = [
        {"where": ".".join(map(str, one["loc"]))[:200], "what": str(one["msg"])[:200]} for one in error.errors()[:20]
    ]
    where = ", ".join(dict.fromkeys(one["where"] for one in problems))[:300]
    sentence = _("The request is not as the API says, in: {where}. /docs has its description.").format(where=where)
    return JSONResponse({"error": sentence, "problems": problems}, 422)
