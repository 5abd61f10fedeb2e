"""Ends of index expressions that are no sums of multiples: `i*(i+1)//2 + j`, a packed triangle.

A polynomial in an index is largest at an end of the index's range if it never falls, or never
rises, from one value of the index to the next; so is its quotient by a positive number.
"""

from __future__ import annotations

from collections.abc import Callable

from loopc.ir.affine import Affine, affine, plus, to_expr
from loopc.ir.nodes import Call, Const, Expr, IndexRef
from loopc.ir.visit import free_indices, substitute, walk


def extreme(
    form: Affine,
    name: str,
    ends: tuple[Expr, Expr],
    side: int,
    sign: Callable[[Affine], int],
) -> Expr | None:
    """Return the largest (side 1) or smallest value of a form along an index; None: unknown.

    Args:
        form: a polynomial in the index, its coefficients without it, plus or minus at most one
            quotient of such a polynomial by a positive number.
        name: the index.
        ends: its first and its last value.
        side: which extreme.
        sign: 1 for a form that is never negative, -1 for one that is never positive, else 0.
    """
    inside = [(a, c) for a, c in form.terms if name in free_indices(a)]
    quotients = [(a, c) for a, c in inside if isinstance(a, Call) and a.fn == "floordiv"]
    divisor = 1
    if quotients:
        (atom, c), *others = quotients
        assert isinstance(atom, Call)
        top, by = affine(atom.args[0]), atom.args[1]
        if others or abs(c) != 1 or top is None or not isinstance(by, Const):
            return None
        divisor = int(by.value.real)
        if c < 0:  # -(x // d) = (d - 1 - x) // d
            top = Affine(divisor - 1) - top
        rest = Affine(form.constant, tuple(t for t in form.terms if t[0] != atom))
        form = top + rest.scaled(divisor)
    if divisor < 1 or not all(_is_polynomial(a, name) for a, _ in form.terms):
        return None
    whole = to_expr(form)
    turn = sign(_moved(whole, name, plus(IndexRef(name), 1)) - form)
    if not turn:
        return None
    found = to_expr(_moved(whole, name, ends[turn * side > 0]))
    return found if divisor == 1 else Call("floordiv", (found, Const(divisor)))


def is_at_an_end(form: Affine, name: str, ends: tuple[Expr, Expr], value: Affine) -> bool:
    """Whether a form has that value at an end of the range: it is no sum of terms' own extremes."""
    if sum(name in free_indices(atom) for atom, _ in form.terms) < 2:
        return True
    return any(_moved(to_expr(form), name, end) == value for end in ends)


def is_curved(form: Affine, name: str) -> bool:
    """Whether the index is multiplied by itself in a form."""
    products = (n for atom, _ in form.terms for n in walk(atom) if isinstance(n, Call))
    return any(n.fn == "mul" and sum(name in free_indices(a) for a in n.args) > 1 for n in products)


def _is_polynomial(atom: Expr, name: str) -> bool:
    factors = atom.args if isinstance(atom, Call) and atom.fn == "mul" else (atom,)
    return all(f == IndexRef(name) or name not in free_indices(f) for f in factors)


def _moved(expr: Expr, name: str, value: Expr) -> Affine:
    """Return an integer expression with `value` for the index."""
    form = affine(substitute(expr, {name: value}))
    assert form is not None
    return form
