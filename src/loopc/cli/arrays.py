"""A command line's arrays: from files and numbers, and to a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from loopc.api.files import write
from loopc.cli import readers
from loopc.diagnostics import catalogue


def load(files: Iterable[str], values: Iterable[str]) -> dict[str, Any]:
    """Return arrays by name: of `a.npz`, `x=x.npy`, `w.safetensors`, and numbers `lr=0.1`."""
    found: dict[str, Any] = {}
    for item in files:
        name, path = _split(item)
        more = readers.read(path)
        if name:
            more = {name: _only(more, path)}
        readers.check_names(found, more, path)
        found.update(more)
    for item in values:
        name, equals, number = item.partition("=")
        if not equals or not name:
            raise click.UsageError(f"A number is given as lr=0.1; this is {item!r}.")
        found[name] = _number(number)
    return found


def _split(item: str) -> tuple[str, str]:
    """Return the name and the path of `x=x.npy`; a path alone has no name."""
    name, equals, path = item.partition("=")
    if not equals or Path(item).is_file():
        name, path = "", item
    if not Path(path).exists():
        raise click.UsageError(f"There is no file {path!r}.")
    return name, path


def _only(arrays: Mapping[str, Any], path: str) -> Any:
    if len(arrays) != 1:
        why = f"it holds {len(arrays)} arrays, and one is asked for"
        raise catalogue.error("L0708", name=path, why=why, repair="give the file without a name")
    return next(iter(arrays.values()))


def _number(text: str) -> int | float:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    raise click.UsageError(f"{text!r} is not a number.")


def save(path: str, arrays: Mapping[str, Any]) -> None:
    """Write arrays to an `.npz` file."""
    import numpy as np

    write(Path(path), lambda file: np.savez(file, **arrays))


def listed(arrays: Mapping[str, Any]) -> dict[str, object]:
    """Return arrays as data for JSON: complex numbers as pairs, NaN and inf as words."""
    import numpy as np

    found: dict[str, object] = {}
    for name, value in arrays.items():
        array = np.asarray(value)
        parts = np.stack([array.real, array.imag], -1) if array.dtype.kind == "c" else array
        found[name] = {
            "shape": list(array.shape),
            "dtype": str(array.dtype),
            "value": _plain(parts.tolist()),
        }
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(v) for v in value]
    is_odd = isinstance(value, float) and (value != value or value in (float("inf"), -float("inf")))
    return str(value) if is_odd else value
