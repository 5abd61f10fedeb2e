"""What several tests need: programs from text, and arrays that fit them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path

import numpy as np

from loopc.diagnostics import catalogue
from loopc.diagnostics.errors import Diagnostic
from loopc.diagnostics.span import Source
from loopc.ir import bind
from loopc.ir.build import build
from loopc.ir.infer import infer
from loopc.ir.nodes import Access, Extent, Program, Read
from loopc.ir.visit import walk
from loopc.ir.whole import positions
from loopc.syntax.parser import parse

TESTS = Path(__file__).parent


def resolve(text: str, name: str = "test.loops") -> Program:
    """Return the resolved program of a text; raise what is wrong with it."""
    found: list[Diagnostic] = []
    program = build(parse(Source(name, text)), found)
    catalogue.raise_all(found)
    program = infer(program, found)
    catalogue.raise_all(found)
    return program


def dim_names(program: Program) -> list[str]:
    """Return the dims of a resolved program in the order of the text."""
    names = [n.name for a in program.arrays for e in a.shape or () for n in walk(e) if _is_dim(n)]
    return list(dict.fromkeys(names))


def _is_dim(node: object) -> bool:
    return isinstance(node, Extent)


def range_scalars(program: Program) -> set[str]:
    """Return the scalar inputs that stand in ranges or shapes."""
    found = set()
    for node in walk(program):
        if isinstance(node, Read) and not node.access.subscripts:
            array = program.array(node.access.array)
            if array.dtype == "int":
                found.add(array.name)
    return found


def index_arrays(program: Program) -> set[str]:
    """Return the arrays whose cells are used as indices."""
    found = set()
    for node in walk(program):
        if isinstance(node, Access):
            for subscript in node.subscripts:
                found.update(positions(subscript.at))
    return found


def arrays_for(
    program: Program,
    sizes: Sequence[int] = (3, 4, 5, 2),
    seed: int = 0,
    dtype: str = "float64",
    dims: Mapping[str, int] | None = None,
    *,
    whole: bool = False,
) -> dict[str, np.ndarray]:
    """Return random arrays for a program's inputs; `whole`: small whole numbers as floats."""
    rng = np.random.default_rng(seed)
    chosen = dict(zip(dim_names(program), cycle(sizes), strict=False)) | dict(dims or {})
    scalars = dict.fromkeys(range_scalars(program), 2)
    indices = index_arrays(program)
    arrays: dict[str, np.ndarray] = {}
    for array in program.arrays:
        if array.kind == "temp":
            continue
        shape = bind.shape_of(array, chosen, scalars)
        if array.name in scalars:
            arrays[array.name] = np.asarray(scalars[array.name])
        elif array.dtype == "int" or array.name in indices:
            arrays[array.name] = rng.integers(0, max(1, min(sizes)), shape)
        elif array.dtype == "bool":
            arrays[array.name] = rng.random(shape) < 0.5
        elif whole:
            arrays[array.name] = rng.integers(-3, 4, shape).astype(dtype)
        elif array.dtype == "complex":
            arrays[array.name] = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
        else:
            arrays[array.name] = rng.standard_normal(shape).astype(dtype)
    return arrays
