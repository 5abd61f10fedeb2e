"""Give the quotient and the remainder of an index by a number loops of their own.

Rewrite:   for i < 2*H  y[i] = x[i//2] w[i%2]   ->  for i1 < H, i2 < 2  y[2*i1+i2] = x[i1] w[i2]
Requires:  a range from 0 to a multiple of the number; an index that stands in subscripts alone, of
           which no other quotient or remainder is taken; a nest that reads nothing it writes.
Keeps:     every value, and the order: the quotient's loop is the outer one.
Source: strip mining, e.g. Wolfe, High Performance Compilers for Parallel Computing, ch. 9.7.
"""

from __future__ import annotations

from loopc.diagnostics.record import replace
from loopc.ir.affine import Affine, affine, simplify, to_expr
from loopc.ir.nodes import (
    ZERO,
    Call,
    Const,
    Expr,
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
    fresh_name,
    map_children,
    reads,
    substitute,
    updates,
    walk,
)

MOST = 16
"""The largest product of the numbers in a nest: each set of remainders is slices of its own."""


def split_quotients(program: Program) -> Program:
    """Return the program with loops over quotients and remainders."""
    body = tuple(_statement(s, MOST) for s in program.body)
    same = all(a is b for a, b in zip(body, program.body, strict=True))
    return program if same else replace(program, body=body)


def _statement(stmt: Stmt, most: int) -> Stmt:
    """Return a statement with indices split by numbers whose product is at most `most`."""
    if not isinstance(stmt, For):
        return stmt
    written = {u.target.array for _, u in updates((stmt,))}
    if any(a.array in written for _, u in updates((stmt,)) for a in reads(u.value)):
        return stmt
    for index in stmt.indices:
        number = _divisor(index, stmt)
        if 1 < number <= most:
            return _statement(_split(stmt, index, number), most // number)
    body = tuple(_statement(s, most) for s in stmt.body)
    same = all(a is b for a, b in zip(body, stmt.body, strict=True))
    return stmt if same else replace(stmt, body=body)


def _divisor(index: Index, nest: For) -> int:
    """Return the one number that an index is divided by in a nest; 0: it is not to be split."""
    here, found = IndexRef(index.name), set[object]()
    for call in walk(nest):
        if isinstance(call, Call) and call.fn in ("floordiv", "mod"):
            dividend, divisor = call.args
            if dividend == here and isinstance(divisor, Const):
                found.add(divisor.value)
            elif index.name in free_indices(call):
                return 0
    binders = [n for n in walk(nest) if isinstance(n, For | Reduce) and n is not nest]
    shadowed = any(i.name == index.name for b in binders for i in b.indices)
    stop = None if index.stop is None else affine(index.stop)
    if len(found) != 1 or shadowed or not _stands_in_subscripts(index.name, nest):
        return 0
    (number,) = found
    if not isinstance(number, int) or stop is None or (index.start, index.step) != (ZERO, 1):
        return 0
    whole = number > 1 and all(c % number == 0 for c in (stop.constant, *dict(stop.terms).values()))
    return number if whole else 0


def _stands_in_subscripts(name: str, node: Node) -> bool:
    """Whether an index is in subscripts alone."""
    if isinstance(node, Subscript):
        return True
    if isinstance(node, IndexRef):
        return node.name != name
    return all(_stands_in_subscripts(name, c) for c in children(node))


def _split(nest: For, index: Index, number: int) -> For:
    """Return a nest with two loops for one over a multiple of a number."""
    taken = {n.name for n in walk(nest) if isinstance(n, Index | IndexRef)}
    outer = IndexRef(fresh_name(index.name, taken))
    inner = IndexRef(fresh_name(index.name, taken | {outer.name}))
    here, by = IndexRef(index.name), Const(number)
    parts: dict[Node, Expr] = {
        Call("floordiv", (here, by)): outer,
        Call("mod", (here, by)): inner,
    }

    def split(node: Node) -> Node:
        return parts.get(node) or map_children(node, split)

    whole = simplify(Call("add", (Call("mul", (by, outer)), inner)))
    place = nest.indices.index(index)
    indices = (*nest.indices[:place], *nest.indices[place + 1 :])
    rest = substitute(split(replace(nest, indices=indices)), {index.name: whole})
    assert isinstance(rest, For)
    size = None if index.stop is None else affine(index.stop)
    assert size is not None
    size = Affine(size.constant // number, tuple((a, c // number) for a, c in size.terms))
    new = Index(outer.name, ZERO, to_expr(size)), Index(inner.name, ZERO, by)
    return replace(rest, indices=(*rest.indices[:place], *new, *rest.indices[place:]))
