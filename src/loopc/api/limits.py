"""Programs that are too large for Python itself: one error instead of Python's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from loopc.diagnostics import catalogue

_TOO_NESTED = ("too many nested parentheses", "too many statically nested blocks")
_TOO_INDENTED = "too many levels of indentation"


@contextmanager
def within_limits() -> Iterator[None]:
    """Turn what Python says of a program that is nested too deeply into a LimitError.

    Raises:
        LimitError: L0007.
    """
    try:
        yield
    except RecursionError:
        raise catalogue.error("L0007", why="its expressions are nested too deeply") from None
    except SyntaxError as error:  # of the generated module
        if error.msg.startswith((*_TOO_NESTED, _TOO_INDENTED)):
            raise catalogue.error("L0007", why=error.msg) from None
        raise
