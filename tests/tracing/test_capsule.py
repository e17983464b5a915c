from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save

from pasapas import PasapasError, mlp
from pasapas.tracing import load_capsule, trace, verify


def a_capsule(path, dtype="float64", **options):
    random = np.random.default_rng(8)
    network = mlp(6, 5, 4, 3, **options)
    params = network.with_masks(network.initialize(seed=1, dtype=dtype), 4, random)
    recorded = trace(network, params, random.random((4, 6)), np.array([0, 2, 1, 1]), learning_rate=0.2)
    recorded.save(path)
    return recorded


KINDS = [
    {},
    {"dtype": "float32"},
    {"dropout": 0.3, "input_dropout": 0.2},
    {"activation": "tanh", "l2": 0.1, "label_smoothing": 0.1},
]


@pytest.mark.parametrize("options", KINDS, ids=str)
def test_there_and_back_and_unaltered(tmp_path, options):
    path = tmp_path / "step.capsule"
    recorded = a_capsule(path, **options)
    again = load_capsule(path)
    assert list(again.tensors) == list(recorded.tensors)
    for tensor in recorded:
        np.testing.assert_array_equal(again[tensor.name].value, tensor.value)
        assert again[tensor.name].value.dtype == tensor.value.dtype
        assert again[tensor.name].formula == tensor.formula
    assert (again.network, again.learning_rate, again.convention) == (recorded.network, 0.2, "mean")
    assert verify(path) == []


def test_same_step_same_bytes(tmp_path):
    contents = set()
    for i in range(4):
        a_capsule(tmp_path / f"{i}.capsule")
        contents.add((tmp_path / f"{i}.capsule").read_bytes())
    load_capsule(tmp_path / "0.capsule").save(tmp_path / "again.capsule")
    contents.add((tmp_path / "again.capsule").read_bytes())
    assert len(contents) == 1


def rewrite(path, change) -> None:
    with safe_open(path, framework="numpy") as file:
        about = json.loads(file.metadata()["pasapas"])
    tensors = {name: array.copy() for name, array in load_file(path).items()}
    change(tensors, about)
    path.write_bytes(save(tensors, {"pasapas": json.dumps(about)}))


@pytest.mark.parametrize("options", [{}, {"dtype": "float32", "dropout": 0.3}], ids=str)
def test_any_altered_number_is_found(tmp_path, options):
    """Every entry of every tensor, one at a time."""
    path = tmp_path / "step.capsule"
    recorded = a_capsule(path, **options)
    original = path.read_bytes()
    for tensor in recorded:
        for place in np.ndindex(*tensor.shape):
            path.write_bytes(original)

            def alter(tensors, about, name=tensor.name, place=place):
                tensors[name][place] += 1 if name in ("y", "Y") and tensors[name][place] == 0 else -0.01

            if tensor.name == "y" and tensor.value[place] != 0:
                continue
            rewrite(path, alter)
            found = verify(path)
            assert found, (tensor.name, place)
            names = {alteration.tensor for alteration in found}
            assert tensor.name in names, (tensor.name, place)
            if tensor.formula is not None:
                assert (tensor.name, place) in {(a.tensor, a.index) for a in found}
            assert str(found[0]).endswith(".")


def test_an_alteration_that_mends_the_checksum_is_found_too(tmp_path):
    from pasapas.tracing.capsule import _digest

    path = tmp_path / "step.capsule"
    a_capsule(path)

    def alter(tensors, about):
        tensors["X"][1, 2] += 0.5
        about["sha256"]["X"] = _digest(tensors["X"])

    rewrite(path, alter)
    found = verify(path)
    assert found[0].tensor == "Z1"
    assert {a.index[0] for a in found if a.tensor == "Z1"} == {1}


def set_layer(i, **changes):
    return lambda tensors, about: about["network"]["layers"][i].update(changes)


BAD = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("a capsule that is none"),
    "terabyte": lambda path: path.write_bytes(struct.pack("<Q", 2**40) + path.read_bytes()[8:]),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-5]),
    "a model": lambda path: rewrite(path, lambda t, a: a.update(format="pasapas model 1")),
    "no network": lambda path: rewrite(path, lambda t, a: a.pop("network")),
    "no checksums": lambda path: rewrite(path, lambda t, a: a.pop("sha256")),
    "huge layers": lambda path: rewrite(path, set_layer(0, n_in=10**9)),
    "other layers": lambda path: rewrite(path, set_layer(0, n_out=7)),
    "rate of NaN": lambda path: rewrite(path, lambda t, a: a.update(learning_rate=float("nan"))),
    "unknown convention": lambda path: rewrite(path, lambda t, a: a.update(convention="sum")),
    "many images": lambda path: rewrite(
        path, lambda t, a: t.update(X=np.zeros((10**5, t["X"].shape[1]), t["X"].dtype))
    ),
    "a tensor too few": lambda path: rewrite(path, lambda t, a: t.pop("dZ1")),
    "a tensor too many": lambda path: rewrite(path, lambda t, a: t.update(more=np.zeros(3))),
    "no inputs": lambda path: rewrite(path, lambda t, a: t.pop("X")),
    "another shape": lambda path: rewrite(path, lambda t, a: t.update(dZ1=np.zeros((4, 6)))),
    "integers": lambda path: rewrite(path, lambda t, a: t.update(dZ1=np.zeros((4, 5), np.int64))),
    "NaN": lambda path: rewrite(path, lambda t, a: t["Z1"].fill(np.nan)),
    "class that is not": lambda path: rewrite(path, lambda t, a: t["y"].fill(99)),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_capsule(tmp_path, name):
    path = tmp_path / "step.capsule"
    a_capsule(path)
    BAD[name](path)
    with pytest.raises(PasapasError) as error:
        verify(path)
    assert "\n" not in str(error.value)


def test_missing(tmp_path):
    with pytest.raises(PasapasError, match="There is no file"):
        load_capsule(tmp_path / "nothing.capsule")


def test_nothing_in_a_capsule_is_evaluated(tmp_path):
    """A formula in the file changes nothing: formulas come from the program."""
    path = tmp_path / "step.capsule"
    recorded = a_capsule(path)
    rewrite(path, lambda tensors, about: about.update(formulas={"Z1": "1/0"}))
    assert load_capsule(path)["Z1"].formula == recorded["Z1"].formula
