"""The format: the safetensors package reads our files, and vice versa; and invalid files."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portanet.saving import LoadError
from portanet.saving.safetensors import DTYPES, MAX_HEADER, SafetensorsFile, Tensor, write

theirs = pytest.importorskip("safetensors")
numpy_tensors = pytest.importorskip("safetensors.numpy")

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(lambda name: name != "__metadata__")


def values_of(dtype: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    raw = np.random.default_rng(seed).integers(0, 256, (*shape, 8), dtype="uint8")
    if dtype == "bool":
        return raw[..., 0] < 128
    if dtype == "bfloat16":
        return (raw[..., 0].astype("float32") - 128) / 16
    return np.ascontiguousarray(raw[..., : np.dtype(dtype).itemsize]).view(dtype).reshape(shape)


@given(
    described=st.dictionaries(
        NAMES, st.tuples(st.sampled_from(sorted(DTYPES.values())), st.lists(st.integers(0, 4), max_size=4).map(tuple))
    ),
    metadata=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.text(max_size=8)),
)
def test_what_is_written_is_read_here_and_elsewhere(tmp_path, described, metadata):
    metadata = {key: text.encode("utf-8", "ignore").decode() for key, text in metadata.items()}
    tensors = {
        name: Tensor(values_of(dtype, shape, i), dtype) for i, (name, (dtype, shape)) in enumerate(described.items())
    }
    path = tmp_path / "x.safetensors"
    with open(path, "wb") as file:
        write(file, tensors, metadata)
    with SafetensorsFile(path) as ours:
        assert ours.metadata == metadata
        assert set(ours.entries) == set(tensors)
        for name, tensor in tensors.items():
            result = ours.read(name)
            assert (result.dtype, result.shape) == (tensor.dtype, tensor.shape)
            assert result.values.tobytes() == tensor.values.tobytes()
    elsewhere = dict(theirs.deserialize(path.read_bytes()))
    assert set(elsewhere) == set(tensors)
    for name, tensor in tensors.items():
        assert DTYPES[elsewhere[name]["dtype"]] == tensor.dtype
        assert tuple(elsewhere[name]["shape"]) == tensor.shape
        assert bytes(elsewhere[name]["data"]) == tensor.to_bytes().tobytes()
    with theirs.safe_open(path, "numpy") as opened:
        assert (opened.metadata() or {}) == metadata


@given(shapes=st.dictionaries(NAMES, st.lists(st.integers(0, 4), max_size=4).map(tuple), max_size=4))
def test_what_others_write_is_read(tmp_path, shapes):
    arrays = {name: np.random.default_rng(1).normal(size=shape) for name, shape in shapes.items()}
    numpy_tensors.save_file(arrays, tmp_path / "x", {"format": "np"})
    with SafetensorsFile(tmp_path / "x") as file:
        assert file.metadata == {"format": "np"}
        for name, values in arrays.items():
            np.testing.assert_array_equal(file.read(name).values, values)


def test_tensors_are_aligned(tmp_path):
    tensors = {name: Tensor(np.zeros(3, dtype), dtype) for name, dtype in zip("abcd", DTYPES.values(), strict=False)}
    file = io.BytesIO()
    write(file, tensors | {"e": Tensor(np.zeros(1), "float64")}, {"x": "y"})
    (tmp_path / "x").write_bytes(file.getvalue())
    with SafetensorsFile(tmp_path / "x") as result:
        for entry in result.entries.values():
            assert (result._data + entry.start) % np.dtype(entry.dtype).itemsize == 0


def test_a_dtype_without_a_name_is_refused():
    with pytest.raises(ValueError, match="'x' of dtype complex128"):
        write(io.BytesIO(), {"x": Tensor(np.zeros(1, "complex128"), "complex128")}, {})


def raw_file(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


LIES = {
    "empty": (b"", "it has 0 bytes"),
    "short": (b"\x01\x00\x00", "it has 3 bytes"),
    "longer header than file": (b"\xff" * 7 + b"\x7f{}", "its header claims 9223372036854775807 bytes"),
    "header beyond the limit": (raw_file(b" " * (MAX_HEADER + 1)), f"at most {MAX_HEADER} are read"),
    "no JSON": (raw_file(b"hello"), "not JSON in UTF-8"),
    "no UTF-8": (raw_file(b'{"\xff\xfe": 1}'), "not JSON in UTF-8"),
    "a list": (raw_file(b"[]"), "not a JSON object"),
    "nested lists": (raw_file(b"[" * 100_000), "nested too deeply"),
    "nested objects": (raw_file(b'{"a":' * 100_000), "nested too deeply"),
    "a huge number": (raw_file(b'{"a":' + b"9" * 100_000 + b"}"), "not JSON in UTF-8"),
    "a name twice": (raw_file(b'{"a":%b,"a":%b}' % ((json.dumps(entry()).encode(),) * 2), b"0" * 8), "'a' is repeated"),
    "metadata of numbers": (raw_file({"__metadata__": {"a": 1}}), "not an object of strings"),
    "metadata of a list": (raw_file({"__metadata__": []}), "not an object of strings"),
    "no entry": (raw_file({"a": 1}), "not dtype, shape and data_offsets"),
    "a part missing": (raw_file({"a": {"dtype": "F32", "shape": [2]}}), "not dtype, shape and data_offsets"),
    "a part too many": (
        raw_file({"a": {**entry(), "path": "/etc/passwd"}}, b"0" * 8),
        "not dtype, shape and data_offs",
    ),
    "unknown dtype": (raw_file({"a": entry("F8_E4M3", (2,), (0, 2))}, b"00"), "has dtype 'F8_E4M3'; known are BOOL"),
    "dtype of another type": (raw_file({"a": entry(["F32"])}, b"0" * 8), "has dtype"),
    "negative size": (raw_file({"a": entry(shape=(-2,))}, b"0" * 8), r"has shape \[-2\]"),
    "fractional size": (raw_file({"a": entry(shape=(2.0,))}, b"0" * 8), r"has shape \[2.0\]"),
    "true as a size": (raw_file({"a": entry(shape=(True, 2))}, b"0" * 8), r"has shape \[True, 2\]"),
    "text as shape": (raw_file({"a": {**entry(), "shape": "2"}}, b"0" * 8), "has shape '2'"),
    "many axes": (raw_file({"a": entry(shape=(1,) * 100, offsets=(0, 4))}, b"0" * 4), "has shape a list of 100"),
    "absurd size": (raw_file({"a": entry(shape=(2**60,))}, b"0" * 8), "has the impossible shape"),
    "overflowing size": (raw_file({"a": entry(shape=(2**61, 8))}, b"0" * 8), "has the impossible shape"),
    "absurd and empty": (raw_file({"a": entry(shape=(0, 2**61, 2**61), offsets=(0, 0))}), "has the impossible shape"),
    "wrong shape": (raw_file({"a": entry(shape=(3,))}, b"0" * 8), r"takes 12 bytes, and has 8"),
    "wrong dtype": (raw_file({"a": entry("F64")}, b"0" * 8), r"takes 16 bytes, and has 8"),
    "reversed": (raw_file({"a": entry(offsets=(8, 0))}, b"0" * 8), "takes 8 bytes, and has -8"),
    "three offsets": (raw_file({"a": entry(offsets=(0, 4, 8))}, b"0" * 8), "not a start and an end"),
    "negative offset": (raw_file({"a": entry(offsets=(-8, 0))}, b"0" * 8), "not a start and an end"),
    "overlap": (raw_file({"a": entry(), "b": entry(offsets=(4, 12))}, b"0" * 12), "'b' at offset 4 overlaps"),
    "the same bytes": (raw_file({"a": entry(), "b": entry()}, b"0" * 8), "'b' at offset 0 overlaps"),
    "gap": (raw_file({"a": entry(offsets=(4, 12))}, b"0" * 12), "'a' at offset 4 leaves a gap"),
    "beyond the end": (raw_file({"a": entry()}, b"0" * 7), "take 8 bytes, but it has 7: it was truncated"),
    "something behind": (raw_file({"a": entry()}, b"0" * 9), "take 8 bytes, but it has 9"),
}


@pytest.mark.parametrize("lie", LIES)
def test_files_that_lie_are_refused(tmp_path, lie):
    data, message = LIES[lie]
    path = tmp_path / "lie.safetensors"
    path.write_bytes(data)
    with pytest.raises(LoadError, match=f"Cannot load .*lie.safetensors: .*{message}") as caught, SafetensorsFile(path):
        pass
    assert len(str(caught.value)) < 1000


def test_booleans_are_0_and_1(tmp_path):
    (tmp_path / "x").write_bytes(raw_file({"a": entry("BOOL", (2,), (0, 2))}, b"\x01\x02"))
    with SafetensorsFile(tmp_path / "x") as file, pytest.raises(LoadError, match="'a' has dtype BOOL and holds bytes"):
        file.read("a")


@given(st.data())
def test_what_is_accepted_the_package_reads_alike(tmp_path, data):
    """Bytes of a valid file are changed at random: the safetensors package reads every accepted file alike."""
    good = raw_file(
        {"a": entry(), "b": entry("I16", (2, 1), (8, 12)), "__metadata__": {"k": "v"}},
        np.arange(3.0, dtype="f4").tobytes(),
    )
    changed = bytearray(good)
    for place, byte in data.draw(st.lists(st.tuples(st.integers(0, len(good) - 1), st.integers(0, 255)), max_size=3)):
        changed[place] = byte
    (tmp_path / "x").write_bytes(changed)
    try:
        with SafetensorsFile(tmp_path / "x") as file:
            ours = {name: file.read(name) for name in file.entries}
    except LoadError:
        return
    elsewhere = dict(theirs.deserialize(bytes(changed)))
    assert {name: bytes(result["data"]) for name, result in elsewhere.items()} == {
        name: tensor.to_bytes().tobytes() for name, tensor in ours.items()
    }
    assert all(math.prod(tensor.shape) == tensor.values.size for tensor in ours.values())
