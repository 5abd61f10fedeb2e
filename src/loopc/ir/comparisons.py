"""Comparisons of integers: what they say of forms, and whether they surely hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from loopc.ir.affine import Affine, affine, at_least, to_expr
from loopc.ir.bounds import bounds
from loopc.ir.nodes import Call, Expr, Index


def always_holds(condition: Expr, ranges: Mapping[str, Index]) -> bool:
    """Whether a comparison of two numbers surely holds for all values of indices."""
    excess = excess_of(condition)
    return excess is not None and is_at_least_0(to_expr(excess), ranges)


def excess_of(condition: Expr) -> Affine | None:
    """Return the form that is at least 0 exactly where a comparison of two integers holds."""
    match condition:
        case Call("lt" | "le" | "gt" | "ge" as fn, (a, b)):
            small, large = (affine(e) for e in ((a, b) if fn in ("lt", "le") else (b, a)))
        case _:
            return None
    if small is None or large is None:
        return None
    return large - small - Affine(1 if fn in ("lt", "gt") else 0)


def is_at_least_0(expr: Expr, ranges: Mapping[str, Index]) -> bool:
    """Whether an integer expression is surely not negative for all values of indices."""
    low = bounds(expr, ranges).low
    form = None if low is None else affine(low)
    return form is not None and at_least(form, Affine(0))


def margins(form: Affine, conditions: Iterable[Expr]) -> Iterator[Expr]:
    """Yield what a form has more than conditions say: where one is at least 0, so is the form."""
    for condition in conditions:
        excess = excess_of(condition)
        if excess is not None:
            yield to_expr(form - excess)


def follows(expr: Expr, conditions: Iterable[Expr], ranges: Mapping[str, Index]) -> bool:
    """Whether an integer expression is surely not negative where conditions hold.

    One of them has to say so by itself.
    """
    form = affine(expr)
    return form is not None and any(is_at_least_0(m, ranges) for m in margins(form, conditions))
