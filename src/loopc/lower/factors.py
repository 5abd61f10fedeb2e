"""Factors of products: comparisons beside floats stay as they are."""

from __future__ import annotations

from collections.abc import Sequence

from loopc.ir.dtypes import DType, of_call
from loopc.ir.functions import order
from loopc.lower.plan import Apply, Cast, Value


def without_casts(args: Sequence[Value], types: Sequence[DType | None]) -> Sequence[Value]:
    """Return factors, a derivative that is a comparison as such if the others have the same type.

    NumPy counts it as 0 or 1 there: `g * relu'(x)` needs no floats made of `x > 0`.
    """
    masks = [isinstance(a, Cast) and _is_derivative(a.arg) for a in args]
    if not any(masks) or all(masks):
        return args
    others = of_call("mul", [t for t, m in zip(types, masks, strict=True) if not m])
    if others is None or others.weak or others.kind not in "fc" or others != of_call("mul", types):
        return args
    return [a.arg if m and isinstance(a, Cast) else a for a, m in zip(args, masks, strict=True)]


def _is_derivative(value: Value) -> bool:
    return isinstance(value, Apply) and order(value.fn) > 0
