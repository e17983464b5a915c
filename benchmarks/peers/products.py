"""The matrix products of an epoch and nothing else: what no implementation on the same BLAS can beat by much."""

from __future__ import annotations

import numpy as np

from peers.contender import Contender, Task, Weights


class Products(Contender):
    """Those of forward, of the weights' gradients and of the gradients handed back, without that of the inputs.

    Every result has a place of its own, made beforehand; `A` and `dZ` stay what they are at first.
    """

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.X = task.floats()
        random = np.random.default_rng(0)
        m, widths = self.setting.batch_size, self.setting.sizes[1:]
        self.A = [random.random((m, n), np.float32) for n in widths[:-1]]
        self.dZ = [random.standard_normal((m, n), np.float32) for n in widths]
        self.Z, self.dA = [np.empty_like(d) for d in self.dZ], [np.empty_like(a) for a in self.A]
        self.W = [W for W, _b in self.setting.weights()]
        self.dW = [np.empty_like(W) for W in self.W]

    def reset(self) -> None:
        pass

    def train(self) -> None:
        layers = range(len(self.W))
        for batch in self.batches:
            X = self.X[batch]
            m = len(X)
            A = [X, *(a[:m] for a in self.A)]
            for l in layers:
                np.matmul(A[l], self.W[l], out=self.Z[l][:m])
            for l in reversed(layers):
                np.matmul(A[l].T, self.dZ[l][:m], out=self.dW[l])
                if l:
                    np.matmul(self.dZ[l][:m], self.W[l].T, out=self.dA[l - 1][:m])

    def weights(self) -> Weights:
        return []
