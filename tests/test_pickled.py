from __future__ import annotations

import os
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasapas import PasapasError, Tanh, load
from pasapas.pickled import read_pickle

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def columns(random, dtype="float64"):
    """As the tanh network's document saves its parameters."""
    return {
        "W1": random.normal(0, 0.3, (132, 784)).astype(dtype),
        "b1": random.normal(0, 1, (132, 1)).astype(dtype),
        "W2": random.normal(0, 0.3, (10, 132)).astype(dtype),
        "b2": random.normal(0, 1, (10, 1)).astype(dtype),
    }


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("dtype", ["float64", "float32", ">f8"])
def test_the_documents_dictionary(tmp_path, random, protocol, dtype):
    params = columns(random, dtype)
    path = tmp_path / "model_mnist.pkl"
    path.write_bytes(pickle.dumps(params, protocol=protocol))
    model = load(path)
    assert model.network.sizes == [784, 132, 10]
    assert isinstance(model.network.layers[1], Tanh)
    X = random.random((5, 784))
    A1 = np.tanh(X @ params["W1"].T + params["b1"].T)
    E = np.exp(A1 @ params["W2"].T + params["b2"].T)
    np.testing.assert_allclose(model.probabilities(X), E / E.sum(axis=1, keepdims=True), rtol=2e-4)


def test_the_lessons_dictionary_and_fortran_order(tmp_path, random):
    params = {name: np.asfortranarray(array.T) for name, array in columns(random).items()}
    path = tmp_path / "parameters.pkl"
    path.write_bytes(pickle.dumps(params))
    X = random.standard_normal((5, 784))
    expected = np.maximum(0, X @ params["W1"] + params["b1"]) @ params["W2"] + params["b2"]
    np.testing.assert_array_equal(load(path).predict(X), expected.argmax(axis=1))
    other = load(path, "sigmoid")
    assert other.about["activation"] == "sigmoid"


def test_without_the_suffix_too(tmp_path, random):
    path = tmp_path / "model"
    path.write_bytes(pickle.dumps(columns(random)))
    assert load(path).network.sizes == [784, 132, 10]


def test_plain_values_are_read_as_pickle_reads_them():
    value = {"a": [1, -2, 2**40, 1.5, None, True, False], "é": ("x", b"y", (), (1,), (1, 2), (1, 2, 3, 4)), "d": {}}
    for protocol in PROTOCOLS:
        if protocol < 3:
            value["é"] = ("x", (), (1,), (1, 2), (1, 2, 3, 4))
        assert read_pickle(pickle.dumps(value, protocol=protocol)) == pickle.loads(
            pickle.dumps(value, protocol=protocol)
        )


class Evil:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("nested", [False, True])
def test_code_is_refused_and_not_run(tmp_path, protocol, nested, random):
    proof = tmp_path / "it-ran"
    evil = Evil(os.system, f"touch {proof}")
    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps({**columns(random), "b2": evil} if nested else evil, protocol=protocol))
    with pytest.raises(PasapasError, match=r"nothing in it was run.*system"):
        load(path)
    assert not proof.exists()


class Thing:
    pass


def memo_bomb() -> bytes:
    return b"\x80\x04}r\xff\xff\xff\x7f."


def raw(array_state: bytes) -> bytes:
    return b"\x80\x02}X\x02\0\0\0W1cnumpy.core.multiarray\n_reconstruct\n" + array_state + b"s."


HOSTILE = {
    "object": pickle.dumps({"W1": Thing()}),
    "eval": pickle.dumps({"W1": Evil(eval, "1/0")}),
    "object array": pickle.dumps({"W1": np.array([{}, []], dtype=object)}),
    "structured array": pickle.dumps({"W1": np.zeros(2, "i4,f4")}),
    "text array": pickle.dumps({"W1": np.array(["a"])}),
    "dates": pickle.dumps({"W1": np.zeros(2, "M8[s]")}),
    "complex": pickle.dumps({"W1": np.zeros((2, 2), complex)}),
    "not a dictionary": pickle.dumps([1, 2, 3]),
    "numpy function": pickle.dumps({"W1": Evil(np.load, "/etc/passwd")}),
    "empty dictionary": pickle.dumps({}),
    "other names": pickle.dumps({"weights": np.zeros((784, 10)), "bias": np.zeros(10)}),
    "numbers for names": pickle.dumps({1: np.zeros((784, 10)), 2: np.zeros(10)}),
    "a number for W1": pickle.dumps({"W1": 3, "b1": 4}),
    "a list for W1": pickle.dumps({"W1": [[1.0]], "b1": [1.0]}),
    "W1 of three dimensions": pickle.dumps({"W1": np.zeros((2, 2, 2)), "b1": np.zeros(2)}),
    "empty arrays": pickle.dumps({"W1": np.zeros((0, 0)), "b1": np.zeros(0)}),
    "shapes that do not follow": pickle.dumps(
        {"W1": np.zeros((784, 5)), "b1": np.zeros((1, 5)), "W2": np.zeros((6, 10)), "b2": np.zeros((1, 10))}
    ),
    "NaN": pickle.dumps({"W1": np.full((784, 10), np.nan), "b1": np.zeros((1, 10))}),
    "memo bomb": memo_bomb(),
    "bytes of a terabyte": b"\x80\x04}X\x02\0\0\0W1\x8e\xff\xff\xff\xff\xff\0\0\0abc",
    "bytearray of a terabyte": b"\x80\x05}X\x02\0\0\0W1\x96\xff\xff\xff\xff\xff\0\0\0abc",
    "persistent": b"\x80\x02}X\x02\0\0\0W1Pid\ns.",
    "extension": b"\x80\x02}X\x02\0\0\0W1\x82\x01s.",
    "build on a dictionary": b"\x80\x02}}X\x01\0\0\0aK\x01sb.",
    "array without state": raw(b"cnumpy\nndarray\nK\0\x85c_codecs\nencode\nX\x01\0\0\0bX\x06\0\0\0latin1\x86R\x87R"),
    "stack underflow": b"\x80\x04\x94.",
    "nothing": b"\x80\x04",
    "not a pickle": b"hello",
    "cut off": pickle.dumps({"W1": np.zeros((784, 10)), "b1": np.zeros(10)})[:-500],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_and_damaged_files(name, tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(HOSTILE[name])
    with pytest.raises(PasapasError) as error:
        load(path)
    assert str(path) in str(error.value)
    assert len(str(error.value)) < len(str(path)) + 220


def test_an_array_cannot_claim_more_than_its_bytes(tmp_path):
    """A shape of a billion numbers over eight bytes of data: refused, and nothing of that size is made."""
    good = pickle.dumps({"W1": np.zeros((1, 1)), "b1": np.zeros(1)}, protocol=2)
    bad = good.replace(b"K\x01K\x01\x86", b"J\0\0\0\x7fK\x01\x86")
    assert bad != good
    path = tmp_path / "model.pkl"
    path.write_bytes(bad)
    with pytest.raises(PasapasError, match="array shape"):
        load(path)


@settings(max_examples=300)
@given(data=st.binary(max_size=80))
def test_any_bytes_give_one_sentence(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("pickles") / "model.pkl"
    path.write_bytes(b"\x80\x04" + data)
    with pytest.raises(PasapasError):
        load(path)
