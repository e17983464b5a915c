"""The functions of two lessons, by their names and in their layouts, over the one implementation of this package.

`lesson_3` is the lesson on backpropagation: ReLU, weights (n_in, n_out), biases (1, n_out). `tanh_network` is the network
of the derivation: tanh, weights (n_out, n_in), biases (n_out, 1). Whoever has followed one of them finds every function
again, and whoever calls them runs `pasapas.forward`, `pasapas.backward` and their neighbours.
"""

from pasapas.lessons.lesson_3 import (
    backward_propagation,
    compute_accuracy,
    cross_entropy_loss,
    forward_propagation,
    initialize_parameters,
    one_hot_encode,
    relu,
    softmax,
    train_one_epoch,
    update_parameters,
)
from pasapas.lessons.tanh_network import backward, forward, init_params, loss_accuracy, sgd

__all__ = [
    "backward",
    "backward_propagation",
    "compute_accuracy",
    "cross_entropy_loss",
    "forward",
    "forward_propagation",
    "init_params",
    "initialize_parameters",
    "loss_accuracy",
    "one_hot_encode",
    "relu",
    "sgd",
    "softmax",
    "train_one_epoch",
    "update_parameters",
]
