"""Random arrays that fit a program, for checks and timings."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from loopc.ir import bind
from loopc.ir.nodes import Access
from loopc.ir.visit import walk
from loopc.ir.whole import positions

if TYPE_CHECKING:
    from loopc.api.program import Program


def samples(
    program: Program, dims: Mapping[str, int], given: Mapping[str, Any], seed: int = 0
) -> dict[str, Any]:
    """Return the arrays given, and random ones for all other inputs.

    Args:
        program: the program.
        dims: values of dims; those that neither they nor the arrays say are 3, 4, 5 ….
        given: arrays by name.
        seed: of the random numbers. Floats are normal; indices are below the smallest dim.
    """
    inner = program._program
    rng = np.random.default_rng(seed)
    sizes = _known(program, given) | dict(dims)
    numbers = count(3)
    for name in program.dims:
        sizes.setdefault(name, next(numbers))
    for dim in inner.dims:
        if dim.value is not None and dim.name not in dims:
            sizes[dim.name] = bind.evaluate(dim.value, sizes, {})
    arrays: dict[str, Any] = dict(given)
    scalars = {n: int(v) for n, v in given.items() if np.ndim(v) == 0 and float(v).is_integer()}
    limit = max(1, min(sizes.values(), default=3))
    indices = _index_arrays(program)
    for array in inner.arrays:
        if array.kind == "temp" or array.name in arrays:
            continue
        if array.dtype == "int" and not array.shape:
            scalars.setdefault(array.name, limit - 1)
        shape = bind.shape_of(array, sizes, scalars)
        if array.dtype == "int" or array.name in indices:
            value: Any = rng.integers(0, limit, shape) if shape else np.asarray(limit - 1)
        elif array.dtype == "bool":
            value = rng.random(shape) < 0.5
        else:
            value = rng.standard_normal(shape)
        arrays[array.name] = value
    free = {n: v for n, v in sizes.items() if n in _free(program)}
    return {**arrays, **free}


def _known(program: Program, given: Mapping[str, Any]) -> dict[str, int]:
    """Return the dims that stand alone in the shape of an array that is given."""
    from loopc.ir.nodes import Extent

    found: dict[str, int] = {}
    for array in program._program.arrays:
        for extent, size in zip(
            array.shape or (), np.shape(given.get(array.name, 0)), strict=False
        ):
            if isinstance(extent, Extent):
                found.setdefault(extent.name, size)
    return found


def _free(program: Program) -> tuple[str, ...]:
    from loopc.lower.program import free_dims

    return free_dims(program._program)


def _index_arrays(program: Program) -> set[str]:
    """Return the arrays whose cells are indices."""
    found: set[str] = set()
    for node in walk(program._program):
        if isinstance(node, Access):
            for subscript in node.subscripts:
                found.update(positions(subscript.at))
    return found
