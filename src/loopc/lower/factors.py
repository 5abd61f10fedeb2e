"""Factors of products: comparisons beside floats stay as they are, and their sums are floats."""

from __future__ import annotations

from collections.abc import Sequence

from loopc.ir.dtypes import INTEGER, DType, of_call
from loopc.ir.functions import lookup, order
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


def as_float_sum(value: Value, dtype: DType) -> Value | None:
    """Return a sum of comparisons in a type of floats, which has all small numbers; or nothing."""
    match value:
        case Apply("add", args) if all(_is_counted(a) and a.axes == value.axes for a in args):
            first, *others = (a.arg for a in args if isinstance(a, Cast))
            return Apply("add", (Cast(first, dtype, first.axes), *others), value.axes)
        case _:
            return None


def _is_counted(value: Value) -> bool:
    """Whether a value is a comparison as a number."""
    if not isinstance(value, Cast) or value.dtype != INTEGER or not isinstance(value.arg, Apply):
        return False
    row = lookup(value.arg.fn)
    return row is not None and row.result == "bool"


def _is_derivative(value: Value) -> bool:
    return isinstance(value, Apply) and order(value.fn) > 0
