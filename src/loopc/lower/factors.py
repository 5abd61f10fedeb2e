"""Factors of products: comparisons beside floats stay as they are."""

from __future__ import annotations

from collections.abc import Sequence

from loopc.ir.dtypes import DType
from loopc.ir.functions import order
from loopc.lower.plan import Apply, Cast, Value


def without_casts(args: Sequence[Value], types: Sequence[DType | None]) -> Sequence[Value]:
    """Return factors, a derivative that is a comparison as such if another factor is a float.

    NumPy counts it as 0 or 1 there: `g * relu'(x)` needs no floats made of `x > 0`.
    """
    masks = [isinstance(a, Cast) and _is_derivative(a.arg) for a in args]
    floats = (t is not None and t.kind in "fc" and not t.weak for t in types)
    if not any(f and not m for f, m in zip(floats, masks, strict=True)):
        return args
    return [a.arg if m and isinstance(a, Cast) else a for a, m in zip(args, masks, strict=True)]


def _is_derivative(value: Value) -> bool:
    return isinstance(value, Apply) and order(value.fn) > 0
