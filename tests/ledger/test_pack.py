from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from takt.ledger.pack import pack, unpack

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(0, 9), inner),
    max_leaves=20,
)


@given(plain)
def test_plain_values_come_back_as_they_were(value: Any) -> None:
    again = unpack(pack(value))
    assert again == value and type(again) is type(value)
    assert pack(again) == pack(value)


@pytest.mark.parametrize("dtype", ["<f4", "<f8", "|u1", "<i8", "|b1", ">f4", "<U3"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 4)])
def test_arrays_come_back_to_the_bit_and_can_be_written_to(dtype: Any, shape: Any) -> None:
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    again = unpack(pack({"a": array}))["a"]
    assert again.dtype == array.dtype and again.shape == array.shape and again.tobytes() == array.tobytes()
    assert again.flags.writeable
    assert np.array_equal(unpack(pack(array.T)), array.T)  # not contiguous


def test_an_array_looks_as_openpi_sends_it() -> None:
    import msgpack

    assert msgpack.unpackb(pack(np.float32([1, 2])), raw=False, strict_map_key=False) == {  # type: ignore[arg-type]
        b"__ndarray__": True,
        b"data": np.float32([1, 2]).tobytes(),  # type: ignore[arg-type]
        b"dtype": "<f4",
        b"shape": [2],
    }
    assert msgpack.unpackb(pack(np.int64(7)), raw=False, strict_map_key=False) == {
        b"__npgeneric__": True,
        b"data": 7,
        b"dtype": "<i8",
    }


def test_numpy_scalars_keep_their_type() -> None:
    for value in (np.float64(0.1), np.float32(0.1), np.int64(-3), np.bool_(True)):
        again = unpack(pack(value))
        assert again == value and type(again) is type(value)


def test_a_random_generator_goes_on_alike() -> None:
    rng = np.random.default_rng(3)
    state = pack(rng.bit_generator.state)  # has integers of 128 bits
    again = np.random.default_rng()
    again.bit_generator.state = unpack(state)
    assert rng.random() == again.random()


@pytest.mark.parametrize("value", [object(), {1, 2}, np.array([object()]), np.array([1j]), lambda: 0])
def test_nothing_is_pickled(value: Any) -> None:
    with pytest.raises(TypeError, match="cannot pack"):
        pack({"x": value})


def test_a_text_that_is_none_and_lists_without_an_end_are_refused_as_what_cannot_be_packed() -> None:
    deep: list = []
    for _ in range(2000):
        deep = [deep]
    for value in ("\ud83d", {"a": ["\udc00"]}, deep):
        with pytest.raises(TypeError, match="cannot pack"):
            pack(value)
