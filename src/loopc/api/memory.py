"""How much memory a call takes: predicted before anything is allocated, and kept below a limit."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from loopc.api.arrays import KIND, Call
from loopc.api.kept import Kept, kept
from loopc.api.runnables import built
from loopc.diagnostics import catalogue
from loopc.diagnostics.errors import LoopcError
from loopc.diagnostics.record import record
from loopc.ir import nodes
from loopc.ir.bind import shape_of
from loopc.ir.dtypes import DECLARED, FIXED

if TYPE_CHECKING:
    from loopc.api.program import Program

REMEMBERED = 256
"""Sets of shapes whose peaks are remembered."""


@record()
class Blank:
    """An argument of which nothing is known but its shape and its type."""

    shape: tuple[int, ...]
    dtype: Any

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)


@record()
class Peak:
    """The most bytes that a call takes at a time, its results among them.

    Attributes:
        bytes: how many.
        followed: whether the run was followed without cells; else they are those of all arrays.
    """

    bytes: int
    followed: bool = True


def peak(program: Program, key: Any, run: nodes.Program, call: Call) -> Peak:
    """Return the peak of a call."""
    shapes = tuple((n, a.shape, a.dtype) for n, a in call.arrays.items())
    full = (key, shapes, tuple(call.dims.items()), tuple(call.scalars.items()))
    if full not in program._peaks:
        if len(program._peaks) >= REMEMBERED:
            program._peaks.clear()
        found = built(program, key, run, call).peak_bytes(call.arrays, call.dims)
        made = Peak(_all_bytes(run, call), followed=False) if found is None else Peak(found)
        program._peaks[full] = made
    return program._peaks[full]


def _all_bytes(program: nodes.Program, call: Call) -> int:
    total = 0
    for array in program.arrays:
        try:
            total += 8 * prod(shape_of(array, call.dims, call.scalars))
        except KeyError:  # its extents are data
            continue
    return total


def check(program: Program, key: Any, run: nodes.Program, call: Call) -> None:
    """Refuse a call that would take more than the program's limit.

    Raises:
        LimitError: L0003.
    """
    limit = program._options.memory_limit
    needed = peak(program, key, run, call).bytes
    if limit is not None and needed > limit:
        raise catalogue.error("L0003", needed=needed, limit=limit)


def of_call(program: Program, call: Call) -> Peak:
    """Return the peak of a run of the program."""
    return peak(program, "", program._program, call)


@record()
class Gradients:
    """Of a run with gradients: its peak, None where there are none; what its adjoint reads."""

    peak: Peak | None = None
    kept: tuple[Kept, ...] = ()


def of_gradients(program: Program, call: Call) -> Gradients:
    """Return what a run with the gradients of the loss takes and keeps."""
    try:
        made = program._loss_adjoint(seeded=False)
    except LoopcError:  # no loss, one with axes, or one without a derivative: `grad` says which
        return Gradients()
    own = blank_call(made.program, call.dims, call.scalars, dict(call.arrays))
    key = ("grad", False)
    found = peak(program, key, made.program, own)
    return Gradients(found, kept(program._program, made, call.dims, call.scalars))


def blank_call(
    program: nodes.Program,
    dims: Mapping[str, int],
    scalars: Mapping[str, int],
    given: Mapping[str, Any] | None = None,
) -> Call:
    """Return a call with arguments of which shapes and types alone are known, but for `given`."""
    arrays: dict[str, Any] = {}
    for array in program.arrays:
        if array.kind == "temp":
            continue
        if given is not None and array.name in given:
            arrays[array.name] = given[array.name]
            continue
        kind = array.dtype if array.dtype in ("float32", "float64") else ""
        dtype = np.dtype(kind or FIXED[DECLARED[array.dtype or ""]])
        shape = shape_of(array, dims, scalars)
        arrays[array.name] = Blank(shape, dtype) if shape else np.zeros((), dtype)
    kinds = tuple((n, KIND.get(a.dtype.kind, a.dtype.kind)) for n, a in arrays.items())
    floats = {a.dtype for a in arrays.values() if a.dtype.kind == "f"}
    return Call(arrays, dict(scalars), dict(dims), kinds, len(floats) <= 1)
