"""Derivatives of running reductions.

Of a sum: a term is in all values from its own on, whose cotangents are added up from the end.

Of maxima and minima: the terms that are equal to a value share evenly.
Equal values of `y[i] = cummax[i](x[i])` stand side by side, and the terms that share one value are
those among them with `x[i] == y[i]`. So `n`, how many have come up to a point, is a sum that starts
anew with each value, and so is a tangent's numerator; a cotangent is such a sum from the end.
"""

from __future__ import annotations

from collections.abc import Sequence

from loopc.diagnostics.record import replace
from loopc.ir.affine import plus
from loopc.ir.bounds import backwards
from loopc.ir.build import expression
from loopc.ir.nodes import Access, Call, Const, Expr, Index, IndexRef, Read, Reduce, Stmt, Update
from loopc.ir.reductions import Reduction, lookup
from loopc.ir.visit import loop, substitute


def is_shared(row: Reduction) -> bool:
    """Whether a reduction is a running one whose terms share its values."""
    return is_running(row) and bool(row.adjoint_where)


def is_running(row: Reduction) -> bool:
    """Whether a reduction has a value at each point for the terms up to it."""
    return row.form == "pointwise" and row.evaluate is None


def is_running_extreme(value: Expr) -> bool:
    """Whether a value is a running maximum or minimum."""
    row = lookup(value.op) if isinstance(value, Reduce) else None
    return row is not None and is_shared(row)


def shares(value: Reduce, result: Access) -> tuple[Expr, ...]:
    """Return the conditions for the term at a point to share the value there."""
    row = lookup(value.op)
    assert row is not None
    equal = expression(row.adjoint_where, {"x": value.body, "y": Read(result)})
    return (equal,) if value.guard is None else (value.guard, equal)


def summed_onwards(cell: Access, cotangent: Expr, value: Reduce, loops: Sequence[Index]) -> Update:
    """Return the sums of the cotangents from each point of a running reduction on."""
    (position,) = value.at
    (index,) = (i for i in loops if position == IndexRef(i.name))
    total = replace(value, indices=(backwards(index),), guard=None, body=cotangent)
    return Update(cell, "=", total, span=value.span)


def averaged(sum_of: Access, ties: Access) -> Expr:
    """Return a sum over the terms that share a value, by their number; 0 where none does (NaN)."""
    return Call("div", (Read(sum_of), Call("max", (Read(ties), Const(1)))))


def joined(cell: Access, result: Access, value: Reduce, *, onwards: bool) -> Stmt:
    """Return what adds to a cell the one before it, or behind it, if it has the same value."""
    (index,) = value.indices
    here = IndexRef(index.name)
    assert index.start is not None
    assert index.stop is not None
    if onwards:
        there, inside = plus(here, -1), Call("gt", (here, index.start))
    else:
        there, inside = plus(here, 1), Call("lt", (plus(here, 1), index.stop))
    other = {index.name: there}
    same = Call("eq", (Read(result), Read(substitute(result, other))))
    step = Update(cell, "+=", Read(substitute(cell, other)), span=value.span)
    return loop((), Call("and", (inside, same)), step)[0]
