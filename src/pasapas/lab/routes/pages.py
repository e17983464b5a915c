"""The page itself, its scripts and styles, the description of the API, and sessions."""

from __future__ import annotations

import json
from importlib import resources
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from pasapas.i18n import _, language
from pasapas.lab.routes.common import Reply, Trouble
from pasapas.lab.words import page_words

router = APIRouter()

_PLACES = (resources.files("pasapas.lab") / "static", resources.files("pasapas.views") / "static")
_TYPES = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}


def _read(name: str) -> str | None:
    """One of our own files, which are few and listed: no path from a request is ever opened."""
    for place in _PLACES:
        for file in place.iterdir():
            if file.name == name and file.name.rpartition(".")[2] in _TYPES:
                return file.read_text(encoding="utf-8")
    return None


@router.get("/", include_in_schema=False)
def index(request: Request) -> HTMLResponse:
    """The page, in the language of the request."""
    words = page_words(runs_code=request.app.state.runs_code)
    html = (_PLACES[0] / "index.html").read_text(encoding="utf-8")
    # a block of data is no script for the browser; its end must not come from a word
    html = html.replace("{{language}}", language()).replace("{{title}}", words["title"])
    html = html.replace("{{words}}", json.dumps(words, ensure_ascii=False).replace("<", "\\u003c"))
    return HTMLResponse(html)


@router.get("/static/{name}", include_in_schema=False)
def static(name: str) -> Response:
    """A script, a style sheet, or the icon."""
    content = _read(name)
    if content is None:
        raise HTTPException(404, _("There is no such file here."))
    return Response(content, media_type=_TYPES[name.rpartition(".")[2]])


@router.get("/favicon.ico", include_in_schema=False)
def icon() -> Response:
    """The icon, where browsers look for it unasked."""
    return static("icon.svg")


@router.get("/docs", include_in_schema=False)
def docs() -> HTMLResponse:
    """The description of the API, by Swagger UI, from this machine."""
    return HTMLResponse((_PLACES[0] / "docs.html").read_text(encoding="utf-8"))


@router.get("/docs/{name}", include_in_schema=False)
def docs_file(name: str) -> Response:
    """One of Swagger UI's two files, as the package fastapi-swagger brings them."""
    if name not in ("swagger-ui-bundle.js", "swagger-ui.css"):
        raise HTTPException(404, _("There is no such file here."))
    file = resources.files("fastapi_swagger") / "resources" / name
    return Response(file.read_bytes(), media_type=_TYPES[name.rpartition(".")[2]])


class NewSession(Reply):
    """`session` is the key to send as X-Session."""

    session: str


@router.post("/api/sessions", status_code=201, tags=["sessions"], responses={503: {"model": Trouble}})
def begin(request: Request) -> NewSession:
    """Begins a session: one for each page that is open."""
    return NewSession(session=request.app.state.sessions.new().key)


@router.delete("/api/sessions", status_code=204, tags=["sessions"])
def end(request: Request, x_session: Annotated[str, Header(max_length=64)]) -> None:
    """Ends a session and what runs in it, at once; an idle one ends by itself."""
    request.app.state.sessions.drop(x_session)


def health() -> dict[str, Any]:
    """Nothing but that the lab is there."""
    return {"ok": True}


router.get("/api/health", tags=["sessions"])(health)
