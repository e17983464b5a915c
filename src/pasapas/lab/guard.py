"""What stands before every request: who may ask, how much may come, and in which language is answered.

The lab is a server on the reader's own machine, so any page in the reader's browser could try to talk to it. Three
things keep them out: the name that the browser thinks it talks to (Host, against DNS rebinding), the page that asks
(Origin, for WebSockets too), and, where the lab can be reached from other machines, a token.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pasapas.i18n import LANGUAGES, _, integer, language, speaking

COOKIE = "pasapas-token"
LARGE, SMALL = 64 << 20, 1 << 20
"""Bytes that a body may have: where files are opened, and elsewhere."""

PATIENCE = 30.0
"""Seconds in which a whole request must have come."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]


class Guard:
    """The outermost part of the application.

    `hosts` are the names by which the lab is called, without port; None allows any, which needs a `token`.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str] | None, token: str | None = None) -> None:
        self.app, self.token = app, token
        self.hosts = None if hosts is None else frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or connection: refused here, or handed on."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = _query(scope["query_string"])
        with speaking(wanted_language(query, headers)):
            refusal = self._refusal(scope, headers, query)
            if refusal:
                await _refuse(scope, receive, send, *refusal)
            elif scope["type"] == "websocket":
                await self.app(scope, receive, send)
            elif self.token and "token" in query and scope["path"] == "/":
                await self._let_in(headers, query, send)
            else:
                await self._http(scope, receive, send, headers)

    def _refusal(self, scope: Scope, headers: dict[str, str], query: dict[str, list[str]]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if self.hosts is not None and hostname(host) not in self.hosts:
            return 421, _("The lab does not answer under the name in this request: use the address that it printed.")
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            return 403, _("Only the lab's own page may ask this.")
        if origin is None and scope["type"] == "websocket":
            return 403, _("Only the lab's own page may ask this.")
        if headers.get("sec-fetch-site") in ("cross-site", "same-site") and scope["path"].startswith("/api"):
            return 403, _("Only the lab's own page may ask this.")
        if self.token and not self._knows_token(headers, query):
            return 401, _("This lab needs the token in the address that it printed when it started.")
        return None

    def _knows_token(self, headers: dict[str, str], query: dict[str, list[str]]) -> bool:
        # by hand: the standard library's reader stops at the first cookie of another service that it does not like
        own = cookie_name(headers)
        cookies = (one.strip().partition("=") for one in headers.get("cookie", "").split(";"))
        given = [*query.get("token", ()), *(value for name, _sign, value in cookies if name == own)]
        return any(hmac.compare_digest(one.encode(), str(self.token).encode()) for one in given)

    async def _let_in(self, headers: dict[str, str], query: dict[str, list[str]], send: Send) -> None:
        """Puts the token into a cookie and takes it out of the address, so that it is not in the history."""
        rest = urlencode({name: values for name, values in query.items() if name != "token"}, doseq=True)
        cookie = f"{cookie_name(headers)}={self.token}; Path=/; HttpOnly; SameSite=Lax"
        answer = [(b"location", f"/?{rest}".rstrip("?").encode()), (b"set-cookie", cookie.encode()), *_HEADERS]
        await send({"type": "http.response.start", "status": 303, "headers": answer})
        await send({"type": "http.response.body"})

    async def _http(self, scope: Scope, receive: Receive, send: Send, headers: dict[str, str]) -> None:
        most = LARGE if scope["path"].endswith("/open") else SMALL
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 12 or int(length) > most:
            await _refuse(scope, receive, send, 413, _too_large(most))
            return
        try:
            async with asyncio.timeout(PATIENCE):
                body = await _read(receive, most)
        except TimeoutError:
            await _refuse(scope, receive, send, 408, _("The request came too slowly: send it again."))
            return
        if body is None:
            await _refuse(scope, receive, send, 413, _too_large(most))
            return
        unread = [{"type": "http.request", "body": body, "more_body": False}]

        async def whole() -> Message:
            return unread.pop() if unread else await receive()

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *_HEADERS]}
                message["headers"].append((b"content-language", language().encode()))
            await send(message)

        await self.app(scope, whole, protected)


def wanted_language(query: dict[str, list[str]], headers: dict[str, str]) -> str:
    """The language that a request asks for, in its address or by what the browser prefers; otherwise the lab's own."""
    for asked in query.get("lang", ()):
        if asked in LANGUAGES:
            return asked
    for part in headers.get("accept-language", "").split(","):
        tag = part.partition(";")[0].strip().lower().partition("-")[0]
        if tag in LANGUAGES:
            return tag
    return language()


async def _read(receive: Receive, most: int) -> bytes | None:
    """The body of a request, or None where it is larger than it may be."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > most:
            return None
        if not message.get("more_body"):
            return bytes(body)


def _query(text: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(text.decode("latin-1"), max_num_fields=50)
    except ValueError:
        return {}


def hostname(host: str) -> str:
    """The name in a Host header, without its port: "localhost", "[::1]"."""
    name, _colon, port = host.rpartition(":")
    return (name if port.isdecimal() and name else host).lower()


def cookie_name(headers: dict[str, str]) -> str:
    """With the port in it: browsers give the cookies of one lab to all others under the same name, whatever their port."""
    _name, _colon, port = headers.get("host", "").rpartition(":")
    return f"{COOKIE}-{port}" if port.isdecimal() and port.isascii() else COOKIE


def _too_large(most: int) -> str:
    return _("A request may have {most} MB at most: send a smaller file.").format(most=integer(most >> 20))


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, sentence: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": sentence[:120]})
        return
    body = json.dumps({"error": sentence}, ensure_ascii=False).encode()
    headers: list[Any] = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *_HEADERS]})
    await send({"type": "http.response.body", "body": body})
