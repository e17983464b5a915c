"""scikit-learn's MLPClassifier, one `partial_fit` an epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.neural_network import MLPClassifier

from peers.contender import Contender, Task, Weights


class ScikitLearn(Contender):
    """Plain SGD, no penalty, images as they come; float32, as it keeps what it is given."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.X, self.y = task.floats(), task.labels
        s = self.setting
        self.model = MLPClassifier(
            hidden_layer_sizes=s.sizes[1:-1],
            activation=s.activation,
            solver="sgd",
            alpha=0.0,
            batch_size=s.batch_size,
            learning_rate_init=s.learning_rate,
            momentum=0.0,
            nesterovs_momentum=False,
            shuffle=False,
        )
        # makes the arrays and the optimizer, whose weights `reset` overwrites
        self.model.partial_fit(self.X[: s.batch_size], self.y[: s.batch_size], classes=range(10))

    def reset(self) -> None:
        for i, (W, b) in enumerate(self.setting.weights()):
            self.model.coefs_[i][:] = W
            self.model.intercepts_[i][:] = b

    def train(self) -> None:
        self.model.partial_fit(self.X, self.y)

    def weights(self) -> Weights:
        return list(zip(self.model.coefs_, self.model.intercepts_, strict=True))

    def classes(self, X: Any) -> Sequence[int]:
        return self.model.predict(X)
