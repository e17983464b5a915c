"""Softmax cross-entropy: the loss, its gradient, and the probabilities, all from the scores Z of the last layer."""

from __future__ import annotations

from dataclasses import dataclass

from array_api_compat import array_namespace

from pasapas.layers import Array


def one_hot(labels: Array, n_classes: int, dtype: Array) -> Array:
    """Y (m, n_classes) of zeros with a one in column `labels[i]` of row i, for integer labels (m,)."""
    xp = array_namespace(labels)
    classes = xp.arange(n_classes, dtype=labels.dtype)
    return xp.astype(labels[:, None] == classes[None, :], dtype)  # (m, n_classes)


def log_softmax(Z: Array) -> Array:
    """The logarithm of the softmax of each row of Z (m, n_classes).

    The row's maximum is subtracted first: softmax does not change, and the exponential of a large score no longer
    overflows. Taking the logarithm here and not of the finished probability keeps log 0 out as well.
    """
    xp = array_namespace(Z)
    shifted = Z - xp.max(Z, axis=1, keepdims=True)  # (m, n_classes)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=1, keepdims=True))  # (m, n_classes)


def softmax(Z: Array) -> Array:
    """P (m, n_classes): each row positive, with sum 1."""
    return array_namespace(Z).exp(log_softmax(Z))


@dataclass(frozen=True)
class SoftmaxCrossEntropy:
    """L = mean over the batch of −Σ Y log P, with P = softmax(Z).

    `label_smoothing` ε in [0, 1) asks for 1 − ε + ε/n on the right class and ε/n on each other one (Szegedy et al.
    2016): the network is not asked for certainty that it could only reach with infinite weights.
    """

    label_smoothing: float = 0.0

    def targets(self, labels: Array, n_classes: int, dtype: Array) -> Array:
        """Y (m, n_classes), the probabilities asked for, from integer labels (m,)."""
        Y = one_hot(labels, n_classes, dtype)
        if self.label_smoothing:
            Y = (1 - self.label_smoothing) * Y + self.label_smoothing / n_classes
        return Y

    def value(self, Z: Array, Y: Array) -> Array:
        """L, an array without dimensions."""
        xp = array_namespace(Z)
        return -xp.sum(Y * log_softmax(Z)) / Z.shape[0]

    def gradient(self, Z: Array, Y: Array) -> Array:
        """dZ = (P − Y) / m (m, n_classes): the only place where the mean divides by m."""
        return (softmax(Z) - Y) / Z.shape[0]
