"""Values and steps for a block of an index: what they are between two ends of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

from loopc.diagnostics.record import replace
from loopc.ir.affine import affine, to_expr
from loopc.ir.nodes import Call, Const, Expr, Index, IndexRef
from loopc.lower.domain import count
from loopc.lower.plan import (
    Along,
    Assign,
    Contract,
    Exactly,
    Expand,
    Gather,
    Overlap,
    Part,
    Position,
    Range,
    Renamed,
    Selected,
    Step,
    Store,
    Strided,
    TileIndex,
    Value,
    View,
    Window,
)
from loopc.lower.plan_visit import children, map_children, walk

Blocks = Mapping[str, TileIndex]
"""The block of each axis that runs in blocks."""


def extents(step: Step) -> dict[str, Expr]:
    """Return the number of values of each axis of a step, in the order of their first use."""
    found: dict[str, Expr] = {}
    values: list[Value] = [step.target] if isinstance(step, Store) else []
    if isinstance(step, Overlap):
        values.append(step.window)
    if isinstance(step, Assign | Store | Overlap):
        values += walk(step.value)
    for value in values:
        for axis, size in _extents(value):
            found.setdefault(axis, size)
    for value in reversed(values):
        if isinstance(value, Renamed) and value.old in found:
            found.setdefault(value.new, found[value.old])
    return found


def _extents(value: Value) -> Iterator[tuple[str, Expr]]:
    match value:
        case View(parts=parts) | Gather(indices=parts):
            for part in parts:
                if isinstance(part, Part) and part.axis and part.count is not None:
                    yield part.axis, part.count
        case Strided(windows=windows):
            for window in windows:
                yield window.axis, window.count
        case Range(start, stop, step=1, axes=(axis,)):
            yield axis, _minus(stop, start)
        case Range(start, stop, step, axes=(axis,)):
            yield axis, count(Index(axis, start, stop, step))
        case Expand(counts=counts, axes=axes):
            yield from zip(axes, counts, strict=True)
        case _:
            pass


def block(value: Value, blocks: Blocks, local: Collection[str] = ()) -> Value:
    """Return a value between the ends of blocks; `local` arrays hold no more than these."""

    def inside(child: Value) -> Value:
        return block(child, blocks, local)

    new = map_children(value, inside)
    match new:
        case View(array) if array in local:
            return local_view(new, blocks)
        case View(parts=parts):
            return replace(new, parts=tuple(_part(p, blocks) for p in parts))
        case Strided():
            return block_window(new, blocks)
        case Gather(indices=indices):
            own = tuple(p if isinstance(p, Position) else _part(p, blocks) for p in indices)
            return replace(new, indices=own)
        case Range(start, stop, step, (axis,)) if axis in blocks:
            ends = blocks[axis]
            low = _moved(start, ends, step)
            high = stop if step < 0 else _plus(start, _times(end(ends), step))
            return replace(new, start=low, stop=high)
        case Expand(counts=counts, axes=axes):
            sizes = tuple(
                size(blocks[a]) if a in blocks else c for a, c in zip(axes, counts, strict=True)
            )
            return replace(new, counts=sizes)
        case Contract() | Selected():
            pairs = ((a, size(blocks[a]) if a in blocks else e) for a, e in new.sizes)
            return replace(new, sizes=tuple(pairs))
        case _:
            return new


def block_view(view: View, blocks: Blocks) -> View:
    """Return a view between the ends of blocks."""
    return replace(view, parts=tuple(_part(p, blocks) for p in view.parts))


def local_view(view: View, blocks: Blocks) -> View:
    """Return a view of an array that holds a block alone."""
    parts = tuple(
        replace(p, start=Const(0), count=size(blocks[p.axis]), whole=True)
        if p.axis in blocks
        else p
        for p in view.parts
    )
    return replace(view, parts=parts)


@lru_cache(maxsize=1 << 10)
def size(index: TileIndex) -> Expr:
    """Return the number of values in a block."""
    return _minus(end(index), begin(index))


def begin(index: TileIndex) -> Expr:
    """Return the first value of a block."""
    return IndexRef(index.low) if index.low else Const(0)


def end(index: TileIndex) -> Expr:
    """Return what comes behind the last value of a block."""
    return IndexRef(index.high) if index.high else index.extent


def _part(part: Part, blocks: Blocks) -> Part:
    if part.axis not in blocks:
        return part
    ends = blocks[part.axis]
    start = _moved(part.start, ends, part.step)
    return replace(part, start=start, count=size(ends), whole=False)


@lru_cache(maxsize=1 << 10)
def _moved(start: Expr, ends: TileIndex, step: int | Expr) -> Expr:
    """Return where a part of a dimension starts in a block."""
    return _plus(start, _times(begin(ends), step))


def block_window(value: Strided, blocks: Blocks) -> Strided:
    """Return a strided view between the ends of blocks."""
    starts = list(value.starts)
    cuts = list(value.cuts)
    windows: list[Window] = []
    for window in value.windows:
        if window.axis not in blocks:
            windows.append(window)
            continue
        ends = blocks[window.axis]
        for axis, step in enumerate(window.steps):
            if step and value.pads:
                low, high = (_plus(starts[axis], e(ends)) for e in (begin, end))
                cuts.append((axis, low, high))
                starts[axis] = Const(0)
            else:
                starts[axis] = _moved(starts[axis], ends, step)
        windows.append(replace(window, count=size(ends)))
    return replace(value, starts=tuple(starts), windows=tuple(windows), cuts=tuple(cuts))


def _plus(a: Expr, b: Expr) -> Expr:
    return _simple(Call("add", (a, b)))


def _minus(a: Expr, b: Expr) -> Expr:
    return _simple(Call("add", (a, Call("neg", (b,)))))


def _times(a: Expr, number: int | Expr) -> Expr:
    factor = Const(number) if isinstance(number, int) else number
    return _simple(Call("mul", (factor, a)))


def _simple(expr: Expr) -> Expr:
    form = affine(expr)
    return expr if form is None else to_expr(form)


def can_run_in_blocks(value: Value, axes: frozenset[str], *, rows: bool = False) -> bool:
    """Whether a value of a block can be made from blocks: no axis of them is reduced or moved.

    A large product is not to be split by its rows, but inside what is checked to be finite: sums
    that were multiplied out are over the few coordinates of points, and used at once.
    """
    match value:
        case Contract(args, kept) | Selected(args=args, axes=kept):
            splits = _is_batched(args, kept, axes) or (rows and not _is_summed(args, kept, axes))
        case Range(step=step, axes=own):
            splits = step == 1 or axes.isdisjoint(own)
        case Strided(pads=((_, _), *_)):
            splits = moves_apart(value, axes.intersection(value.axes))
        case Exactly():
            splits = rows = True
        case Along() if not axes <= set(value.axes):
            splits = axes.isdisjoint(value.axes)  # else it would be made anew in every other block
        case View() | Strided() | Gather():
            splits = True
        case _:
            splits = _keeps(value, axes)
    return splits and all(can_run_in_blocks(c, axes, rows=rows) for c in children(value))


def _keeps(value: Value, axes: frozenset[str]) -> bool:
    moved = {getattr(value, "old", ""), getattr(value, "new", ""), getattr(value, "axis", "")}
    over = set(getattr(value, "over", ()))
    return not axes & (moved | over)


def _is_batched(args: tuple[Value, ...], kept: tuple[str, ...], axes: frozenset[str]) -> bool:
    """Whether blocks are batches of a contraction, or it has no large product to split."""
    arrays = [a for a in args if a.axes]
    everywhere = {x for a in arrays for x in a.axes}
    summed = everywhere - set(kept)
    if _is_summed(args, kept, axes):
        return False
    inside = axes & everywhere
    if all(inside <= set(a.axes) for a in arrays):
        return True
    if any(is_window(a) and moves_apart(a, axes) for a in arrays):
        return True  # it is copied anyway, block by block as well as at once
    split = [set(a.axes) for a in arrays if inside <= set(a.axes)]
    others = (set(a.axes) - summed for a in arrays if not inside <= set(a.axes))
    return bool(split) and all(kept_axes <= split[0].intersection(*split) for kept_axes in others)


def _is_summed(args: tuple[Value, ...], kept: tuple[str, ...], axes: frozenset[str]) -> bool:
    return any(x in axes and x not in kept for a in args for x in a.axes)


def is_window(value: Value) -> bool:
    """Whether a value is a view in which several indices meet in one dimension."""
    if not isinstance(value, Strided) or value.memory:
        return False
    dims = range(len(value.starts))
    return any(sum(w.steps[d] != 0 for w in value.windows) > 1 for d in dims)


def moves_apart(value: Value, axes: frozenset[str]) -> bool:
    """Whether each axis moves in steps of one through a dimension of its own, without zeros."""
    if not isinstance(value, Strided):
        return False
    windows = {w.axis: w for w in value.windows}
    for axis in axes:
        if axis not in windows:
            return False
        dims = [d for d, step in enumerate(windows[axis].steps) if step]
        if len(dims) != 1 or windows[axis].steps[dims[0]] != 1:
            return False
        if sum(w.steps[dims[0]] != 0 for w in value.windows) != 1:
            return False
        if value.pads and value.pads[dims[0]] != (Const(0), Const(0)):
            return False
    return True
