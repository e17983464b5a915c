from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from safetensors.numpy import save

from pasapas import Dense, Model, Network, PasapasError, Sigmoid, forward, load, mlp, softmax
from pasapas.layers import ACTIVATIONS
from pasapas.models import FORMAT, describe, restore


def a_model(*sizes, dtype="float32", **options) -> Model:
    network = mlp(*(sizes or (6, 5, 3)), **options)
    params = network.initialize(seed=1, dtype=dtype)
    return Model(network, params, {"epochs": 3})


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", [(6, 3), (6, 5, 3), (6, 5, 4, 3)])
def test_there_and_back(tmp_path, random, sizes, dtype, activation):
    model = a_model(
        *sizes, dtype=dtype, activation=activation, dropout=0.2, input_dropout=0.1, label_smoothing=0.1, l2=1e-4
    )
    path = model.save(tmp_path / "m.safetensors")
    again = load(path)
    assert again.network == model.network
    assert again.about == {"epochs": 3}
    X = random.random((4, 6), dtype=dtype)
    np.testing.assert_array_equal(again.probabilities(X), softmax(forward(model.network.layers, model.params, X)[-1]))
    assert again.probabilities(X).dtype == dtype


def test_the_same_model_gives_the_same_bytes(tmp_path):
    contents = [a_model().save(tmp_path / f"{i}.safetensors").read_bytes() for i in range(5)]
    assert len(set(contents)) == 1


def test_a_run_folder_is_a_model(tmp_path):
    a_model().save(tmp_path / "model.safetensors")
    assert load(tmp_path).network == a_model().network


def test_architecture_there_and_back():
    network = Network((Dense(3, 4), Sigmoid(), Dense(4, 2)))
    assert restore(json.loads(json.dumps(describe(network)))) == network


def test_images_of_another_size_are_refused():
    with pytest.raises(PasapasError, match=r"6 numbers.*\(2, 28, 28\)"):
        a_model().predict(np.zeros((2, 28, 28), np.uint8))


def description(**changes):
    return json.dumps({"format": FORMAT, "network": describe(mlp(6, 5, 3)), "about": {}, **changes})


def network(**changes):
    return description(network={**describe(mlp(6, 5, 3)), **changes})


def tensors(**changes):
    f = np.float32
    all_of_them = {
        "W1": np.ones((6, 5), f),
        "b1": np.ones(5, f),
        "W2": np.ones((5, 3), f),
        "b2": np.ones(3, f),
        **changes,
    }
    return {name: array for name, array in all_of_them.items() if array is not None}


def header(size: int, content: bytes = b"") -> bytes:
    return struct.pack("<Q", size) + content


def layer(i, **changes):
    layers = describe(mlp(6, 5, 3))["layers"]
    layers[i] = {**layers[i], **changes}
    return network(layers=layers)


HUGE = json.dumps({"W1": {"dtype": "F32", "shape": [2**20, 2**20], "data_offsets": [0, 2**42]}}).encode()

BAD = {
    "empty": b"",
    "text": b"no model, but a sentence",
    "nothing but a length": header(8),
    "header of a terabyte": header(2**40, b"{"),
    "tensor of a terabyte": header(len(HUGE), HUGE) + b"\0" * 64,
    "header is no JSON": header(9, b"{ oh no }"),
    "cut off": save(tensors(), {"pasapas": description()})[:-7],
    "too long": save(tensors(), {"pasapas": description()}) + b"\0",
    "foreign": save(tensors()),
    "foreign, with metadata": save(tensors(), {"format": "pt"}),
    "metadata is no JSON": save(tensors(), {"pasapas": "{"}),
    "metadata is a list": save(tensors(), {"pasapas": "[]"}),
    "metadata nested deeply": save(tensors(), {"pasapas": "[" * 100_000}),
    "later version": save(tensors(), {"pasapas": description(format="pasapas model 99")}),
    "no layers": save(tensors(), {"pasapas": network(layers=[])}),
    "layers are a word": save(tensors(), {"pasapas": network(layers="dense")}),
    "unknown layer": save(tensors(), {"pasapas": layer(1, type="convolution")}),
    "layer with more to it": save(tensors(), {"pasapas": layer(1, slope=3)}),
    "size is negative": save(tensors(), {"pasapas": layer(0, n_in=-6)}),
    "size is a fraction": save(tensors(), {"pasapas": layer(0, n_in=6.5)}),
    "size is a word": save(tensors(), {"pasapas": layer(0, n_in="six")}),
    "size is enormous": save(tensors(), {"pasapas": layer(0, n_in=10**12)}),
    "sizes do not follow": save(tensors(), {"pasapas": layer(2, n_in=4)}),
    "l2 is NaN": save(tensors(), {"pasapas": network(l2=float("nan"))}),
    "smoothing of 1": save(tensors(), {"pasapas": network(label_smoothing=1.0)}),
    "dropout of 1": save(
        tensors(), {"pasapas": network(layers=[{"type": "dropout", "rate": 1.0}, *describe(mlp(6, 5, 3))["layers"]])}
    ),
    "a tensor too few": save(tensors(b2=None), {"pasapas": description()}),
    "a tensor too many": save(tensors(W3=np.ones(2, np.float32)), {"pasapas": description()}),
    "another shape": save(tensors(W1=np.ones((5, 6), np.float32)), {"pasapas": description()}),
    "another dtype": save(tensors(W1=np.ones((6, 5), np.int32)), {"pasapas": description()}),
    "two dtypes": save(tensors(W1=np.ones((6, 5), np.float64)), {"pasapas": description()}),
    "NaN": save(tensors(W1=np.full((6, 5), np.nan, np.float32)), {"pasapas": description()}),
    "infinite": save(tensors(b2=np.full(3, np.inf, np.float32)), {"pasapas": description()}),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_model(name, tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(BAD[name])
    with pytest.raises(PasapasError) as error:
        load(path)
    sentence = str(error.value)
    assert "\n" not in sentence
    assert str(path) in sentence or "network" in sentence.lower()


def test_missing_model(tmp_path):
    with pytest.raises(PasapasError, match="There is no file"):
        load(tmp_path / "m.safetensors")
    with pytest.raises(PasapasError, match=r"There is no file .*model\.safetensors"):
        load(tmp_path)


def test_a_layer_of_ones_own_cannot_be_saved(tmp_path):
    class Mine(Sigmoid):
        pass

    network = Network([Dense(6, 3), Mine()])
    with pytest.raises(PasapasError, match="A layer of type Mine cannot be saved"):
        Model(network, network.initialize(seed=0)).save(tmp_path / "m.safetensors")
    assert not [*tmp_path.iterdir()]
