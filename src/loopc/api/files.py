"""Files are written beside their place and moved into it, so that none is ever half written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from loopc.diagnostics import catalogue


def write_text(path: Path, text: str) -> None:
    """Write a text file."""
    write(path, lambda file: file.write(text.encode("utf-8")))


def write(path: Path, fill: Callable[[IO[bytes]], Any]) -> None:
    """Write a file by a function that fills it.

    Raises:
        CallError: L0708.
    """
    try:
        _write(path, fill)
    except OSError as error:
        why, repair = error.strerror or str(error), "give another place"
        raise catalogue.error("L0708", name=str(path), why=why, repair=repair) from None


def write_beside(path: Path, data: bytes) -> None:
    """Write a file beside its place and move it there; raise what the system says."""
    _write(path, lambda file: file.write(data))


def _write(path: Path, fill: Callable[[IO[bytes]], Any]) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            fill(file)
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
