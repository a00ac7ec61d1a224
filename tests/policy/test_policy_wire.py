"""Arrays as policy servers write them: read in the dialects that are known, named in others, never unpickled."""

from __future__ import annotations

import base64
import io
import pickle
from typing import Any

import msgpack
import numpy as np
import pytest

from takt.workers.policy.profiles import PROFILES, chunk_of
from takt.workers.policy.wire import decode

CHUNK = np.arange(30, dtype=np.float32).reshape(2, 15)
DATA = CHUNK.tobytes()
TURNED = CHUNK.tobytes("F")
UPPER = CHUNK.view(np.uint16)[:, 1::2].tobytes()  # whole numbers up to 256 are in the upper halves alone


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


DIALECTS: dict[str, Any] = {
    "openpi": {b"__ndarray__": True, b"data": DATA, b"dtype": "<f4", b"shape": [2, 15]},
    "openpi, keys as text": {"__ndarray__": True, "data": DATA, "dtype": "<f4", "shape": [2, 15]},
    "the type by its name": {"__ndarray__": True, "data": DATA, "dtype": "float32", "shape": [2, 15]},
    "msgpack-numpy": {b"nd": True, b"type": b"<f4", b"kind": b"", b"shape": [2, 15], b"data": DATA},
    "msgpack-numpy, keys as text": {"nd": True, "type": "<f4", "kind": "", "shape": [2, 15], "data": DATA},
    "with the dtype's kind": {"nd": True, "type": "<f4", "kind": "f", "shape": [2, 15], "data": DATA},
    "json-numpy": {"__numpy__": base64.b64encode(DATA).decode(), "dtype": "<f4", "shape": [2, 15]},
    "a list": CHUNK.tolist(),
    "GR00T": {"__ndarray_class__": True, "as_npy": npy(CHUNK)},
    "GR00T, column after column": {b"__ndarray_class__": True, b"as_npy": npy(np.asfortranarray(CHUNK))},
    "a file of numpy": npy(CHUNK),
    "json-tricks": {"__ndarray__": base64.b64encode(DATA).decode(), "dtype": "float32", "shape": [2, 15]},
    "json-tricks, a list": {"__ndarray__": CHUNK.tolist(), "dtype": "float32", "shape": [2, 15]},
    "a tensor": {"__tensor__": True, "data": DATA, "dtype": "torch.float32", "shape": [2, 15]},
    "a tensor of bfloat16": {"__tensor__": UPPER, "dtype": "torch.bfloat16", "shape": [2, 15]},
    "column after column": {b"__ndarray__": True, b"data": TURNED, b"dtype": "<f4", b"shape": [2, 15], b"order": b"F"},
    "column after column, keys as text": {"nd": True, "type": "<f4", "shape": [2, 15], "data": TURNED, "order": "F"},
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_array_is_read_in_every_dialect_that_is_known(dialect: str) -> None:
    answer = decode(msgpack.packb({"actions": DIALECTS[dialect], "policy_timing": {"infer_ms": 3.0}}))
    assert (chunk_of(PROFILES["takt"], answer) == CHUNK).all() and answer["policy_timing"] == {"infer_ms": 3.0}


def test_scalars_within_lists_and_what_describes_a_feature_are_left_what_they_are() -> None:
    number = {"nd": False, "type": "<f4", "shape": [], "data": np.float32(2.5).tobytes()}
    feature = {"dtype": "float32", "shape": [7], "names": ["x"]}
    answer = decode(msgpack.packb({"list": [number, {"__npgeneric__": True, "data": 3, "dtype": "<i8"}], "f": feature}))
    assert answer["list"] == [2.5, 3] and answer["f"] == feature


PICKLED = pickle.dumps([print])


@pytest.mark.parametrize(
    ("forged", "line"),
    [
        (
            {"nd": True, "type": "O", "kind": "O", "shape": [1], "data": PICKLED},
            "pickled array in the dialect of msgpack-numpy",
        ),
        (
            {b"nd": True, b"type": b"|O", b"kind": b"O", b"shape": [1], b"data": PICKLED},
            "nothing from a socket is unpickled",
        ),
        ({"nd": True, "type": "|O8", "kind": "", "shape": [1], "data": b"12345678"}, "it must be of numbers"),
        ({"nd": True, "type": [["a", "<f4"]], "kind": "V", "shape": [1], "data": b"1234"}, "it must be of numbers"),
        ({"nd": True, "type": "S2000000000", "kind": "", "shape": [1], "data": b"1"}, "it must be of numbers"),
        ({"nd": True, "type": "<f4", "kind": "", "shape": [2**40], "data": b"1234"}, "in 4 bytes"),
        ({"nd": True, "type": "<f4", "kind": "", "shape": [-1], "data": b"1234"}, "in 4 bytes"),
        ({"nd": True, "type": "<f4", "kind": "", "shape": 3, "data": b"1234"}, "in 4 bytes"),
        ({"__numpy__": "%%%", "dtype": "<f4", "shape": [1]}, "no message"),
        ({"array": True, "dtype": "f4", "shape": [1], "data": b"1234"}, "a dialect that is not known"),
        ({"__ndarray_class__": True, "as_npy": npy(np.array([print]))}, "pickled array in the dialect of GR00T"),
        ({"__ndarray_class__": True, "as_npy": b"\x93NUMPY"}, "no .npy file, in the dialect of GR00T"),
        ({"__ndarray_class__": True, "as_npy": npy(np.zeros(2**10))[:-8]}, "in 8184 bytes"),
        ({"__ndarray_class__": True, "as_npy": npy(np.array(["x"]))}, "it must be of numbers"),
        ({"__ndarray__": "%%%", "dtype": "<f4", "shape": [1]}, "no base64, in the dialect of openpi"),
        ({"__ndarray__": [["x"]], "dtype": "<f4", "shape": [1, 1]}, "text where numbers are due"),
        ({"__tensor__": True, "data": b"1234"}, "in the dialect of tensors"),
        ({"__ndarray__": True, "data": b"1234", "dtype": "<f4", "shape": [1], "order": "K"}, "there are C and F"),
        (msgpack.ExtType(1, b"1234"), "a dialect that is not known"),
        ({b"__ndarray__": True, b"data": PICKLED, b"dtype": "|O", b"shape": [1]}, "no message"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused_by_name_and_never_unpickled(forged: Any, line: str) -> None:
    with pytest.raises(ValueError) as error:
        decode(msgpack.packb({"actions": forged}))
    assert line in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("forged", "line"),
    [
        ([["0"] * 15], "text where numbers are due: '0'"),
        ([[0.0] * 14 + ["1"]], "text where numbers are due: '1'"),
        ([[None] * 15], "something where numbers are due: 'None'"),
        (PICKLED, "bytes, perhaps an array in a dialect that is not known"),
        (b"PK\x03\x04", "bytes, perhaps an array in a dialect that is not known"),
        ({"complex": True, "data": "1+2j"}, "a map of complex, data, perhaps an array in a dialect"),
        ({"__array__": "AAAA"}, "a map of __array__, perhaps an array in a dialect"),
        (None, "something where numbers are due"),
        ("AAAA", "text where numbers are due"),
    ],
)
def test_actions_that_are_no_array_in_any_known_dialect_are_said_to_be_that(forged: Any, line: str) -> None:
    with pytest.raises(ValueError, match="dialect") as error:
        chunk_of(PROFILES["takt"], decode(msgpack.packb({"actions": forged})))
    assert f"actions: {line}" in str(error.value).replace(f"{len(PICKLED)} ", "").replace("4 ", "")
