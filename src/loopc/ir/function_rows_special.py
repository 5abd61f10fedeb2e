"""Rows of the table of functions: activations, the error and the gamma functions."""

from __future__ import annotations

from loopc.ir import helpers, scalars, scalars_special
from loopc.ir.function_row import Function

_ANY = ((0.3,), (-1.7,), (2.5,))
_INF = float("inf")

_DENSITY = "exp(-0.5 * x ** 2) / sqrt(2 * pi)"
_TAIL = f"({_DENSITY} * mills(x))"
_BELOW = f"abs((x >= 0) - {_TAIL})"
"""Φ(x), from the tail on the side of x, so that it keeps its digits there."""

_ACTIVATIONS = (
    Function(
        name="sigmoid",
        latex=r"\sigma",
        absorbs=True,
        aliases=("σ",),
        params=("x",),
        scalar=scalars_special.sigmoid,
        numpy="_sigmoid({x})",
        helper=helpers.SIGMOID,
        fast=("exp(min(x, 64)) / (1 + exp(min(x, 64)))",),
        partials=("y * (1 - y)",),
        keep_prime=True,
        counts_bools=True,
        samples=_ANY,
    ),
    Function(
        name="softplus",
        params=("x",),
        scalar=scalars_special.softplus,
        numpy="_softplus({x})",
        helper=helpers.SOFTPLUS,
        partials=("sigmoid(x)",),
        keep_prime=True,
        counts_bools=True,
        samples=_ANY,
    ),
    Function(
        name="relu",
        params=("x",),
        scalar=scalars.relu,
        numpy="np.maximum({x}, 0)",
        partials=("x > 0",),
        slope="y > 0",
        keep_prime=True,
        result="same",
        whole="kept",
        counts_bools=True,
        scalar_loop=True,
        samples=_ANY,
        kinks=(((0.0,), (0.0,)), ((-0.0,), (0.0,))),
    ),
    Function(
        name="gelu",
        params=("x",),
        scalar=scalars_special.gelu,
        definition="0.5 * x * erfc(-x / sqrt(2))",
        fast=(f"x * {_BELOW}", f"{_BELOW} + x * ({_DENSITY})"),
        partials=("0.5 * erfc(-x / sqrt(2)) + x * exp(-0.5 * x ** 2) / sqrt(2 * pi)",),
        keep_prime=True,
        counts_bools=True,
        samples=_ANY,
        source="x Φ(x), exact, not the tanh approximation: Hendrycks and Gimpel, 2016.",
    ),
    Function(
        name="silu",
        params=("x",),
        scalar=scalars_special.silu,
        definition="x * sigmoid(x)",
        partials=("sigmoid(x) * (1 + x * (1 - sigmoid(x)))",),
        keep_prime=True,
        counts_bools=True,
        samples=_ANY,
        source="x σ(x): Elfwing, Uchibe and Doya, 2017.",
    ),
    Function(
        name="logaddexp",
        params=("a", "b"),
        scalar=scalars_special.logaddexp,
        numpy="np.logaddexp({a}, {b})",
        partials=("where(y == -inf, 0, sigmoid(a - b))", "where(y == -inf, 0, sigmoid(b - a))"),
        counts_bools=True,
        samples=((1.3, 0.7), (-2.1, 1.9), (0.4, -1.6)),
        kinks=(((-_INF, -_INF), (0.0, 0.0)), ((-_INF, 1.0), (0.0, 1.0))),
        source="Of two -inf it is -inf, with gradient 0.",
    ),
)

_SPECIAL = (
    Function(
        name="erf",
        params=("x",),
        scalar=scalars_special.erf,
        numpy="_erf({x})",
        helper=helpers.ERF,
        partials=("2 / sqrt(pi) * exp(-x ** 2)",),
        keep_prime=True,
        counts_bools=True,
        samples=_ANY,
    ),
    Function(
        name="erfc",
        params=("x",),
        scalar=scalars_special.erfc,
        numpy="_erfc({x})",
        helper=helpers.ERFC,
        partials=("-2 / sqrt(pi) * exp(-x ** 2)",),
        keep_prime=True,
        counts_bools=True,
        samples=_ANY,
    ),
    Function(
        name="mills",
        params=("x",),
        scalar=scalars_special.mills,
        numpy="_mills({x})",
        helper=helpers.MILLS,
        partials=("x * y - sign(x)",),
        counts_bools=True,
        samples=_ANY,
        kinks=(((0.0,), (0.0,)),),
        source="The normal distribution's (1 - Φ(|x|)) / φ(x), Mills' ratio, mirrored at 0.",
    ),
    Function(
        name="lgamma",
        params=("x",),
        scalar=scalars_special.lgamma,
        numpy="_lgamma({x})",
        helper=helpers.LGAMMA,
        partials=("digamma(x)",),
        counts_bools=True,
        samples=((0.3,), (1.7,), (25.0,), (-2.4,)),
        source="ln |Γ(x)|.",
    ),
    Function(
        name="digamma",
        latex=r"\psi",
        params=("x",),
        scalar=scalars_special.digamma,
        numpy="_digamma({x})",
        helper=helpers.DIGAMMA,
        partials=("polygamma(1, x)",),
        counts_bools=True,
        samples=((0.3,), (1.7,), (25.0,), (-2.4,)),
    ),
    Function(
        name="polygamma",
        params=("n", "x"),
        scalar=scalars_special.polygamma,
        numpy="_polygamma({n}, {x})",
        helper=helpers.POLYGAMMA,
        partials=("0", "polygamma(n + 1, x)"),
        counts_bools=True,
        samples=((1.0, 0.3), (1.0, 1.7), (2.0, 25.0), (3.0, -2.4)),
        source="The n-th derivative of digamma, n = 1, 2 …; it has no derivative by n.",
    ),
)

ROWS: tuple[Function, ...] = (*_ACTIVATIONS, *_SPECIAL)
