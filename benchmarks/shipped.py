"""Makes the model that ships with pasapas, and writes what is measured of it into docs/model.md and docs/model.fr.md.

    pasapas train --recipe laptop --validation-images 5000 --seed 0 --threads 1 --output runs/shipped
    python benchmarks/shipped.py runs/shipped

The temperature and the confidence below which it had better abstain are chosen on the 5,000 validation images, the last
of the training images; then the test images are looked at. Without a run, only the tables are written again, from what
the model says of itself.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import pasapas
from pasapas import Dataset, i18n, metrics, training
from pasapas.calibrating import calibrated
from pasapas.data.disturbances import DISTURBANCES
from pasapas.i18n import _, integer, number, percent
from pasapas.models import SHIPPED, Model
from pasapas.studies.robustness import robustness

DOCS = Path(__file__).parent.parent / "docs"
ERROR_RATE = 0.001  # of the answers to validation images that it is sure of
TURNED = (2, 3, 4, 5, 6, 7, 9)  # digits that are none any more when they lie on their side
BEGIN, END = "<!-- written by benchmarks/shipped.py -->\n", "<!-- until here -->\n"


def make(run: Path) -> Model:
    """The model of a run of the recipe, calibrated; its `about` says how it was made and how good it is."""
    model = pasapas.load(run)
    assert isinstance(model, Model)
    splits = training.mnist_splits(pasapas.Recipe(**model.about["recipe"]))
    assert splits.validation
    assert splits.test
    validation, test = splits.validation, splits.test
    ready = calibrated(model, validation.images, validation.labels)
    exact = metrics.threshold_for(ready.probabilities(validation.images), validation.labels, ERROR_RATE)
    assert exact is not None
    threshold = math.ceil(1e4 * exact) / 1e4  # a number that can be typed
    P = ready.probabilities(test.images)
    turned = np.rot90(test.images[np.isin(test.labels, TURNED)], axes=(1, 2))
    about = {
        **ready.about,
        "commands": [line.strip() for line in (__doc__ or "").splitlines() if line.startswith("    ")],
        "calibrated_on": f"training images 55,000 to 59,999, temperature {ready.about['temperature']:.4f}",
        "versions": json.loads((run / "run.json").read_text(encoding="utf-8"))["versions"],
        "license": "MIT; trained on MNIST, CC BY-SA 3.0",
        "validation": measured(ready, validation),
        "test": measured(ready, test),
        "uncalibrated": {"validation": measured(model, validation), "test": measured(model, test)},
        "threshold": threshold,
        "abstention": [described(P, test, at) for at in sorted((0, 0.9, 0.99, threshold))],
        "turned": float(np.mean(ready.probabilities(np.ascontiguousarray(turned)).max(axis=1) >= threshold)),
        "robustness": {one.disturbance.name: list(one.accuracy) for one in robustness(ready, test)},
    }
    return replace(ready, about=about)


def measured(model: Model, data: Dataset) -> dict[str, float]:
    loss, accuracy = model.evaluate(data.images, data.labels)
    error = metrics.calibration(model.probabilities(data.images), data.labels).error
    return {"accuracy": accuracy, "loss": loss, "calibration_error": error}


def described(P: Any, data: Dataset, threshold: float) -> dict[str, float]:
    found = metrics.abstention(P, data.labels, [threshold])
    return {
        "threshold": threshold,
        "coverage": float(found.coverage[0]),
        "accuracy": float(found.accuracy[0]),
        "errors": int(found.errors[0]),
    }


WORDS = {
    "en": {
        "head": "| 5,000 validation images, before calibration | and as it ships | 10,000 test images, before calibration | and as it ships",
        "accuracy": "accuracy",
        "loss": "loss",
        "calibration_error": "expected calibration error",
        "temperature": "temperature, from the validation images",
        "abstain": "it answers only if it is at least so sure | images answered | of these, right | wrong answers left",
        "always": "always answers",
        "threshold": "chosen on the validation images",
        "robust": "disturbance | accuracy",
        "turned": "digits 2, 3, 4, 5, 6, 7, 9 lying on their side that it is at least {threshold} sure of",
    },
    "fr": {
        "head": "| 5\u202f000 images de validation, avant calibration | et tel qu’il est livré | 10\u202f000 images de test, avant calibration | et tel qu’il est livré",
        "accuracy": "exactitude",
        "loss": "perte",
        "calibration_error": "erreur de calibration attendue",
        "temperature": "température, choisie sur les images de validation",
        "abstain": "il ne répond que s’il est sûr au moins à | images avec réponse | dont justes | réponses fausses restantes",
        "always": "il répond toujours",
        "threshold": "choisi sur les images de validation",
        "robust": "perturbation | exactitude",
        "turned": "chiffres 2, 3, 4, 5, 6, 7, 9 couchés sur le côté dont il est sûr à {threshold} au moins",
    },
}


def tables(about: Mapping[str, Any], language: str) -> str:
    """What was measured, as Markdown."""
    i18n.activate(language)
    words = WORDS[language]
    before, threshold = about["uncalibrated"], about["threshold"]
    columns = [part[name] for name in ("validation", "test") for part in (before, about)]
    rows = [f"| {words['head']} |", "|-|-|-|-|-|"]
    for name, show in (("accuracy", percent), ("loss", number), ("calibration_error", percent)):
        rows.append(" | ".join([f"| {words[name]}", *(show(column[name]) for column in columns)]) + " |")
    rows += [" | ".join([f"| {words['temperature']}", *[number(1), number(about["temperature"])] * 2]) + " |", ""]
    rows += [f"| {words['abstain']} |", "|-|-|-|-|"]
    for one in about["abstention"]:
        sure = percent(one["threshold"]) if one["threshold"] else words["always"]
        sure += f", {words['threshold']}" if one["threshold"] == threshold else ""
        rows.append(f"| {sure} | {percent(one['coverage'])} | {percent(one['accuracy'])} | {integer(one['errors'])} |")
    rows += ["", f"| {words['robust']} |", "|-|-|"]
    for disturbance in DISTURBANCES:
        pairs = zip(disturbance.strengths, about["robustness"][disturbance.name], strict=True)
        colon = "\u00a0:" if language == "fr" else ":"
        shares = " · ".join(f"{disturbance.label(strength)}{colon} {percent(share, 1)}" for strength, share in pairs)
        rows.append(f"| {_(disturbance.title)} | {shares} |")
    turned = words["turned"].format(threshold=percent(threshold))
    rows += ["", f"| {turned} |", "|-|", f"| {percent(about['turned'], 1)} |"]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        make(Path(sys.argv[1])).save(SHIPPED)
    about = pasapas.load().about
    for language, name in (("en", "model.md"), ("fr", "model.fr.md")):
        text = (DOCS / name).read_text(encoding="utf-8")
        parts = re.split(f"({re.escape(BEGIN)}).*({re.escape(END)})", text, flags=re.DOTALL)
        (DOCS / name).write_text(parts[0] + BEGIN + "\n" + tables(about, language) + "\n" + END + parts[3])
