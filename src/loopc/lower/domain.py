"""The domain of a statement: its parallel indices as a box, and the mask of what is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loopc.diagnostics.record import record, replace
from loopc.ir.affine import Affine, affine, at_least, simplify, to_expr
from loopc.ir.bounds import bounds, conjuncts, extent
from loopc.ir.nodes import Call, Const, Expr, Index, IndexRef, Reduce
from loopc.ir.visit import contains, free_indices, reads


class NeedSerial(Exception):  # noqa: N818 - no error: a request to run one index in order
    """The statement cannot be one array operation while `index` is parallel."""

    def __init__(self, index: str) -> None:
        super().__init__(index)
        self.index = index


@record()
class Box:
    """Parallel indices with ranges that do not depend on each other.

    Attributes:
        indices: by name, in the order of the loops.
        masks: conditions on points of the box.
        scalars: conditions that do not depend on the point.
        reduced: those of the indices that reductions bind.
        gone: indices that left the box, for only their last value counts; where they have none
            there is nothing to do.
    """

    indices: dict[str, Index]
    masks: tuple[Expr, ...] = ()
    scalars: tuple[Expr, ...] = ()
    reduced: frozenset[str] = frozenset()
    gone: tuple[Index, ...] = ()

    def extended(self, indices: Sequence[Index], guard: Expr | None) -> Box:
        """Return the box with further indices, for the inside of a reduction."""
        own = {i.name for i in indices}
        reduced = self.reduced | own
        inner = box((*self.indices.values(), *indices), conjuncts(guard), own, dense=reduced)
        return replace(inner, masks=(*self.masks, *inner.masks), reduced=reduced, gone=self.gone)


def box(
    indices: Sequence[Index],
    guards: Sequence[Expr],
    narrowable: set[str] | None = None,
    dense: set[str] | frozenset[str] = frozenset(),
) -> Box:
    """Return the domain of `indices` where all of `guards` hold.

    Args:
        indices: outermost first.
        guards: conditions.
        narrowable: the indices whose ranges a guard may narrow (default: all).
        dense: the indices at which other ranges may read data: all values of all of them are taken.

    Raises:
        NeedSerial: a range reads data at another index of the domain.
    """
    names = {i.name for i in indices}
    ranges: dict[str, Index] = {}
    masks: list[Expr] = []
    for index in indices:
        outer = {n: r for n, r in ranges.items() if n != index.name}
        ranges[index.name] = boxed(index, outer, masks, dense)
    scalars: list[Expr] = []
    for guard in guards:
        inside = [n for n in free_indices(guard) if n in names]
        may_narrow = narrowable is None or narrowable.issuperset(inside)
        if not inside:
            scalars.append(guard)
        elif not (may_narrow and _narrowed(ranges, guard, inside)):
            masks.append(guard)
    return Box(ranges, tuple(masks), tuple(scalars))


def boxed(
    index: Index,
    outer: Mapping[str, Index],
    masks: list[Expr],
    dense: set[str] | frozenset[str] = frozenset(),
) -> Index:
    """Widen a range that depends on other indices of the box, and mask what is too much."""
    if not any(n in outer for n in free_indices(index)):
        return index
    assert index.start is not None
    assert index.stop is not None
    here = IndexRef(index.name)
    upwards = index.step > 0
    smallest = index.start if upwards else _plus(index.stop, 1)
    largest = _plus(index.stop, -1) if upwards else index.start
    low, high = _end(smallest, outer, dense, "min"), _end(largest, outer, dense, "max")
    if any(n in outer for n in free_indices(smallest)):
        masks.append(Call("ge", (here, smallest)))
    if any(n in outer for n in free_indices(largest)):
        masks.append(Call("le", (here, largest)))
    if index.step not in (1, -1):
        distance = Call("add", (here, Call("neg", (index.start,))))
        masks.append(Call("eq", (Call("mod", (distance, Const(abs(index.step)))), Const(0))))
    if upwards:
        return replace(index, start=low, stop=_plus(high, 1), step=1)
    return replace(index, start=high, stop=_plus(low, -1), step=-1)


def _end(expr: Expr, outer: Mapping[str, Index], dense: set[str] | frozenset[str], op: str) -> Expr:
    """Return the smallest start or the largest end of a range over all values of other indices."""
    inside = [n for access in reads(expr) for n in free_indices(access) if n in outer]
    if not inside:
        ends = bounds(expr, outer)
        found = ends.low if op == "min" else ends.high
        if found is not None:
            return simplify(found)
    used = [n for n in free_indices(expr) if n in outer]
    if not dense.issuperset(used):
        raise NeedSerial(next(n for n in used if n not in dense))
    return Reduce(op, tuple(outer[n] for n in used), None, expr)


def _plus(expr: Expr, number: int) -> Expr:
    form = affine(expr)
    return Call("add", (expr, Const(number))) if form is None else to_expr(form + Affine(number))


_FLIPPED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "eq": "eq"}


def _narrowed(ranges: dict[str, Index], guard: Expr, inside: list[str]) -> bool:
    """Narrow the range of the one index of a comparison; False: it must be a mask."""
    if len(inside) != 1 or not isinstance(guard, Call) or guard.fn not in _FLIPPED:
        return False
    name = inside[0]
    index = ranges[name]
    a, b = (affine(e) for e in guard.args)
    if a is None or b is None or index.step != 1 or reads(guard) or contains(guard, Reduce):
        return False
    left = a - b
    c = left.coefficient(name)
    if abs(c) != 1 or not left.is_linear_in(name):
        return False
    limit = left.without(name).scaled(-c)
    fn = guard.fn if c > 0 else _FLIPPED[guard.fn]
    assert index.start is not None
    assert index.stop is not None
    start, stop = index.start, index.stop
    if fn in ("lt", "le", "eq"):
        stop = _best("min", stop, limit + Affine(0 if fn == "lt" else 1))
    if fn in ("gt", "ge", "eq"):
        start = _best("max", start, limit + Affine(1 if fn == "gt" else 0))
    ranges[name] = replace(index, start=start, stop=stop)
    return True


def _best(fn: str, a: Expr, b: Affine) -> Expr:
    return simplify(Call(fn, (a, to_expr(b))))


def count(index: Index, around: Mapping[str, Index] | None = None) -> Expr:
    """Return the number of values of a range, as an expression that is never negative.

    A number that the ranges `around` it keep from being negative is taken as it is.
    """
    if around:
        return _count(index, around)
    try:
        return index.counted  # type: ignore[no-any-return]
    except AttributeError:
        index.counted = _count(index, None)
        return index.counted  # type: ignore[no-any-return]


def _count(index: Index, around: Mapping[str, Index] | None) -> Expr:
    size = extent(index)
    if _at_least(size, 0, around):
        return simplify(size)
    return simplify(Call("max", (size, Const(0))))


def may_be_empty(index: Index, around: Mapping[str, Index]) -> bool:
    """Whether the range of an index may have no value for some value of those around it."""
    return not _at_least(extent(index), 1, around)


def _at_least(size: Expr, least: int, around: Mapping[str, Index] | None) -> bool:
    low = bounds(size, around).low if around else size
    form = None if low is None else affine(low)
    return form is not None and at_least(form, Affine(least))
