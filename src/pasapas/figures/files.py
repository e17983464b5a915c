"""Pictures as files."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from matplotlib.figure import Figure

from pasapas.errors import PasapasError
from pasapas.figures.style import house_style
from pasapas.files import write_atomically
from pasapas.i18n import _

# without what would make two files of the same figure differ
_METADATA: dict[str, dict[str, str | None]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}


def check_place(path: str | Path) -> Path:
    """`path`, if a figure can be saved under that name. Raises PasapasError for another suffix or a missing folder."""
    path = Path(path)
    if path.suffix.lower() not in _METADATA:
        raise PasapasError(
            _("A picture is saved as .png, .svg or .pdf, but '{path}' ends otherwise.").format(path=path)
        )
    if not path.parent.is_dir():
        raise PasapasError(_("There is no folder '{path}': create it first.").format(path=path.parent))
    return path


def save(figure: Figure, path: str | Path) -> None:
    """Writes `figure` as PNG, SVG or PDF, as the suffix of `path` says; the same figure gives the same bytes.

    The file appears whole or not at all. Raises PasapasError for another suffix and for a place that cannot be written.
    """
    path = check_place(path)
    suffix = path.suffix.lower()
    content = BytesIO()
    with house_style():
        figure.savefig(content, format=suffix[1:], dpi=150, metadata=_METADATA[suffix])
    write_atomically(path, content.getvalue())
