"""Chapter L07: calls."""

from __future__ import annotations

from loopc.diagnostics.catalogue.entry import Entry
from loopc.diagnostics.errors import CallError

ENTRIES: tuple[Entry, ...] = (
    Entry(
        code="L0701",
        title="an array is missing",
        raises=CallError,
        message="`{name}` is missing",
        hint="the program takes {expected}",
    ),
    Entry(
        code="L0702",
        title="an array that the program does not have",
        raises=CallError,
        message="the program has no input `{name}`",
        hint="{repair}",
    ),
    Entry(
        code="L0703",
        title="an argument that is no plain array",
        raises=CallError,
        message="`{name}` cannot be taken: {why}",
        hint="{repair}",
    ),
    Entry(
        code="L0704",
        title="an unknown option",
        raises=CallError,
        message="there is no {what} `{name}`",
        hint="known are {known}",
    ),
    Entry(
        code="L0705",
        title="a name that no statement writes",
        raises=CallError,
        message="`{name}` is no array of the program",
        hint="the program has {known}",
    ),
    Entry(
        code="L0706",
        title="backward before forward",
        raises=CallError,
        message="`backward` differentiates at the inputs of the last `forward`, and there is none",
        hint="call `m.forward(…)` first",
    ),
    Entry(
        code="L0707",
        title="a gradient that differs from differences",
        raises=CallError,
        message="{what}",
        hint="near a kink or a huge second derivative differences are wrong; else it is a fault",
    ),
    Entry(
        code="L0708",
        title="a file that cannot be read or written",
        raises=CallError,
        message="{name}: {why}",
        hint="{repair}",
    ),
)
