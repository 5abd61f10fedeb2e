"""Recurrences along a loop: running reductions, and those that are linear in the cell before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from loopc.ir.affine import Affine, equal, to_expr
from loopc.ir.nodes import ONE, ZERO, Access, Call, Expr, Index, IndexRef, Read, Update
from loopc.ir.visit import add, mul, neg, reads, substitute

_Linear: TypeAlias = tuple[Expr, Expr]
"""A factor and a term."""

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


def linear_step(update: Update, index: Index) -> tuple[Expr, Expr] | None:
    """Return the factor and the term of `h[t] = factor h[t-1] + term`; None: it is another step.

    Of `h[t] += …` they are what is added to the cell.
    """
    if update.op not in ("=", "+=") or any(reads(s.at) for s in update.target.subscripts):
        return None
    found = _linear(update.value, cell_before(update.target, index))
    return None if found is None or found[0] == ZERO else found


def _linear(expr: Expr, before: Access) -> _Linear | None:
    """Return what an expression multiplies a cell by, and what it adds; None: it is not linear."""
    if not _uses(expr, before):
        return ZERO, expr
    match expr:
        case Read(access) if _is_same(access, before):
            return ONE, ZERO
        case Call("neg", (inner,)):
            return _each(_linear(inner, before), neg)
        case Call("add", args):
            found = [_linear(a, before) for a in args]
            sides = [f for f in found if f is not None]
            if len(sides) < len(args):
                return None
            factors, terms = ([s[n] for s in sides if s[n] != ZERO] for n in (0, 1))
            return add(*factors), add(*terms)
        case Call("div", (inner, by)) if not _uses(by, before):
            return _each(_linear(inner, before), lambda part: Call("div", (part, by)))
        case Call("mul", args) if sum(_uses(a, before) for a in args) == 1:
            at = next(n for n, a in enumerate(args) if _uses(a, before))
            front, back = args[:at], args[at + 1 :]
            return _each(_linear(args[at], before), lambda part: mul(*front, part, *back))
        case _:
            return None


def _each(found: _Linear | None, change: Callable[[Expr], Expr]) -> _Linear | None:
    """Return factor and term, both changed where they are not 0."""
    if found is None:
        return None
    factor, term = (part if part == ZERO else change(part) for part in found)
    return factor, term


def _uses(expr: Expr, before: Access) -> bool:
    """Whether an expression reads the array of a cell."""
    return any(a.array == before.array for a in reads(expr))


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
