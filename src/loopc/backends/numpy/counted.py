"""Numbers made of conditions that hold, as floats in the place of integers.

A tie's number of places, `y_ties[n] += 1` under `a[n,k] == y[n]`, divides a float: as a sum of few
conditions it is exact in every float, and neither made nor read as an integer of 8 bytes. So are
the shares of a `max`'s arguments, `0.5 ((a > b) + (a >= b))`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopc.backends.numpy.tile_items import is_operation
from loopc.diagnostics.record import replace
from loopc.ir.dtypes import DType
from loopc.lower.plan import Apply, Cast, Value

if TYPE_CHECKING:
    from loopc.backends.numpy.blocks_graph import Graph

MOST = 256
"""The largest number that every type of floats has, and all below it."""


ARITHMETIC = ("add", "mul", "div", "neg", "max", "min")
"""What numbers are made of conditions by, as shares of ties are."""


def as_float(graph: Graph, value: Value, dtype: DType) -> Value | None:
    """Return a number made of conditions and literals in a type of floats; None: it is not."""
    own = graph.dtype(value)
    if dtype.kind != "f" or dtype.weak or own is None or own.kind == "b":
        return None
    return _float(graph, value, dtype) if value.axes else None


def _float(graph: Graph, value: Value, dtype: DType) -> Value | None:
    own = graph.dtype(value)
    if own is None:
        return None
    if not value.axes:
        return value if own.weak and own.kind in "if" else None
    masks = [value] if own.kind == "b" else _masks(graph, value)
    if masks and len(masks) <= MOST and all(m.axes == value.axes for m in masks):
        total: Value = Cast(masks[0], dtype, value.axes)
        for mask in masks[1:]:
            total = Apply("add", (total, mask), value.axes)
        return total
    made = _made(graph, value)
    if not isinstance(made, Apply) or made.fn not in ARITHMETIC or made.axes != value.axes:
        return None
    parts = [_float(graph, a, dtype) for a in made.args]
    found = tuple(p for p in parts if p is not None)
    return replace(made, args=found) if len(found) == len(parts) else None


def _made(graph: Graph, value: Value) -> Value | None:
    """Return the operation that gives a value."""
    if not is_operation(value):
        return None
    return graph.operations[int(value.array[1:])].value


def _masks(graph: Graph, value: Value) -> list[Value] | None:
    """Return the conditions that an integer is the sum of; None: it is something else."""
    if not is_operation(value):
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
