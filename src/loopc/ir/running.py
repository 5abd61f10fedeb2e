"""Running reductions over several indices, said by plain ones."""

from __future__ import annotations

from loopc.diagnostics.record import replace
from loopc.ir.nodes import Call, Expr, Index, IndexRef, Node, Reduce, Stmt
from loopc.ir.reductions import REDUCTIONS, lookup
from loopc.ir.visit import contains, free_indices, map_children, opened_reduction


def without_running(body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    """Return statements in which a running reduction over several indices is a guarded one.

    `cumsum[i, k](x[i,k])` at `[p, q]` is `sum[i, k if i < p or i == p and k <= q](x[i,k])`: the sum
    of the terms up to that point in the order of the loops.
    """

    def put(node: Node) -> Node:
        if not contains(node, Reduce):
            return node
        new = map_children(node, put)
        return _as_fold(new) if isinstance(new, Reduce) and _is_running(new) else new

    return tuple(put(s) for s in body)  # type: ignore[misc]


def _is_running(value: Reduce) -> bool:
    row = lookup(value.op)
    assert row is not None
    return bool(value.at) and row.evaluate is None and len(value.indices) > 1


def _as_fold(value: Reduce) -> Reduce:
    row = lookup(value.op)
    assert row is not None
    fold = next(r for r in REDUCTIONS if r.form == "fold" and r.fn == row.fn and r.name)
    taken = {name for position in value.at for name in free_indices(position)}
    opened = opened_reduction(replace(value, at=()), taken)
    upto = _upto(opened.indices, value.at)
    guard = upto if opened.guard is None else Call("and", (upto, opened.guard))
    return replace(opened, op=fold.name, guard=guard)


def _upto(indices: tuple[Index, ...], at: tuple[Expr, ...]) -> Expr:
    """Return whether a point is not behind a position in the order of the loops."""
    (index, *others), (position, *places) = indices, at
    here = IndexRef(index.name)
    rises = index.step > 0
    if not others:
        return Call("le" if rises else "ge", (here, position))
    before = Call("lt" if rises else "gt", (here, position))
    same = Call("eq", (here, position))
    rest = _upto(tuple(others), tuple(places))
    return Call("or", (before, Call("and", (same, rest))))
