"""The reference meaning of activations, the error and the gamma functions; see `scalars`."""

from __future__ import annotations

import math

from loopc.ir.scalars import float_power, floating


@floating()
def sigmoid(x: float) -> float:
    """Return 1 / (1 + e**-x), without overflow and with exact tails."""
    e = math.exp(-abs(x))
    return (e if x < 0 else 1.0) / (1.0 + e)


@floating()
def softplus(x: float) -> float:
    """Return ln(1 + e**x), without overflow and with an exact tail."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


@floating()
def logaddexp(a: float, b: float) -> float:
    """Return ln(e**a + e**b); of two -inf it is -inf."""
    if math.isnan(a) or math.isnan(b):
        return math.nan
    if a == b:
        return a + math.log(2.0)
    return max(a, b) + math.log1p(math.exp(-abs(a - b)))


@floating()
def silu(x: float) -> float:
    """Return x σ(x)."""
    e = math.exp(-abs(x))
    return x * ((e if x < 0 else 1.0) / (1.0 + e))


@floating()
def gelu(x: float) -> float:
    """Return x Φ(x) with the normal distribution's Φ, exact (not the tanh approximation)."""
    return 0.5 * x * math.erfc(-x / math.sqrt(2.0))


@floating()
def mills(x: float) -> float:
    """Return (1 - Φ(|x|)) / φ(x) of the normal distribution.

    Source: Laplace's continued fraction, Abramowitz and Stegun 26.2.14.
    """
    x = abs(x)
    if x < 5:
        return math.sqrt(math.pi / 2) * math.exp(x * x / 2) * math.erfc(x / math.sqrt(2))
    rest = 0.0
    for k in range(80, 0, -1):
        rest = k / (x + rest)
    return 1 / (x + rest)


erf = floating()(math.erf)
erfc = floating()(math.erfc)


@floating()
def lgamma(x: float) -> float:
    """Return ln |Γ(x)|, which is inf at 0 and the negative integers."""
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):
        return math.inf


_DIGAMMA_SERIES = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)


@floating()
def digamma(x: float) -> float:
    """Return lgamma'(x); nan at -1, -2 …, -inf at 0 and inf at -0.

    Source: Abramowitz and Stegun 6.3.5 (recurrence), 6.3.7 (reflection), 6.3.18 (series).
    """
    if x == 0:
        return -math.copysign(math.inf, x)
    if x < 0:
        if x == -math.inf or x == math.floor(x):
            return math.nan
        rest = math.pi * math.fmod(x, 1.0)
        return digamma(1.0 - x) - math.pi / math.tan(rest)  # type: ignore[no-any-return]
    if not x < math.inf:
        return x
    value = 0.0
    while x < 10:
        value -= 1.0 / x
        x += 1.0
    series = sum(c * (1 / x / x) ** (k + 1) for k, c in enumerate(_DIGAMMA_SERIES))
    return value + math.log(x) - 0.5 / x - series


_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


@floating()
def polygamma(n: float, x: float) -> float:
    """Return the n-th derivative of digamma for n from 1 to 170, nan at 0 and negative integers.

    Source: Abramowitz and Stegun 6.4.6 (recurrence), 6.4.7 (reflection), 6.4.11 (series).
    """
    if not 0 < n <= 170 or n != math.floor(n) or math.isnan(x) or x == -math.inf:
        return math.nan
    if x <= 0 and x == math.floor(x):
        return math.nan
    order, parity = int(n), -1.0 if n % 2 == 0 else 1.0
    if x < 0:
        mirrored = polygamma(n, 1.0 - x) * -parity
        return mirrored - math.pi * _cotangent(order, x)  # type: ignore[no-any-return]
    if x == math.inf:
        return 0.0
    total, factorial = 0.0, math.factorial(order)
    while x < 20 + order:
        total += float_power(x, -(order + 1.0))
        x += 1.0
    total += float_power(x, -order) / order + 0.5 * float_power(x, -(order + 1.0))
    term = (order + 1) * float_power(x, -(order + 2.0)) / 2
    for k, bernoulli in enumerate(_BERNOULLI, start=1):
        total += bernoulli * term
        term *= (order + 2 * k) * (order + 2 * k + 1) / ((2 * k + 1) * (2 * k + 2)) / (x * x)
    return parity * factorial * total


def _cotangent(order: int, x: float) -> float:
    """Return a derivative of cot(πx): a polynomial in c = cot(πx), as c' = -π(1+c²)."""
    c = 1.0 / math.tan(math.pi * math.fmod(x, 1.0))
    coefficients = [0.0, 1.0]
    for _ in range(order):
        slope = [k * a for k, a in enumerate(coefficients)][1:]
        lower, upper = [*slope, 0.0, 0.0], [0.0, 0.0, *slope]
        coefficients = [-math.pi * (a + b) for a, b in zip(lower, upper, strict=True)]
    return sum(a * c**k for k, a in enumerate(coefficients))
