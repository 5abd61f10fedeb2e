"""Files of arrays from anywhere: headers are read and checked before any data is.

Nothing is unpickled, no name becomes a path, and what a header claims is held against the file's
own length and the memory of the machine.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from loopc.api.arrays import memory
from loopc.diagnostics import catalogue

HEADER_LIMIT = 16 * 2**20
"""Bytes of a header of `.safetensors`."""

ENTRY_LIMIT = 100_000
"""Arrays in one file."""

_TENSORS = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "F16": "<f2", "U32": "<u4",
    "I32": "<i4", "F32": "<f4", "U64": "<u8", "I64": "<i8", "F64": "<f8", "C64": "<c8",
}  # fmt: skip
"""NumPy's names of the types in `.safetensors`."""


class UnreadableError(Exception):
    """What is wrong with a file."""


def read(path: str) -> dict[str, Any]:
    """Return the arrays of a file by name; that of an `.npy` file under its stem.

    Raises:
        CallError: L0708.
    """
    try:
        with Path(path).open("rb") as file:
            if path.endswith(".safetensors"):
                return _safetensors(file)
            if file.read(2) == b"PK":
                return _npz(file)
            file.seek(0)
            return {Path(path).stem: _npy(file, Path(path).stat().st_size)}
    except (UnreadableError, OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        why = getattr(error, "strerror", None) or str(error) or "it ends too early"
        repair = "give .npz, .npy or .safetensors files without pickled objects"
        raise catalogue.error("L0708", name=path, why=why, repair=repair) from None


def _npz(file: IO[bytes]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if len(members) > ENTRY_LIMIT:
            raise UnreadableError(f"it has {len(members)} members; the limit is {ENTRY_LIMIT}")
        _check_total(sum(m.file_size for m in members))
        for member in members:
            name = member.filename.removesuffix(".npy")
            if name == member.filename:
                raise UnreadableError(f"its member {name!r} is no array")
            if name in found:
                raise UnreadableError(f"it has two arrays {name!r}")
            if member.flag_bits & 1:
                raise UnreadableError(f"its member {name!r} is encrypted")
            with archive.open(member) as data:
                found[name] = _npy(data, member.file_size)
    return found


def _npy(file: IO[bytes], size: int) -> Any:
    """Return the array of a stream of `size` bytes in NumPy's format."""
    version = np.lib.format.read_magic(file)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise UnreadableError(f"its format {version[0]}.{version[1]} is not known")
    shape, in_columns, dtype = readers[version](file)
    if dtype.hasobject:
        raise UnreadableError("it holds pickled objects, which are not read")
    count = math.prod(shape)
    needed = count * dtype.itemsize
    if needed > size:
        raise UnreadableError(f"it claims {needed} bytes of data and has {size} in all")
    _check_total(needed)
    data = file.read(needed)
    if len(data) != needed:
        raise UnreadableError("it ends too early")
    array = np.frombuffer(data, dtype, count)
    return array.reshape(shape, order="F" if in_columns else "C")


def _safetensors(file: IO[bytes]) -> dict[str, Any]:
    length = int.from_bytes(file.read(8), "little")
    total = file.seek(0, 2)
    if length > min(HEADER_LIMIT, total - 8):
        raise UnreadableError(f"its header claims {length} bytes")
    file.seek(8)
    try:
        header = json.loads(file.read(length).decode("utf-8"), object_pairs_hook=_once)
    except RecursionError:
        raise UnreadableError("its header is nested too deeply") from None
    if not isinstance(header, dict) or len(header) > ENTRY_LIMIT:
        raise UnreadableError("its header is no table of arrays")
    header.pop("__metadata__", None)
    _check_total(total)
    start = 8 + length
    return {name: _tensor(file, name, entry, start, total) for name, entry in header.items()}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise UnreadableError("it has two entries of one name")
    return table


def _tensor(file: IO[bytes], name: str, entry: Any, start: int, total: int) -> Any:
    match entry:
        case {"dtype": str(kind), "shape": list(shape), "data_offsets": [int(first), int(last)]}:
            pass
        case _:
            raise UnreadableError(f"its entry {name!r} is no array")
    if kind not in _TENSORS:
        raise UnreadableError(f"{name!r} is of type {kind}, which NumPy does not have")
    dtype = np.dtype(_TENSORS[kind])
    if not all(type(n) is int and n >= 0 for n in shape):
        raise UnreadableError(f"{name!r} has shape {shape}")
    needed = math.prod(shape) * dtype.itemsize
    if not 0 <= first <= last <= total - start or last - first != needed:
        raise UnreadableError(f"{name!r} needs {needed} bytes and has {last - first} in the file")
    file.seek(start + first)
    return np.frombuffer(file.read(needed), dtype).reshape(shape)


def _check_total(needed: int) -> None:
    if needed > memory():
        raise UnreadableError(f"it claims {needed} bytes of arrays; there are {memory()} of memory")


def check_names(found: Mapping[str, Any], more: Mapping[str, Any], path: str) -> None:
    """Refuse arrays that an earlier file has given already.

    Raises:
        CallError: L0708.
    """
    for name in more:
        if name in found:
            why, repair = f"`{name}` is given twice", "give each array once"
            raise catalogue.error("L0708", name=path, why=why, repair=repair)
