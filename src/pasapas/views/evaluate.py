"""The view Evaluate: where a model is wrong on MNIST's test images, and what disturbing them costs it."""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from pasapas import metrics
from pasapas.data import Dataset
from pasapas.data.disturbances import DISTURBANCES, Disturbance
from pasapas.errors import PasapasError
from pasapas.i18n import _, short
from pasapas.models import Classifier
from pasapas.views.bench import Bench, mnist, shipped
from pasapas.views.packing import packed
from pasapas.views.view import View

PAGE = 24
"""So many images are shown at a time."""

DISTURBED = 5
"""Every fifth test image is disturbed: the later ones were written by other people than the first, and are harder."""

THRESHOLDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999)
"""How sure an answer may have to be."""

MOST_EVALUATED = 4
"""So many of a reader's models keep what was computed of them."""


class Evaluation:
    """A model on the test images. What is computed once is kept."""

    def __init__(self, model: Classifier) -> None:
        self.model = model
        self._disturbed: dict[tuple[str, float], float] = {}

    @cached_property
    def log_P(self) -> npt.NDArray[Any]:
        """log P (m, 10) for all test images."""
        return self.model.log_probabilities(_test().images)

    @cached_property
    def P(self) -> npt.NDArray[Any]:
        """P (m, 10)."""
        P: npt.NDArray[Any] = np.exp(self.log_P)
        return P

    @cached_property
    def answers(self) -> npt.NDArray[np.intp]:
        """The most probable class of each image (m,)."""
        answers: npt.NDArray[np.intp] = self.P.argmax(axis=1)
        return answers

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """The confusion matrix (10, 10)."""
        return metrics.confusion_matrix(_test().labels, self.answers, 10)

    def disturbed(self, disturbance: Disturbance, strength: float) -> float:
        """The accuracy on `_few` images, disturbed: the mean over the directions of the disturbance."""
        key = disturbance.name, strength
        if key not in self._disturbed:
            few = _few()
            variants = [few.images] if not strength else disturbance.variants(few.images, strength)
            self._disturbed[key] = float(np.mean([np.mean(self.model.predict(one) == few.labels) for one in variants]))
        return self._disturbed[key]


def _test() -> Dataset:
    return mnist()[1]


@cache
def _few() -> Dataset:
    return Dataset(_test().images[::DISTURBED], _test().labels[::DISTURBED])


@cache
def _examples() -> npt.NDArray[np.intp]:
    """The first test image of each class (10,)."""
    return np.unique(_test().labels, return_index=True)[1]


@cache
def _of_shipped() -> Evaluation:
    return Evaluation(shipped())


def steps(disturbance: Disturbance) -> list[float]:
    """The strengths to choose from: from none to twice the strongest that is studied, as far apart as those are."""
    first, second = disturbance.strengths[:2]
    apart = second - first
    return [round(k * apart, 6) for k in range(round(2 * disturbance.strengths[-1] / apart) + 1)]


class EvaluateView(View):
    """Asks name a model by its key on the bench, and images by their number among the 10,000 test images."""

    name: ClassVar[str] = "evaluate"
    asks: ClassVar[tuple[str, ...]] = ("overview", "images", "image", "disturb")

    def __init__(self, bench: Bench | None = None) -> None:
        super().__init__(bench)
        self._evaluations: list[Evaluation] = []

    def about(self) -> dict[str, Any]:
        """The words, and the disturbances with their strengths."""
        disturbances = [
            {"name": one.name, "title": _(one.title), "sign": one.sign, "symbol": one.symbol, "steps": steps(one)}
            for one in DISTURBANCES
        ]
        return {**super().about(), "disturbances": disturbances}

    def overview(self, model: str) -> dict[str, Any]:
        """How good the model is: accuracy, loss, confusion matrix, each class, and what abstaining gives.

        `worst` is the most frequent confusion as [class, answer], None where there is no mistake.
        """
        found, test = self._evaluation(model), _test()
        counts = found.counts
        mistakes = counts - np.diag(counts.diagonal())
        silent = metrics.abstention(found.P, test.labels, THRESHOLDS)
        return {
            "images": len(test),
            "accuracy": float(np.trace(counts) / len(test)),
            "errors": int(mistakes.sum()),
            "loss": _finite(metrics.cross_entropy(found.log_P, test.labels)),
            "calibration_error": metrics.calibration(found.P, test.labels).error,
            "counts": counts.tolist(),
            "worst": [int(k) for k in np.unravel_index(mistakes.argmax(), counts.shape)] if mistakes.any() else None,
            "classes": [
                {"images": int(n), "precision": _finite(p), "recall": _finite(r)}
                for n, p, r in zip(counts.sum(axis=1), metrics.precision(counts), metrics.recall(counts), strict=True)
            ],
            "abstention": [
                {"threshold": float(t), "answered": int(n), "coverage": float(share), "errors": int(wrong)}
                for t, n, share, wrong in zip(
                    silent.thresholds, silent.answered, silent.coverage, silent.errors, strict=True
                )
            ],
        }

    def images(
        self, model: str, truth: int | None = None, answer: int | None = None, offset: int = 0
    ) -> dict[str, Any]:
        """Up to 24 images of one entry of the confusion matrix, from `offset` on, `total` in all.

        Without `truth` or `answer`, the mistakes whatever it is. Mistakes come with the surest first; what is right with
        the least sure first.
        """
        found, labels = self._evaluation(model), _test().labels
        chosen = np.ones(len(labels), bool)
        if truth is not None:
            chosen &= labels == truth
        if answer is not None:
            chosen &= found.answers == answer
        if truth is None or answer is None:
            chosen &= labels != found.answers
        numbers = np.flatnonzero(chosen)
        confidence = found.P[numbers, found.answers[numbers]]
        right = truth is not None and truth == answer
        numbers = numbers[np.argsort(confidence if right else -confidence, kind="stable")]
        shown = numbers[offset : offset + PAGE]
        return {
            "total": len(numbers),
            "images": [
                {
                    "number": int(i),
                    "label": int(labels[i]),
                    "answer": int(found.answers[i]),
                    "probability": float(found.P[i, found.answers[i]]),
                    "pixels": packed(_test().images[i], "u1"),
                }
                for i in shown
            ],
        }

    def image(self, model: str, number: int) -> dict[str, Any]:
        """One test image with its ten probabilities. Raises PasapasError for a number that no image has."""
        test = _test()
        if not 0 <= number < len(test):
            raise PasapasError(
                _("There are test images 0 to {last}, but none has the number {number}.").format(
                    last=len(test) - 1, number=number
                )
            )
        found = self._evaluation(model)
        return {
            "number": number,
            "label": int(test.labels[number]),
            "answer": int(found.answers[number]),
            "probabilities": [float(p) for p in found.P[number]],
            "pixels": packed(test.images[number], "u1"),
        }

    def disturb(self, model: str, kind: str, strength: float) -> dict[str, Any]:
        """The accuracy on disturbed images, as on clean ones, over `images` of them; and one disturbed image of each class.

        The strength is rounded to one of the steps. Raises PasapasError for a disturbance that there is not, and for a
        strength beyond the last step.
        """
        disturbance = next((one for one in DISTURBANCES if one.name == kind), None)
        if disturbance is None:
            raise PasapasError(
                _("There is no disturbance '{name}': choose among {known}.").format(
                    name=kind, known=", ".join(one.name for one in DISTURBANCES)
                )
            )
        known = steps(disturbance)
        if not 0 <= strength <= known[-1]:
            raise PasapasError(
                _("The strength must be from {low} to {high}, not {value}.").format(
                    low=0, high=short(known[-1]), value=short(strength)
                )
            )
        strength = min(known, key=lambda one: abs(one - strength))
        found, examples = self._evaluation(model), _test().images[_examples()]
        shown = next(disturbance.variants(examples, strength)) if strength else examples
        answers = found.model.predict(shown)
        accuracy, clean = found.disturbed(disturbance, strength), found.disturbed(disturbance, 0.0)
        return {
            "kind": kind,
            "strength": strength,
            "images": len(_few()),
            "accuracy": accuracy,
            "clean": clean,
            "cost": clean - accuracy,
            "examples": [
                {"label": label, "answer": int(answer), "pixels": packed(pixels, "u1")}
                for label, (answer, pixels) in enumerate(zip(answers, shown, strict=True))
            ],
        }

    def _evaluation(self, key: str) -> Evaluation:
        """That of the model under a key. The model that ships is evaluated once for all readers."""
        model = self.bench.classifier(key)
        if model is shipped():
            return _of_shipped()
        found = next((one for one in self._evaluations if one.model is model), None) or Evaluation(model)
        with np.errstate(all="ignore"):  # what overflows is said in a sentence
            finite = np.isfinite(found.P).all()
        if not finite:
            raise PasapasError(_("This network's answer is not a number: its training has diverged."))
        self._evaluations = [found, *(one for one in self._evaluations if one is not found)][:MOST_EVALUATED]
        return found

    def texts(self) -> dict[str, str]:
        """The words of the page."""
        return {
            "computing": _("Reading the 10,000 test images …"),
            "accuracy": _("accuracy"),
            "mistakesOf": _("wrong, of {images} images"),
            "loss": _("loss (cross-entropy)"),
            "calibration": _("calibration error"),
            "matrix": _("Confusion matrix"),
            "matrixHelp": _(
                "A row is what the digit is, a column what the network answers: choose a number to see its images. "
                "On the diagonal all is right; ✗ counts the mistakes of a row or a column. Arrow keys move."
            ),
            "truth": _("digit"),
            "answer": _("answer"),
            "wrong": _("mistakes"),
            "noImage": _("no image"),
            "oneImage": _("1 image"),
            "manyImages": _("{n} images"),
            "cell": _("{truth} read as {answer}: {count}"),
            "cellRow": _("{truth} read as anything else: {count}"),
            "cellColumn": _("anything else read as {answer}: {count}"),
            "cellAll": _("All mistakes: {count}"),
            "cellRight": _("{truth} read as {answer}, rightly: {count}"),
            "surestFirst": _("The mistakes that the network is surest of come first."),
            "leastSureFirst": _("What the network is least sure of comes first."),
            "thumb": _("Test image {number}: {label} read as {answer}, {probability} sure"),
            "more": _("Show more ({shown} of {total})"),
            "imageTitle": _("Test image {number}"),
            "imageRight": _("It is a {label}, and the network reads {answer}."),
            "imageWrong": _("It is a {label}, but the network reads {answer}."),
            "probabilities": _("Probability of each digit"),
            "isTruth": _("the digit"),
            "isAnswer": _("the answer"),
            "isBoth": _("digit and answer"),
            "toDraw": _("Open in Draw"),
            "disturb": _("What does it cost to disturb the images?"),
            "kind": _("Disturbance"),
            "strength": _("strength"),
            "cost": _("{accuracy}: {points} points less than undisturbed ({clean})."),
            "gain": _("{accuracy}: no less than undisturbed ({clean})."),
            "undisturbed": _("{accuracy}: nothing is disturbed yet."),
            "measured": _("Measured on {images} of the 10,000 test images, in all directions."),
            "measuring": _("Measuring …"),
            "curve": _("Accuracy against strength"),
            "example": _("{label} disturbed, read as {answer}"),
            "classes": _("Digit by digit"),
            "classesHelp": _(
                "Precision: of its answers “7”, how many are a 7. Recall: of all 7s, how many it recognises."
            ),
            "digit": _("Digit"),
            "imagesHead": _("Images"),
            "precision": _("Precision"),
            "recall": _("Recall"),
            "silence": _("What if it answered only when sure?"),
            "sure": _("Answer only from this probability on"),
            "always": _("always"),
            "silenceCost": _("It answers {coverage} of the images. Wrong: {errors} of {answered}."),
        }


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
