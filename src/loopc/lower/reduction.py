"""Reductions: contractions where the terms are products, folds, and pointwise ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from loopc.ir import reductions
from loopc.ir.affine import equal
from loopc.ir.bounds import conjuncts
from loopc.ir.nodes import Call, Const, Expr, Index, IndexRef, Read, Reduce
from loopc.ir.visit import free_indices, opened_reduction
from loopc.lower.domain import count
from loopc.lower.plan import (
    Along,
    Apply,
    Cast,
    Contract,
    Expand,
    Fold,
    Lit,
    Renamed,
    Scalar,
    Take,
    Value,
)

if TYPE_CHECKING:
    from loopc.lower.value import Lowering


def reduce(lowering: Lowering, expr: Reduce) -> Value:
    """Lower a reduction inside an expression."""
    row = reductions.lookup(expr.op)
    assert row is not None, expr.op
    opened = opened_reduction(expr, set(lowering.ranges))
    guards = conjuncts(opened.guard)
    inner = replace(
        lowering,
        box=lowering.box.extended(opened.indices, opened.guard),
        masks=(*lowering.masks, *guards),
    )
    inner = _narrow_masks(inner, lowering, guards)
    over = [i.name for i in opened.indices]
    if row.form == "pointwise":
        return _pointwise(lowering, inner, opened, over)
    if row.op == "+=":
        return total(inner, opened.body, over)
    return folded(inner, expr.op, opened.body, over, opened.indices)


def _narrow_masks(inner: Lowering, outer: Lowering, guards: tuple[Expr, ...]) -> Lowering:
    """Keep the masks that the box of the reduction has not taken into its ranges."""
    own = tuple(m for m in inner.box.masks if m not in outer.box.masks)
    return replace(inner, masks=(*outer.masks, *own, *inner.box.scalars))


def total(lowering: Lowering, body: Expr, over: Sequence[str]) -> Value:
    """Lower the sum of `body` over the axes `over`."""
    if not over:
        return lowering.value(body)
    if lowering.masks:
        return folded(lowering, "sum", body, over, ())
    parts = _terms(body)
    if len(parts) > 1 and any(_is_contraction(lowering, p) for p in parts):
        values = tuple(_signed(total(lowering, p, over), negative) for p, negative in _split(body))
        return Apply("add", values, lowering.union(*values))
    negative, factors = _factors(body)
    values_of = [lowering.value(f) for f in factors]
    found = {axis for v in values_of for axis in v.axes}
    if not _has_axes(values_of, over) or len(factors) == 1:
        return _signed(folded(lowering, "sum", _product(factors), over, ()), negative)
    counts = [
        Scalar(count(lowering.box.indices[n], lowering.serial)) for n in over if n not in found
    ]
    kind = lowering.type_of(body)
    args: list[Value] = [*values_of, *counts]
    if kind is not None and kind.kind in "bi":
        from loopc.lower.value import INTEGER

        args = [v if isinstance(v, Lit | Scalar) else Cast(v, INTEGER, v.axes) for v in args]
    axes = tuple(a for a in lowering.order if a in found and a not in over)
    return _signed(Contract(tuple(args), axes), negative)


def _has_axes(values: Sequence[Value], over: Sequence[str]) -> bool:
    return any(axis in over for v in values for axis in v.axes)


def _signed(value: Value, negative: bool) -> Value:
    return Apply("neg", (value,), value.axes) if negative else value


def _terms(body: Expr) -> tuple[Expr, ...]:
    return body.args if isinstance(body, Call) and body.fn == "add" else (body,)


def _split(body: Expr) -> list[tuple[Expr, bool]]:
    found = []
    for term in _terms(body):
        negated = isinstance(term, Call) and term.fn == "neg"
        found.append((term.args[0], True) if negated and isinstance(term, Call) else (term, False))
    return found


def _factors(body: Expr) -> tuple[bool, list[Expr]]:
    """Return the factors of a product and its sign."""
    if isinstance(body, Call) and body.fn == "neg":
        negative, factors = _factors(body.args[0])
        return not negative, factors
    if isinstance(body, Call) and body.fn == "mul":
        return False, list(body.args)
    return False, [body]


def _product(factors: list[Expr]) -> Expr:
    return factors[0] if len(factors) == 1 else Call("mul", tuple(factors))


def _is_contraction(lowering: Lowering, term: Expr) -> bool:
    """Whether a term is a product of accesses with different axes."""
    _, factors = _factors(term)
    axes = {
        tuple(n for n in lowering.order if n in _names(f)) for f in factors if isinstance(f, Read)
    }
    return len(axes) > 1


def _names(expr: Expr) -> tuple[str, ...]:
    return free_indices(expr)


def folded(
    lowering: Lowering, op: str, body: Expr, over: Sequence[str], indices: Sequence[Index]
) -> Value:
    """Lower a reduction of `body` over axes, with what the masks leave out replaced."""
    row = reductions.lookup(op)
    assert row is not None, op
    of = _kind(lowering, body)
    if op == "mean" and lowering.masks:
        shared = total(lowering, body, over), total(lowering, Const(1), over)
        return Apply("div", shared, lowering.union(*shared))
    value = lowering.value(body)
    mask = lowering.condition(lowering.masks)
    kept = None
    if mask is not None and (row.identity is None or (of == "i" and row.op in ("max=", "min="))):
        kept = mask
        axes = lowering.union(mask, value)
        value = Expand(value, _counts(lowering, axes), axes)
    elif mask is not None:
        start = _identity(lowering, row, body)
        value = Apply("where", (mask, value, Lit(start)), lowering.union(mask, value))
    missing = [n for n in over if n not in value.axes]
    if missing:
        axes = tuple(n for n in lowering.order if n in value.axes or n in missing)
        value = Expand(value, _counts(lowering, axes), axes)
    axes = tuple(a for a in value.axes if a not in over)
    result: Value = Fold(op, value, tuple(over), axes, of, kept)
    if op in ("argmax", "argmin") and len(indices) == 1:
        result = _position(lowering, result, lowering.box.indices[indices[0].name])
    return result


def _kind(lowering: Lowering, body: Expr) -> str:
    dtype = lowering.type_of(body)
    return "f" if dtype is None else dtype.kind


def _identity(lowering: Lowering, row: reductions.Reduction, body: Expr) -> float:
    """Return what stands for a term that does not count, in the type of the terms."""
    dtype = {"b": "bool", "i": "int64"}.get(_kind(lowering, body), "float64")
    start: float = reductions.start(row, dtype)
    return start


def _counts(lowering: Lowering, axes: Sequence[str]) -> tuple[Expr, ...]:
    return tuple(count(lowering.box.indices[n], lowering.serial) for n in axes)


def _position(lowering: Lowering, value: Value, index: Index) -> Value:
    """Turn a position along an index into the index's value."""
    assert index.start is not None
    if index.step != 1:
        value = Apply("mul", (Lit(index.step), value), value.axes)
    if index.start == Const(0):
        return value
    return Apply("add", (value, Scalar(index.start)), value.axes)


def _pointwise(lowering: Lowering, inner: Lowering, expr: Reduce, over: list[str]) -> Value:
    """Lower a reduction that has a value at each point: at those of the loops round it."""
    row = reductions.lookup(expr.op)
    assert row is not None
    value = inner.value(expr.body)
    mask = inner.condition(inner.masks)
    if mask is not None:
        fill = float("-inf") if row.evaluate is not None else _identity(inner, row, expr.body)
        value = Apply("where", (mask, value, Lit(fill)), inner.union(mask, value))
    missing = [n for n in over if n not in value.axes]
    if missing:
        axes = tuple(n for n in inner.order if n in value.axes or n in missing)
        value = Expand(value, _counts(inner, axes), axes)
    result: Value = Along(expr.op, value, tuple(over), value.axes)
    if mask is not None and row.outside is not None:
        axes = inner.union(mask, result)
        result = Apply("where", (mask, result, Lit(row.outside)), axes)
    for index, position in zip(expr.indices, expr.at, strict=True):
        result = _at(lowering, result, inner.box.indices[index.name], position)
    return result


def _at(lowering: Lowering, value: Value, own: Index, position: Expr) -> Value:
    """Take a pointwise reduction's values where the loops round it stand."""
    assert own.start is not None
    outer = lowering.box.indices.get(position.name) if isinstance(position, IndexRef) else None
    same = outer is not None and _same(outer.start, own.start) and _same(outer.stop, own.stop)
    if outer is not None and same and outer.step == own.step and outer.name not in value.axes:
        return Renamed(value, own.name, outer.name, _replaced(value.axes, own.name, outer.name))
    offset: Expr = position
    if own.start != Const(0):
        offset = Call("add", (position, Call("neg", (own.start,))))
    if own.step != 1:
        offset = Call("floordiv", (offset, Const(own.step)))
    at = lowering.value(offset)
    shared = any(a in value.axes for a in at.axes)
    if not shared and len(at.axes) <= 1:
        new = at.axes[0] if at.axes else ""
        return Take(value, own.name, at, _replaced(value.axes, own.name, new))
    axes = lowering.union(at, replace(value, axes=_replaced(value.axes, own.name, "")))
    counts = (*_counts(lowering, axes), count(own, lowering.serial))
    spread = Expand(value, counts, (*axes, own.name))
    return Take(spread, own.name, Expand(at, counts[:-1], axes), axes)


def _replaced(axes: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    return tuple(new if a == old else a for a in axes if a != old or new)


def _same(a: Expr | None, b: Expr | None) -> bool:
    return a is not None and b is not None and equal(a, b)
