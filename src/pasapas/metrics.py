"""How good a network is, in numbers: confusions, precision, recall, calibration, and what training gained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pasapas.errors import PasapasError
from pasapas.i18n import _, ngettext, number, percent

if TYPE_CHECKING:
    from pasapas.training import Epoch

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def confusion_matrix(labels: npt.ArrayLike, predicted: npt.ArrayLike, n_classes: int) -> Integers:
    """C (n_classes, n_classes): C[i, j] images of class i were taken for class j, from two lists (m,) of classes.

    Raises PasapasError for lists of different lengths and for classes outside 0 to n_classes − 1.
    """
    true, answers = np.asarray(labels, np.int64), np.asarray(predicted, np.int64)
    if true.ndim != 1 or true.shape != answers.shape:
        raise PasapasError(
            _(
                "There must be one prediction for each label, but labels are {labels} and predictions {predicted}."
            ).format(labels=true.shape, predicted=answers.shape)
        )
    for classes in (true, answers):
        if classes.size and (classes.min() < 0 or classes.max() >= n_classes):
            raise PasapasError(
                _("Classes must be from 0 to {last}, but there are some from {low} to {high}.").format(
                    last=n_classes - 1, low=classes.min(), high=classes.max()
                )
            )
    counts = np.bincount(true * n_classes + answers, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes).astype(np.int64)


def precision(counts: npt.ArrayLike) -> Floats:
    """C[j, j] / Σᵢ C[i, j] (n_classes,): how often answer j is right; nan for an answer never given.

    Source: C. J. van Rijsbergen, "Information Retrieval", 1979, chapter 7.
    """
    C = np.asarray(counts)
    return _ratio(C.diagonal(), C.sum(axis=0))


def recall(counts: npt.ArrayLike) -> Floats:
    """C[i, i] / Σⱼ C[i, j] (n_classes,): how much of class i is recognised; nan for a class without images.

    Source: C. J. van Rijsbergen, "Information Retrieval", 1979, chapter 7.
    """
    C = np.asarray(counts)
    return _ratio(C.diagonal(), C.sum(axis=1))


@dataclass(frozen=True)
class Calibration:
    """Answers sorted by their confidence into bins of equal width: bin b of B holds confidences in (b/B, (b + 1)/B].

    `counts`, `confidence` and `accuracy` are (B,), the last two as means over the bin, nan for an empty one. `error` is
    the expected calibration error.
    """

    counts: Integers
    confidence: Floats
    accuracy: Floats
    error: float


def calibration(probabilities: npt.ArrayLike, labels: npt.ArrayLike, bins: int = 10) -> Calibration:
    """Whether a confidence of 90% means 9 right answers of 10, from P (m, n_classes) and labels (m,).

    The confidence of an answer is its probability, the largest of its row. The expected calibration error is
    Σ_b (m_b / m) · |accuracy_b − confidence_b| over the bins b with m_b images. Source: C. Guo, G. Pleiss, Y. Sun,
    K. Q. Weinberger, "On Calibration of Modern Neural Networks", ICML 2017, equation 3.

    Raises PasapasError for what is no probability, for shapes that differ, and where there are no images or bins.
    """
    P, true = np.asarray(probabilities, np.float64), np.asarray(labels)
    if P.ndim != 2 or true.shape != P.shape[:1]:
        raise PasapasError(
            _(
                "Probabilities and labels do not belong together: expected (m, n_classes) and (m,), got {probabilities} and {labels}."
            ).format(probabilities=P.shape, labels=true.shape)
        )
    if not P.size:
        raise PasapasError(_("There are no images to train or to measure on."))
    if bins < 1:
        raise PasapasError(_("{name} must be at least 1, not {value}.").format(name="bins", value=bins))
    confidence = P.max(axis=1)  # (m,)
    if not np.all((P >= 0) & (P <= 1 + 1e-6)):  # nan fails as well
        raise PasapasError(_("Probabilities must lie between 0 and 1: apply softmax to the scores first."))

    right = np.argmax(P, axis=1) == true  # (m,)
    bin_of = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)  # (m,)
    counts = np.bincount(bin_of, minlength=bins).astype(np.int64)  # (bins,)
    confidence_sum = np.bincount(bin_of, confidence, bins)  # (bins,)
    right_sum = np.bincount(bin_of, right, bins)  # (bins,)
    error = float(np.abs(right_sum - confidence_sum).sum() / len(P))
    return Calibration(counts, _ratio(confidence_sum, counts), _ratio(right_sum, counts), error)


def final_statistics(history: Sequence[Epoch]) -> list[tuple[str, str, str, str]]:
    """Rows (name, first, last, change) of text: the training loss, and each accuracy that was measured.

    The loss changes in per cent of its first value, an accuracy in points. One epoch alone has no change.
    """
    rows: list[tuple[str, str, str, str]] = []
    losses = [epoch.loss for epoch in history]
    if losses:
        first, last = losses[0], losses[-1]
        change = _signed(last - first, percent(abs(last / first - 1), 1)) if len(losses) > 1 and first else "—"
        rows.append((_("Training loss"), number(first), number(last), change))
    accuracies: list[tuple[str, list[float | None]]] = [
        (_("Training accuracy"), [epoch.accuracy for epoch in history]),
        (_("Validation accuracy"), [epoch.validation_accuracy for epoch in history]),
        (_("Test accuracy"), [epoch.test_accuracy for epoch in history]),
    ]
    for name, values in accuracies:
        measured = [value for value in values if value is not None]
        if measured:
            change = _points(measured[-1] - measured[0]) if len(measured) > 1 else "—"
            rows.append((name, percent(measured[0]), percent(measured[-1]), change))
    return rows


def _points(change: float) -> str:
    points = round(100 * abs(change), 1)
    # French says "1,9 point" and "2,0 points"; English says "points" for every decimal number
    text = ngettext("{change} points", "{change} points", int(points))
    return text.format(change=_signed(change, number(points, 1)))


def _signed(value: float, text: str) -> str:
    return ("\u2212" if value < 0 else "+") + text


def _ratio(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Floats:
    """part / whole, nan where whole is 0."""
    quotient: Floats = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole != 0)
    return quotient
