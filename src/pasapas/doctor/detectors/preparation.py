"""Functions that prepare images and labels: pixels that are not scaled, arithmetic on bytes, labels that are encoded wrongly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pasapas.doctor.detectors.one_hot import table_is_wrong
from pasapas.doctor.detectors.probing import Prober, arrays_of, careful, is_label
from pasapas.doctor.inventory import Function, words
from pasapas.doctor.pairing import cut_elsewhere
from pasapas.doctor.report import Finding
from pasapas.doctor.roles import activation_of, backward_score, forward_score, other_role
from pasapas.doctor.values import Opaque

if TYPE_CHECKING:
    from pasapas.doctor.evidence import Evidence

_NAMES = re.compile(
    r"load|charg|prep|normali|scal|echelle|vect|aplat|flatten|lire|read|data|donnees|images|pretrait|nettoy|standardi|centr|mise"
)
_NOT = re.compile(r"train|entrain|fit|plot|affich|show|init|batch|lot|loss|perte|weight|poids|hot|predict|augment")
_IMAGES = re.compile(
    r"x|images?|imgs?|im|pixels?|raw|brut(es)?|xtrain|xapp|a|x\w{0,4}|img\w*|data|donnees|photos?|entrees|inputs?|m"
)
_SETS = re.compile(r"ds|dataset|data|donnees|examples?|exemples?|jeu|base|train\w*|set|split")
_COUNT = re.compile(r"n|m|nb\w*|n_?\w*|num\w*|nombre\w*|taille\w*|size|count|limit\w*|max\w*")
_SCALES = re.compile(
    r"(?<!/)/=?\s*\(?\s*(255|256|127|128|100|float|np\.(max|std|linalg|ptp)|[\w.]*(max|std|norm|ecart|sigma)\w*)|\*=?\s*\(?0\.00"
    r"|1\.?0?\s*/\s*25[56]|scaler|minmax|rescale|to_tensor|totensor|np\.divide",
    re.IGNORECASE,
)
TOO_LARGE = 20.0
M = 12


def pictures(m: int = M) -> tuple[np.ndarray, np.ndarray]:
    """Bytes (m, 28, 28), 0 for the most part as in MNIST, and labels (m,) as bytes, with all ten classes."""
    random = np.random.default_rng(5)
    images = random.integers(0, 256, (m, 28, 28)) * (random.random((m, 28, 28)) < 0.4)
    images[:, 0, 0], images[:, 0, 1] = 255, 1
    labels = random.permutation(np.arange(m) % 10)
    return images.astype(np.uint8), labels.astype(np.uint8)


@careful
def detect(evidence: Evidence) -> Iterator[Finding]:
    """Calls preparations with bytes."""
    prober = Prober(evidence)
    unscaled: list[tuple[Function, float]] = []
    scaled = False
    for f in preparations(prober):
        result = _run(prober, f)
        if result is None:
            continue
        arrays, wide, labels = result
        X = _images_among(arrays)
        if X is not None and wide is not None and _changed(X, wide) is not None:
            got, expected = _changed(X, wide) or (0.0, 0.0)
            yield Finding("uint8-arithmetic", "X", 0, facts=prober.facts(f, got=got, expected=expected))
            return
        if X is not None and _scrambled(X):
            yield Finding("images-scrambled", "X", 0, facts=prober.facts(f))
            return
        for Y in arrays:
            wrong = table_is_wrong(Y, labels) if Y is not X else None
            if wrong is not None:
                yield Finding("one-hot-wrong", "Y", 0, facts=prober.facts(f, **wrong))
                return
        if X is not None and np.abs(X.astype(float)).max() > TOO_LARGE:
            unscaled.append((f, float(np.abs(X.astype(float)).max())))
        elif X is not None:
            scaled = True
    if unscaled and not scaled and not _SCALES.search(prober.source):
        f, largest = unscaled[0]
        yield Finding("inputs-not-scaled", "X", 0, facts=prober.facts(f, got=largest, expected=1.0))


def preparations(prober: Prober) -> list[Function]:
    """The functions that may make X of images, by name."""
    found = []
    for f in prober.functions:
        joined = "".join(f.words)
        by_name = (other_role(f) == "prepare" or _NAMES.search(joined)) and not _NOT.search(joined)
        other = activation_of(f) is not None or forward_score(f) or backward_score(f)
        if by_name and not other and f.parameters and not f.short.startswith("__"):
            found.append(f)
    return found


def _run(prober: Prober, f: Function) -> tuple[list[np.ndarray], np.ndarray | None, np.ndarray] | None:
    """The arrays that a preparation gives for bytes, X for the same numbers as wide integers, and the labels."""
    images, labels = pictures()
    for shaped in (images, images.reshape(len(images), -1), images[..., None]):
        arguments = _arguments(f, shaped, labels)
        if arguments is None:
            return None
        outcome = prober.call(f, arguments)
        if outcome is None:
            return None
        if outcome.failure is None:
            arrays = arrays_of(outcome.value)
            wide = _arguments(f, shaped.astype(np.int64), labels)
            again = prober.call(f, wide) if wide is not None else None
            other = _images_among(arrays_of(again.value)) if again is not None and again.failure is None else None
            return (arrays, other, labels.astype(int)) if arrays else None
    return None


def _arguments(f: Function, images: np.ndarray, labels: np.ndarray) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    taken = False
    keys = re.findall(r"\[\s*['\"](\w+)['\"]\s*\]", f.text)
    for p in f.parameters:
        joined = "".join(words(p.name))
        if not taken and keys and _SETS.fullmatch(joined):
            found[p.name] = [
                {k: (x if re.match("im|x|pix", k) else int(y)) for k in keys}
                for x, y in zip(images if images.ndim == 4 else images.reshape(-1, 28, 28, 1), labels, strict=True)
            ]
            taken = True
        elif not taken and _SETS.fullmatch(joined) and (attributes := _attributes(f, p.name)):
            found[p.name] = Opaque(
                "dataset", {k: images if re.match("im|x|X|pix|data", k) else labels for k in attributes}
            )
            taken = True
        elif not taken and _IMAGES.fullmatch(joined):
            found[p.name], taken = images, True
        elif taken and is_label(p.name) and p.required:
            found[p.name] = labels
        elif _COUNT.fullmatch(joined) and p.required:
            found[p.name] = len(images)
        elif p.required:
            return None
    return found if taken else None


def _attributes(f: Function, name: str) -> set[str]:
    """The attributes of a parameter that a function reads, where images and labels are among them; {} otherwise."""
    read = set(re.findall(rf"\b{name}\.(\w+)", f.text))
    return read if any(re.match("im|x|X|pix", k) for k in read) and len(read) < 4 else set()


def _images_among(arrays: list[np.ndarray]) -> np.ndarray | None:
    """The first array that has 784 numbers for each of the images."""
    return next((a for a in arrays if a.size == M * 784), None)


def _scrambled(X: np.ndarray) -> bool:
    """Whether X holds the pixels as they are stored, cut into samples elsewhere than between images."""
    images, _labels = pictures()
    rows = X if X.shape == (M, 784) else X.T if X.shape == (784, M) else None
    return rows is not None and cut_elsewhere(rows, images.reshape(M, 784), M)


def _changed(X: np.ndarray, wide: np.ndarray) -> tuple[float, float] | None:
    """A number that is another one when the same computation starts from wide integers, and that one."""
    if X.shape != wide.shape:
        return None
    a, b = X.astype(float), wide.astype(float)
    with np.errstate(all="ignore"):
        apart = ~(np.abs(a - b) <= 1e-4 * max(1.0, float(np.abs(b).max())))
    if not apart.any():
        return None
    at = int(np.argmax(apart))
    return round(float(a.flat[at]), 4), round(float(b.flat[at]), 4)
