"""Chapter L04: dtypes."""

from __future__ import annotations

from loopc.diagnostics.catalogue.entry import Entry
from loopc.diagnostics.errors import DTypeError

ENTRIES: tuple[Entry, ...] = (
    Entry(
        code="L0401",
        title="an array of the wrong type",
        raises=DTypeError,
        message="`{name}` must be of type {expected}; it is {given}",
        hint="{repair}",
    ),
    Entry(
        code="L0402",
        title="an index that is not an integer",
        raises=DTypeError,
        message="`{text}` is used as an index, but its value is not an integer",
        hint="use `//` for integer division, or declare the array: `input {name}: int`",
        bad="for i < 4: y[i] = x[i/2]\n",
        good="for i < 4: y[i] = x[i//2]\n",
    ),
)
