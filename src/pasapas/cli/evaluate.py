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
from pasapas.cli.options import NO_VALUE, Activation, Json, Lang, find_model, origin
from pasapas.cli.terminal import console, print_json, say, table
from pasapas.data.dataset import Dataset
from pasapas.data.disturbances import Disturbance
from pasapas.data.mnist import load_mnist_test
from pasapas.i18n import _, integer, number, percent
from pasapas.models import SHIPPED, Classifier
from pasapas.studies.robustness import Robustness, robustness

THRESHOLDS = (0, 0.9, 0.95, 0.99, 0.999)
"""How sure an answer may have to be."""

ERROR_RATES = (0.01, 0.005, 0.001)
"""How many wrong answers one may want to live with."""

_EXAMPLE = 15  # the test image that pictures show: a 5, whose hooks and gap thick strokes and noise close


def command() -> Callable[..., Any]:
    """The command."""

    def evaluate(
        model: Annotated[
            Path | None,
            typer.Argument(
                metavar=_("[MODEL]"),
                help=_(
                    "A model file, a run's folder, a pickled dictionary, or 'shipped'; otherwise the newest run, or the model that ships with pasapas."
                ),
            ),
        ] = None,
        activation: Activation() = None,  # type: ignore[valid-type]
        robust: Annotated[
            bool,
            typer.Option(
                "--robust",
                metavar=NO_VALUE,
                help=_("Measure it on shifted, rotated, noisy, thick and thin digits too."),
            ),
        ] = False,
        figures: Annotated[
            Path | None,
            typer.Option("--figures", metavar=_("FOLDER"), help=_("Draw the pictures too, into this folder.")),
        ] = None,
        json: Json() = False,  # type: ignore[valid-type]
        lang: Lang() = None,  # type: ignore[valid-type]
    ) -> None:
        path, net = find_model(model, activation)
        test = load_mnist_test()
        log_P = net.log_probabilities(test.images)  # (m, n_classes)
        P = np.exp(log_P)
        loss = metrics.cross_entropy(log_P, test.labels)
        counts = metrics.confusion_matrix(test.labels, P.argmax(axis=1), P.shape[1])
        reliability = metrics.calibration(P, test.labels)
        accuracy = float(np.trace(counts) / len(test))
        silent = metrics.abstention(P, test.labels, THRESHOLDS)
        disturbed = measure(net, test, console(error=True)) if robust else None
        drawn = draw(figures, test, P, counts, reliability, disturbed) if figures else []
        if json:
            precision, recall = metrics.precision(counts), metrics.recall(counts)
            print_json(
                {
                    "model": str(path),
                    "shipped": path == SHIPPED,
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
                    "abstention": _described(silent),
                    "error_rates": [
                        {"error_rate": rate, **(_described(found)[0] if found else dict.fromkeys(_KEYS))}
                        for rate, found in wished(P, test.labels)
                    ],
                    "robustness": disturbed
                    and [
                        {
                            "disturbance": one.disturbance.name,
                            "unit": one.disturbance.unit,
                            "strengths": list(one.disturbance.strengths),
                            "accuracy": list(one.accuracy),
                        }
                        for one in disturbed
                    ],
                    "figures": [str(picture) for picture in drawn],
                }
            )
            return
        terminal = console()
        say(terminal, _("Model: {path} ({sizes})"), path=origin(path, model), sizes=net.architecture)
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
        show_abstention(terminal, silent, wished(P, test.labels))
        if disturbed:
            show_robustness(terminal, disturbed, accuracy)
        for picture in drawn:
            say(terminal, _("Picture: {path}"), path=picture)

    return evaluate


def _json(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


_KEYS = ("threshold", "answered", "errors", "coverage", "accuracy")


def _described(found: metrics.Abstention) -> list[dict[str, Any]]:
    columns = (found.thresholds, found.answered, found.errors, found.coverage, found.accuracy)
    return [
        {key: _json(value) if isinstance(value, float) else value for key, value in zip(_KEYS, row, strict=True)}
        for row in zip(*(column.tolist() for column in columns), strict=True)
    ]


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


def wished(P: npt.NDArray[Any], labels: npt.NDArray[Any]) -> list[tuple[float, metrics.Abstention | None]]:
    """Each of the `ERROR_RATES`, and what answering from the confidence on that gives it; None where nothing does."""
    confidences = [metrics.threshold_for(P, labels, rate) for rate in ERROR_RATES]
    return [
        (rate, None if c is None else metrics.abstention(P, labels, [c]))
        for rate, c in zip(ERROR_RATES, confidences, strict=True)
    ]


def show_abstention(
    terminal: Console, silent: metrics.Abstention, wishes: list[tuple[float, metrics.Abstention | None]]
) -> None:
    """What answering only when sure gives, by confidence, and by the errors that one can live with."""
    say(terminal, _("\n[bold]Abstaining: what if it answered only when it is sure?[/]"))
    grid = table(_("at least so sure"), _("images answered"), _("of these, right"), _("wrong answers left"))
    for threshold, coverage, accuracy, errors in zip(
        silent.thresholds, silent.coverage, silent.accuracy, silent.errors, strict=True
    ):
        sure = percent(threshold, 1) if threshold else _("always answers")
        grid.add_row(sure, percent(coverage), _share(accuracy, 2), integer(int(errors)))
    terminal.print(grid)
    grid = table(_("wrong answers accepted"), _("asks for a confidence of"), _("images answered"))
    for rate, found in wishes:
        sure, coverage = (percent(found.thresholds[0], 3), percent(found.coverage[0])) if found else ("–", "–")
        grid.add_row(_("at most {rate}").format(rate=percent(rate, 1)), sure, coverage)
    terminal.print()
    terminal.print(grid)
    say(terminal, _("Found on these images: on others, such a confidence holds only about as well."))


def measure(model: Classifier, data: Dataset, terminal: Console) -> list[Robustness]:
    """The model on disturbed digits; the terminal says what is being tried."""
    with terminal.status(_("Disturbing digits …")) as status:

        def watch(what: Disturbance, strength: float) -> None:
            title = _(what.title)
            status.update(f"{title}, {what.label(strength)} …")

        return robustness(model, data, watch)


def show_robustness(terminal: Console, disturbed: list[Robustness], accuracy: float) -> None:
    """The accuracy under each disturbance: its strengths in a line, and the accuracies below."""
    say(
        terminal,
        _("\n[bold]Robustness: accuracy on disturbed digits[/] (as they are: {accuracy})"),
        accuracy=percent(accuracy, 1),
    )
    grid = table("", *[""] * max(len(one.accuracy) for one in disturbed))
    grid.show_header = False
    for one in disturbed:
        grid.add_row(_(one.disturbance.title), *map(one.disturbance.label, one.disturbance.strengths), style="dim")
        grid.add_row("", *(percent(share, 1) for share in one.accuracy))
    terminal.print(grid)


def draw(
    folder: Path,
    test: Dataset,
    P: npt.NDArray[Any],
    counts: npt.NDArray[np.int64],
    reliability: metrics.Calibration,
    disturbed: list[Robustness] | None,
) -> list[Path]:
    """The same as pictures, with the worst mistakes."""
    from pasapas import figures
    from pasapas.files import make_folder

    make_folder(folder)
    pictures = {
        "confusion.png": figures.confusion_matrix(counts),
        "calibration.png": figures.calibration(reliability),
        "abstention.png": figures.abstention(P, test.labels),
        "mistakes.png": figures.worst_mistakes(test.images, test.labels, P),
    }
    if disturbed:
        accuracy = float(np.trace(counts) / len(test))
        pictures["robustness.png"] = figures.robustness(disturbed, accuracy, test.images[_EXAMPLE])
    for name, figure in pictures.items():
        figures.save(figure, folder / name)
    return [folder / name for name in pictures]
