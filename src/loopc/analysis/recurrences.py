"""Recurrences that are running reductions: each cell adds a term to the one before."""

from __future__ import annotations

from loopc.ir.affine import Affine, equal, to_expr
from loopc.ir.nodes import Access, Call, Expr, Index, IndexRef, Read, Update
from loopc.ir.visit import reads, substitute

_OPS = {"add": "+=", "mul": "*=", "max": "max=", "min": "min="}


def running_term(update: Update, index: Index) -> tuple[str, Expr | None] | None:
    """Return the reduction that an update runs along a loop, and its term.

    The term is None if the cells hold it; nothing is returned if it is no running reduction.
    """
    before = cell_before(update.target, index)
    if any(True for s in update.target.subscripts for _ in reads(s.at)):
        return None
    if update.op != "=":
        is_it = isinstance(update.value, Read) and _is_same(update.value.access, before)
        return (update.op, None) if is_it and update.op in _OPS.values() else None
    value = update.value
    if not isinstance(value, Call) or value.fn not in _OPS or len(value.args) != 2:
        return None
    for own, other in (value.args, value.args[::-1]):
        if isinstance(own, Read) and _is_same(own.access, before):
            apart = all(a.array != update.target.array for a in reads(other))
            return (_OPS[value.fn], other) if apart else None
    return None


def cell_before(target: Access, index: Index) -> Access:
    """Return the cell that the iteration before writes."""
    earlier = to_expr(Affine(-index.step, ((IndexRef(index.name), 1),)))
    moved: Access = substitute(target, {index.name: earlier})
    return moved


def _is_same(a: Access, b: Access) -> bool:
    """Whether two accesses are to one cell."""
    return a.array == b.array and all(
        p.mode == q.mode == "strict" and equal(p.at, q.at)
        for p, q in zip(a.subscripts, b.subscripts, strict=True)
    )
