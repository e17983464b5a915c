"""What stands behind a view of the page: it computes and finds the words; the JavaScript of the view draws."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, ClassVar

from pasapas.errors import PasapasError
from pasapas.i18n import _, language
from pasapas.views.bench import Bench
from pasapas.views.packing import unpacked

COMMON = ("models", "open_model")
"""What every view can be asked: about the models to choose from."""


class View:
    """A view asks its methods named in `asks`, with fields as keyword arguments, and gets a dictionary for JSON.

    Arrays go as base64 text, see `pasapas.views.packing`. One view belongs to one reader, who may ask from several
    threads: whatever `answer` calls has the view to itself.
    """

    name: ClassVar[str]
    asks: ClassVar[tuple[str, ...]] = ()

    def __init__(self, bench: Bench | None = None) -> None:
        self.bench = bench or Bench()
        self.lock = threading.RLock()

    def about(self) -> dict[str, Any]:
        """What the page begins with: every word on it, and what can be chosen. In the language spoken now."""
        return {
            "language": language(),
            "texts": {**common_texts(), **self.texts()},
            "models": self.bench.listed(),
        }

    def texts(self) -> dict[str, str]:
        """Every word of the page by a name; `{…}` in them is filled by the page."""
        return {}

    def answer(self, kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """What the method `kind` gives for these fields. Raises PasapasError for what cannot be answered."""
        if kind not in (*self.asks, *COMMON):
            raise PasapasError(
                _("'{kind}' cannot be asked here: choose among {known}.").format(
                    kind=kind, known=", ".join((*self.asks, *COMMON))
                )
            )
        with self.lock:
            reply: dict[str, Any] = getattr(self, kind)(**fields)
            return reply

    def models(self) -> dict[str, Any]:
        """The models on the bench."""
        return {"models": self.bench.listed()}

    def open_model(self, name: str, content: str) -> dict[str, Any]:
        """Puts the model in a file, its bytes as base64, on the bench."""
        opened = self.bench.open(name, unpacked(content))
        return {"models": self.bench.listed(), "opened": opened}

    # What goes on without being asked: only training does.

    @property
    def running(self) -> bool:
        """Whether `advance` has something to do."""
        return False

    def advance(self, seconds: float) -> None:
        """Goes on computing for about so many seconds."""

    def news(self) -> dict[str, Any] | None:
        """What happened since `news` was asked last, for the page; None if nothing."""
        return None

    def close(self) -> None:
        """The reader has gone: nothing runs any more."""


def common_texts() -> dict[str, str]:
    """Words that several views have."""
    return {
        "model": _("Model"),
        "openModel": _("Open a model …"),
        "network": _("{label} ({architecture})"),
        "nothingYet": _("Nothing to show yet."),
        "chartHelp": _("Arrow keys move through the values."),
        "readout": _("{x}: {values}"),
        "pair": _("({x}; {y})"),
        "opening": _("Opening {name} …"),
        "tooLarge": _("{name} is too large: {most} MB at most."),
        "pixels": _("{width} × {height} pixels"),
    }
