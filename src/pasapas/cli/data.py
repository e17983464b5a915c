"""`pasapas data`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.columns import Columns
from rich.text import Text

from pasapas.cli.options import Figure, Json, Lang, NoFigure
from pasapas.cli.terminal import console, picture, print_json, say, table
from pasapas.data import load_mnist
from pasapas.i18n import _, integer


def command() -> Callable[..., Any]:
    """The command."""

    def data(
        figure: Figure("mnist.png") = None,  # type: ignore[valid-type]
        no_figure: NoFigure() = False,  # type: ignore[valid-type]
        json: Json() = False,  # type: ignore[valid-type]
        lang: Lang() = None,  # type: ignore[valid-type]
    ) -> None:
        training, test = load_mnist()
        counts = [np.bincount(part.labels, minlength=10) for part in (training, test)]
        drawn = None
        if not no_figure and (figure is not None or not json):
            from pasapas import figures

            drawn = figure or Path("mnist.png")
            figures.save(figures.dataset(training, test), drawn)
        if json:
            print_json(
                {
                    "training": {"images": len(training), "counts": counts[0].tolist()},
                    "test": {"images": len(test), "counts": counts[1].tolist()},
                    "shape": list(training.images.shape[1:]),
                    "mean": float(training.images.mean() / 255),
                    "figure": str(drawn) if drawn else None,
                }
            )
            return
        terminal = console()
        say(
            terminal,
            _(
                "MNIST: {training} training images and {test} test images of handwritten digits, 28 × 28 pixels from 0 (black) to 255 (white).\n"
            ),
            training=integer(len(training)),
            test=integer(len(test)),
        )
        grid = table(_("digit"), _("training"), _("test"), "")
        grid.columns[-1].justify = "left"
        longest = counts[0].max()
        for digit in range(10):
            n, t = int(counts[0][digit]), int(counts[1][digit])
            grid.add_row(str(digit), integer(n), integer(t), Text("█" * round(24 * n / longest), "cyan"))
        terminal.print(grid)
        say(terminal, _("\nThe mean of all training images of each digit:"))
        means = [training.images[training.labels == digit].mean(axis=0) for digit in range(10)]
        small = [mean.reshape(14, 2, 14, 2).mean(axis=(1, 3)).astype(np.uint8) for mean in means]
        terminal.print(Columns([picture(terminal, mean) for mean in small], padding=(0, 2)))
        if drawn:
            say(terminal, _("\nPicture: {path}"), path=drawn)

    return data
