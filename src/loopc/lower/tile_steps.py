"""A group of steps as a tile: each step as it is in a block."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from loopc.diagnostics.record import record, replace
from loopc.ir import reductions
from loopc.ir.dtypes import DType
from loopc.ir.nodes import Const, Expr
from loopc.lower.blocks import Blocks, block, block_view, block_window, local_view, size
from loopc.lower.plan import (
    Alloc,
    Along,
    Apply,
    Assign,
    Overlap,
    Part,
    Renamed,
    Step,
    Store,
    Tile,
    TileIndex,
    Value,
    View,
)
from loopc.lower.plan_visit import arrays_read, map_children
from loopc.lower.tile_rules import Tileable, reads_itself
from loopc.lower.tile_units import Member, Unit


@record()
class Arrays:
    """The arrays of a program.

    Attributes:
        shapes, types: of all.
        kept: those that are used outside of a group.
    """

    shapes: Mapping[str, tuple[Expr, ...]]
    types: Mapping[str, DType]
    kept: frozenset[str]


def tile(
    members: Sequence[Member],
    sizes: Sequence[Expr],
    arrays: Arrays,
) -> Tile:
    """Return a group as one step.

    Args:
        members: its steps.
        sizes: the extents of the shared indices.
        arrays: of the program.
    """
    names = [a.replace("°", "") for a in members[0].axes]
    indices = tuple(TileIndex(f"{n}_from", f"{n}_to", s) for n, s in zip(names, sizes, strict=True))
    fresh = [
        next(iter(m.unit.writes)) for m in members if isinstance(m.unit.step, Assign) and not m.sums
    ]
    parted = written_in_parts(members)
    local = tuple(n for n in dict.fromkeys(fresh) if n not in arrays.kept and n not in parted)
    made = tuple(_allocated(n, arrays) for n in fresh if n not in local)
    sums = tuple(
        _allocated(n, arrays)
        for m in members
        if m.sums and isinstance(m.unit.step, Assign) and not reads_itself(m.unit.step)
        for n in m.unit.writes
    )
    body: list[Step] = []
    for member in _sharing(members):
        if member.unit.note is not None:
            body.append(member.unit.note)
        blocks = dict(zip(member.axes, indices, strict=True))
        body.append(of_block(member, blocks, local, arrays.shapes))
    return Tile(indices, made, sums, local, tuple(body))


def written_in_parts(members: Iterable[Member]) -> set[str]:
    """Return the arrays that a group writes a part of."""
    stores = (m.unit.step for m in members if isinstance(m.unit.step, Store))
    return {s.target.array for s in stores if not all(p.whole for p in s.target.parts)}


def _sharing(members: Sequence[Member]) -> Iterator[Member]:
    """Yield members that make of what others make as much as they can.

    The exp of a log-softmax is the softmax, which is made of the same exponentials.
    """
    known: dict[Value, Value] = {}
    for member in members:
        step = member.unit.step
        assert isinstance(step, Tileable)
        value = _with_known(step.value, known)
        same = value is step.value
        yield member if same else replace(member, unit=_with_value(member.unit, step, value))
        written = member.unit.writes
        known = {k: v for k, v in known.items() if not written & (arrays_read(k) | arrays_read(v))}
        other = _of_value(step.value)
        if isinstance(step, Assign) and other is not None and not step.cast:
            parts = (
                Part(Const(0), a, n, 1, whole=True)
                for a, n in zip(step.order, step.shape, strict=True)
            )
            view = View(step.array, tuple(parts), step.order)
            known[Apply(other[0], (view,), step.order)] = other[1]


def _with_value(unit: Unit, step: Tileable, value: Value) -> Unit:
    return replace(unit, step=replace(step, value=value))


def _of_value(value: Value) -> tuple[str, Value] | None:
    """Return a function of a value, and the reduction that it is, of the same terms."""
    match value:
        case Along(op):
            row = reductions.lookup(op)
            found = None if row is None else row.of_value
            return None if found is None else (found[0], replace(value, op=found[1]))
        case Renamed(arg):
            inner = _of_value(arg)
            return None if inner is None else (inner[0], replace(value, arg=inner[1]))
        case _:
            return None


def _with_known(value: Value, known: Mapping[Value, Value]) -> Value:
    new = map_children(value, lambda child: _with_known(child, known)) if known else value
    return known.get(new, new)


def _allocated(name: str, arrays: Arrays) -> Alloc:
    return Alloc(name, arrays.shapes[name], arrays.types[name], 0)


def of_block(
    member: Member, blocks: Blocks, local: Collection[str], shapes: Mapping[str, tuple[Expr, ...]]
) -> Step:
    """Return a step of a group as it is in a block; `local` arrays hold no more than that."""
    step = member.unit.step
    assert isinstance(step, Tileable)
    value = block(step.value, blocks, set(local))
    if member.sums:
        return _sum(step, value, blocks, shapes)
    if isinstance(step, Overlap):
        return replace(step, window=block_window(step.window, blocks), value=value)
    if isinstance(step, Store):
        view = local_view if step.target.array in local else block_view
        return replace(step, target=view(step.target, blocks), value=value)
    if step.array in local:
        counts = zip(step.order, shapes[step.array], strict=True)
        shape = tuple(size(blocks[a]) if a in blocks else n for a, n in counts)
        return replace(step, value=value, shape=shape)
    return Store(block_view(_whole(step, shapes), blocks), "=", value)


def _sum(
    step: Tileable, value: Value, blocks: Blocks, shapes: Mapping[str, tuple[Expr, ...]]
) -> Step:
    """Return what adds the sum over a block to its target."""
    assert isinstance(step, Assign | Store)
    if isinstance(step, Store):
        return replace(step, target=block_view(step.target, blocks), value=value)
    if reads_itself(step):
        return replace(step, value=value)
    if not step.order:
        old = View(step.array, (), ())
        return replace(step, value=Apply("add", (old, value), ()), fresh=True)
    return Store(block_view(_whole(step, shapes), blocks), "+=", value)


def _whole(step: Assign, shapes: Mapping[str, tuple[Expr, ...]]) -> View:
    """Return the whole of the array that a step makes."""
    counts = zip(step.order, shapes[step.array], strict=True)
    parts = tuple(Part(Const(0), a, n, 1, whole=True) for a, n in counts)
    return View(step.array, parts, step.order)
