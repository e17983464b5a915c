"""The view Descent: gradient descent on functions of one and of two numbers, to be played with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pasapas.errors import PasapasError
from pasapas.i18n import _, integer, ngettext, short
from pasapas.studies.demonstrations import LANDSCAPES, Landscape, Walk, descend, in_words
from pasapas.views.packing import packed
from pasapas.views.view import View

SAMPLES = 241
"""Points of a curve; odd, so that the middle of the picture, where |x| has its kink, is one of them."""

COLUMNS = 121
"""Values of a surface in each row."""

LEVELS = 14

MOST_STEPS = 200
MOST_MOMENTUM = 0.99
MOST_RATE = 10.0
MOST_START = 100.0


class DescentView(View):
    """The curve or the surface of a function, and what descents in it do."""

    name = "descent"
    asks = ("curve", "surface", "path")

    def about(self) -> dict[str, Any]:
        """The functions, each with what it looks like and what to try on it."""
        return {
            **super().about(),
            "functions": [_described(one) for one in LANDSCAPES.values()],
            "regimes": _regimes(),
            "most": {"steps": MOST_STEPS, "momentum": MOST_MOMENTUM},
        }

    def curve(self, function: str) -> dict[str, Any]:
        """A function of one number: places x and values there, as float32."""
        landscape = _landscape(function, 1)
        x = np.linspace(landscape.low[0], landscape.high[0], SAMPLES)
        return {"x": packed(x), "values": packed(landscape.value(x[:, None]))}

    def surface(self, function: str) -> dict[str, Any]:
        """A function of two numbers: values (rows, columns) as float32, the lowest y first, and levels for its contours."""
        landscape = _landscape(function, 2)
        across, up = np.subtract(landscape.high, landscape.low)
        rows = round((COLUMNS - 1) * up / across) + 1
        x = np.linspace(landscape.low[0], landscape.high[0], COLUMNS)
        y = np.linspace(landscape.low[1], landscape.high[1], rows)
        values = landscape.value(np.stack(np.meshgrid(x, y), axis=-1))  # (rows, columns)
        # levels are closer where it is low: at equal distances of the square root
        roots = np.linspace(0, math.sqrt(np.ptp(values)), LEVELS + 2)[1:-1]
        return {
            "columns": COLUMNS,
            "rows": rows,
            "values": packed(values),
            "levels": [float(level) for level in values.min() + roots**2],
        }

    def path(
        self,
        function: str,
        start: Sequence[float],
        learning_rate: float,
        momentum: float = 0.0,
        nesterov: bool = False,
        steps: int = 30,
    ) -> dict[str, Any]:
        """A descent: points, gradients, losses, the arithmetic of each step, and in words how it went."""
        landscape = _landscape(function)
        n = len(landscape.start)
        if len(start) != n or not all(math.isfinite(x) and abs(x) <= MOST_START for x in start):
            raise PasapasError(
                _("The start of this function needs {n} numbers between −{most} and {most}.").format(
                    n=n, most=integer(MOST_START)
                )
            )
        if not 0 < learning_rate <= MOST_RATE:
            raise PasapasError(
                _("A learning rate must be above 0 and at most {most}, not {value}.").format(
                    most=integer(MOST_RATE), value=short(learning_rate)
                )
            )
        if not 0 <= momentum <= MOST_MOMENTUM:
            raise PasapasError(
                _("The momentum must be from 0 to {most}, not {value}.").format(
                    most=short(MOST_MOMENTUM), value=short(momentum)
                )
            )
        if not 1 <= steps <= MOST_STEPS:
            raise PasapasError(
                _("A descent has from 1 to {most} steps, not {value}.").format(
                    most=integer(MOST_STEPS), value=integer(steps)
                )
            )
        walk = descend(landscape, start, learning_rate, momentum, nesterov, steps)
        return {
            "points": walk.points.tolist(),
            "gradients": walk.gradients.tolist(),
            "losses": walk.losses.tolist(),
            "arithmetic": _arithmetic(walk, learning_rate, momentum, nesterov),
            "regime": walk.regime,
            "arrived": walk.arrived,
            "why": _why(landscape, walk, learning_rate, momentum),
            "result": _result(landscape, walk),
        }

    def texts(self) -> dict[str, str]:
        """Every word of the page."""
        return {
            "function": _("Function"),
            "oneNumber": _("of one number"),
            "twoNumbers": _("of two numbers"),
            "rate": _("Learning rate α"),
            "momentum": _("Momentum β"),
            "nesterov": _("Look ahead (Nesterov)"),
            "compare": _("Compare without momentum"),
            "steps": _("Steps"),
            "try": _("Try"),
            "curve": _("The curve {formula}"),
            "surface": _("Contour lines of {formula}"),
            "ball": _("The ball. Arrow keys move it, Enter lets it go."),
            "ballAt": _("at {place}"),
            "drop": _("Drop the ball anywhere: click, drag, or move it with the arrow keys."),
            "play": _("Let it go"),
            "pause": _("Pause"),
            "step": _("One step"),
            "back": _("One step back"),
            "reset": _("To the start"),
            "stepOf": _("Step {k} of {n}"),
            "loss": _("Loss"),
            "lossPerStep": _("Loss at each step"),
            "stepName": _("Step"),
            "slope": _("Slope"),
            "gradient": _("Gradient"),
            "table": _("All steps"),
            "move": _("Move"),
            "next": _("The next step"),
            "lastStep": _("The last step"),
            "withMomentum": _("with momentum"),
            "without": _("without"),
            "said": _("{regime}: {result}"),
        }


def _landscape(name: str, numbers: int | None = None) -> Landscape:
    """The function of that name, of so many numbers."""
    known = [one for one in LANDSCAPES.values() if numbers in (None, len(one.start))]
    for one in known:
        if one.name == name:
            return one
    raise PasapasError(
        _("There is no function '{name}' here: choose among {known}.").format(
            name=name, known=", ".join(one.name for one in known)
        )
    )


def _described(one: Landscape) -> dict[str, Any]:
    """A function for the page."""
    label, hint = _names()[one.name]
    return {
        "name": one.name,
        "label": label,
        "hint": hint,
        "formula": one.formula,
        "slope": one.slope,
        "low": list(one.low),
        "high": list(one.high),
        "start": list(one.start),
        "steps": one.steps,
        "minima": [list(minimum) for minimum in one.minima],
        "rates": dict(one.rates),
        "most": one.most,
    }


def _names() -> dict[str, tuple[str, str]]:
    """Of each function its name, and what there is to see."""
    return {
        "parabola": (_("Parabola"), _("The lesson’s: the learning rate alone decides how it goes.")),
        "wells": (_("Two wells"), _("Where the ball lands depends on where it is dropped.")),
        "plateau": (_("Plateau"), _("Far from the minimum the slope is nearly 0, and so is every step.")),
        "kink": (_("Kink"), _("The slope is ±1 however near the minimum is: a step never gets shorter.")),
        "valley": (_("Valley"), _("10 times as steep across as along.")),
        "ravine": (_("Ravine"), _("40 times as steep across as along: here momentum helps.")),
        "bend": (_("Bend"), _("The bottom of the valley is bent, and nearly flat.")),
        "saddle": (_("Saddle"), _("Two minima, and between them a pass where the slope is 0.")),
    }


def _regimes() -> dict[str, str]:
    """How a descent goes, in a word or two."""
    return {
        "slow": _("slow"),
        "good": _("good"),
        "exact": _("exact"),
        "oscillating": _("oscillating"),
        "endless": _("endless"),
        "diverging": _("diverging"),
        "stuck": _("stuck"),
        "resting": _("at rest"),
    }


def _why(landscape: Landscape, walk: Walk, learning_rate: float, momentum: float) -> str:
    """One sentence: why it goes as it goes."""
    if walk.regime not in ("stuck", "resting") and landscape.curvatures and not momentum:
        factors = [_written(1 - learning_rate * curvature) for curvature in landscape.curvatures]
        if len(factors) == 2:
            return _("Each step multiplies x by {x} and y by {y}; beyond −1 it would go further away.").format(
                x=factors[0], y=factors[1]
            )
        return _("Each step multiplies x by 1 − 2α = {factor}: {meaning}.").format(
            factor=factors[0],
            meaning=in_words(walk.regime),
        )
    return {
        "slow": _("The steps are short for the way that there is to go."),
        "good": _("The steps get shorter as the slope does, and never jump across."),
        "exact": _("The first step ends exactly at the minimum."),
        "oscillating": _("Steps jump across the bottom, and come back."),
        "endless": _("Steps jump across the bottom and back, and come no lower."),
        "diverging": _("Each jump lands where it is steeper, so that the next one is longer."),
        "stuck": _("The slope is nearly 0 here, and so are the steps, though this is no minimum."),
        "resting": _("It starts at a minimum: the slope is 0, and no step moves it."),
    }[walk.regime]


def _result(landscape: Landscape, walk: Walk) -> str:
    """Where it ended, in a few words."""
    steps = len(walk.points) - 1
    if walk.regime == "diverging":
        out = np.any((walk.points < landscape.low) | (walk.points > landscape.high), axis=1)
        if out.any():
            return _("leaves the picture at step {step}").format(step=integer(int(np.argmax(out))))
    if walk.arrived is None or walk.minimum is None:
        return ngettext("not at a minimum after {n} step", "not at a minimum after {n} steps", steps).format(
            n=integer(steps)
        )
    place = _place([float(f"{x:.3g}") for x in walk.minimum])
    return ngettext("comes to {place} in {n} step", "comes to {place} in {n} steps", walk.arrived).format(
        place=place, n=integer(walk.arrived)
    )


def _place(x: Sequence[float]) -> str:
    """ "x = 2.5", or "(1, −2)"."""
    if len(x) == 1:
        return f"x = {_written(x[0])}"
    return f"({_SEPARATOR.join(_written(one) for one in x)})"


_SEPARATOR = "; "  # a comma would be taken for a decimal one


def _arithmetic(walk: Walk, learning_rate: float, momentum: float, nesterov: bool) -> list[list[str]]:
    """For each step its lines: how every coordinate moved, with the numbers."""
    names = ("x", "y") if walk.points.shape[1] == 2 else ("x",)
    lines = []
    for k in range(len(walk.points) - 1):
        step = []
        for i, name in enumerate(names):
            old, new = walk.points[k][i], walk.points[k + 1][i]
            slope, velocity, before = walk.gradients[k][i], walk.velocities[k + 1][i], walk.velocities[k][i]
            by = _written(slope, factor=True)
            if momentum:
                step.append(f"v = {_written(momentum)} · {_written(before, factor=True)} + {by} = {_written(velocity)}")
                by = _written(velocity, factor=True)
                if nesterov:
                    by = f"({_written(slope)} + {_written(momentum)} · {by})"
            step.append(f"{name} = {_written(old)} − {_written(learning_rate)} · {by} = {_written(new)}")
        lines.append(step)
    return lines


def _written(value: float, factor: bool = False) -> str:
    """A number with four digits and a proper minus; in brackets where it is a negative factor."""
    text = short(float(f"{value:.4g}") + 0.0).replace("-", "−")
    return f"({text})" if factor and value < 0 else text
