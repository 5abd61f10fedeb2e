"""A domain of any shape as one axis: the value of every index at each of its points, in order.

Ranges that read data, or that follow other indices in steps, make no box. Their points are counted
out, so that every index is an integer array over one axis, and accesses are gathers and scatters:

    for i, e in range(ptr[i], ptr[i+1])  y[i] += val[e]
    ->  i = arange(N);  row, e = _ragged(ptr[i], ptr[i+1]);  i = i[row];  y[i[n]] += val[e[n]]

Source: nested data parallelism by flattening, Blelloch, Vector Models for Data-Parallel Computing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loopc.diagnostics.record import record
from loopc.ir.dtypes import INTEGER
from loopc.ir.nodes import (
    Access,
    Array,
    Const,
    Expr,
    Index,
    IndexRef,
    Read,
    Subscript,
)
from loopc.ir.visit import free_indices, substitute
from loopc.lower.context import SIZE, Context
from loopc.lower.domain import Box, count
from loopc.lower.plan import Apply, Flatten, Step, Value
from loopc.lower.value import Lowering

AXIS = Index("cell°", Const(0), SIZE)
"""The one axis."""


@record()
class Flat:
    """A flattened domain.

    Attributes:
        steps: what counts it out.
        cells: what each index becomes: the read of an integer array.
        guards: the guards that the steps have not taken care of, of the new axis.
    """

    steps: tuple[Step, ...]
    cells: Mapping[str, Expr]
    guards: tuple[Expr, ...]


def flattened(
    context: Context,
    parallel: Sequence[Index],
    serial: Mapping[str, Index],
    guards: Sequence[Expr],
) -> Flat:
    """Return a domain as one axis; `context` takes the new integer arrays.

    Args:
        context: the program.
        parallel: the indices, outermost first.
        serial: the indices that are Python variables, with their ranges.
        guards: the conditions on the domain; one of outer indices alone is met before the ranges
            further in are computed.
    """
    cells: dict[str, Expr] = {}
    steps: list[Step] = []
    left = list(guards)
    own = {i.name for i in parallel}
    box: dict[str, Index] = {}
    plain = len(parallel) > 1 and parallel[0].step > 0
    for number, index in enumerate(parallel):
        name = f"{index.name}°cells"
        if number or not plain:
            outer = parallel[0] if number == 1 and plain else None
            known = {} if outer else cells
            ready = [g for g in left if own.isdisjoint(set(free_indices(g)) - set(cells))]
            left = [g for g in left if g not in ready]
            around = Lowering(context, Box(box), serial, tuple(substitute(g, known) for g in ready))
            start, stop = _ends(around, substitute(index, known))
            steps.extend(context.take_measured())
            size = SIZE if outer is None else count(outer)
            axis = next(iter(box), "")
            before = tuple(f"{n}°cells" for n in cells)
            steps.append(Flatten(name, before, outer, SIZE, start, stop, index.step, size, axis))
        context.add(Array(name, "temp", (SIZE,), "int"), INTEGER, index)
        cells[index.name] = Read(Access(name, (Subscript(IndexRef(AXIS.name)),)))
        box = {index.name: index} if plain and not number else {AXIS.name: AXIS}
    return Flat(tuple(steps), cells, tuple(substitute(g, cells) for g in left))


def ragged(parallel: Sequence[Index]) -> tuple[Index, ...]:
    """Return the indices whose ranges follow others, and those others."""
    names = {i.name for i in parallel}
    chosen: set[str] = set()
    for index in parallel:
        used = names.intersection(free_indices(index))
        if used:
            chosen |= {index.name, *used}
    return tuple(i for i in parallel if i.name in chosen)


def _ends(lowering: Lowering, index: Index) -> tuple[Value, Value]:
    """Return where a range starts and stops at each cell so far; where a mask fails it is empty."""
    assert index.start is not None
    assert index.stop is not None
    start, stop = lowering.value(index.start), lowering.value(index.stop)
    mask = lowering.condition(lowering.masks)
    if mask is not None:
        stop = Apply("where", (mask, stop, start), lowering.union(mask, stop, start))
    return start, stop
