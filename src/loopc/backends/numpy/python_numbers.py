"""Arithmetic of Python's own numbers, which raises where NumPy's gives inf, nan or 0.

Sizes, indices of Python loops and what is made of these and of literals are Python numbers, so that
they promote nothing. A quotient or a power of them is computed as NumPy does it.
"""

from __future__ import annotations

from collections.abc import Callable

from loopc.ir.dtypes import DType
from loopc.ir.functions import is_operator
from loopc.lower.plan import Apply, Cast, Lit, Scalar, Value
from loopc.lower.value_types import type_of

_RAISING = frozenset({"div", "floordiv", "mod", "pow"})

_SMALL = 62
"""Bits that a power of literals may have to be a 64-bit integer."""


def wrapper(value: Apply, types: Callable[[str], DType | None]) -> tuple[str, str] | None:
    """Return what makes the first operand NumPy's and the result Python's; None: nothing need.

    Args:
        value: an operation.
        types: of arrays.
    """
    if value.fn not in _RAISING or not all(map(_is_python, value.args)) or _is_safe(value):
        return None
    dtype = type_of(value, types)
    if dtype is None or dtype.kind not in "if":
        return None
    return ("np.int64", "int") if dtype.kind == "i" else ("np.float64", "float")


def _is_python(value: Value) -> bool:
    match value:
        case Lit() | Scalar():
            return True
        case Cast(dtype=dtype, axes=()):
            return dtype.weak
        case Apply(fn, args):
            return is_operator(fn) and all(map(_is_python, args))
        case _:
            return False


def _is_safe(value: Apply) -> bool:
    """Whether an operation cannot raise: a literal that is not 0 divides, or a power is small."""
    first, last = value.args[0], value.args[-1]
    if not isinstance(last, Lit) or isinstance(last.value, complex):
        return False
    if value.fn != "pow":
        return last.value != 0
    if not isinstance(first, Lit) or isinstance(first.value, complex):
        return last.value in (1, 2)
    bits = max(1, int(abs(first.value)).bit_length()) * last.value
    return first.value > 0 and 0 <= bits <= _SMALL
