"""The indices of loops and reductions, with their ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopc.diagnostics.span import Span
from loopc.ir.affine import affine
from loopc.ir.build_terms import counted, range_written, reversed_range, sum_of
from loopc.ir.nodes import Const, Expr, Index, Read, Reduce
from loopc.ir.visit import walk
from loopc.syntax import tree
from loopc.syntax.printer import print_expr

if TYPE_CHECKING:
    from loopc.ir.build_expr import ExprBuilder

Built = tuple[Index, Expr | None]
"""An index, and what its name stands for if that is not the index itself."""


def built_index(
    builder: ExprBuilder, item: tree.Expr | tree.Whole | tree.Index, of: str
) -> Built | None:
    """Build an index of a `for` or of the reduction `of`; None: it is none, which is reported."""
    match item:
        case tree.Name(name, 0) | tree.Index(name, ""):
            return Index(name, span=item.span), None
        case tree.Compare(tree.Name(name, 0), ((("<" | "<=") as relation, bound),)):
            return _bound(builder, name, relation, bound, item.span), None
        case tree.Index(name, "in", bound) if bound is not None:
            return _range(builder, name, bound, item.span, of)
        case tree.Index(name, relation, bound) if bound is not None:
            return _bound(builder, name, relation, bound, item.span), None
        case _:
            builder.names.report("L0310", item.span, text=print_expr(item), name=of)
            return None


def _bound(
    builder: ExprBuilder, name: str, relation: str, bound: tree.Expr, span: Span | None
) -> Index:
    stop = builder.expr(bound)
    if relation == "<=":
        stop = sum_of(stop, Const(1))
    return Index(name, Const(0), stop, written=True, span=span)


def _range(builder: ExprBuilder, name: str, bound: tree.Expr, span: Span | None, of: str) -> Built:
    bound, items, backwards = range_written(bound)
    parts = [builder.expr(i) for i in items]
    start, stop = (Const(0), *parts) if len(parts) == 1 else (*parts, Const(0), Const(0))[:2]
    step = parts[2] if len(parts) == 3 else Const(1)
    value: Expr | None = None
    if _is_counted(builder, (start, stop), step, of):
        trips, value = counted(name, start, stop, step)
        start, stop, step = Const(0), trips, Const(1)
    valid = isinstance(step, Const) and isinstance(step.value, int) and step.value != 0
    if not parts or not valid:
        builder.names.report("L0311", bound.span, text=print_expr(bound))
        return Index(name, Const(0), Const(1), written=True, span=span), None
    assert isinstance(step, Const)
    number = int(step.value.real)
    if backwards:
        start, stop, number = reversed_range(start, stop, number)
    return Index(name, start, stop, number, written=True, span=span), value


def _is_counted(builder: ExprBuilder, ends: tuple[Expr, Expr], step: Expr, of: str) -> bool:
    """Whether the values of a range are made of a count, since its step is no literal.

    All that they are made of stays what it is while the loop runs, and nobody asks which index it
    was: `softmax` and `argmax` do.
    """
    row = builder.names.reduction(of)
    if row is not None and row.form != "fold" and (row.form == "pointwise" or not row.definition):
        return False
    if isinstance(step, Const) or any(affine(e) is None for e in (*ends, step)):
        return False
    if any(isinstance(n, Reduce) or builder.names.is_computed(n) for n in walk(step)):
        return False
    reads = [n for e in (*ends, step) for n in walk(e) if isinstance(n, Read)]
    return not any(n.access.array in builder.names.written for n in reads)
