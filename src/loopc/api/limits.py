"""What surrounds every compilation: one error for what is too large for Python, no collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from loopc.diagnostics import catalogue

_TOO_NESTED = ("too many nested parentheses", "too many statically nested blocks")
_TOO_INDENTED = "too many levels of indentation"


@contextmanager
def within_limits() -> Iterator[None]:
    """Turn what Python says of a program that is nested too deeply into a LimitError.

    Python's collector of cycles waits meanwhile: what a compilation makes are many small objects
    without any, which it would go through again and again.

    Raises:
        LimitError: L0007.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    except RecursionError:
        raise catalogue.error("L0007", why="its expressions are nested too deeply") from None
    except SyntaxError as error:  # of the generated module
        if error.msg.startswith((*_TOO_NESTED, _TOO_INDENTED)):
            raise catalogue.error("L0007", why=error.msg) from None
        raise
    finally:
        if collects:
            gc.enable()
