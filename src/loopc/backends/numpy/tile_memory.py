"""Which arrays of a tile take the memory of arrays that it is the last to use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loopc.backends.numpy.tile_items import Item, Operation, Write
from loopc.ir.dtypes import DType
from loopc.ir.nodes import Expr
from loopc.lower.plan import Alloc, Tile, Value, View
from loopc.lower.plan_visit import walk


def taken(
    tile: Tile,
    items: Sequence[Item],
    operations: Sequence[Operation],
    shapes: Mapping[str, tuple[Expr, ...]],
    types: Mapping[str, DType],
) -> dict[str, str]:
    """Return the arrays that are made in another one's memory, and this one.

    That has the same shape and type, and is read as the very blocks that are written.
    """
    found: dict[str, str] = {}
    for alloc in tile.made:
        writes = [i.view for i in items if isinstance(i, Write) and i.view.array == alloc.array]
        for old in tile.spent if len(writes) == 1 else ():
            reads = [o.value for o in operations if _mentions(o.value, old)]
            same = all(isinstance(r, View) and _cells(r) == _cells(writes[0]) for r in reads)
            if same and old not in found.values() and _is_alike(alloc, old, shapes, types):
                found[alloc.array] = old
                break
    return found


def _is_alike(
    alloc: Alloc, old: str, shapes: Mapping[str, tuple[Expr, ...]], types: Mapping[str, DType]
) -> bool:
    return shapes.get(old) == alloc.shape and types.get(old) == alloc.dtype


def _mentions(value: Value, array: str) -> bool:
    return any(getattr(v, "array", "") == array for v in walk(value))


def _cells(view: View) -> list[tuple[Expr, Expr | None, int]]:
    """Return what a view takes of each dimension."""
    return [(p.start, p.count, p.step) for p in view.parts]
