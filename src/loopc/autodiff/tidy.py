"""Products as a person writes them: literal factors first, divisors last."""

from __future__ import annotations

import math
from fractions import Fraction

from loopc.ir.derive import product
from loopc.ir.nodes import Call, Const, Expr


def tidy(value: Expr) -> Expr:
    """Write literal factors first and divisors last: `g * 2 x (1 / s)` as `2 g x / s`."""
    match value:
        case Call("neg", (inner,)):
            return Call("neg", (tidy(inner),))
        case Call("add", terms):
            return Call("add", tuple(map(tidy, terms)))
        case Call("mul", factors):
            return _product(factors)
        case _:
            return value


def _product(factors: tuple[Expr, ...]) -> Expr:
    literals: list[Expr] = []
    rest: list[Expr] = []
    divisors: list[Expr] = []
    for factor in factors:
        match factor:
            case Const():
                literals.append(factor)
            case Call("div", (Const() as literal, x)):
                literals.append(literal)
                divisors.append(x)
            case _:
                rest.append(tidy(factor))
    result = product(*_exact_product(literals), *rest)
    for divisor in divisors:
        result = Call("div", (result, divisor))
    return result


def _exact_product(literals: list[Expr]) -> list[Expr]:
    """Multiply literals where that rounds nothing: `0.5 * 2` is 1."""
    whole: list[Const] = []
    for literal in literals:
        assert isinstance(literal, Const)
        value = literal.value
        last = whole[-1].value if whole else None
        real = (int, float)
        if not isinstance(last, real) or not isinstance(value, real) or not _is_exact(last, value):
            whole.append(literal)
        else:
            whole[-1] = Const(last * value)
    return [c for c in whole if c.value != 1 or isinstance(c.value, bool)]


def _is_exact(a: float, b: float) -> bool:
    if not (math.isfinite(a) and math.isfinite(b) and abs(a * b) < 2**53):
        return False
    return Fraction(a) * Fraction(b) == Fraction(a * b)
