"""Rows of the table of functions: operators, comparisons, logic and choices.

There is no row for subtraction: `a - b` is `a + (-b)`.
"""

from __future__ import annotations

import operator

from loopc.ir import scalars
from loopc.ir.function_row import Function, Infix

_ORDINARY = ((1.3, 0.7), (-2.1, 1.9), (0.4, -1.6))


def _product(number: int) -> str:
    """Return a power of `a` by few products, each at most one rounding and twice the error more."""
    if number <= 3:
        return " * ".join("a" * number)
    half = f"({_product(number // 2)})**2"
    return f"{half} * a" if number % 2 else half


def _powers(largest: int, roots: int) -> tuple[tuple[float, str], ...]:
    """Return the powers of `a` that take fewer operations as products and square roots.

    No product on the way is larger than the last one, or smaller: none is infinite or 0 before.
    """
    found = {float(k): _product(k) for k in range(2, largest + 1)}
    found |= {k + 0.5: f"{_product(k)} * sqrt(a)" for k in range(1, roots + 1)}
    found |= {-k: f"1 / ({text})" for k, text in found.items()}
    found |= {-1: "1 / a", -0.5: "1 / sqrt(a)"}
    of_roots = (k for k in found if abs(k) % 2 == 0.5)
    found |= {k: f"abs({found[k]})" for k in of_roots}  # of -0.0 a root is -0.0, a power is not
    return tuple(sorted(found.items()))


_ARITHMETIC = (
    Function(
        name="add",
        params=("a", "b"),
        scalar=operator.add,
        numpy="{a} + {b}",
        partials=("1", "1"),
        infix=Infix("+", 5),
        variadic=True,
        result="same",
        whole="kept",
        counts_bools=True,
        complex=True,
        samples=_ORDINARY,
    ),
    Function(
        name="mul",
        params=("a", "b"),
        scalar=operator.mul,
        numpy="{a} * {b}",
        partials=("b", "a"),
        infix=Infix("*", 6),
        variadic=True,
        result="same",
        whole="kept",
        counts_bools=True,
        complex=True,
        samples=_ORDINARY,
        kinks=(((0.0, 0.0), (0.0, 0.0)), ((0.0, 3.0), (3.0, 0.0))),
    ),
    Function(
        name="neg",
        params=("x",),
        scalar=scalars.negate,
        numpy="-{x}",
        partials=("-1",),
        infix=Infix("-", 7),
        result="same",
        whole="kept",
        counts_bools=True,
        complex=True,
        samples=((1.3,), (-2.1,)),
    ),
    Function(
        name="div",
        params=("a", "b"),
        scalar=scalars.divide,
        numpy="{a} / {b}",
        partials=("1 / b", "-y / b"),
        infix=Infix("/", 6),
        counts_bools=True,
        complex=True,
        samples=_ORDINARY,
    ),
    Function(
        name="floordiv",
        params=("a", "b"),
        scalar=scalars.floor_divide,
        numpy="{a} // {b}",
        infix=Infix("//", 6),
        result="same",
        whole="always",
        counts_bools=True,
        samples=((7.3, 2.0), (-7.3, 2.0), (7.3, -2.0)),
        source="An integer // 0 is 0, as in NumPy; a float one is a / 0.",
    ),
    Function(
        name="mod",
        params=("a", "b"),
        scalar=scalars.modulo,
        numpy="{a} % {b}",
        partials=("1", "-(a // b)"),
        infix=Infix("%", 6),
        result="same",
        whole="kept",
        counts_bools=True,
        samples=((7.3, 2.0), (-7.3, 2.0), (7.3, -2.0)),
        source="a - b (a // b), with b's sign; an integer % 0 is 0, as in NumPy.",
    ),
    Function(
        name="pow",
        params=("a", "b"),
        scalar=scalars.power,
        numpy="{a} ** {b}",
        math="pow",
        partials=(
            "where(b == 0, where(a > 1e-30 and a < inf, b * a ** (b - 1), 0), b * a ** (b - 1))",
            "where(a == 0, 0, y * ln(a))",
        ),
        by_number=_powers(16, 3),
        infix=Infix("**", 8, named=True),
        result="same",
        counts_bools=True,
        complex=True,
        samples=((1.3, 2.0), (0.4, -1.6), (2.5, 0.5)),
        kinks=(
            ((0.0, 0.0), (0.0, 0.0)),
            ((0.0, 1.0), (1.0, 0.0)),
            ((0.0, 2.0), (0.0, 0.0)),
            ((0.0, 3.0), (0.0, 0.0)),
            ((2.0, 0.0), (0.0, 0.6931471805599453)),
        ),
        source="x**0 has derivative 0 everywhere, 0**y has derivative 0 by y. At an ordinary x the "
        "derivative of x**y by x is a function of y, at y = 0 too: its own derivatives are right. "
        "Generated code takes roots for halves: of -inf they are NaN.",
    ),
)


def _comparison(name: str, symbol: str, numpy: str) -> Function:
    return Function(
        name=name,
        params=("a", "b"),
        scalar=getattr(operator, name),
        numpy=f"{{a}} {numpy or symbol} {{b}}",
        infix=Infix(symbol, 4),
        result="bool",
        counts_bools=True,
        complex=name in ("eq", "ne"),
        samples=(*_ORDINARY, (1.0, 1.0)),
    )


_COMPARISONS = tuple(
    _comparison(name, symbol, symbol)
    for name, symbol in zip(
        ("eq", "ne", "lt", "le", "gt", "ge"), ("==", "!=", "<", "<=", ">", ">="), strict=True
    )
)


def _both(a: object, b: object) -> bool:
    return bool(a) and bool(b)


def _either(a: object, b: object) -> bool:
    return bool(a) or bool(b)


_LOGIC = (
    Function(
        name="and",
        params=("a", "b"),
        scalar=_both,
        numpy="np.logical_and({a}, {b})",
        infix=Infix("and", 2),
        variadic=True,
        result="bool",
        samples=((1.0, 0.0), (1.0, 2.0), (0.0, 0.0)),
    ),
    Function(
        name="or",
        params=("a", "b"),
        scalar=_either,
        numpy="np.logical_or({a}, {b})",
        infix=Infix("or", 1),
        variadic=True,
        result="bool",
        samples=((1.0, 0.0), (1.0, 2.0), (0.0, 0.0)),
    ),
    Function(
        name="not",
        params=("x",),
        scalar=operator.not_,
        numpy="np.logical_not({x})",
        infix=Infix("not", 3),
        result="bool",
        samples=((1.0,), (0.0,), (-2.5,)),
    ),
)

_CHOICES = (
    Function(
        name="max",
        latex=r"\max",
        params=("a", "b"),
        scalar=scalars.maximum,
        numpy="np.maximum({a}, {b})",
        partials=("0.5 * ((a > b) + (a >= b))", "0.5 * ((b > a) + (b >= a))"),
        variadic=True,
        result="same",
        whole="kept",
        scalar_loop=True,
        samples=_ORDINARY,
        kinks=(((1.0, 1.0), (0.5, 0.5)), ((float("-inf"), float("-inf")), (0.5, 0.5))),
        source="Equal arguments share the adjoint evenly; a NaN wins.",
    ),
    Function(
        name="min",
        latex=r"\min",
        params=("a", "b"),
        scalar=scalars.minimum,
        numpy="np.minimum({a}, {b})",
        partials=("0.5 * ((a < b) + (a <= b))", "0.5 * ((b < a) + (b <= a))"),
        variadic=True,
        result="same",
        whole="kept",
        scalar_loop=True,
        samples=_ORDINARY,
        kinks=(((1.0, 1.0), (0.5, 0.5)), ((float("inf"), float("inf")), (0.5, 0.5))),
        source="Equal arguments share the adjoint evenly; a NaN wins.",
    ),
    Function(
        name="where",
        latex=r"\begin{cases} {a} & \text{if } {c} \\ {b} & \text{otherwise} \end{cases}",
        params=("c", "a", "b"),
        scalar=scalars.choose,
        numpy="np.where({c}, {a}, {b})",
        partials=("0", "where(c, 1, 0)", "where(c, 0, 1)"),
        result="same",
        whole="kept",
        complex=True,
        samples=((1.0, 1.3, 0.7), (0.0, -2.1, 1.9)),
    ),
    Function(
        name="clip",
        params=("x", "lo", "hi"),
        scalar=scalars.clamp,
        numpy="np.minimum(np.maximum({x}, {lo}), {hi})",
        partials=(
            "0.25 * ((x > lo) + (x >= lo)) * ((x < hi) + (x <= hi))",
            "0.25 * ((x < lo) + (x <= lo)) * ((lo < hi) + (lo <= hi))",
            "0.5 * ((max(x, lo) > hi) + (max(x, lo) >= hi))",
        ),
        definition="min(max(x, lo), hi)",
        result="same",
        whole="kept",
        samples=((0.3, -1.0, 1.0), (-2.5, -1.0, 1.0), (2.5, -1.0, 1.0), (0.3, 1.0, -1.0)),
        kinks=(
            ((-1.0, -1.0, 1.0), (0.5, 0.5, 0.0)),
            ((1.0, -1.0, 1.0), (0.5, 0.0, 0.5)),
        ),
        source="min(max(x, lo), hi): half the adjoint to the bound at a bound.",
    ),
    Function(
        name="stopgrad",
        params=("x",),
        scalar=scalars.identity,
        numpy="{x}",
        result="same",
        whole="kept",
        complex=True,
        samples=((1.3,), (-2.1,)),
        source="Its argument, with derivative 0.",
    ),
)

ROWS: tuple[Function, ...] = (*_ARITHMETIC, *_COMPARISONS, *_LOGIC, *_CHOICES)
