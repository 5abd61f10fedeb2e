"""Rows of the table of functions: powers of e, roots, rounding, angles, hyperbolic functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from loopc.ir import helpers, scalars
from loopc.ir.function_row import Function

_ANY = ((0.3,), (-1.7,), (2.5,))
_POSITIVE = ((0.3,), (1.7,), (25.0,))
_INSIDE = ((0.3,), (-0.6,), (0.95,))


def _ufunc(
    name: str,
    scalar: Callable[..., Any],
    numpy: str,
    partial: str,
    samples: tuple[tuple[float, ...], ...] = _ANY,
    keep_prime: bool = False,
    aliases: tuple[str, ...] = (),
    absorbs: bool = False,
    latex: str = "",
    helper: str = "",
) -> Function:
    """Return the row of a smooth function of one argument that NumPy has, or a helper faster."""
    return Function(
        name=name,
        params=("x",),
        scalar=scalar,
        numpy=f"_{name}({{x}})" if helper else f"np.{numpy}({{x}})",
        helper=helper,
        math=name if hasattr(math, name) else numpy,
        latex=latex,
        partials=(partial,),
        aliases=aliases,
        keep_prime=keep_prime,
        counts_bools=True,
        complex=True,
        absorbs=absorbs,
        samples=samples,
    )


def _rounding(
    name: str,
    scalar: Callable[..., Any],
    source: str = "",
    latex: str = "",
    of_quotient: str = "",
) -> Function:
    """Return the row of a function whose values are whole numbers."""
    return Function(
        name=name,
        params=("x",),
        scalar=scalar,
        numpy=f"np.{name}({{x}})",
        latex=latex,
        result="same",
        whole="always",
        of_quotient=of_quotient,
        counts_bools=True,
        complex=name == "sign",
        apart=name == "sign",
        samples=(*_ANY, (0.5,), (1.5,), (-0.5,)),
        source=source,
    )


ROWS: tuple[Function, ...] = (
    _ufunc("exp", scalars.exp, "exp", "y", absorbs=True, latex=r"\exp"),
    _ufunc("ln", scalars.ln, "log", "1 / x", _POSITIVE, aliases=("log",), latex=r"\ln"),
    _ufunc(
        "log1p",
        scalars.log1p,
        "log1p",
        "1 / (1 + x)",
        ((0.3,), (-0.7,), (1e-9,)),
        helper=helpers.LOG1P,
    ),
    _ufunc("expm1", scalars.expm1, "expm1", "exp(x)", (*_ANY, (1e-9,))),
    _ufunc("sqrt", scalars.sqrt, "sqrt", "0.5 / y", _POSITIVE, latex=r"\sqrt{{x}}"),
    Function(
        name="abs",
        latex=r"\left|{x}\right|",
        params=("x",),
        scalar=abs,
        numpy="np.abs({x})",
        math="fabs",
        partials=("sign(x)",),
        result="real",
        whole="kept",
        counts_bools=True,
        complex=True,
        magnitude=True,
        samples=_ANY,
        kinks=(((0.0,), (0.0,)),),
    ),
    _rounding("sign", scalars.sign),
    _rounding(
        "floor", scalars.floor, latex=r"\left\lfloor {x} \right\rfloor", of_quotient="a // b"
    ),
    _rounding(
        "ceil", scalars.ceil, latex=r"\left\lceil {x} \right\rceil", of_quotient="-(-a // b)"
    ),
    _rounding("round", scalars.rint, source="Halves go to the even neighbour, as in NumPy."),
    Function(
        name="int",
        params=("x",),
        scalar=scalars.integer,
        numpy="_integer({x})",
        result="int",
        counts_bools=True,
        refuses=True,
        samples=((0.3,), (-1.7,), (2.5,)),
        source="An integer, rounded towards zero as in Python; NaN, inf and what an integer "
        "cannot hold are errors.",
    ),
    _ufunc("sin", scalars.sin, "sin", "cos(x)", latex=r"\sin"),
    _ufunc("cos", scalars.cos, "cos", "-sin(x)", latex=r"\cos"),
    _ufunc("tan", scalars.tan, "tan", "1 + y ** 2", ((0.3,), (-1.1,), (1.4,)), latex=r"\tan"),
    _ufunc(
        "asin", scalars.asin, "arcsin", "1 / sqrt((1 - x) * (1 + x))", _INSIDE, latex=r"\arcsin"
    ),
    _ufunc(
        "acos", scalars.acos, "arccos", "-1 / sqrt((1 - x) * (1 + x))", _INSIDE, latex=r"\arccos"
    ),
    _ufunc("atan", scalars.atan, "arctan", "1 / (1 + x ** 2)", latex=r"\arctan"),
    _ufunc("sinh", scalars.sinh, "sinh", "cosh(x)", latex=r"\sinh"),
    _ufunc("cosh", scalars.cosh, "cosh", "sinh(x)", latex=r"\cosh"),
    _ufunc(
        "tanh", scalars.tanh, "tanh", "1 - y ** 2", keep_prime=True, absorbs=True, latex=r"\tanh"
    ),
    Function(
        name="atan2",
        params=("a", "b"),
        scalar=scalars.atan2,
        numpy="np.arctan2({a}, {b})",
        math="atan2",
        partials=(
            "where(hypot(a, b) == 0, 0, b / hypot(a, b) / hypot(a, b))",
            "where(hypot(a, b) == 0, 0, -a / hypot(a, b) / hypot(a, b))",
        ),
        counts_bools=True,
        samples=((1.3, 0.7), (-2.1, 1.9), (0.4, -1.6)),
        kinks=(((0.0, 0.0), (0.0, 0.0)),),
        source="The angle of the point (b, a); its gradient at the origin is 0.",
    ),
    Function(
        name="hypot",
        params=("a", "b"),
        scalar=scalars.hypot,
        numpy="np.hypot({a}, {b})",
        math="hypot",
        partials=("where(y == 0, 0, a / y)", "where(y == 0, 0, b / y)"),
        counts_bools=True,
        samples=((1.3, 0.7), (-2.1, 1.9), (0.4, -1.6)),
        kinks=(((0.0, 0.0), (0.0, 0.0)),),
        source="Its gradient at the origin is 0.",
    ),
)
