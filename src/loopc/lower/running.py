"""Recurrences that are no loops: running sums, products, maxima and minima, and linear ones.

    for t in range(1, T), b  s[t,b] = s[t-1,b] + x[t,b]     ->  s[1:] = x[1:]; accumulate s along t
    for t in range(1, T), b  s[t,b] += s[t-1,b]             ->  accumulate s along t

The operations are those of the loop, in its order. Those of a linear recurrence are not:

    for t in range(1, T), b  h[t,b] = a[t,b] h[t-1,b] + x[t,b]  ->  h[1:] = x[1:]; scan h along t

runs in blocks of steps, and so is left to a loop where steps are few or have many cells.
Source: Blelloch, Prefix sums and their applications, 1990.
"""

from __future__ import annotations

from math import prod

from loopc.analysis.dependence import Leaf
from loopc.analysis.recurrences import cell_before, linear_step, running_term
from loopc.diagnostics.record import record, replace
from loopc.ir import reductions
from loopc.ir.affine import Affine, affine, to_expr
from loopc.ir.bounds import ascending
from loopc.ir.dtypes import DType
from loopc.ir.nodes import ZERO, Access, Call, Const, Expr, Index, Reduce, Update
from loopc.ir.visit import contains, reads
from loopc.lower import access as accesses
from loopc.lower.context import Context
from loopc.lower.domain import Box, NeedSerial, box, count
from loopc.lower.plan import Part, Running, View
from loopc.lower.value import Lowering

STEPS = 48
"""The steps from which on a linear recurrence runs in blocks of them."""

CELLS = 1024
"""The most cells of a step, where a call takes longer than its work."""


@record()
class Recurrence:
    """A running reduction.

    Attributes:
        start: the update that gives the cells their terms; None: they hold them.
        step: what runs over them.
    """

    start: Update | None
    step: Running


def running(
    context: Context, leaf: Leaf, depth: int, serial: dict[str, Index]
) -> Recurrence | None:
    """Return an update as a running reduction along the loop at `depth`, if it is one."""
    index = leaf.levels[depth].index
    if leaf.guards or abs(index.step) != 1 or any(True for _ in reads(index)):
        return None
    found = _step(context, leaf.update, index)
    if found is None:
        return None
    op, term, factor = found
    if term is not None and not _has_type(context, leaf, term):
        return None
    if not _scales(context, factor, context.types[leaf.update.target.array]):
        return None
    made = _along(context, leaf, index, serial)
    if made is None:
        return None
    lowering, view = made
    if factor is not None and not (
        _pays(context, lowering.box, index) and _is_simple(lowering, factor)
    ):
        return None
    parts = tuple(_with_first(p) if p.axis == index.name else p for p in view.parts)
    row = reductions.by_op(op)
    assert row is not None
    own = "+=" if factor is not None and leaf.update.op == "+=" else "="
    start = None if term is None else replace(leaf.update, op=own, value=term)
    by = None if factor is None else lowering.value(factor)
    return Recurrence(start, Running(replace(view, parts=parts), index.name, row.ufunc, by))


def _along(
    context: Context, leaf: Leaf, index: Index, serial: dict[str, Index]
) -> tuple[Lowering, View] | None:
    """Return the lowering over a box and the cells that a recurrence gives; None: it has none."""
    inner = [v.index for v in leaf.levels if v.index.name not in serial and v.index != index]
    try:
        domain = box((index, *map(ascending, inner)), ())
    except NeedSerial:
        return None
    if domain.masks or domain.indices[index.name] != index:
        return None
    lowering = Lowering(context, domain, serial)
    target = leaf.update.target
    if not all(_is_inside(lowering, each) for each in (target, cell_before(target, index))):
        return None
    view = accesses.slices(lowering, target)
    return None if view is None or set(view.axes) != set(domain.indices) else (lowering, view)


def _is_inside(lowering: Lowering, access: Access) -> bool:
    return accesses.is_affine(lowering, access) and accesses.stays_inside(lowering, access)


def _is_simple(lowering: Lowering, factor: Expr) -> bool:
    """Whether a factor is computed of cells that are there, cell by cell."""
    return not contains(factor, Reduce) and all(_is_inside(lowering, a) for a in reads(factor))


def _step(
    context: Context, update: Update, index: Index
) -> tuple[str, Expr | None, Expr | None] | None:
    """Return a recurrence's operation, its term (None: the cells hold it) and a factor, if any."""
    found = running_term(update, index)
    if found is not None:
        return (*found, None)
    linear = linear_step(update, index) if context.opt > 1 else None
    if linear is None:
        return None
    factor, term = linear
    held = update.op == "+=" and term == ZERO
    return "+=", None if held else term, factor


def _pays(context: Context, domain: Box, index: Index) -> bool:
    """Whether a recurrence is known to have many steps of few cells."""
    counts = {n: context.sizes.known(count(i)) for n, i in domain.indices.items()}
    known = [c for c in counts.values() if c is not None]
    if len(known) < len(counts):
        return False
    steps = counts[index.name] or 0
    return steps >= STEPS and prod(known) <= CELLS * steps


def _scales(context: Context, factor: Expr | None, dtype: DType) -> bool:
    """Whether an array has a type that its cells, times a factor if there is one, have."""
    if factor is None or dtype.kind != "f":
        return factor is None and dtype.kind in "if"
    own = Lowering(context, box((), ()), {}).type_of(factor)
    return own is not None and (own.weak or own.kind in "bf") and {*own.sources} <= {*dtype.sources}


def _has_type(context: Context, leaf: Leaf, term: Expr) -> bool:
    """Whether a term may be stored before it is added: it has the array's type, or none."""
    own = Lowering(context, box((), ()), {}).type_of(term)
    dtype = context.types[leaf.update.target.array]
    if own is None or (own.kind != dtype.kind and not own.weak):
        return False
    return own.weak or set(own.sources) == set(dtype.sources)


def _with_first(part: Part) -> Part:
    """Return a part with the cell in front of it."""
    assert part.count is not None
    start = to_expr(_form(part.start) - Affine(part.step))
    count = Call("add", (part.count, Const(1)))
    return Part(start, part.axis, count, part.step)


def _form(expr: Expr) -> Affine:
    form = affine(expr)
    assert form is not None
    return form
