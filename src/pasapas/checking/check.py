"""Gradients held against the slope of the loss: for a network of this package, and for anybody's function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from pasapas.checking.report import GradientCheck
from pasapas.checking.slopes import measure_row, rounding_noise
from pasapas.checking.subjects import Function, OfFunction, OfNetwork, Subject
from pasapas.errors import PasapasError
from pasapas.i18n import _
from pasapas.layers import Params
from pasapas.network import Network

ALL_BELOW = 20_000
"""So many entries are all checked; of more, a sample."""

SAMPLE = 200
"""How many entries of each array are checked where not all are."""


@overload
def gradient_check(
    network: Network,
    params: Sequence[Params],
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    /,
    *,
    entries: int | None = None,
    seed: int = 0,
    tolerance: float = 1e-4,
) -> GradientCheck: ...


@overload
def gradient_check(
    f: Function,
    params: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    /,
    *,
    entries: int | None = None,
    seed: int = 0,
    tolerance: float = 1e-4,
) -> GradientCheck: ...


def gradient_check(
    subject: Network | Function,
    params: Any,
    X: Any = None,
    y: Any = None,
    /,
    *,
    entries: int | None = None,
    seed: int = 0,
    tolerance: float = 1e-4,
) -> GradientCheck:
    """Whether gradients are the slopes of the loss, entry by entry.

    `gradient_check(network, params, X, y)` checks `network.gradients` on images X (m, ...) with labels y (m,), in
    float64; dropout masks among `params` are held fixed. `gradient_check(f, params)` checks any function with
    f(params) = (loss, gradients), where `params` is a dictionary of arrays or a list of such, and the gradients have the
    same keys, with or without a `d` before them. Nothing that is passed in is changed.

    An entry is wrong where it differs from the slope by more than `tolerance` of the larger of the two, and by more than
    the slope may itself be off. It is left out at a kink, where ReLU's input changes its sign however small the step;
    and it is too small to be judged where the slope is known less exactly than to `tolerance`. Up to 20,000 entries are
    all checked; of more, 200 of each array, or as many as `entries` says, drawn with `seed`.

    Raises PasapasError for what is no such network or function: gradients that are missing, too many, of other shapes
    or not finite, a loss that is not one finite number or not the same twice, and parameters changed in place.
    """
    if entries is not None and (isinstance(entries, bool) or not isinstance(entries, (int, np.integer)) or entries < 1):
        raise PasapasError(
            _("'entries' is how many entries of each array to check, 1 or more, not {got}.").format(got=entries)
        )
    if not 0 < tolerance < 1:
        raise PasapasError(_("'tolerance' must be between 0 and 1, not {got}.").format(got=tolerance))
    if isinstance(subject, Network):
        checked: Subject = OfNetwork(subject, params, X, y)
    elif X is not None or y is not None:
        raise PasapasError(_("A function is checked as gradient_check(f, params): it has to know its images itself."))
    else:
        checked = OfFunction(subject, params)

    with np.errstate(all="ignore"):  # a step may leave the domain of the loss; such steps are not used
        noise = rounding_noise(checked)
        total = sum(array.size for array in checked.arrays)
        per_array = entries or (SAMPLE if total > ALL_BELOW else total)
        rows = []
        for i, (name, array, gradient) in enumerate(zip(checked.names, checked.arrays, checked.gradients, strict=True)):
            chosen = np.arange(array.size)
            if per_array < array.size:
                chosen = np.sort(np.random.default_rng((seed, i)).choice(array.size, per_array, replace=False))
            rows.append(measure_row(checked, i, name, gradient, chosen, noise, tolerance))
    checked.assert_unchanged()
    return GradientCheck(tuple(rows), checked.loss, tolerance, seed, checked.precision)
