"""Arrays from files and to files; pickled ones are refused."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np

from loopc.api.files import write
from loopc.diagnostics import catalogue


def load(files: Iterable[str], values: Iterable[str]) -> dict[str, Any]:
    """Return arrays by name: of `a.npz`, `x=x.npy`, `w.safetensors`, and numbers `lr=0.1`."""
    found: dict[str, Any] = {}
    for item in files:
        name, equals, path = item.partition("=")
        if not equals:
            found.update(_archive(item))
        else:
            found[name] = _array(path)
    for item in values:
        name, equals, number = item.partition("=")
        if not equals:
            raise click.UsageError(f"A number is given as lr=0.1; this is {item!r}.")
        found[name] = _number(number)
    return found


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise click.UsageError(f"{text!r} is not a number.") from None


def _archive(path: str) -> dict[str, Any]:
    if path.endswith(".safetensors"):
        return _safetensors(path)
    loaded = _loaded(path)
    if not isinstance(loaded, np.lib.npyio.NpzFile):
        return {Path(path).stem: loaded}
    with loaded:
        try:
            return {name: loaded[name] for name in loaded.files}
        except ValueError as error:
            raise _unreadable(path, str(error)) from None


def _array(path: str) -> Any:
    loaded = _loaded(path)
    if isinstance(loaded, np.lib.npyio.NpzFile):
        raise _unreadable(path, "it holds several arrays")
    return loaded


def _loaded(path: str) -> Any:
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise _unreadable(path, str(error)) from None


def _safetensors(path: str) -> dict[str, Any]:
    try:
        from safetensors.numpy import load_file
    except ImportError:
        raise _unreadable(path, "the package `safetensors` is not installed") from None
    try:
        return dict(load_file(path))
    except OSError as error:
        raise _unreadable(path, str(error)) from None


def _unreadable(path: str, why: str) -> Exception:
    repair = "give .npz, .npy or .safetensors files without pickled objects"
    return catalogue.error("L0708", name=path, why=why, repair=repair)


def save(path: str, arrays: Mapping[str, Any]) -> None:
    """Write arrays to an `.npz` file."""
    write(Path(path), lambda file: np.savez(file, **arrays))
