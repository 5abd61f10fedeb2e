"""Loops round the statements of an adjoint, and of those that it is made of."""

from __future__ import annotations

from loopc.analysis.dependence import dependences, leaves
from loopc.diagnostics.record import replace
from loopc.ir.nodes import Expr, For, Index, Stmt
from loopc.ir.visit import conjunction, loop, reads, updates


def carrying(stmt: For) -> tuple[tuple[Index, ...], tuple[Index, ...]]:
    """Return the loops down to the last one that carries a dependence, and those inside of it."""
    levels = [e.level for e in dependences(leaves((stmt,))) if e.level is not None]
    count = 1 + max(levels, default=-1)
    return stmt.indices[:count], stmt.indices[count:]


def wrapped(indices: tuple[Index, ...], conditions: tuple[Expr, ...], stmt: Stmt) -> Stmt:
    """Put a statement into loops and under conditions."""
    guard = conjunction(*conditions) if conditions else None
    return loop(indices, guard, stmt)[0]


def merged(outer: For, inner: Stmt) -> Stmt:
    """Return the loop `outer` round `inner`, as one loop where that means the same."""
    if not isinstance(inner, For):
        return replace(outer, body=(inner,))
    data = any(True for i in inner.indices for _ in reads(i))
    if outer.guard is not None and (data or inner.guard is None) and inner.indices and data:
        return replace(outer, body=(inner,))
    guards = tuple(dict.fromkeys(g for g in (outer.guard, inner.guard) if g is not None))
    guard = conjunction(*guards) if guards else None
    return For((*outer.indices, *inner.indices), guard, inner.body, span=outer.span)


def alone(stmt: Stmt, number: int, instead: Stmt) -> tuple[Stmt, ...]:
    """Return the loops and guards round one update of a statement, with another in its place."""
    if not isinstance(stmt, For):
        return (instead,) if number == 0 else ()
    found: list[Stmt] = []
    for child in stmt.body:
        here = sum(1 for _ in updates((child,)))
        if 0 <= number < here:
            found += [merged(stmt, s) for s in alone(child, number, instead)]
        number -= here
    return tuple(found)
