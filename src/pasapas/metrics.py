"""How good and how sure a network is, in numbers, and what training gained."""

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
    if bins < 1:
        raise PasapasError(_("{name} must be at least 1, not {value}.").format(name="bins", value=bins))
    confidence, right = _answers(probabilities, labels)  # (m,), (m,)
    bin_of = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)  # (m,)
    counts = np.bincount(bin_of, minlength=bins).astype(np.int64)  # (bins,)
    confidence_sum = np.bincount(bin_of, confidence, bins)  # (bins,)
    right_sum = np.bincount(bin_of, right, bins)  # (bins,)
    error = float(np.abs(right_sum - confidence_sum).sum() / len(right))
    return Calibration(counts, _ratio(confidence_sum, counts), _ratio(right_sum, counts), error)


def cross_entropy(log_probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """The mean of −log P[label] over images, from log P (m, n_classes) and labels (m,).

    It takes logarithms since P itself may have rounded to 0 where a network was surely wrong. Raises PasapasError for
    shapes that differ, and where there are no images.
    """
    log_P, true = _together(log_probabilities, labels)
    return float(-log_P[np.arange(len(true)), true].mean())


@dataclass(frozen=True)
class Abstention:
    """What is left to a network that answers only from some confidence on: (n,) each, for n thresholds.

    `answered` images get an answer, a share `coverage` of all; `errors` of these answers are wrong and a share `accuracy`
    of them right, nan where nothing is answered.
    """

    thresholds: Floats
    answered: Integers
    errors: Integers
    coverage: Floats
    accuracy: Floats


def abstention(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, thresholds: npt.ArrayLike | None = None
) -> Abstention:
    """What answering only with a confidence of at least each of `thresholds` (n,) gives, from P (m, n_classes) and labels (m,).

    Without thresholds, all at which something changes are taken, which are the confidences themselves, rising: with
    1 − accuracy against coverage, the risk-coverage curve. Source: R. El-Yaniv, Y. Wiener, "On the Foundations of
    Noise-free Selective Classification", Journal of Machine Learning Research 11, 2010.

    Raises PasapasError for what is no probability, for shapes that differ, and where there are no images.
    """
    confidence, right = _answers(probabilities, labels)  # (m,), (m,)
    order = np.argsort(confidence, kind="stable")
    confidence, right = confidence[order], right[order]
    asked = np.unique(confidence) if thresholds is None else np.asarray(thresholds, np.float64)  # (n,)
    silent = np.searchsorted(confidence, asked)  # (n,): how many images are below each threshold
    wrong_before = np.concatenate([[0], np.cumsum(~right)])  # (m + 1,)
    answered = len(right) - silent
    errors = wrong_before[-1] - wrong_before[silent]
    return Abstention(asked, answered, errors, answered / len(right), _ratio(answered - errors, answered))


def threshold_for(probabilities: npt.ArrayLike, labels: npt.ArrayLike, error_rate: float) -> float | None:
    """The confidence from which on at most a share `error_rate` of the answers is wrong and most images are answered.

    From P (m, n_classes) and labels (m,); None where there is no such confidence. What was chosen on some images holds
    for others only about as well: choose it on validation images, and measure it on test images. Raises PasapasError as
    `abstention` does, and for a rate outside 0 to 1.
    """
    if not 0 <= error_rate <= 1:
        raise PasapasError(
            _("{name} must be from {low} to {high}, not {value}.").format(
                name="error_rate", low=0, high=1, value=error_rate
            )
        )
    found = abstention(probabilities, labels)
    good = np.flatnonzero(found.errors <= error_rate * found.answered)
    return float(found.thresholds[good[0]]) if len(good) else None


def temperature(scores: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """The T > 0 for which softmax(Z / T) has the least cross-entropy: above 1 for a network that is too sure.

    From the scores Z (m, n_classes), or log P, and labels (m,) of images that the network was not trained on. The loss is
    convex in b = 1 / T, with the slope E[Z] − Z[label] and the curvature Var[Z], means over the images, where E and Var
    weigh the classes by softmax(b Z): Newton's method finds the minimum, halving what is known to hold it where a step
    would leave that. Source: C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On Calibration of Modern Neural Networks",
    ICML 2017, section 4.2.

    Raises PasapasError for shapes that differ, where there are no images, and where no temperature is best: T → 0 if
    the label of each image has the largest score, T → ∞ if the scores are no better than guessing.
    """
    Z, true = _together(scores, labels)
    Z = Z - Z[np.arange(len(true)), true][:, None]  # (m, n_classes): the label's score is 0, and E[Z] the slope
    largest = Z.max(axis=1, keepdims=True)
    if largest.max() <= 0:
        raise PasapasError(
            _("A temperature cannot be found on images that are all answered right: take more, or others.")
        )
    if Z.mean() >= 0:  # the slope at b = 0
        raise PasapasError(
            _("A temperature cannot be found for answers that are no better than guessing: train the network first.")
        )
    b, low, high = 1.0, 0.0, np.inf
    for _round in range(200):
        P = np.exp(b * (Z - largest))  # (m, n_classes)
        P /= P.sum(axis=1, keepdims=True)
        mean = (P * Z).sum(axis=1, keepdims=True)  # (m, 1)
        slope, curvature = mean.mean(), (P * (Z - mean) ** 2).sum(axis=1).mean()
        low, high = (b, high) if slope < 0 else (low, b)
        step = b - slope / curvature if curvature > 0 else np.inf
        step = min(step, 2 * b)
        if not low <= step <= high:
            step = (low + high) / 2
        b, before = step, b
        if abs(b - before) <= 1e-9 * b:
            break
    return float(1 / b)


def _answers(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """How sure each answer is, and whether it is right, (m,) each: from P (m, n_classes) and labels (m,)."""
    P, true = _together(probabilities, labels)
    if not np.all((P >= 0) & (P <= 1 + 1e-6)):  # nan fails as well
        raise PasapasError(_("Probabilities must lie between 0 and 1: apply softmax to the scores first."))
    return P.max(axis=1), np.argmax(P, axis=1) == true


def _together(scores: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[Floats, npt.NDArray[Any]]:
    """Both as arrays, (m, n_classes) and (m,). Raises PasapasError where they are not, or m is 0."""
    Z, true = np.asarray(scores, np.float64), np.asarray(labels)
    if Z.ndim != 2 or true.shape != Z.shape[:1]:
        raise PasapasError(
            _(
                "Probabilities and labels do not belong together: expected (m, n_classes) and (m,), got {probabilities} and {labels}."
            ).format(probabilities=Z.shape, labels=true.shape)
        )
    if not Z.size:
        raise PasapasError(_("There are no images to train or to measure on."))
    if true.min() < 0 or true.max() >= Z.shape[1]:
        raise PasapasError(
            _("Classes must be from 0 to {last}, but there are some from {low} to {high}.").format(
                last=Z.shape[1] - 1, low=true.min(), high=true.max()
            )
        )
    return Z, true


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
