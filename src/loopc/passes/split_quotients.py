"""Give the quotient and the remainder of an index by a number loops of their own.

Rewrite:   for i < 2*H  y[i] = x[i//2] w[i%2]   ->  for i1 < H, i2 < 2  y[2*i1+i2] = x[i1] w[i2]
Requires:  a range from 0 to a multiple of the number; an index that stands in subscripts alone, of
           which no other quotient or remainder is taken; a nest that reads nothing it writes.
Keeps:     every value, and the order: the quotient's loop is the outer one.
"""

from __future__ import annotations

from loopc.analysis.strip_mining import mined, names_in
from loopc.diagnostics.record import replace
from loopc.ir.affine import Affine, affine, to_expr
from loopc.ir.nodes import (
    ZERO,
    Call,
    Const,
    Expr,
    Extent,
    For,
    Index,
    IndexRef,
    Node,
    Program,
    Reduce,
    Stmt,
    Subscript,
)
from loopc.ir.visit import (
    children,
    free_indices,
    reads,
    updates,
    walk,
)


def split_quotients(program: Program) -> Program:
    """Return the program with loops over quotients and remainders."""
    body = tuple(map(_statement, program.body))
    same = all(a is b for a, b in zip(body, program.body, strict=True))
    return program if same else replace(program, body=body)


def _statement(stmt: Stmt) -> Stmt:
    if not isinstance(stmt, For):
        return stmt
    if not _is_pointwise(stmt):
        return stmt
    for index in stmt.indices:
        found = _quotient(index, stmt)
        if found is not None:
            split = mined(stmt, index, *found, names_in(walk(stmt)))
            assert isinstance(split, For)
            return _statement(split)
    body = tuple(map(_statement, stmt.body))
    same = all(a is b for a, b in zip(body, stmt.body, strict=True))
    return stmt if same else replace(stmt, body=body)


def _is_pointwise(nest: For) -> bool:
    """Whether a nest reads of what it writes only the cell that the same iteration writes."""
    found = [u for _, u in updates((nest,))]
    written = {u.target.array: u.target.subscripts for u in found}
    others = [a for u in found for a in (u.target, *reads(u.value))]
    return all(written.get(a.array, a.subscripts) == a.subscripts for a in others)


def _quotient(index: Index, nest: For) -> tuple[Expr, Expr] | None:
    """Return the one number that an index is divided by in a nest, and the quotient's extent."""
    here, found = IndexRef(index.name), dict[Expr, None]()
    for call in walk(nest):
        if isinstance(call, Call) and call.fn in ("floordiv", "mod"):
            if call.args[0] == here:
                found[call.args[1]] = None
            elif index.name in free_indices(call):
                return None
    binders = [n for n in walk(nest) if isinstance(n, For | Reduce) and n is not nest]
    shadowed = any(i.name == index.name for b in binders for i in b.indices)
    if len(found) != 1 or shadowed or not _stands_in_subscripts(index.name, nest):
        return None
    (number,) = found
    if index.stop is None or (index.start, index.step) != (ZERO, 1):
        return None
    size = _divided(index.stop, number)
    return None if size is None else (number, size)


def _divided(extent: Expr, number: Expr) -> Expr | None:
    """Return an extent divided by a number or a dim, if there is no remainder."""
    form = affine(extent)
    if form is None:
        return None
    if isinstance(number, Extent):
        size, rest = form.collected(number)
        return to_expr(size) if rest == Affine(0) and size.terms else None
    if not isinstance(number, Const) or not isinstance(number.value, int) or number.value < 2:
        return None
    by = number.value
    if form.constant % by or any(c % by for _, c in form.terms):
        return None
    return to_expr(Affine(form.constant // by, tuple((a, c // by) for a, c in form.terms)))


def _stands_in_subscripts(name: str, node: Node) -> bool:
    """Whether an index is in subscripts alone."""
    if isinstance(node, Subscript):
        return True
    if isinstance(node, IndexRef):
        return node.name != name
    return all(_stands_in_subscripts(name, c) for c in children(node))
