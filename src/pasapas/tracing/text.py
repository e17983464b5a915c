"""What terminal and notebook say alike of a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pasapas.i18n import _, integer, number, percent
from pasapas.tracing.tensors import Tensor, Trace, open_gates


def shape_text(tensor: Tensor) -> str:
    """The shape as it is written in this project: (5, 128); nothing for a single number."""
    return str(tensor.shape) if tensor.shape else ""


def statistics(tensor: Tensor, step: Trace) -> str:
    """Range, mean absolute value and share of zeros in one line, and the open gates of ReLU."""
    if not tensor.shape:
        return number(tensor.minimum, 6)
    line = _("from {low} to {high}, mean of absolute values {mean}, {zeros} zeros").format(
        low=number(tensor.minimum, 6),
        high=number(tensor.maximum, 6),
        mean=number(tensor.mean_absolute, 6),
        zeros=percent(tensor.zeros, 1),
    )
    gates = open_gates(tensor, step)
    if gates:
        line += " · " + _("active {open} / {all}, {share}").format(
            open=integer(gates[0]), all=integer(gates[1]), share=percent(gates[0] / gates[1], 1)
        )
    return line


def stage_title(stage: str) -> str:
    """What a part of the step is called, in the language spoken now."""
    return {
        "inputs": _("The batch"),
        "parameters": _("The parameters"),
        "forward": _("Forward"),
        "loss": _("The loss"),
        "backward": _("Backward"),
        "update": _("The update"),
        "after": _("After the step"),
    }[stage]


def first_numbers(array: npt.NDArray[Any], rows: int, columns: int) -> tuple[int, int, npt.NDArray[Any]]:
    """Where the first numbers that tell something begin, as row and column, and these numbers (rows, columns) or fewer.

    Rows and columns of nothing but zeros at the beginning, such as black pixels, are passed over.
    """
    table = np.atleast_2d(array)
    top = int(np.argmax(table.any(axis=1)))  # 0 where all is 0
    left = int(np.argmax(table[top : top + rows].any(axis=0))) if table.shape[1] > columns else 0
    return top, left, table[top : top + rows, left : left + columns]


def digits(array: npt.NDArray[Any]) -> int:
    """How many decimals to show of an array's numbers."""
    return 0 if np.issubdtype(array.dtype, np.integer) else 4


def magnitudes(step: Trace) -> list[list[str]]:
    """Headings, and a row for each parameter's gradient: its size, and what the update changed."""
    table = [[_("gradient"), _("shape"), _("mean"), _("largest"), _("smallest"), _("mean change"), _("largest change")]]
    for name in (name for i in range(1, len(step.network.dense) + 1) for name in (f"W{i}", f"b{i}")):
        size = np.abs(step[f"d{name}"].value)
        change = np.abs(step[f"{name}_new"].value - step[name].value)
        values = (size.mean(), size.max(), size.min(), change.mean(), change.max())
        table.append([f"d{name}", shape_text(step[name]), *(number(float(v), 6) for v in values)])
    return table


def convention(step: Trace) -> str:
    """Which of the two conventions for the output's delta is shown, and why they agree."""
    if step.convention == "per-example":
        return _(
            "Here dZ and dA are those of each example's own loss (P − Y), and the division by m comes with dW and db. With "
            "--convention mean it comes at once, in dZ. Both give the same dW and db: what stands between is linear in dZ."
        )
    return _(
        "Here every d is the derivative of the mean loss, so m divides once, in dZ = (P − Y) / m. Lessons often write P − Y "
        "and divide dW and db later (--convention per-example): the same numbers, since what stands between is linear in dZ."
    )
