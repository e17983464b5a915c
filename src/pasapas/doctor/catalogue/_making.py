"""What several entries share: the ways in which a mistake is made.

Each call makes a class of its own, so that any two of them can be combined by inheritance.
"""

from __future__ import annotations

from collections.abc import Callable

from pasapas.doctor.replay import Floats, Replay

Number = Callable[[Replay, int], float]
"""A factor, from the replay and the layer."""


def scaled_delta(factor: Number) -> type[Replay]:
    """δ of the last layer times a factor, and so every gradient."""

    class ScaledDelta(Replay):
        def output_delta(self) -> Floats:
            return factor(self, self.L) * super().output_delta()

    return ScaledDelta


def scaled_gradients(factor: Number, weights: bool = True, biases: bool = True) -> type[Replay]:
    """What a layer's δ gives in dW, in db or in both, times a factor; δ itself goes on as it is."""

    class ScaledGradients(Replay):
        def weight_gradient(self, l: int, dZ: Floats) -> Floats:
            return super().weight_gradient(l, factor(self, l) * dZ if weights and self.here(l) else dZ)

        def bias_gradient(self, l: int, dZ: Floats) -> Floats:
            return super().bias_gradient(l, factor(self, l) * dZ if biases and self.here(l) else dZ)

    return ScaledGradients


def scaled_hidden_delta(factor: Number) -> type[Replay]:
    """δ of a hidden layer times a factor, and so all that comes from it."""

    class ScaledHiddenDelta(Replay):
        def through(self, l: int, dA: Floats) -> Floats:
            dZ = super().through(l, dA)
            return factor(self, l) * dZ if self.here(l) else dZ

    return ScaledHiddenDelta


def other_derivative(derivative: Callable[[Replay, int], Floats], *names: str) -> type[Replay]:
    """Another factor in place of the activation's derivative, where the activation's name begins with one of `names`."""

    class OtherDerivative(Replay):
        def output_delta(self) -> Floats:
            meant(self, *names)
            return super().output_delta()

        def activation_derivative(self, l: int) -> Floats:
            return derivative(self, l) if l in meant(self, *names) else super().activation_derivative(l)

    return OtherDerivative


def meant(replay: Replay, *names: str) -> list[int]:
    """The layers where a mistake in the derivative is made, for activations of these names; ValueError if there are none."""
    layers = [
        l
        for l in range(1, replay.L + 1)
        if replay.here(l)
        and replay.differentiates(l)
        and (replay.name(l).startswith(names) if names else replay.name(l) != "identity")
    ]
    if not layers:
        raise ValueError("nothing here has such a derivative")
    return layers


def from_inputs(source: Callable[[Replay, int], Floats]) -> type[Replay]:
    """Another tensor in place of the layer's input in dW."""

    class FromInputs(Replay):
        def weight_input(self, l: int) -> Floats:
            return source(self, l) if self.here(l) else super().weight_input(l)

    return FromInputs


def from_weights(source: Callable[[Replay, int], Floats]) -> type[Replay]:
    """Another matrix in place of W of layer l + 1, where δ goes back through it to hidden layer l: the layer of the mistake."""

    class FromWeights(Replay):
        def back_weights(self, l: int) -> Floats:
            return source(self, l) if self.here(l - 1) else super().back_weights(l)

    return FromWeights


def layer(values: dict[int, Floats], l: int) -> Floats:
    """The tensor of layer l; IndexError if there is no such layer."""
    if l not in values:
        raise IndexError(l)
    return values[l]
