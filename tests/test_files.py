"""Files of arrays that are wrong, or made to do harm: refused before their data is read."""

from __future__ import annotations

import io
import json
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

import loopc
from loopc.cli import readers


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def claiming(shape: str, descr: str = "<f8", data: bytes = b"") -> bytes:
    """Return an `.npy` file with a header of our own."""
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    head += b" " * (118 - len(head) - 1) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data


def archive(*members: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two members of one name, on purpose
        for name, data in members:
            made.writestr(name, data)
    return stream.getvalue()


def tensors(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


ONE = npy(np.arange(3.0))
PICKLED = npy(np.array([{}], dtype=object))
F8 = {"dtype": "F64", "shape": [2], "data_offsets": [0, 16]}


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.npy", PICKLED, "pickled"),
        ("a.npy", b"", "magic"),
        ("a.npy", b"\x93NUMPY", "magic"),
        ("a.npy", b"\x93NUMPY\x09\x00" + ONE[8:], "format"),
        ("a.npy", ONE[:-1], "has 151 in all|ends too early"),
        ("a.npy", claiming(f"({2**43},)"), "claims"),
        ("a.npy", claiming(f"({2**62}, {2**62})"), "claims"),
        ("a.npy", claiming("(-3,)"), "."),
        ("a.npy", claiming("(3,)", "|O"), "pickled"),
        ("a.npy", claiming("__import__('os').getcwd()"), "."),
        ("a.npy", b"not an array at all", "magic"),
        ("a.npz", archive(("x.npy", PICKLED)), "pickled"),
        ("a.npz", archive(("readme.txt", b"hello")), "no array"),
        ("a.npz", archive(("x.npy", ONE), ("x.npy", ONE)), "two arrays"),
        ("a.npz", archive(("x.npy", claiming(f"({2**43},)"))), "claims"),
        ("a.npz", archive(("x.npy", b"junk")), "magic|early|EOF"),
        ("a.npz", archive(("x.npy", ONE))[:-30], "zip"),
        ("a.safetensors", b"", "claims|early|table|Expecting"),
        ("a.safetensors", tensors({}, length=2**62), "claims"),
        ("a.safetensors", tensors(b"[" * 100_000), "."),
        ("a.safetensors", tensors(b"\xff\xfe"), "."),
        ("a.safetensors", tensors([1, 2]), "table"),
        ("a.safetensors", tensors({"x": 3}), "no array"),
        ("a.safetensors", tensors({"x": {**F8, "dtype": "BF16"}}, bytes(16)), "BF16"),
        ("a.safetensors", tensors({"x": {**F8, "shape": [-2]}}, bytes(16)), "shape"),
        ("a.safetensors", tensors({"x": {**F8, "shape": [2**62, 2**62]}}, bytes(16)), "needs"),
        ("a.safetensors", tensors({"x": {**F8, "data_offsets": [0, 99]}}, bytes(16)), "needs"),
        ("a.safetensors", tensors({"x": {**F8, "data_offsets": [16, 0]}}, bytes(16)), "needs"),
        ("a.safetensors", tensors(b'{"x": 1, "x": 2}'), "two entries"),
    ],
)
def test_a_harmful_file_is_refused(tmp_path: Path, name: str, data: bytes, why: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(loopc.LoopcError, match=why) as caught:
        readers.read(str(path))
    assert caught.value.code == "L0708"


def test_names_in_archives_are_names_and_never_paths(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(archive(("../../x.npy", ONE)))
    assert list(readers.read(str(path))) == ["../../x"]
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


def test_files_are_read_as_numpy_reads_them(tmp_path: Path) -> None:
    arrays = {
        "a": np.arange(6.0).reshape(2, 3),
        "b": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "c": np.array(3.5, np.float32),
        "d": np.zeros((0, 4)),
        "e": np.array([True, False]),
        "f": np.arange(3, dtype=">f8"),
        "g": np.arange(3) * 1j,
    }
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    found = readers.read(str(tmp_path / "a.npz"))
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


def test_safetensors_are_read(tmp_path: Path) -> None:
    x, y = np.arange(6, dtype=np.float32).reshape(2, 3), np.array(7)
    header = {
        "__metadata__": {"format": "np"},
        "x": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "y": {"dtype": "I64", "shape": [], "data_offsets": [24, 32]},
    }
    path = tmp_path / "w.safetensors"
    path.write_bytes(tensors(header, x.tobytes() + y.tobytes()))
    found = readers.read(str(path))
    np.testing.assert_array_equal(found["x"], x)
    assert found["y"] == 7
    assert found["y"].shape == ()
