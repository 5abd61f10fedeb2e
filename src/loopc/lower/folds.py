"""Folds: a reduction over axes as one array operation, terms that do not count replaced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from loopc.diagnostics.record import replace
from loopc.ir import reductions
from loopc.ir.dtypes import INTEGER, DType
from loopc.ir.functions import lookup
from loopc.ir.nodes import Call, Const, Expr, Index, Read
from loopc.ir.points import points
from loopc.ir.visit import conjunction, free_indices, reads, substitute
from loopc.lower import windows
from loopc.lower.domain import count
from loopc.lower.plan import (
    Apply,
    Bound,
    Cast,
    Expand,
    Fold,
    Lit,
    Range,
    Scalar,
    Strided,
    Value,
)
from loopc.lower.plan_visit import walk

if TYPE_CHECKING:
    from loopc.lower.value import Lowering


def folded(
    lowering: Lowering,
    op: str,
    body: Expr,
    over: Sequence[str],
    *,
    needed: tuple[Expr, ...] = (),
    into: DType | None = None,
    indices: Sequence[Index] = (),
) -> Value:
    """Lower a reduction of `body` over axes, with what the masks leave out replaced.

    Args:
        lowering: where it stands.
        op: the reduction.
        body: the term.
        over: the axes.
        needed: the masks that say where the result is needed; it may be anything elsewhere.
        into: the type of the array that the result goes into, whose identity counts.
        indices: the indices of an argmax, whose value is wanted.
    """
    row = reductions.lookup(op)
    assert row is not None, op
    unrolled = _unrolled(lowering, row, body, over, needed)
    if unrolled is not None:
        return unrolled
    value, dtype = lowering.value(body), lowering.type_of(body)
    if row.op in ("max=", "min=") and dtype:
        differs = into is not None and (dtype.kind != into.kind or dtype.kind == "i")
        own = replace(into, weak=False) if into and differs else dtype
        if own != dtype or _may_be_wider(value, own):
            dtype, value = own, Cast(value, own, value.axes)
    of = "f" if dtype is None else dtype.kind
    mask = lowering.condition(tuple(m for m in lowering.masks if m not in needed), needed)
    kept = None
    if mask is not None and (row.identity is None or (of == "i" and row.op in ("max=", "min="))):
        kept = _or_not_needed(lowering, mask, needed)
        axes = lowering.union(kept, value)
        value = Expand(value, counts(lowering, axes), axes)
    elif mask is not None:
        start = identity(row, dtype)
        value = _counted(mask, value, start) or Apply(
            "where", (mask, value, start), lowering.union(mask, value)
        )
    missing = [n for n in over if n not in value.axes]
    if missing:
        axes = tuple(n for n in lowering.order if n in value.axes or n in missing)
        value = Expand(value, counts(lowering, axes), axes)
    if isinstance(value, Strided):  # the terms of a cell next to each other
        kept_first = sorted(value.windows, key=lambda w: w.axis in over)
        value = replace(value, windows=tuple(kept_first), axes=tuple(w.axis for w in kept_first))
    axes = tuple(a for a in value.axes if a not in over)
    result: Value = Fold(op, value, tuple(over), axes, of, kept)
    if op in ("argmax", "argmin") and len(indices) == 1:
        result = _position(result, lowering.box.indices[indices[0].name])
    return result


def _may_be_wider(value: Value, dtype: DType) -> bool:
    """Whether a value of integers of some width may lie in wider ones: indices are int64.

    The least and the largest of no terms are those of a type.
    """
    return dtype.kind == "i" and not dtype.weak and any(isinstance(v, Range) for v in walk(value))


def _unrolled(
    lowering: Lowering,
    row: reductions.Reduction,
    body: Expr,
    over: Sequence[str],
    needed: tuple[Expr, ...],
) -> Value | None:
    """Reduce the few terms of a small window one by one: each is of slices; None: it is none.

    Such are also the coordinates of pairs of points, whose differences would lie in short rows.
    """
    if row.identity is None or not row.op or lowering.context.opt == 0:
        return None
    kind, names = kind_of(lowering, body), tuple(over)
    narrow = kind == "i" and row.op in ("+=", "*=") and not _is_counted_with(lowering, body)
    if kind not in "fi" or (kind == "i" and row.op != "+=" and lowering.masks):
        return None
    read = (body, *lowering.masks)
    moving = any(windows.moves_within(lowering, e, names) for e in read)
    if not (moving or is_spread(lowering, read, names)) or not windows.few(lowering, names):
        return None
    rest = {n: i for n, i in lowering.box.indices.items() if n not in names}
    terms = []
    for at in points(lowering.box.indices, names):
        masks = tuple(substitute(m, at) for m in lowering.masks)
        held = tuple(substitute(m, at) for m in lowering.box.masks)
        inner = replace(lowering, box=replace(lowering.box, indices=rest, masks=held), masks=masks)
        term = inner.value(substitute(body, at))
        mask = inner.condition(tuple(m for m in masks if m not in needed), needed)
        if mask is not None:
            start = identity(row, lowering.type_of(body))
            axes = inner.union(mask, term)
            chosen = Apply("where", (mask, term, start), axes)
            term = _counted(mask, term, start) or chosen
        terms.append(Cast(term, INTEGER, term.axes) if narrow else term)
    return terms[0] if len(terms) == 1 else Apply(row.fn, tuple(terms), lowering.union(*terms))


def _is_counted_with(lowering: Lowering, body: Expr) -> bool:
    """Whether integers are made of literals and indices, which are as wide as a sum of them."""
    dtype = lowering.type_of(body)
    return dtype is not None and dtype.weak


def is_spread(lowering: Lowering, read: Sequence[Expr], over: Sequence[str]) -> bool:
    """Whether terms depend on several indices beside those of `over`, and nothing read on all."""
    axes = {n for e in read for n in free_indices(e) if n in lowering.box.indices}
    own = [{*free_indices(Read(a))} for e in read for a in reads(e)]
    return len(axes) > 1 + len(over) and axes.issuperset(over) and not any(axes <= o for o in own)


def _counted(mask: Value, value: Value, start: Value) -> Value | None:
    """Return a condition as the number of its points that count; None: more is counted."""
    if (
        not isinstance(mask, Apply)
        or not mask.axes
        or not (isinstance(start, Lit) and start.value == 0)
    ):
        return None
    row = lookup(mask.fn)
    bare = isinstance(value, Lit) and type(value.value) is int and value.value == 1
    return Cast(mask, INTEGER, mask.axes) if bare and row and row.result == "bool" else None


def _or_not_needed(lowering: Lowering, mask: Value, needed: tuple[Expr, ...]) -> Value:
    """Let every term count where nothing is needed, so that no reduction there is of nothing.

    Whether it is needed is asked wherever it stands, also where the mask does not hold.
    """
    if not needed:
        return mask
    anywhere = replace(lowering, masks=(), box=replace(lowering.box, masks=()))
    other = anywhere.condition((Call("not", (conjunction(*needed),)),))
    assert other is not None
    return Apply("or", (mask, other), lowering.union(mask, other))


def kind_of(lowering: Lowering, body: Expr) -> str:
    """Return the kind of the terms."""
    dtype = lowering.type_of(body)
    return "f" if dtype is None else dtype.kind


def identity(row: reductions.Reduction, dtype: DType | None) -> Lit | Bound:
    """Return what stands for a term of a type that does not count."""
    kind = "f" if dtype is None or row.result == "float" else dtype.kind
    if dtype is not None and kind == "i" and isinstance(row.identity, float):
        return Bound(row.identity > 0, INTEGER if dtype.weak else dtype)
    return Lit(reductions.start(row, "bool" if kind == "b" else "float64"))


def counts(lowering: Lowering, axes: Sequence[str]) -> tuple[Expr, ...]:
    """Return the extents of axes."""
    return tuple(count(lowering.box.indices[n], lowering.serial) for n in axes)


def _position(value: Value, index: Index) -> Value:
    """Turn a position along an index into the index's value."""
    assert index.start is not None
    if index.step != 1:
        value = Apply("mul", (Lit(index.step), value), value.axes)
    if index.start == Const(0):
        return value
    return Apply("add", (value, Scalar(index.start)), value.axes)
