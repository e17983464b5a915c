"""`pasapas evaluate`."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console
from rich.text import Text

from pasapas import metrics
from pasapas.cli.options import Activation, Json, Lang, find_model
from pasapas.cli.terminal import console, print_json, say, table
from pasapas.data.mnist import load_mnist_test
from pasapas.i18n import _, integer, number, percent


def command() -> Callable[..., Any]:
    """The command."""

    def evaluate(
        model: Annotated[
            Path | None,
            typer.Argument(
                metavar=_("[MODEL]"),
                help=_("A model file, a run's folder, or a pickled dictionary; otherwise the newest run."),
            ),
        ] = None,
        activation: Activation() = None,  # type: ignore[valid-type]
        figures: Annotated[
            Path | None,
            typer.Option("--figures", metavar=_("FOLDER"), help=_("Draw the pictures too, into this folder.")),
        ] = None,
        json: Json() = False,  # type: ignore[valid-type]
        lang: Lang() = None,  # type: ignore[valid-type]
    ) -> None:
        path, net = find_model(model, activation)
        test = load_mnist_test()
        P = net.probabilities(test.images)
        loss, accuracy = net.evaluate(test.images, test.labels)
        counts = metrics.confusion_matrix(test.labels, P.argmax(axis=1), P.shape[1])
        reliability = metrics.calibration(P, test.labels)
        drawn = draw(figures, test.images, test.labels, P, counts, reliability) if figures else []
        if json:
            precision, recall = metrics.precision(counts), metrics.recall(counts)
            print_json(
                {
                    "model": str(path),
                    "images": len(test),
                    "loss": loss,
                    "accuracy": accuracy,
                    "classes": [
                        {"class": i, "images": int(counts[i].sum()), "precision": _json(p), "recall": _json(r)}
                        for i, (p, r) in enumerate(zip(precision, recall, strict=True))
                    ],
                    "confusion": counts.tolist(),
                    "calibration": {
                        "error": reliability.error,
                        "bins": [
                            {"images": int(n), "confidence": _json(c), "accuracy": _json(a)}
                            for n, c, a in zip(
                                reliability.counts, reliability.confidence, reliability.accuracy, strict=True
                            )
                        ],
                    },
                    "figures": [str(picture) for picture in drawn],
                }
            )
            return
        terminal = console()
        sizes = "-".join(map(str, net.network.sizes))
        line = _("Model: {path} ({sizes})") if model else _("Model: {path} ({sizes}), the newest run")
        say(terminal, line, path=path, sizes=sizes)
        if "imported" in net.about and activation is None:
            say(
                terminal,
                _("Its file does not say what its hidden units are: taken as {activation}; --activation changes that."),
                activation=net.about["activation"],
            )
        wrong = len(test) - int(np.trace(counts))
        say(
            terminal,
            _("[bold]Test accuracy {accuracy}[/], loss {loss}: {wrong} of {images} images wrong.\n"),
            accuracy=percent(accuracy),
            loss=number(loss),
            wrong=integer(wrong),
            images=integer(len(test)),
        )
        show(terminal, counts, reliability)
        for picture in drawn:
            say(terminal, _("Picture: {path}"), path=picture)

    return evaluate


def _json(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _share(value: float, digits: int = 1) -> str:
    return "–" if math.isnan(value) else percent(value, digits)


def show(terminal: Console, counts: npt.NDArray[np.int64], reliability: metrics.Calibration) -> None:
    """The confusion matrix with precision and recall on its margins, and the calibration."""
    classes = range(len(counts))
    grid = table(
        "", *map(str, classes), _("recall"), title=_("Confusion matrix: true digits in rows, predicted in columns")
    )
    worst = max(1, int((counts - np.diag(np.diag(counts))).max()))
    for i, (row, recall) in enumerate(zip(counts, metrics.recall(counts), strict=True)):
        cells = []
        for j, n in enumerate(row.tolist()):
            style = "bold cyan" if i == j else "bold red" if n > worst / 2 else "" if n else "dim"
            cells.append(Text(integer(n) if n else "·", style))
        grid.add_row(str(i), *cells, _share(recall))
    grid.add_row("", *(_share(p, 0) for p in metrics.precision(counts)), _("precision"))
    terminal.print(grid)
    say(terminal, _("\n[bold]Calibration: is it right as often as it says?[/]"))
    grid = table(_("confidence"), _("images"), _("mean confidence"), _("accuracy"))
    n = len(reliability.counts)
    for i, (count, confidence, accuracy) in enumerate(
        zip(reliability.counts, reliability.confidence, reliability.accuracy, strict=True)
    ):
        if count:
            label = f"{percent(i / n, 0)} – {percent((i + 1) / n, 0)}"
            grid.add_row(label, integer(int(count)), percent(confidence, 1), percent(accuracy, 1))
    terminal.print(grid)
    say(terminal, _("Expected calibration error: {error}."), error=percent(reliability.error))


def draw(
    folder: Path,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[Any],
    P: npt.NDArray[Any],
    counts: npt.NDArray[np.int64],
    reliability: metrics.Calibration,
) -> list[Path]:
    """The same as pictures, with the worst mistakes."""
    from pasapas import figures
    from pasapas.files import make_folder

    make_folder(folder)
    pictures = {
        "confusion.png": figures.confusion_matrix(counts),
        "calibration.png": figures.calibration(reliability),
        "mistakes.png": figures.worst_mistakes(images, labels, P),
    }
    for name, figure in pictures.items():
        figures.save(figure, folder / name)
    return [folder / name for name in pictures]
