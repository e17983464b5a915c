"""How well a run of a submission went: how far it came, and how much of it is what a right network gives."""

from __future__ import annotations

import numpy as np

from pasapas.doctor.identify import Architecture, identify
from pasapas.doctor.observation import Observation
from pasapas.doctor.replay import LOSSES, Replay
from pasapas.doctor.values import arrays_in


def score_of(seen: Observation) -> tuple[float, Architecture | None]:
    """100 where the gradients are those of a usual loss, 50 where only the forward pass is right, 0 where nothing ran."""
    w = seen.world
    score = 0.0
    architecture = None
    if seen.failed_in != "forward" and (seen.failure is None or seen.P is not None):
        score += 10
        if seen.P is not None:
            score += 10
            architecture = identify(w, seen.P, _arrays(seen))
            if architecture is not None and w.sizes[-1] == 1 and architecture.activations[-1] == "softmax":
                architecture = None  # 1 whatever the network does
            score += 30 * (architecture is not None)
    if seen.failure is None:
        score += 5
        L = range(1, w.L + 1)
        wanted = {f"d{k}{l}": (w.W[l - 1].shape if k == "W" else w.b[l - 1].shape) for l in L for k in "Wb"}
        fitting = sum(seen.gradients[t].shape == s for t, s in wanted.items() if t in seen.gradients)
        score += 15 * fitting / len(wanted) + 5 * len(seen.gradients) / len(wanted)
        if architecture is not None and seen.gradients:
            score += 25 * _right_share(seen, architecture)
    return score, architecture


def _arrays(seen: Observation) -> list[np.ndarray]:
    found = [step.value for step in (*seen.forward_steps, *seen.backward_steps)]
    return [*found, *(a for _path, a in arrays_in(seen.forward_value))]


def _right_share(seen: Observation, architecture: Architecture) -> float:
    """The share of the gradients that are right up to a factor and an L2 term."""
    w, best = seen.world, 0.0
    for loss in LOSSES:
        output = {"cross-entropy": "softmax", "binary cross-entropy": "sigmoid"}.get(loss)
        here = architecture
        if output is not None and architecture.activations[-1] == "identity":
            here = architecture.with_output(output)
        with np.errstate(all="ignore"):
            right = Replay(here.problem(w, loss)).run().gradients()
        agree = sum(
            _parallel(g, right[t], w.W[int(t[2:]) - 1] if t[1] == "W" else w.b[int(t[2:]) - 1])
            for t, g in seen.gradients.items()
            if t in right
        )
        best = max(best, agree / len(right))
        if best == 1:
            break
    return best


def _parallel(g: np.ndarray, right: np.ndarray, parameter: np.ndarray) -> bool:
    """Whether g is a multiple of the right gradient, plus a multiple of the parameter."""
    if g.shape != right.shape or not (np.isfinite(g).all() and np.isfinite(right).all()):
        return False
    for basis in ([right.ravel()], [right.ravel(), parameter.ravel()]):
        A = np.stack(basis, axis=1)
        if A.shape[0] <= A.shape[1] and len(basis) > 1:
            break
        rest = g.ravel() - A @ np.linalg.lstsq(A, g.ravel(), rcond=None)[0]
        tolerance = 1e-3 if np.abs(g).max() < 1e-6 or g.dtype == np.float32 else 1e-6
        if np.abs(rest).max() <= tolerance * np.abs(g).max():
            return True
    return False
