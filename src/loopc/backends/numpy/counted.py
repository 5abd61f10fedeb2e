"""Numbers of conditions that hold, as sums of floats in the place of integers.

A tie's number of places, `y_ties[n] += 1` under `a[n,k] == y[n]`, divides a float: as a sum of few
conditions it is exact in every float, and neither made nor read as an integer of 8 bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopc.ir.dtypes import DType
from loopc.lower.plan import Apply, Cast, Value, View

if TYPE_CHECKING:
    from loopc.backends.numpy.blocks_graph import Graph

MOST = 256
"""The largest number that every type of floats has, and all below it."""


def as_float(graph: Graph, value: Value, dtype: DType) -> Value | None:
    """Return an integer that counts conditions as a float; None: it is none."""
    masks = _masks(graph, value) if dtype.kind == "f" and not dtype.weak else None
    if not masks or len(masks) > MOST or any(m.axes != value.axes for m in masks):
        return None
    total: Value = Cast(masks[0], dtype, value.axes)
    for mask in masks[1:]:
        total = Apply("add", (total, mask), value.axes)
    return total


def _masks(graph: Graph, value: Value) -> list[Value] | None:
    """Return the conditions that an integer is the sum of; None: it is something else."""
    if not isinstance(value, View) or not value.array.startswith("·"):
        return None
    made = graph.operations[int(value.array[1:])]
    if made.axes != value.axes or made.dtype is None or made.dtype.kind != "i":
        return None
    match made.value:
        case Cast(arg):
            dtype = graph.dtype(arg)
            return [arg] if dtype is not None and dtype.kind == "b" else None
        case Apply("add", args):
            parts = [_masks(graph, a) for a in args]
            found = [m for p in parts if p is not None for m in p]
            return found if all(p is not None for p in parts) else None
        case _:
            return None
