from __future__ import annotations

import contextlib
import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pasapas import PasapasError, read_idx

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx(array: np.ndarray) -> bytes:
    code = CODES[array.dtype.str[1:]]
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@given(
    array=st.sampled_from(list(CODES)).flatmap(
        lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=1, max_dims=4, max_side=5))
    ),
    zipped=st.booleans(),
)
def test_every_type_there_and_back(tmp_path_factory, array, zipped):
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(gzip.compress(idx(array)) if zipped else idx(array))
    got = read_idx(path)
    assert got.dtype == array.dtype
    np.testing.assert_array_equal(got, array)


def test_empty_array(tmp_path):
    path = tmp_path / "none"
    path.write_bytes(idx(np.zeros((0, 28, 28), "u1")))
    assert read_idx(path).shape == (0, 28, 28)


GOOD = idx(np.arange(24, dtype="u1").reshape(2, 3, 4))
TERABYTE = struct.pack(">BBBB3I", 0, 0, 0x0E, 3, 2**31, 2**31, 2**31)
BAD = {
    "empty": (b"", "no IDX file"),
    "text": (b"hello, this is a text", "no IDX file"),
    "unknown type": (b"\0\0\x07\x01" + GOOD[4:], "no IDX file"),
    "no dimensions": (b"\0\0\x08\x00", "no IDX file"),
    "shape cut off": (GOOD[:9], "truncated"),
    "data cut off": (GOOD[:-1], "promises 24 bytes of data and the file has 23"),
    "too long": (GOOD + b"\0", "has more"),
    "a terabyte": (TERABYTE + b"\0" * 100, "truncated"),
    "a terabyte, zipped": (gzip.compress(TERABYTE + b"\0" * 100), "truncated"),
    "gzip cut off": (gzip.compress(GOOD)[:-9], "damaged"),
    "gzip flipped": (gzip.compress(GOOD)[:14] + b"\xff\xff" + gzip.compress(GOOD)[16:], "damaged"),
    "gzip of nothing": (b"\x1f\x8b", "damaged"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_idx_file(name, tmp_path):
    content, says = BAD[name]
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(PasapasError) as error:
        read_idx(path)
    assert says in str(error.value)
    assert str(path) in str(error.value)


def test_missing_and_folder(tmp_path):
    with pytest.raises(PasapasError, match="There is no file"):
        read_idx(tmp_path / "nowhere")
    with pytest.raises(PasapasError, match="it is a folder"):
        read_idx(tmp_path)


@given(content=st.binary(max_size=60))
def test_any_bytes_give_an_array_or_one_sentence(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(content)
    with contextlib.suppress(PasapasError):
        assert isinstance(read_idx(path), np.ndarray)
