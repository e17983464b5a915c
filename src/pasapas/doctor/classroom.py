"""A class: many submissions, two at a time, and which mistakes they make most."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from pasapas.doctor import texts
from pasapas.doctor.checkup import SECONDS, check_file
from pasapas.doctor.report import Context, Report
from pasapas.errors import PasapasError
from pasapas.i18n import N_, _

SUFFIXES = (".py", ".ipynb")
_AT_ONCE = 2


@dataclass(frozen=True)
class Entry:
    """One submission of a class."""

    path: Path
    report: Report


def submissions(paths: Iterable[Path]) -> list[Path]:
    """The files to check: those given, and the Python files and notebooks in folders given, each once.

    Raises PasapasError for a path where nothing is, and for a folder without any.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix in SUFFIXES and p.is_file())
            if not inside:
                raise PasapasError(_("There is no .py or .ipynb file in the folder '{path}'.").format(path=path))
            found |= dict.fromkeys(inside)
        elif not path.is_file():
            raise PasapasError(_("There is no file '{path}'.").format(path=path))
        else:
            found[path] = None
    return list(found)


def check_all(
    paths: Sequence[Path],
    forward: str | None = None,
    backward: str | None = None,
    seconds: float = SECONDS,
    done: Callable[[int], None] = lambda n: None,
) -> list[Entry]:
    """The reports in the order of `paths`. `done` is told after each how many there are."""

    def one(path: Path) -> Entry:
        try:
            return Entry(path, check_file(path, forward, backward, seconds))
        except PasapasError as error:  # no such function in this one
            return Entry(
                path, Report("unrunnable", trouble=("{error}", {"error": str(error)}), context=Context(str(path)))
            )
        except Exception as error:  # ours: it must not hold up the others
            trouble = N_("The doctor itself failed on this one: {error}.")
            words = f"{type(error).__name__}: {error}"
            return Entry(path, Report("unrunnable", trouble=(trouble, {"error": words}), context=Context(str(path))))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        futures = [pool.submit(one, path) for path in paths]
        try:
            for n, _future in enumerate(as_completed(futures), 1):
                done(n)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [future.result() for future in futures]


def status(entries: Iterable[Entry]) -> int:
    """The worst of their exit statuses."""
    return max((entry.report.status for entry in entries), default=0)


def verdicts(entries: Iterable[Entry]) -> Counter[str]:
    """How many of each verdict, in the order from right to unrunnable."""
    counts = Counter(entry.report.verdict for entry in entries)
    return Counter({v: counts[v] for v in ("correct", "wrong", "unknown", "unrunnable")})


def causes(entry: Entry) -> set[str]:
    """The codes of a submission's mistakes; of several that may be the cause of one thing, the likeliest."""
    return {f.code for i, f in enumerate(entry.report.findings) if i == 0 or f.certainty == "exact"}


def commonest(entries: Iterable[Entry]) -> list[tuple[str, int]]:
    """The codes of mistakes with the number of submissions that make each, most first."""
    counts = Counter(code for entry in entries for code in causes(entry))
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


COLUMNS = ("file", "verdict", "code", "tensor", "layer", "certainty", "message")


def as_csv(entries: Iterable[Entry]) -> bytes:
    """A line for each mistake, or for each submission without one; with a mark that tells spreadsheets that it is UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for entry in entries:
        report = entry.report
        rows: list[list[object]] = [
            [f.code, f.tensor, f.layer, f.certainty, texts.message(f, report)] for f in report.findings
        ]
        for row in rows or [["", "", "", "", texts.verdict(report)]]:
            writer.writerow([_harmless(str(cell)) for cell in (entry.path, report.verdict, *row)])
    return text.getvalue().encode("utf-8-sig")


def _harmless(cell: str) -> str:
    """A spreadsheet takes a cell that begins so for a formula, and runs it."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
