"""Mistakes that a look at one function tells, without the gradients: one subject in each module.

To add one is to add a module with `detect`, and to name it here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pasapas.doctor.detectors import (
    accuracy,
    activation_functions,
    bytes_in_use,
    in_place,
    initialisation,
    log_of_zero,
    one_hot,
    preparation,
    softmax_function,
)
from pasapas.doctor.report import Finding

if TYPE_CHECKING:
    from pasapas.doctor.evidence import Evidence

DETECTORS: tuple[Callable[[Evidence], list[Finding]], ...] = (
    one_hot.detect,
    preparation.detect,
    bytes_in_use.detect,
    initialisation.detect,
    activation_functions.detect,
    softmax_function.detect,
    in_place.detect,
    log_of_zero.detect,
    accuracy.detect,
)
"""In the order of the computation."""
