"""Starting the server, telling where it is, opening the page."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import uvicorn

from pasapas.errors import PasapasError
from pasapas.i18n import _, chosen
from pasapas.lab.app import LOCAL, create_app, guarded

PORT = 8765
"""Where the lab is looked for first; where this port is taken, one of the next."""

_TRIES = 20
_LARGEST_MESSAGE = 1 << 20  # bytes of one WebSocket message


def serve(
    host: str | None = None,
    port: int | None = None,
    browser: bool = True,
    runs_code: bool | None = None,
    say: Callable[[str, str], None] | None = None,
) -> None:
    """Serves the lab until it is interrupted.

    Without a `host`, to this machine alone; with one, to whoever can reach it and has the token in the address. Files
    are run by the doctor (`runs_code`) only for this machine, unless asked for. `say(address, token)` is told where the page is,
    once it can be opened. Raises PasapasError where there is no such address, or no port is free.
    """
    token = secrets.token_urlsafe(18) if host is not None else None
    listening = listen(host or "127.0.0.1", port)
    name = "localhost" if host is None else socket.gethostname() if host in ("0.0.0.0", "::") else host
    shown = f"[{name}]" if ":" in name else name
    asked = {"token": token, "lang": chosen()}  # without a choice here, each reader's browser says which language
    query = urlencode({name: value for name, value in asked.items() if value})
    address = f"http://{shown}:{listening.getsockname()[1]}/" + (f"?{query}" if query else "")
    app = create_app(LOCAL if host is None else None, token, runs_code=host is None if runs_code is None else runs_code)
    config = uvicorn.Config(
        guarded(app),
        log_level="warning",
        access_log=False,
        server_header=False,
        ws_max_size=_LARGEST_MESSAGE,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=64 << 10,
    )
    server = _Server(config, lambda: _ready(address, token, browser, say))
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    with listening, contextlib.suppress(KeyboardInterrupt):  # that is how a lab ends
        server.run(sockets=[listening])


class _Server(uvicorn.Server):
    """A server that says when it can be asked."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


def _ready(address: str, token: str | None, browser: bool, say: Callable[[str, str], None] | None) -> None:
    if say:
        say(address, token or "")
    if browser:
        # some systems' way of opening a browser waits until it is closed
        threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()


def bound(family: socket.AddressFamily, address: Any) -> socket.socket:
    """A socket that listens at `address`. Raises OSError where that cannot be."""
    # asyncio sends small answers at once only where it sees that the protocol is TCP: otherwise each waits for 40 ms
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let another program listen too
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(256)
    except OSError:
        listening.close()
        raise
    return listening


def listen(host: str, port: int | None) -> socket.socket:
    """A socket on `port`, or on the first free one from `PORT` on. Raises PasapasError where there is none."""
    wanted = range(PORT, PORT + _TRIES) if port is None else [port]
    error: OSError | None = None
    for one in wanted:
        try:
            family, _kind, _protocol, _name, address = socket.getaddrinfo(host, one, type=socket.SOCK_STREAM)[0]
            return bound(family, address)
        except socket.gaierror:
            raise PasapasError(
                _("'{host}' is no address of this machine: give one of its addresses, or 0.0.0.0 for all.").format(
                    host=host
                )
            ) from None
        except OSError as one_error:
            error = one_error
    assert error is not None
    raise PasapasError(
        _("The lab cannot listen on {host}, port {port} ({reason}): choose another with --port.").format(
            host=host,
            port=wanted[0] if port is not None else f"{PORT}–{PORT + _TRIES - 1}",
            reason=error.strerror or error,
        )
    )
