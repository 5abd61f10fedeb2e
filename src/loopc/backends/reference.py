"""The reference: the interpreter, which shares no lowering code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from loopc.backends import Backend, Case
from loopc.diagnostics.record import record
from loopc.ir.bind import shape_of
from loopc.ir.interpret import interpret
from loopc.ir.nodes import Program


@record()
class Interpreted:
    """A program to be run one scalar at a time."""

    program: Program
    source: str = ""
    by_extents: bool = False

    def __call__(self, arrays: Mapping[str, Any], dims: Mapping[str, int]) -> dict[str, Any]:
        """Run it; a call that was checked before may hold its dims among the arrays."""
        own = {a.name for a in self.program.arrays if a.kind != "temp"}
        return interpret(self.program, {n: v for n, v in arrays.items() if n in own}, dims)

    def peak_bytes(self, arrays: Mapping[str, Any], dims: Mapping[str, int]) -> int:
        """Return the bytes of all arrays, the copies of the inputs among them."""
        scalars = {n: int(a) for n, a in arrays.items() if not np.shape(a)}
        shapes = (shape_of(a, dims, scalars) for a in self.program.arrays)
        return sum(8 * prod(shape) for shape in shapes)

    def positional(
        self, names: Sequence[str], dims: Mapping[str, int], fixed: Mapping[str, Any]
    ) -> Callable[..., dict[str, Any]]:
        """Return it as a function of arrays in order."""

        def run(*arrays: Any, out: Mapping[str, Any] | None = None) -> dict[str, Any]:
            return self({**fixed, **dict(zip(names, arrays, strict=True))}, dims)

        return run


def build(program: Program, case: Case) -> Interpreted:
    """Return the program, runnable."""
    return Interpreted(program)


BACKEND = Backend("reference", (), build)
