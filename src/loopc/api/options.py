"""How a program was compiled, what its arrays are, and where a run's error stands."""

from __future__ import annotations

import re

from loopc.diagnostics import catalogue
from loopc.diagnostics.record import record
from loopc.ir import nodes
from loopc.ir.unbuild_expr import expr_text
from loopc.ir.visit import walk


@record()
class Options:
    """How a program was compiled."""

    backend: str = "numpy"
    opt: int = 2
    wrt: tuple[str, ...] | None = None
    loss: str | None = None
    dtype: str | None = None
    memory_limit: int | None = None


@record()
class ArrayType:
    """The symbolic shape and the type of an input or output: `x[B, T]: int`."""

    shape: tuple[str, ...]
    dtype: str

    def __str__(self) -> str:
        return f"[{', '.join(self.shape)}]: {self.dtype}" if self.shape else self.dtype


def shape_text(array: nodes.Array) -> tuple[str, ...]:
    """Return the extents of an array as text."""
    return tuple(expr_text(e) for e in array.shape or ())


def located(error: IndexError, program: nodes.Program) -> Exception:
    """Turn a generated module's error about an index into loopc's, with its place."""
    empty = re.match(r"L0232: (\w+)", str(error))
    if empty is not None:
        return catalogue.error("L0232", name=empty[1])
    match = re.match(r"L02\d\d: ((?:.*?: )?axis \d+ of `.*?`, index `.*?`): (.*)", str(error))
    if match is None:
        return error
    from loopc.lower.context import place

    span = None
    for node in walk(program):
        if isinstance(node, nodes.Access):
            for axis, subscript in enumerate(node.subscripts):
                if place(node, axis, subscript.at) == match[1]:
                    span = span or subscript.span or node.span
    what = re.sub(r"^\S+:\d+: ", "", match[1]) + f": {match[2]}"
    entry = catalogue.ENTRIES["L0231"]
    return entry.raises(catalogue.diagnostic("L0231", span, what=what))
