"""Options that several commands share, made when the language is known."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pasapas import i18n
from pasapas.errors import PasapasError, nearest, one_of
from pasapas.i18n import _, integer
from pasapas.models import MODEL, SHIPPED, Committee, Model, load
from pasapas.runs import member_folder, newest_model

NO_VALUE = " "
"""The metavar of a switch: typer would write <bool>."""


def _check_language(value: str | None) -> str | None:
    return one_of(_("language"), value, i18n.LANGUAGES) if value is not None else None


def Lang() -> Any:
    """--lang, which `main` has read already: here it is shown in the help and checked."""
    help = _("Language: fr or en. Otherwise PASAPAS_LANG, otherwise that of the system.")
    return Annotated[str | None, typer.Option("--lang", metavar="fr|en", help=help, callback=_check_language)]


def Json() -> Any:
    """--json."""
    return Annotated[
        bool, typer.Option("--json", metavar=NO_VALUE, help=_("Print one JSON object, last, on standard output."))
    ]


def Activation() -> Any:
    """--activation, for models that do not say."""
    help = _("Activation of a pickled model's hidden layers, which its file does not say.")
    return Annotated[str | None, typer.Option("--activation", metavar="NAME", help=help)]


def Figure(default: str) -> Any:
    """--figure."""
    help = _("Where to draw it: PNG, SVG or PDF; otherwise {name}.").format(name=default)
    return Annotated[Path | None, typer.Option("--figure", metavar=_("FILE"), help=help, show_default=False)]


def NoFigure() -> Any:
    """--no-figure."""
    return Annotated[bool, typer.Option("--no-figure", metavar=NO_VALUE, help=_("Draw nothing."))]


def whole(name: str, text: str | None, low: int, high: int) -> int | None:
    """The whole number in the text of option `name`. Raises PasapasError where it is none from low to high."""
    if text is None:
        return None
    try:
        value = int(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise PasapasError(
            _("{name} must be a whole number from {low} to {high}, not '{value}'.").format(
                name=name, low=integer(low), high=integer(high), value=text
            )
        )
    return value


def is_model(path: Path) -> bool:
    """Whether an argument names a model and not a picture: by its suffix, since it is a folder, or the word `shipped`."""
    return path.is_dir() or path.suffix in (".safetensors", ".pkl", ".pickle") or _is_shipped(path)


def _is_shipped(path: Path) -> bool:
    return path == Path("shipped") and not path.exists()


def find_path(path: Path | None) -> Path:
    """Where the model is: at `path`; without one the newest run's, or else the one that ships. Raises PasapasError."""
    if path is None:
        return newest_model() or SHIPPED
    if _is_shipped(path):
        return SHIPPED
    if not path.exists():
        others = [other.name for other in path.parent.glob("*")] if path.parent.is_dir() else []
        raise PasapasError(
            _("There is no model '{path}'.").format(path=path) + nearest(path.name, [*others, "shipped"])
        )
    return path


def origin(path: Path, named: Path | None) -> str:
    """What to say of the model that `find_path` found at `path` for what was `named`."""
    if path == SHIPPED:
        return _("the one that ships with pasapas")
    return str(path) if named else _("{path}, the newest run").format(path=path)


def find_model(path: Path | None, activation: str | None) -> tuple[Path, Model | Committee]:
    """The model or committee that `find_path` finds."""
    path = find_path(path)
    return path, load(path, activation)


def find_network(path: Path | None, activation: str | None) -> tuple[Path, Model]:
    """The model that `find_path` finds, for what looks into one network. Raises PasapasError for a committee."""
    path, model = find_model(path, activation)
    if isinstance(model, Committee):
        raise several(path)
    return path, model


def several(path: Path) -> PasapasError:
    """The error to raise where one network is asked for, and `path` is a committee's file or folder."""
    file = path / MODEL if path.is_dir() else path
    one = member_folder(file.parent, 1)
    if one.is_dir():
        return PasapasError(
            _(
                "'{path}' is a committee, and this looks into one network: name one of its members, such as {one}."
            ).format(path=path, one=one)
        )
    return PasapasError(
        _(
            "'{path}' is a committee, and this looks into one network: save one of its members, such as pasapas.load('{file}').members[0], and name that."
        ).format(path=path, file=file)
    )
