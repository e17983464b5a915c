"""The slope of the loss along one parameter, and how far off that slope may be.

The slope of the loss along one parameter is measured in float64 by central differences, at steps that shrink by four,
two of which Richardson's extrapolation joins into one value of fourth order (Richardson 1911). With each value goes how
far off it may be: what the last steps still changed, and the rounding of the loss divided by the step, where that
rounding is measured by third differences of neighbouring values (Hamming 1971; Moré and Wild 2011).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pasapas.checking.report import Floats, GradientRow, index_text
from pasapas.checking.subjects import Subject
from pasapas.errors import PasapasError
from pasapas.i18n import _


def rounding_noise(subject: Subject) -> float:
    """How far rounding may move the loss. Third differences over a hair's breadth leave nothing else."""
    random = np.random.default_rng(0)
    directions = [random.choice([-1e-12, 1e-12], array.shape) * np.maximum(1, abs(array)) for array in subject.arrays]
    before = [array.copy() for array in subject.arrays]
    losses = []
    for i in range(10):
        for array, start, direction in zip(subject.arrays, before, directions, strict=True):
            array[...] = start + i * direction
        losses.append(subject.at(0)[0])
    for array, start in zip(subject.arrays, before, strict=True):
        array[...] = start
    measured = math.sqrt(float(np.mean(np.diff(losses, 3) ** 2)) / 20)  # 20 = 1 + 9 + 9 + 1
    measured = measured if math.isfinite(measured) else 0.0
    return 4 * max(measured, subject.precision * max(1.0, abs(subject.loss)))


class _Slope(NamedTuple):
    """A slope of the loss, how far off it may be, whether that is so because of a kink, and whether nothing moved."""

    value: float
    uncertainty: float
    kink: bool
    flat: bool = False


def measure_row(
    subject: Subject,
    i: int,
    name: str,
    gradient: Floats,
    chosen: npt.NDArray[np.intp],
    noise: float,
    tolerance: float,
) -> GradientRow:
    """Array i of `subject`, in the entries `chosen`, which count through the array row by row."""
    analytic, numeric, errors = (np.full(gradient.size, np.nan) for _n in range(3))
    wrong, kinks, too_small, zero = (np.zeros(gradient.size, np.bool_) for _n in range(4))
    flat = subject.arrays[i].reshape(-1)
    rounded = 8 * subject.precision * float(np.max(np.abs(gradient), initial=0))  # what float32 gradients lose
    for j in chosen:
        a, p = float(gradient.flat[j]), float(flat[j])

        def loss_at(value: float, j: int = int(j)) -> tuple[float, bool]:
            before = flat[j]
            flat[j] = value
            try:
                return subject.at(i)
            finally:
                flat[j] = before

        slope = _measure(loss_at, p, a, subject, noise, tolerance)
        n, uncertainty = slope.value, slope.uncertainty + rounded
        size = max(abs(a), abs(n))
        analytic[j], numeric[j] = a, n
        if math.isnan(n):
            if not slope.kink:
                raise PasapasError(
                    _("The loss is not finite around {name}, however small the step: no slope can be measured.").format(
                        name=name + index_text(tuple(int(k) for k in np.unravel_index(j, gradient.shape)))
                    )
                )
            kinks[j] = True
            continue
        wrong[j] = abs(a - n) > max(tolerance * size, uncertainty)
        zero[j] = slope.flat
        if not wrong[j] and not zero[j] and uncertainty > tolerance * size:
            (kinks if slope.kink else too_small)[j] = True
        if not kinks[j]:
            errors[j] = 0.0 if zero[j] else abs(a - n) / max(size, uncertainty / tolerance)
    shape = gradient.shape
    return GradientRow(
        name,
        analytic.reshape(shape),
        numeric.reshape(shape),
        errors.reshape(shape),
        wrong.reshape(shape),
        kinks.reshape(shape),
        too_small.reshape(shape),
        zero.reshape(shape),
    )


def _measure(
    loss_at: Callable[[float], tuple[float, bool]],
    p: float,
    a: float,
    subject: Subject,
    noise: float,
    tolerance: float,
) -> _Slope:
    """The slope at p, where the gradient says a."""
    top = round(math.log2(5 * subject.precision**0.2))  # 2⁻⁸ in float64, 2⁻² in float32
    slope = _richardson(loss_at, p, a, subject, noise, range(top, top - 14, -2))
    allowed = tolerance * max(abs(a), abs(slope.value))
    if not subject.sees_kinks and abs(a - slope.value) > max(allowed, slope.uncertainty):
        # before it is called wrong: several kinks can hide each other in wide steps, hardly in small ones
        slope = _richardson(loss_at, p, a, subject, noise, range(top - 6, top - 14, -2))
    return slope


def _richardson(
    loss_at: Callable[[float], tuple[float, bool]],
    p: float,
    a: float,
    subject: Subject,
    noise: float,
    exponents: range,
) -> _Slope:
    """The slope at p by steps of 2 to each of `exponents`, times |p| where that is larger than 1."""
    best = _Slope(math.nan, math.inf, False)
    before: tuple[float, float, float | None] | None = None  # of the step before: slope, bend, extrapolated slope
    crossings = 0
    for exponent in exponents:
        h = 2.0**exponent * max(1.0, abs(p))
        up, down = p + h, p - h
        (L_up, crossed_up), (L_down, crossed_down) = loss_at(up), loss_at(down)
        if crossed_up or crossed_down or not math.isfinite(L_up + L_down):
            crossings += crossed_up or crossed_down
            before = None
            continue
        D = (L_up - L_down) / (up - down)
        bend = (L_up - 2 * subject.loss + L_down) / h  # the slope to the right less the slope to the left
        R = None
        if before is not None:
            D_before, bend_before, R_before = before
            if a == 0 == D == D_before and L_up == subject.loss:
                return _Slope(0.0, 2 * noise / h, kink=False, flat=True)
            R = (16 * D - D_before) / 15
            truncation = abs(R - D) if R_before is None else abs(R - R_before)
            # a smooth loss bends four times less at a quarter of the step; at a kink it does not
            kink = 0.0 if subject.sees_kinks else abs(4 * bend - bend_before) / 2
            rounding = 2 * noise / h
            uncertainty = 2 * truncation + rounding + kink
            if uncertainty < best.uncertainty:
                best = _Slope(R, uncertainty, kink > 0.5 * uncertainty and kink > 8 * rounding)
            if uncertainty <= 1e-6 * max(abs(a), abs(R)) or rounding > best.uncertainty:
                break
        before = D, bend, R
    if math.isnan(best.value) and crossings:
        return best._replace(kink=True)
    return best
