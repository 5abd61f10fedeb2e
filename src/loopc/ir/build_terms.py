"""What expressions are put together from: ranges, sums of sizes, products in order."""

from __future__ import annotations

from typing import Any, NamedTuple

from loopc.diagnostics.span import Span
from loopc.ir import functions, reductions
from loopc.ir.affine import affine, is_nonnegative, simplify, to_expr
from loopc.ir.nodes import Call, Const, Expr, IndexRef
from loopc.ir.visit import neg
from loopc.syntax import tree


def reversed_range(start: Expr, stop: Expr, step: int) -> tuple[Expr, Expr, int]:
    """Return the range that has the same values, last first."""
    sign = 1 if step > 0 else -1
    last = sum_of(stop, Const(-sign))
    if abs(step) > 1:
        trips = Call("floordiv", (sum_of(last, neg(start)), Const(step)))
        last = sum_of(start, Call("mul", (Const(step), trips)))
    return last, sum_of(start, Const(-sign)), -step


def counted(name: str, start: Expr, stop: Expr, step: Expr) -> tuple[Expr, Expr]:
    """Return how many values a range in steps of any size has, and the value at a count `name`."""
    span = sum_of(stop, neg(start))
    trips: Expr
    if is_nonnegative(step):
        trips = Call("floordiv", (sum_of(sum_of(span, step), Const(-1)), step))
    else:
        trips = neg(Call("floordiv", (neg(span), step)))
    return simplify(trips), sum_of(start, Call("mul", (step, IndexRef(name))))


class Written(NamedTuple):
    """A range as written: `range(…)` itself, its 1 to 3 arguments, whether in `reversed(…)`."""

    bound: tree.Expr
    items: tuple[Any, ...]
    backwards: bool


def range_written(bound: tree.Expr) -> Written:
    """Take `range(…)` or `reversed(range(…))` apart; no arguments: it is neither."""
    backwards = False
    match bound:
        case tree.Chain(
            (tree.Operand(_, 0, tree.Name("reversed")), tree.Operand(_, 0, tree.Group((inner,))))
        ):
            backwards, bound = True, inner  # type: ignore[assignment]
        case _:
            pass
    match bound:
        case tree.Chain(
            (tree.Operand(_, 0, tree.Name("range")), tree.Operand(_, 0, tree.Group(items)))
        ) if len(items) <= 3:
            return Written(bound, items, backwards)
        case _:
            return Written(bound, (), backwards)


def sum_of(a: Expr, b: Expr) -> Expr:
    """Return a sum of sizes in normal form."""
    form = affine(Call("add", (a, b)))
    return Call("add", (a, b)) if form is None else to_expr(form)


def times(factors: list[Expr], span: Span | None) -> Expr:
    """Return the product of factors in order, a sign taken to the front: it never rounds."""
    flat: list[Expr] = []
    negative = False
    for number, written in enumerate(factors):
        factor = written
        if len(factors) > 1 and isinstance(factor, Call) and factor.fn == "neg":
            negative, factor = not negative, factor.args[0]
        if number == 0 and len(factors) > 1 and isinstance(factor, Call) and factor.fn == "mul":
            flat.extend(factor.args)
        else:
            flat.append(factor)
    product = flat[0] if len(flat) == 1 else Call("mul", tuple(flat), span=span)
    return Call("neg", (product,), span=span) if negative else product


def divided(op: str, a: Expr, b: Expr, span: Span | None) -> Expr:
    """Return a quotient, a sign of a true one taken to the front."""
    if op == "div" and isinstance(a, Call) and a.fn == "neg":
        return Call("neg", (Call(op, (a.args[0], b), span=span),), span=span)
    return Call(op, (a, b), span=span)


def name_of(node: tree.Expr) -> str:
    """Return the name of a name or a bracket."""
    return node.name if isinstance(node, tree.Name | tree.Bracket) else ""


def usage(row: functions.Function) -> str:
    """Return how a function is called."""
    return f"{row.name}({', '.join(row.params)})"


def corrected(row: functions.Function) -> str:
    """Return how a function is called that was given other arguments than it takes."""
    over = f"`; over an index, `{row.name}[k](…)" if reductions.lookup(row.name) else ""
    return usage(row) + over
