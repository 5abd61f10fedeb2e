"""Running sums, products, maxima and minima that are written as recurrences.

    for t in range(1, T), b  s[t,b] = s[t-1,b] + x[t,b]     ->  s[1:] = x[1:]; accumulate s along t
    for t in range(1, T), b  s[t,b] += s[t-1,b]             ->  accumulate s along t

The operations are those of the loop, in its order.
"""

from __future__ import annotations

from loopc.analysis.dependence import Leaf
from loopc.analysis.recurrences import cell_before, running_term
from loopc.diagnostics.record import record, replace
from loopc.ir import reductions
from loopc.ir.affine import Affine, affine, to_expr
from loopc.ir.bounds import ascending
from loopc.ir.nodes import Call, Const, Expr, Index, Update
from loopc.ir.visit import reads
from loopc.lower import access as accesses
from loopc.lower.context import Context
from loopc.lower.domain import NeedSerial, box
from loopc.lower.plan import Part, Running
from loopc.lower.value import Lowering


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
    found = running_term(leaf.update, index)
    if found is None:
        return None
    op, term = found
    dtype = context.types[leaf.update.target.array]
    if dtype.kind not in "if" or (term is not None and not _has_type(context, leaf, term)):
        return None
    inner = [v.index for v in leaf.levels if v.index.name not in serial and v.index != index]
    try:
        domain = box((index, *map(ascending, inner)), ())
    except NeedSerial:
        return None
    if domain.masks or domain.indices[index.name] != index:
        return None
    lowering = Lowering(context, domain, serial)
    before = cell_before(leaf.update.target, index)
    for each in (leaf.update.target, before):
        if not accesses.is_affine(lowering, each) or not accesses.stays_inside(lowering, each):
            return None
    view = accesses.slices(lowering, leaf.update.target)
    if view is None or set(view.axes) != set(domain.indices):
        return None
    parts = tuple(_with_first(p) if p.axis == index.name else p for p in view.parts)
    row = reductions.by_op(op)
    assert row is not None
    start = None if term is None else replace(leaf.update, op="=", value=term)
    return Recurrence(start, Running(replace(view, parts=parts), index.name, row.ufunc))


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
