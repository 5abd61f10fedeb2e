"""The reference meaning of the scalar functions: IEEE arithmetic on one number at a time.

Each function takes Python numbers and NumPy scalars. Python numbers are weak: with a NumPy scalar
they take its type, so float32 stays float32; among themselves they stay Python numbers, and ints
and bools stay exact. Nothing raises on a real number but `integer` and powers of integers: `ln(0)`
is -inf, `ln(-1)` nan, `1/0` inf, `exp(1000)` inf. An integer `// 0` and `% 0` is 0, as in NumPy.
NumPy scalars follow NumPy's error state: callers run under `np.errstate(all="ignore")`. NumPy
itself is imported only if a NumPy scalar comes along, so that constants fold where NumPy is
missing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

Number = Any
Scalar = Callable[..., Number]

_PYTHON = (bool, int, float, complex)
_COMMON: dict[tuple[type, ...], type] = {}


def common(*values: Number) -> type:
    """Return the type in which an operation on the values is done, Python's being weak."""
    kinds = tuple(type(v) for v in values)
    found = _COMMON.get(kinds)
    if found is None:
        found = _COMMON[kinds] = _promote(kinds)
    return found


def _promote(kinds: tuple[type, ...]) -> type:
    if all(kind in _PYTHON for kind in kinds):
        return max(kinds, key=_PYTHON.index)
    import numpy as np

    weak = [kind(0) if kind in _PYTHON else kind for kind in kinds]
    return np.result_type(*weak).type


def real_type(*values: Number) -> type | None:
    """Return the floating type of a function's value, or None for complex arguments."""
    kind = common(*values)
    if kind in _PYTHON:
        return None if kind is complex else float
    import numpy as np

    if issubclass(kind, np.complexfloating):
        return None
    return kind if issubclass(kind, np.floating) else np.float64


def is_integer(value: Number) -> bool:
    """Whether a value is an integer or a bool, of Python or NumPy."""
    return isinstance(value, int) or getattr(getattr(value, "dtype", None), "kind", "?") in "iub"


def floating(complex_name: str = "") -> Callable[[Callable[..., float]], Scalar]:
    """Make a function on floats one on all scalars; complex numbers go to NumPy's function."""

    def decorate(f: Callable[..., float]) -> Scalar:
        @wraps(f)
        def scalar(*args: Number) -> Number:
            if type(args[0]) is float and len(args) == 1:
                return f(args[0])
            kind = real_type(*args)
            if kind is None:
                return _by_numpy(complex_name, f.__name__, args)
            value = f(*(float(a) for a in args))
            return value if kind is float else kind(value)

        return scalar

    return decorate


def _by_numpy(name: str, own_name: str, args: tuple[Number, ...]) -> Number:
    import numpy as np

    if not name:
        raise TypeError(f"{own_name} does not take complex numbers")
    with np.errstate(all="ignore"):
        value = getattr(np, name)(*args)
    python = common(*args) in _PYTHON
    return complex(value) if python else value


def divide(a: Number, b: Number) -> Number:
    """Return a / b; 1/0 is inf, 0/0 nan."""
    try:
        return a / b
    except ZeroDivisionError:
        return _divide_by_zero(a, b)


def _divide_by_zero(a: Number, b: Number) -> Number:
    if isinstance(a, complex) or isinstance(b, complex):
        return _by_numpy("divide", "divide", (complex(a), complex(b)))
    if a == 0 or a != a:
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def floor_divide(a: Number, b: Number) -> Number:
    """Return a // b, rounded down; an integer // 0 is 0, a float one is a / 0."""
    try:
        return a // b
    except ZeroDivisionError:
        return 0 if is_integer(a) and is_integer(b) else _divide_by_zero(a, b)


def modulo(a: Number, b: Number) -> Number:
    """Return a % b, which has b's sign; an integer % 0 is 0, a float one nan."""
    try:
        return a % b
    except ZeroDivisionError:
        return 0 if is_integer(a) and is_integer(b) else math.nan


def power(a: Number, b: Number) -> Number:
    """Return a ** b; x**0 is 1, a negative number to a fraction nan.

    Python integers beyond 64 bits wrap, as int64 does.

    Raises:
        NoValueError: an integer to a negative integer.
    """
    kind = common(a, b)
    if kind is complex:
        return _by_numpy("power", "power", (complex(a), complex(b)))
    if is_integer(a) and is_integer(b):
        return _integer_power(a, b, kind)
    if kind is float:
        return float_power(float(a), float(b))
    return kind(a) ** kind(b)


def float_power(a: float, b: float) -> float:
    """Return a ** b of floats."""
    try:
        return math.pow(a, b)
    except OverflowError:
        return math.inf if a > 0 or b % 2 == 0 else -math.inf
    except ValueError:
        if a != 0:
            return math.nan
        return math.copysign(math.inf, a) if b % 2 == 1 else math.inf


def _integer_power(a: Number, b: Number, kind: type) -> Number:
    python = kind in _PYTHON
    if b < 0:
        raise NoValueError(f"an integer to the power {b} is not an integer")
    return wrapped(pow(int(a), int(b), 1 << 64)) if python else kind(a) ** kind(b)


def wrapped(value: Number) -> Number:
    """Return a number, a Python integer beyond 64 bits as int64 has it."""
    if type(value) is not int or -(1 << 63) <= value < 1 << 63:
        return value
    low = value & ((1 << 64) - 1)
    return low - ((low >> 63) << 64)


def maximum(a: Number, b: Number) -> Number:
    """Return the larger one; a NaN wins."""
    chosen = a if a != a or (b == b and a >= b) else b
    return chosen if type(a) is type(b) else common(a, b)(chosen)


def minimum(a: Number, b: Number) -> Number:
    """Return the smaller one; a NaN wins."""
    chosen = a if a != a or (b == b and a <= b) else b
    return chosen if type(a) is type(b) else common(a, b)(chosen)


class NoValueError(ValueError):
    """An argument for which a function has no value, nor NaN: its message says why."""


LARGEST = 2**62
"""Floats from here on are not made integers: sums of them could be beyond 64 bits."""


def integer(x: Number) -> int:
    """Return x as an integer, rounded towards zero.

    Raises:
        NoValueError: it is NaN, infinite, or beyond what an integer holds.
    """
    if not abs(x) < LARGEST:
        raise NoValueError(f"{x} is not an integer")
    return int(x)


def choose(condition: Number, a: Number, b: Number) -> Number:
    """Return `a` where the condition holds, else `b`; the interpreter evaluates one alone."""
    return common(a, b)(a if condition else b)


def clamp(x: Number, low: Number, high: Number) -> Number:
    """Return x brought into low … high; `high` where they cross."""
    return minimum(maximum(x, low), high)


def identity(x: Number) -> Number:
    """Return x."""
    return x


def negate(x: Number) -> Number:
    """Return -x; of an unsigned integer as int64, so that a - b is a + (-b)."""
    if getattr(getattr(x, "dtype", None), "kind", "?") in "ub":
        import numpy as np

        return -np.int64(x)
    return -x


def sign(x: Number) -> Number:
    """Return -1, 0 or 1 in x's type, NaN for NaN; x / |x| of a complex number."""
    kind = common(x)
    if kind is bool:
        return int(x)
    if kind is complex or getattr(getattr(x, "dtype", None), "kind", "") == "c":
        return _by_numpy("sign", "sign", (x,))
    return x if x != x else kind(int(x > 0) - int(x < 0))


def relu(x: Number) -> Number:
    """Return x where it is positive, else 0; NaN for NaN."""
    return int(x) if type(x) is bool else maximum(x, type(x)(0))


def _rounding(f: Callable[[float], int]) -> Scalar:
    """Make `math.floor` and its like work on all real scalars; integers stay as they are."""

    def scalar(x: Number) -> Number:
        if is_integer(x):
            return int(x) if type(x) is bool else x
        value = float(x)
        if math.isfinite(value):
            value = math.copysign(float(f(value)), value)
        return value if type(x) is float else type(x)(value)

    scalar.__name__ = f.__name__
    return scalar


floor = _rounding(math.floor)
ceil = _rounding(math.ceil)
rint = _rounding(round)


@floating("exp")
def exp(x: float) -> float:
    """Return e**x."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


@floating("log")
def ln(x: float) -> float:
    """Return the natural logarithm; ln 0 is -inf, of a negative number nan."""
    if x > 0:
        return math.log(x)
    return -math.inf if x == 0 else math.nan


@floating("log1p")
def log1p(x: float) -> float:
    """Return ln(1 + x), exact for small x."""
    if x > -1:
        return math.log1p(x)
    return -math.inf if x == -1 else math.nan


@floating("expm1")
def expm1(x: float) -> float:
    """Return e**x - 1, exact for small x."""
    try:
        return math.expm1(x)
    except OverflowError:
        return math.inf


@floating("sqrt")
def sqrt(x: float) -> float:
    """Return the square root; nan of a negative number."""
    return math.nan if x < 0 else math.sqrt(x)


def _periodic(f: Callable[[float], float]) -> Scalar:
    def scalar(x: float) -> float:
        return math.nan if math.isinf(x) else f(x)

    scalar.__name__ = f.__name__
    return floating(f.__name__)(scalar)


sin = _periodic(math.sin)
cos = _periodic(math.cos)
tan = _periodic(math.tan)


def _inverse(f: Callable[[float], float], complex_name: str) -> Scalar:
    def scalar(x: float) -> float:
        return f(x) if -1 <= x <= 1 else math.nan

    scalar.__name__ = f.__name__
    return floating(complex_name)(scalar)


asin = _inverse(math.asin, "arcsin")
acos = _inverse(math.acos, "arccos")
atan = floating("arctan")(math.atan)
tanh = floating("tanh")(math.tanh)


@floating("sinh")
def sinh(x: float) -> float:
    """Return the hyperbolic sine."""
    try:
        return math.sinh(x)
    except OverflowError:
        return math.copysign(math.inf, x)


@floating("cosh")
def cosh(x: float) -> float:
    """Return the hyperbolic cosine."""
    try:
        return math.cosh(x)
    except OverflowError:
        return math.inf


@floating()
def atan2(a: float, b: float) -> float:
    """Return the angle of the point (b, a)."""
    return math.atan2(a, b)


@floating()
def hypot(a: float, b: float) -> float:
    """Return sqrt(a² + b²) without overflow on the way."""
    return math.hypot(a, b)
