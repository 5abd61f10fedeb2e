"""What calls found out, so that one with the same shapes and types is not checked again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from loopc import backends
from loopc.api.arrays import Call
from loopc.diagnostics.record import record

T = TypeVar("T")

CAPACITY = 256
"""Sets of shapes and types that are remembered."""


@record()
class Route:
    """How a call runs.

    Attributes:
        runnable: what runs it.
        dims: the value of every dim.
        numbers: the types that Python numbers take.
    """

    runnable: backends.Runnable
    dims: Mapping[str, int]
    numbers: tuple[tuple[str, Any], ...]

    def __call__(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Run it on arrays like those that were checked."""
        if self.numbers:
            given = {**given, **{n: np.asarray(given[n], dtype) for n, dtype in self.numbers}}
        return self.runnable(given, self.dims)


class Routes:
    """The routes of one program, by what is run and the signature of its arrays."""

    def __init__(self) -> None:
        self._known: dict[Any, Route] = {}
        self._checked: dict[Any, Any] = {}

    def find(self, key: Any, signature: Any) -> Route | None:
        """Return the route of a call that is like an earlier one."""
        return None if signature is None else self._known.get((key, signature))

    def checked(self, signature: Any, check: Callable[[], T]) -> T:
        """Return what the checks of a call say; like calls are not checked again."""
        found: T | None = None if signature is None else self._checked.get(signature)
        if found is None:
            found = check()
            if signature is not None:
                _make_room(self._checked)
                self._checked[signature] = found
        return found

    def add(
        self,
        key: Any,
        signature: Any,
        given: Mapping[str, Any],
        call: Call,
        runnable: backends.Runnable,
    ) -> Route:
        """Return the route of a call that was checked; it is remembered if the next can go it."""
        numbers = None if signature is None else _numbers(given, call)
        route = Route(runnable, call.dims, numbers or ())
        if numbers is not None:
            _make_room(self._known)
            self._known[key, signature] = route
        return route


def _make_room(known: dict[Any, Any]) -> None:
    if len(known) >= CAPACITY:
        known.clear()


def signature(given: Mapping[str, Any]) -> Any:
    """Return what a call's checks depend on; None: on more than shapes, types and integers."""
    found: list[Any] = []
    for name, value in given.items():
        kind = type(value)
        if kind is np.ndarray:
            shape = value.shape
            found.append((name, value.dtype, shape if shape else _number(value)))
        elif kind is float:
            found.append((name, kind))
        elif kind is int:
            found.append((name, kind, value))
        else:
            return None
    return tuple(found)


def _number(value: Any) -> Any:
    """Return what a 0-d array says about sizes."""
    return int(value) if value.dtype.kind in "iu" else ()


def _numbers(given: Mapping[str, Any], call: Call) -> tuple[tuple[str, Any], ...] | None:
    """Return the types of a call's Python numbers; None if its arrays did not pass as they are."""
    if not call.arrays.keys() <= given.keys():
        return None
    found: list[tuple[str, Any]] = []
    for name, array in call.arrays.items():
        if type(given[name]) is not np.ndarray:
            found.append((name, array.dtype))
        elif array is not given[name]:
            return None
    return tuple(found)
