"""A pointwise reduction that is read at a computed position, as the text of a program can say it.

A running sum or a softmax stands for its value at the loop index of the same name. Where a loop has
been brought to other numbers, that value is at an expression of them, which an index of one value
says:  for a < n: y += cummax[k](x[k]) at 5 - 2a   ->   for a < n, k in range(5 - 2a, 5 - 2a + 1): …
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from loopc.diagnostics.record import replace
from loopc.ir.affine import plus
from loopc.ir.nodes import Array, Expr, Extent, For, Index, IndexRef, Node, Reduce, Stmt, Update
from loopc.ir.reductions import REDUCTIONS, lookup
from loopc.ir.visit import free_indices, map_children, walk

N = TypeVar("N", bound=Node)


def with_points(stmts: tuple[Stmt, ...], arrays: Sequence[Array] = ()) -> tuple[Stmt, ...]:
    """Return statements in which the position of each pointwise reduction is an index."""
    if not any(_computed(n) for s in stmts for n in walk(s)):
        return stmts
    taken = {a.name for a in arrays}
    nodes = [n for s in stmts for n in walk(s)]
    taken |= {n.name for n in nodes if isinstance(n, Index | IndexRef | Extent)}
    return tuple(_pointed(s, taken) for s in stmts)


def _computed(node: Node) -> bool:
    return isinstance(node, Reduce) and any(not _is_named(e, node) for e in node.at)


def _is_named(at: Expr, value: Reduce) -> bool:
    """Whether a position is an index whose name a reduction can take: its terms do not use it."""
    return isinstance(at, IndexRef) and at.name not in free_indices(replace(value, at=()))


def _pointed(stmt: Stmt, taken: set[str]) -> Stmt:
    if isinstance(stmt, Update):
        indices: list[Index] = []
        made = _at_indices(stmt, frozenset(), indices, taken)
        return For(tuple(indices), None, (made,), span=stmt.span) if indices else made
    if not isinstance(stmt, For):
        return stmt
    body = tuple(_pointed(s, taken) for s in stmt.body)
    (first, *others) = body
    if not others and isinstance(stmt.body[0], Update) and isinstance(first, For):
        return replace(stmt, indices=(*stmt.indices, *first.indices), body=first.body)
    return replace(stmt, body=body)


def _at_indices(node: N, bound: frozenset[str], indices: list[Index], taken: set[str]) -> N:
    """Put indices in the place of positions; `indices` takes those that the loops outside decide.

    One that a reduction's index decides is of a reduction over one value, just there:
    min[k < K](cumsum[k](x[k]) at 2k)  ->  min[k < K](sum[k1 in range(2k, 2k + 1)](cumsum[k1](…)))
    """
    if not isinstance(node, Reduce):
        return map_children(node, lambda n: _at_indices(n, bound, indices, taken))
    own: list[Index] = []
    pairs = zip(node.at, node.indices, strict=False)  # only a pointwise one has positions
    at = tuple(
        e
        if _is_named(e, node)
        else _index(e, i, indices if bound.isdisjoint(free_indices(e)) else own, taken)
        for e, i in pairs
    )
    inner = bound | {i.name for i in node.indices}
    made = map_children(replace(node, at=at), lambda n: _at_indices(n, inner, indices, taken))
    if not own:
        return made
    return replace(node, op=_fold(node.op), indices=tuple(own), guard=None, body=made, at=())


def _fold(op: str) -> str:
    """Return the reduction that leaves one value of a pointwise one as it is."""
    row = lookup(op)
    same = (r.name for r in REDUCTIONS if row and r.form == "fold" and r.fn and r.fn == row.fn)
    return next(same, "max")


def _index(at: Expr, own: Index, indices: list[Index], taken: set[str]) -> Expr:
    known = next((i for i in indices if i.start == at), None)
    if known is None:
        number = next(n for n in range(1, len(taken) + 2) if f"{own.name}{n}" not in taken)
        known = Index(f"{own.name}{number}", at, plus(at, 1), written=True)
        taken.add(known.name)
        indices.append(known)
    return IndexRef(known.name)
