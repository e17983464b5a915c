from __future__ import annotations

import numpy as np
import pytest

from pasapas import PasapasError, mlp
from pasapas.layers import ACTIVATIONS
from pasapas.tracing import chain, trace


def a_step(random, convention="mean", **options):
    network = mlp(5, 4, 4, 3, **options)
    params = network.initialize(seed=2, dtype="float64")
    for p in params:
        if "b" in p:
            p["b"] = random.standard_normal(p["b"].shape)  # away from ReLU's kink at 0
    params = list(network.with_masks(params, 3, random))
    return trace(network, params, random.standard_normal((3, 5)), np.array([0, 2, 1]), convention=convention)


OPTIONS = [{"activation": name} for name in ACTIVATIONS] + [
    {"dropout": 0.4, "input_dropout": 0.2},
    {"l2": 0.3, "label_smoothing": 0.1},
]


@pytest.mark.parametrize("convention", ["mean", "per-example"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_every_weight_and_every_unit(random, options, convention):
    """The terms add up to the recorded number, and finite differences agree."""
    step = a_step(random, convention, **options)
    for layer in (1, 2, 3):
        n_in, n_out = step[f"W{layer}"].shape
        for i in range(n_in):
            for j in range(n_out):
                result = chain.weight(step, layer, i, j)
                (total,) = result.sums
                assert sum(term.product for term in total.terms) == pytest.approx(result.value, abs=1e-12)
                assert result.value == step[f"dW{layer}"].value[i, j]
                assert result.by_differences == pytest.approx(result.value, rel=1e-6, abs=1e-9)
        for unit in range(n_out):
            for image in range(3):
                result = chain.neuron(step, layer, unit, image)
                for total in result.sums:
                    assert sum(term.product for term in total.terms) == pytest.approx(total.value, abs=1e-12), (
                        total.name
                    )
                assert result.value == step[f"dZ{layer}"].value[image, unit]
                assert result.by_differences == pytest.approx(result.value, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda s: chain.weight(s, 0, 0, 0), "no layer 0: they go from 1 to 3"),
        (lambda s: chain.weight(s, 4, 0, 0), "no layer 4"),
        (lambda s: chain.weight(s, 1, 5, 0), "no input 5: they go from 0 to 4"),
        (lambda s: chain.weight(s, 1, 0, 4), "no unit 4"),
        (lambda s: chain.neuron(s, 3, 3), "no unit 3"),
        (lambda s: chain.neuron(s, 3, 0, 3), "no image 3"),
    ],
)
def test_what_is_not_there(random, call, says):
    with pytest.raises(PasapasError) as error:
        call(a_step(random))
    assert says in str(error.value)
