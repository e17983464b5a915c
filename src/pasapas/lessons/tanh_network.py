"""The tanh network of the derivation: parameters and gradients {"W1", "b1", "W2", "b2"}, W (n_out, n_in), b (n_out, 1).

Two places where the document goes wrong. Its softmax takes the exponential of the scores as they are, which overflows
from 710 on and gives NaN; here each row's maximum is subtracted first. And its update rules end as ΔW = +η δ x with
δ = o − t, which climbs: a step down is ΔW = −η δ x, as its code and `sgd` here do.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from pasapas.errors import PasapasError
from pasapas.i18n import _
from pasapas.initializers import Normal
from pasapas.layers import Params
from pasapas.lessons.lesson_3 import Array, _inputs, cross_entropy_loss, softmax
from pasapas.network import Network, mlp, pairs
from pasapas.network import backward as backward_pass
from pasapas.network import forward as forward_pass
from pasapas.optimizers import SGD


def init_params(nx: int, nh: int, ny: int) -> dict[str, Array]:
    """W1 (nh, nx) and W2 (ny, nh) of normal(0, 0.3), b1 (nh, 1) and b2 (ny, 1) of zeros, float64.

    Drawn from NumPy's own generator, as in the document: the same after the same `np.random.seed`.
    """
    sizes = mlp(nx, nh, ny).sizes
    initializer = Normal(legacy=True, sigma=0.3)
    params: dict[str, Array] = {}
    for i, (n_in, n_out) in enumerate(pairs(sizes), 1):
        # drawn as (n_out, n_in), the document's layout and order; σ does not depend on which is which
        params |= {f"W{i}": initializer.weights(np.random, n_out, n_in), f"b{i}": np.zeros((n_out, 1))}
    return params


def forward(params: Mapping[str, Array], X: npt.ArrayLike) -> tuple[Array, Array, Array]:
    """Yhat (m, ny), Z1 (m, nh) and A1 (m, nh), for X (m, nx)."""
    network, rows = _network(params)
    _X, Z1, A1, Z2 = forward_pass(network.layers, rows, _inputs(X, network))
    return softmax(Z2), Z1, A1


def loss_accuracy(Yhat: npt.ArrayLike, Y: npt.ArrayLike) -> tuple[float, float]:
    """The mean cross-entropy and the accuracy in percent, from probabilities Yhat (m, ny) and targets Y (m, ny).

    The document adds 1e-8 inside the logarithm, which makes the loss of a sure and right answer negative; here
    probabilities are held between 1e-7 and 1 − 1e-7, as in the lesson.
    """
    loss = cross_entropy_loss(Y, Yhat)
    return loss, 100 * float(np.mean(np.argmax(Yhat, axis=1) == np.argmax(Y, axis=1)))


def backward(
    params: Mapping[str, Array], outputs: tuple[Array, Array, Array], Y: npt.ArrayLike, X: npt.ArrayLike
) -> dict[str, Array]:
    """The gradients {"W1", "b1", "W2", "b2"}, each in the shape of its parameter, from `outputs` = (Yhat, Z1, A1).

    X (m, nx), Y (m, ny). The document's δ2 = Yhat − Y is divided by m in the gradients; here at once, with the same result.
    """
    network, rows = _network(params)
    if len(outputs) != 3:
        raise PasapasError(_("Outputs must be the three arrays (Yhat, Z1, A1), not {n}.").format(n=len(outputs)))
    Yhat, Z1, A1 = map(np.asarray, outputs)
    targets = np.asarray(Y, dtype=np.float64)
    values = [_inputs(X, network), Z1, A1, Yhat]
    shapes = [(len(values[0]), n) for n in (network.sizes[1], network.sizes[1], network.sizes[2])]
    if [v.shape for v in values[1:]] != shapes or targets.shape != Yhat.shape:
        raise PasapasError(
            _(
                "Outputs must be (Yhat, Z1, A1) of forward for the same X, and Y like Yhat, but the shapes are {shapes}."
            ).format(shapes=", ".join(str(v.shape) for v in (Yhat, Z1, A1, targets)))
        )
    with np.errstate(divide="ignore"):
        Z2 = np.log(Yhat)  # (m, ny): scores that have Yhat as their softmax, −∞ where it is 0
    gradients, _deltas = backward_pass(network.layers, rows, [*values[:3], Z2], network.loss.gradient(Z2, targets))
    return {
        "W1": gradients[0]["W"].T,  # (nh, nx)
        "b1": gradients[0]["b"][:, None],  # (nh, 1)
        "W2": gradients[2]["W"].T,  # (ny, nh)
        "b2": gradients[2]["b"][:, None],  # (ny, 1)
    }


def sgd(params: dict[str, Array], grads: Mapping[str, Array], eta: float) -> None:
    """One step p ← p − η dp, in place: the arrays of `params` are changed. Raises PasapasError where shapes differ."""
    for name, parameter in params.items():
        got = np.shape(grads[name]) if name in grads else None
        if got != parameter.shape:
            raise PasapasError(
                _("The gradient {name} must have the shape {expected}, not {got}.").format(
                    name=name, expected=parameter.shape, got=got
                )
            )
    updated, _state = SGD().update([params], [dict(grads)], {}, eta)
    for name, parameter in params.items():
        parameter[...] = updated[0][name]


def _network(params: Mapping[str, Array]) -> tuple[Network, list[Params]]:
    """The network that `params` are for, and the same parameters by layer: W (n_in, n_out), b (n_out,)."""
    shapes = {name: np.shape(array) for name, array in params.items()}
    nh, nx = shapes.get("W1", (0, 0))[:2] if len(shapes.get("W1", ())) == 2 else (0, 0)
    ny = shapes["W2"][0] if len(shapes.get("W2", ())) == 2 else 0
    if not nx or shapes != {"W1": (nh, nx), "b1": (nh, 1), "W2": (ny, nh), "b2": (ny, 1)}:
        raise PasapasError(
            _("Parameters are W1 (nh, nx), b1 (nh, 1), W2 (ny, nh) and b2 (ny, 1), not {got}.").format(
                got=", ".join(f"{name} {shape}" for name, shape in shapes.items()) or _("nothing")
            )
        )
    network = mlp(nx, nh, ny, activation="tanh")
    W1, b1, W2, b2 = (np.asarray(params[name]) for name in ("W1", "b1", "W2", "b2"))
    return network, [{"W": W1.T, "b": b1[:, 0]}, {}, {"W": W2.T, "b": b2[:, 0]}]
