"""A lab that runs."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import uvicorn

from pasapas.lab.app import create_app, guarded
from pasapas.lab.serve import bound


class Lab:
    """A server of its own, on a free port unless one is given, in a thread."""

    def __init__(self, port: int = 0, **options: Any) -> None:
        self.socket = bound(socket.AF_INET, ("127.0.0.1", port))
        self.port = self.socket.getsockname()[1]
        self.host = f"localhost:{self.port}"
        self.address = f"http://{self.host}"
        self.app = create_app(**options)
        self.server = uvicorn.Server(
            uvicorn.Config(guarded(self.app), log_level="warning", timeout_graceful_shutdown=1)
        )
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)

    def __enter__(self) -> Lab:
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, *_error: object) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=20)
        self.socket.close()
