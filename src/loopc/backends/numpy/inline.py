"""Functions and reductions by simpler ones, so that each operation is one NumPy call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from loopc.backends.numpy.functions import constant
from loopc.ir import reductions
from loopc.ir.derive import definition, expand_primes
from loopc.ir.dtypes import DType
from loopc.ir.functions import lookup, order
from loopc.ir.nodes import Call, Const, Expr, Read, Reduce
from loopc.lower.plan import Along, Apply, Contract, Fold, Lit, Scalar, Value

Types = Callable[[Value], DType | None]
"""Returns the type of a value, None if it is not known."""


def inlined(value: Value, sizes: Mapping[str, Expr], types: Types) -> Value | None:
    """Return the same value by simpler functions; None: it is simple."""
    match value:
        case Apply("pow"):
            return power(value, types)
        case Apply("mul"):
            return _scaled_softmax(value, sizes, types)
        case Apply():
            return _defined(value, types)
        case Contract(args, kept):
            return _elementwise(args, kept)
        case Fold(op, arg, over, _, "f", None):
            return _reduced(op, arg, over, sizes) if _is_float(types(arg)) else None
        case Along(op, arg, over, _) if _is_float(types(arg)):
            return _reduced(op, arg, over, sizes)
        case _:
            return None


def _is_float(dtype: DType | None) -> bool:
    return dtype is not None and dtype.kind == "f" and not dtype.weak


def power(value: Apply, types: Types) -> Value | None:
    """Return a small power of an array as products, roots and quotients; None: it is none.

    `np.power` takes some thirty times as long as a product.
    """
    row, (base, exponent) = lookup(value.fn), value.args
    number = exponent.value if isinstance(exponent, Lit) else None
    if row is None or isinstance(number, bool | complex | None) or not base.axes:
        return None
    text = dict(row.by_number).get(number)
    if text is None or (number not in (2, 3) and not _is_float(types(base))):
        return None
    return _placed(parsed(text), {row.params[0]: base}, value.axes, types)


@cache
def parsed(text: str) -> Expr:
    """Return an expression over placeholders."""
    from loopc.ir.build import expression

    return expand_primes(expression(text, {}))


def _reduced(op: str, arg: Value, over: tuple[str, ...], sizes: Mapping[str, Expr]) -> Value | None:
    """Write a reduction by the folds that define it."""
    row = reductions.lookup(op)
    assert row is not None, op
    return by_folds(row.definition, arg, over, sizes, {}) if row.definition else None


def by_folds(
    text: str,
    arg: Value,
    over: tuple[str, ...],
    sizes: Mapping[str, Expr],
    others: Mapping[str, Value],
) -> Value | None:
    """Return what a text says by folds of its `n` terms `x`, and by other values."""
    if any(a not in sizes for a in over):
        return None
    counts = tuple(sizes[a] for a in over)
    count = Scalar(counts[0] if len(counts) == 1 else Call("mul", counts))
    left = tuple(a for a in arg.axes if a not in over)

    def value(expr: Expr) -> Value:
        match expr:
            case Const(number):
                return Lit(number)
            case Read(access):
                return count if access.array == "n" else others.get(access.array, arg)
            case Reduce(fold, _, _, body):
                return Fold(fold, value(body), over, left)
            case Call("neg", (Const(number),)):
                return Lit(-number)
            case Call(fn, args):
                parts = tuple(value(a) for a in args)
                own = {a for p in parts for a in p.axes}
                return Apply(fn, parts, tuple(a for a in arg.axes if a in own))
            case _:
                raise AssertionError(expr)

    return value(parsed(text))


def _scaled_softmax(value: Apply, sizes: Mapping[str, Expr], types: Types) -> Value | None:
    """Return a softmax times what is the same for all its cells as one product of these.

    Its divisor is at least 1: what it is divided into is neither too large nor NaN.
    """
    for number, factor in enumerate(value.args):
        if not isinstance(factor, Along) or factor.op != "softmax":
            continue
        others = (*value.args[:number], *value.args[number + 1 :])
        left = tuple(a for a in value.axes if a not in factor.over)
        quotient = inlined(factor, sizes, types)
        if any(set(o.axes) - set(left) for o in others) or not isinstance(quotient, Apply):
            return None
        exponential, total = quotient.args
        scale = others[0] if len(others) == 1 else Apply("mul", others, left)
        return Apply("mul", (exponential, Apply("div", (scale, total), left)), value.axes)
    return None


def _defined(value: Apply, types: Types) -> Value | None:
    """Write a function on an array that is defined by others, or a derivative, by these."""
    return placed(value, types, fast=True) if value.axes else None


def placed(value: Apply, types: Types, *, fast: bool = False) -> Value | None:
    """Write a function that is defined by others, or a derivative, by these; None: it is simple.

    `fast`: by what costs arrays less.
    """
    row = lookup(value.fn)
    assert row is not None, value.fn
    primes = order(value.fn)
    quick = fast and primes < len(row.fast)
    if not primes and row.numpy and not row.definition and not quick:
        return None
    if quick:
        body = parsed(row.fast[primes])
    elif primes:
        body = expand_primes(definition(value.fn))
    elif row.definition:
        body = parsed(row.definition)
    else:
        return None
    args = dict(zip(row.params, value.args, strict=True))
    return _placed(body, args, value.axes, types)


def _placed(
    expr: Expr, args: Mapping[str, Value], axes: tuple[str, ...], types: Types
) -> Value | None:
    """Return an expression of placeholders as a value; None where a bool would be summed."""
    number = constant(expr)
    if number is not None:
        return Lit(number)
    if isinstance(expr, Read):
        return args[expr.access.array]
    if not isinstance(expr, Call):
        return None
    parts = [_placed(a, args, axes, types) for a in expr.args]
    found = [p for p in parts if p is not None]
    if len(found) < len(parts):
        return None
    row = lookup(expr.fn)
    kinds = [types(p) for p in found]
    arithmetic = row is not None and row.result != "bool" and row.counts_bools
    if arithmetic and all(k is None or k.kind == "b" for k in kinds):
        return None
    own = {a for p in found for a in p.axes}
    return Apply(expr.fn, tuple(found), tuple(a for a in axes if a in own))


def _elementwise(args: tuple[Value, ...], kept: tuple[str, ...]) -> Value | None:
    """Return a contraction of factors with the same axes as the sum of their product.

    Factors that are the same for all terms of the sum are put in behind it.
    """
    arrays = [a for a in args if a.axes]
    summed = [a for a in arrays if not set(a.axes) <= set(kept)] or arrays
    if not arrays or any(set(a.axes) != set(summed[0].axes) for a in summed):
        return None
    axes = summed[0].axes
    over = tuple(a for a in axes if a not in kept)
    inside = [a for a in args if a in summed] if over else list(args)
    others = [a for a in args if a not in inside]
    product = inside[0] if len(inside) == 1 else Apply("mul", tuple(inside), axes)
    left = tuple(a for a in axes if a in kept)
    total = Fold("sum", product, over, left) if over else product
    return Apply("mul", (total, *others), kept) if others else total
