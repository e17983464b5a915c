"""What terminal and notebook say alike of a tensor."""

from __future__ import annotations

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
