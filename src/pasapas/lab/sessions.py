"""Readers of the page, one session for each tab: their views, and when they were last heard of."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping
from typing import Any, TypeVar

from pasapas.errors import PasapasError
from pasapas.i18n import _, integer
from pasapas.views.bench import Bench
from pasapas.views.view import View

MOST = 64
"""So many sessions are kept at once: a class with room to spare."""

IDLE = 30 * 60.0
"""Seconds without a word after which a session is dropped."""

_View = TypeVar("_View", bound=View)


class Full(PasapasError):
    """There are as many sessions as the lab keeps, and none of them is idle."""


class Session:
    """What one reader has open. Views share the models on its bench; each is made when it is first asked."""

    def __init__(self) -> None:
        self.key = secrets.token_urlsafe(16)
        self.bench = Bench()
        self.heard = time.monotonic()
        self.connected = 0
        """Pages that hold a connection open."""
        self._views: dict[type[View], View] = {}
        self._lock = threading.Lock()

    def view(self, kind: type[_View]) -> _View:
        """The session's view of a kind."""
        with self._lock:
            view = self._views.get(kind)
            if view is None:
                view = self._views[kind] = kind(self.bench)
        assert isinstance(view, kind)
        return view

    def answer(self, kind: type[View], ask: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """What the session's view of a kind answers; see `View.answer`."""
        return self.view(kind).answer(ask, fields)

    def close(self) -> None:
        """Ends whatever runs in it."""
        for view in list(self._views.values()):
            view.close()


class Sessions:
    """All sessions by key. Safe to use from several threads."""

    def __init__(self, most: int = MOST, idle: float = IDLE) -> None:
        self.most, self.idle = most, idle
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._sessions)

    def new(self) -> Session:
        """One more session. Raises Full where there is no room, after idle ones were dropped."""
        self.drop_idle()
        with self._lock:
            if len(self._sessions) >= self.most:
                raise Full(
                    _("The lab has {most} readers at once at most, and they are all here: try again later.").format(
                        most=integer(self.most)
                    )
                )
            session = Session()
            self._sessions[session.key] = session
            return session

    def get(self, key: str) -> Session | None:
        """The session of this key, if it is still there."""
        session = self._sessions.get(key)
        if session is not None:
            session.heard = time.monotonic()
        return session

    def drop_idle(self) -> None:
        """Ends the sessions that were not heard of for `idle` seconds, and hold no connection open."""
        now = time.monotonic()
        with self._lock:
            gone = [s for s in self._sessions.values() if not s.connected and now - s.heard > self.idle]
            for session in gone:
                del self._sessions[session.key]
        for session in gone:
            session.close()

    def drop(self, key: str) -> None:
        """Ends a session, if it is there."""
        with self._lock:
            session = self._sessions.pop(key, None)
        if session is not None:
            session.close()

    def close(self) -> None:
        """Ends all of them."""
        for key in list(self._sessions):
            self.drop(key)
