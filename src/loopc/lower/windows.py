"""Windows: accesses in which several indices move through one dimension, padded ones too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from loopc.analysis.edges import STRIDE
from loopc.diagnostics.record import replace
from loopc.ir.affine import Affine, affine, equal, simplify, to_expr
from loopc.ir.bounds import at_point, bounds
from loopc.ir.comparisons import excess_of, follows
from loopc.ir.nodes import Access, Call, Const, Expr, IndexRef, Read, Subscript
from loopc.ir.points import literal, points
from loopc.ir.sites import used_ranges
from loopc.ir.visit import free_indices
from loopc.lower import access as accesses
from loopc.lower.blocks import is_window
from loopc.lower.offsets import meet_nowhere
from loopc.lower.plan import Packed, Range, Strided, Value

if TYPE_CHECKING:
    from loopc.lower.value import Lowering

UNROLLED = 16
"""The largest number of offsets within a window that are taken one by one."""

Pads = tuple[tuple[Expr, Expr], ...]
_ZERO = Const(0)


def read(lowering: Lowering, access: Access) -> Strided | None:
    """Lower a padded access as a window of a copy with zeros round it; None: it is none."""
    if lowering.context.opt == 0 or lowering.serial:
        return None
    if all(s.mode == "strict" for s in access.subscripts):
        return None
    pads = _pads(lowering, access)
    return None if pads is None else shifted(accesses.strided(lowering, access), pads)


def target(lowering: Lowering, access: Access) -> Strided | None:
    """Lower a target whose cells meet as a window; None: its cells are not known beforehand."""
    if lowering.context.opt == 0:
        return None
    pads = _pads(lowering, access)
    if pads is None:
        return None
    window = accesses.strided(lowering, access)
    if not window.windows or not all(any(w.steps) for w in window.windows):
        return None
    padded = any(s.mode == "pad" for s in access.subscripts)
    if padded and lowering.serial:
        return None
    return shifted(window, pads) if padded else window


def order(window: Strided) -> tuple[str, ...]:
    """Return the axes of a window, offsets within it in front of what moves it.

    The longest runs come last: those along the last dimension.
    """
    offsets = within(window)
    mains = [w for w in window.windows if w.axis not in offsets]
    mains.sort(key=lambda w: next(n for n, step in enumerate(w.steps) if step))
    shared = {
        n for w in window.windows if w.axis in offsets for n, step in enumerate(w.steps) if step
    }
    split = [n for n, w in enumerate(mains) if any(w.steps[d] for d in shared)]
    rank = len(window.starts) - 1
    at = split[0] if rank in shared and split else max(len(mains) - 1, 0)
    names = [w.axis for w in mains]
    return (*names[:at], *offsets, *names[at:])


def packed(value: Value) -> Value:
    """Return a window that is a factor as a copy in an order that all matmuls can use.

    So is a view whose rows would be short.
    """
    if not isinstance(value, Strided) or not (is_window(value) or _has_short_rows(value)):
        return value
    order = _packed_order(value)
    by_axis = {w.axis: w for w in value.windows}
    return Packed(replace(value, windows=tuple(by_axis[a] for a in order), axes=order), order)


def _has_short_rows(view: Strided) -> bool:
    """Whether the last one of several indices that count together has few values."""
    counts = {w.axis: w.count for w in view.windows}
    last = [w.axis for w in view.windows if w.steps[-1]]
    count = counts[view.memory[-1]] if view.memory else None
    return len(last) > 1 and isinstance(count, Const) and abs(count.value) <= UNROLLED


def _packed_order(window: Strided) -> tuple[str, ...]:
    """Return the axes of a window in an order in which every group of a matmul lies together.

    What moves through a dimension alone stands where the array has it, in front of or behind the
    offsets within the window and what moves it, the latter next to what lies fastest.
    """
    offsets = within(window)
    dims = range(len(window.starts))
    crowded = {d for d in dims if sum(w.steps[d] != 0 for w in window.windows) > 1}
    place = {w.axis: next((d for d in dims if w.steps[d]), 0) for w in window.windows}
    mains = sorted((a for a in place if a not in offsets), key=place.__getitem__)
    alone = [a for a in mains if place[a] not in crowded]
    moving = [a for a in mains if a not in alone]
    front = [a for a in alone if place[a] < min(crowded)]
    back = [a for a in alone if a not in front]
    inner = [*offsets, *moving] if not back else [*moving, *offsets]
    return (*front, *inner, *back)


def within(window: Strided) -> tuple[str, ...]:
    """Return the axes that step within a window: all but the outermost of each dimension."""
    found: dict[str, None] = {}
    for dim in range(len(window.starts)):
        moving = [w.axis for w in window.windows if w.steps[dim] and w.axis not in found]
        found.update(dict.fromkeys(moving[1:]))
    return tuple(found)


def beside(lowering: Lowering, subscript: Subscript) -> Range | None:
    """Return places beside those of one index of the box as a range; None: they are others."""
    inside = [n for n in free_indices(subscript.at) if n in lowering.box.indices]
    index = lowering.box.indices[inside[0]] if len(inside) == 1 else None
    if (
        index is None
        or index.step != 1
        or not accesses.is_regular(lowering, replace(subscript, mode="strict"))
    ):
        return None
    form = affine(subscript.at)
    if (
        form is None
        or index.start is None
        or index.stop is None
        or form.coefficient(index.name) != 1
    ):
        return None
    start, stop = (at_point(subscript.at, {index.name: e}) for e in (index.start, index.stop))
    return Range(start, stop, 1, (index.name,))


def is_outside(lowering: Lowering, access: Access, mask: Expr) -> bool:
    """Whether a padded subscript of an access is outside wherever a mask does not hold."""
    excess = excess_of(mask)
    return excess is not None and follows(
        to_expr(excess), accesses.inside_condition(lowering, access), lowering.ranges
    )


def few(lowering: Lowering, names: tuple[str, ...]) -> bool:
    """Whether indices have literal ranges with few points together."""
    total = 1
    for name in names:
        values = literal(lowering.box.indices[name])
        if values is None:
            return False
        total *= len(values)
    return 1 <= total <= UNROLLED


def apart(lowering: Lowering, target: Access) -> tuple[str, ...]:
    """Return the few offsets of a target between which no cells meet: it fills one array densely.

    Each offset's cells are a slice: `y[2*i+k]` for k < 2.
    """
    plain = lowering.context.opt > 0 and accesses.is_affine(lowering, target)
    names = within(accesses.strided(lowering, target)) if plain else ()
    if not names or not few(lowering, names):
        return ()
    return names if meet_nowhere(target, points(lowering.box.indices, names)) else ()


def moves_within(lowering: Lowering, expr: Expr, over: tuple[str, ...]) -> bool:
    """Whether an access of an expression has an index of `over` beside another in one subscript."""
    for access in _accesses(expr):
        for subscript in access.subscripts:
            inside = [n for n in free_indices(subscript.at) if n in lowering.box.indices]
            if len(inside) > 1 and any(n in over for n in inside):
                return True
    return False


def _accesses(expr: Expr) -> Iterator[Access]:
    match expr:
        case Read(access):
            yield access
        case Call(_, args):
            for arg in args:
                yield from _accesses(arg)
        case _:
            return


def stays_inside(lowering: Lowering, access: Access) -> bool:
    """Whether a regular target is inside wherever the masks hold, or the run checks that."""
    return all(_is_inside(lowering, access, axis) for axis in range(len(access.subscripts)))


def _is_inside(lowering: Lowering, access: Access, axis: int) -> bool:
    return accesses.stays_inside_at(lowering, access, axis) or _is_read(lowering, access, axis)


def _pads(lowering: Lowering, access: Access) -> Pads | None:
    """Return how far an access goes outside; None: some subscript is not of that kind."""
    found: list[tuple[Expr, Expr]] = []
    for axis, subscript in enumerate(access.subscripts):
        plain = replace(subscript, mode="strict")
        if subscript.mode not in ("strict", "pad") or not accesses.is_regular(lowering, plain):
            return None
        if subscript.mode == "strict":
            if not _is_inside(lowering, access, axis):
                return None
            found.append((_ZERO, _ZERO))
            continue
        pad = pad_of(lowering, access, axis)
        if pad is None:
            return None
        found.append(pad)
    return tuple(found)


def pad_of(lowering: Lowering, access: Access, axis: int) -> tuple[Expr, Expr] | None:
    """Return how far a padded access goes outside in front and behind; None: it is not regular."""
    at = access.subscripts[axis].at
    form = affine(at)
    assert form is not None
    if any(abs(c) > STRIDE for atom, c in form.terms if isinstance(atom, IndexRef)):
        return None
    ends = bounds(at, used_ranges(at, lowering.ranges))
    low = None if ends.low is None else affine(ends.low)
    high = None if ends.high is None else affine(ends.high)
    extent = affine(lowering.context.extent(access.array, axis))
    if low is None or high is None or extent is None:
        return None
    return _at_least_zero(Affine(0) - low), _at_least_zero(high - extent + Affine(1))


def _at_least_zero(size: Affine) -> Expr:
    return simplify(Call("max", (to_expr(size), _ZERO)))


def _is_read(lowering: Lowering, access: Access, axis: int) -> bool:
    """Whether the first mask reads another array of this extent at the same place, everywhere."""
    extent = lowering.context.extent(access.array, axis)
    for mask in lowering.masks[:1]:
        if not (isinstance(mask, Call) and mask.fn in ("eq", "lt", "le", "gt", "ge", "ne")):
            return False
        for arg in mask.args:
            if not isinstance(arg, Read) or len(arg.access.subscripts) <= axis:
                continue
            other = arg.access.subscripts[axis]
            same = other.mode == "strict" and other.at == access.subscripts[axis].at
            if same and equal(lowering.context.extent(arg.access.array, axis), extent):
                return True
    return False


def shifted(window: Strided, pads: Pads) -> Strided:
    """Return a window of a copy with zeros round it."""
    if all(pad == (_ZERO, _ZERO) for pad in pads):
        return window
    starts = tuple(
        simplify(Call("add", (start, low)))
        for start, (low, _) in zip(window.starts, pads, strict=True)
    )
    return replace(window, starts=starts, pads=pads)
