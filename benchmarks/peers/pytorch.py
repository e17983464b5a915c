"""PyTorch in four ways."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from peers.contender import Contender, Task, Weights

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh}


def mlp(sizes: Sequence[int], activation: str) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Flatten()]
    for i, (n_in, n_out) in enumerate(itertools.pairwise(sizes)):
        layers += [ACTIVATIONS[activation]()] if i else []
        layers.append(nn.Linear(n_in, n_out))
    return nn.Sequential(*layers)


class PyTorch(Contender):
    """A module whose weights are set and read."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.model = mlp(self.setting.sizes, self.setting.activation)
        self.linear = [layer for layer in self.model if isinstance(layer, nn.Linear)]
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=self.setting.learning_rate)

    def reset(self) -> None:
        with torch.no_grad():
            for layer, (W, b) in zip(self.linear, self.setting.weights(), strict=True):
                layer.weight.copy_(torch.from_numpy(W).T)
                layer.bias.copy_(torch.from_numpy(b))

    def weights(self) -> Weights:
        return [(layer.weight.detach().numpy().T, layer.bias.detach().numpy()) for layer in self.linear]

    def inputs(self, images: npt.NDArray[np.uint8]) -> Any:
        return torch.from_numpy(super().inputs(images))

    def classes(self, X: Any) -> Sequence[int]:
        with torch.inference_mode():
            return self.model(X).argmax(1).numpy()

    def threads(self) -> int:
        return torch.get_num_threads()


class Eager(PyTorch):
    """Autograd and the SGD of torch.optim on slices of tensors in memory."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.X, self.y = torch.from_numpy(task.floats()), torch.from_numpy(task.labels.astype("int64"))

    def loss(self, X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(self.model(X), y)

    def train(self) -> None:
        for batch in self.batches:
            self.optimizer.zero_grad()
            self.loss(self.X[batch], self.y[batch]).backward()
            self.optimizer.step()


class Compiled(Eager):
    """Forward, loss and their gradients compiled; a graph of its own for the last, smaller batch."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.compiled_loss = torch.compile(super().loss, dynamic=False, fullgraph=True)
        self.compiled_model = torch.compile(self.model, dynamic=False)

    def loss(self, X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return self.compiled_loss(X, y)

    def classes(self, X: Any) -> Sequence[int]:
        with torch.inference_mode():
            return self.compiled_model(X).argmax(1).numpy()


class Pictures(TorchDataset):  # type: ignore[type-arg]
    """What torchvision's MNIST with its ToTensor does for each image: a picture, then a tensor (1, 28, 28) of floats."""

    def __init__(self, task: Task) -> None:
        self.images, self.labels = torch.from_numpy(task.images), torch.from_numpy(task.labels.astype("int64"))

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        from PIL import Image

        picture = Image.fromarray(self.images[i].numpy())
        channels = torch.from_numpy(np.array(picture)).view(28, 28, 1).permute(2, 0, 1).contiguous()
        return channels.to(torch.float32).div(255), int(self.labels[i])


class Loader(PyTorch):
    """As tutorials write it: a DataLoader without further processes, and the loss looked at every hundred batches."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.loader = DataLoader(Pictures(task), batch_size=self.setting.batch_size, shuffle=False)
        self.criterion = nn.CrossEntropyLoss()
        self.losses: list[float] = []

    def train(self) -> None:
        self.model.train()
        for i, (X, y) in enumerate(self.loader):
            loss = self.criterion(self.model(X), y)
            loss.backward()
            self.optimizer.step()
            self.optimizer.zero_grad()
            if i % 100 == 0:
                self.losses.append(loss.item())


class ByHand(Eager):
    """No autograd: gradients written out, updates fused into their products, results reused in place."""

    def reset(self) -> None:
        self.p = [(torch.from_numpy(W.copy()), torch.from_numpy(b.copy())) for W, b in self.setting.weights()]

    def weights(self) -> Weights:
        return [(W.numpy(), b.numpy()) for W, b in self.p]

    def forward(self, X: torch.Tensor) -> list[torch.Tensor]:
        relu = self.setting.activation == "relu"
        values = [X]
        for i, (W, b) in enumerate(self.p):
            Z = torch.addmm(b, values[-1], W)
            if i + 1 < len(self.p):
                Z = Z.relu_() if relu else Z.tanh_()
            values.append(Z)
        return values

    @torch.no_grad()
    def train(self) -> None:
        relu, rate = self.setting.activation == "relu", self.setting.learning_rate
        losses = torch.zeros(())
        for batch in self.batches:
            y = self.y[batch]
            *values, Z = self.forward(self.X[batch])
            log_P = F.log_softmax(Z, 1)
            losses += F.nll_loss(log_P, y)
            d = log_P.exp_()
            d[torch.arange(len(y)), y] -= 1
            d /= len(y)
            for i in reversed(range(len(self.p))):
                (W, b), A = self.p[i], values[i]
                dA = d @ W.T if i else d
                W.addmm_(A.T, d, alpha=-rate)
                b.sub_(d.sum(0), alpha=rate)
                if i:
                    d = dA.mul_(A > 0) if relu else dA.addcmul_(dA, A * A, value=-1)

    def classes(self, X: Any) -> Sequence[int]:
        with torch.inference_mode():
            return self.forward(X)[-1].argmax(1).numpy()
