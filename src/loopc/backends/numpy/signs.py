"""Where a minus goes: to the operand of a subtraction, or to the smallest factor of a product."""

from __future__ import annotations

from collections.abc import Callable

from loopc.diagnostics.record import replace
from loopc.ir.dtypes import DType
from loopc.lower.plan import Apply, Lit, Value


def is_negative(value: Value) -> bool:
    """Whether a value is another one with a minus, and no number."""
    return isinstance(value, Apply) and value.fn == "neg" and bool(value.axes)


def in_smallest(value: Apply, type_of: Callable[[Value], DType | None]) -> Apply:
    """Return `-(a * b)` as `a * -b` where b has fewer cells: a minus is exact, for floats."""
    (product,) = value.args
    if not isinstance(product, Apply) or product.fn != "mul":
        return value
    place = min(range(len(product.args)), key=lambda n: len(product.args[n].axes))
    factor = product.args[place]
    if isinstance(factor, Lit) and type(factor.value) is not bool and len(product.args) == 2:
        negative: Value = Lit(-factor.value)
    elif len(factor.axes) < len(value.axes) and _is_float(type_of(factor)):
        negative = Apply("neg", (factor,), factor.axes)
    else:
        return value
    return replace(product, args=(*product.args[:place], negative, *product.args[place + 1 :]))


def _is_float(dtype: DType | None) -> bool:
    return dtype is not None and dtype.kind in "fc"
