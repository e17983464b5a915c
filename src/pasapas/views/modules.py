"""The JavaScript of a view as one text, for notebooks, which load no second file."""

from __future__ import annotations

import base64
import re
from importlib import resources

STATIC = resources.files("pasapas.views") / "static"
_IMPORT = re.compile(r'(?<=from )"\./(\w+\.js)"')


def bundled(name: str) -> str:
    """A module of `static/` whose imports of its neighbours carry their text with them, as data addresses."""

    def inside(match: re.Match[str]) -> str:
        return f'"data:text/javascript;base64,{base64.b64encode(bundled(match[1]).encode()).decode()}"'

    return _IMPORT.sub(inside, (STATIC / name).read_text(encoding="utf-8"))


def stylesheet(name: str) -> str:
    """The styles of a view, after those that all views share and those of the modules that it imports."""
    imported = _IMPORT.findall((STATIC / name.replace(".css", ".js")).read_text(encoding="utf-8"))
    files = dict.fromkeys(("parts.css", *(module.replace(".js", ".css") for module in imported), name))
    return "\n".join((STATIC / one).read_text(encoding="utf-8") for one in files if (STATIC / one).is_file())
