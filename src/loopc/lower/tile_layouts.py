"""Where the cells of arrays lie that tiles make for other tiles: a block in one piece of memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from loopc.diagnostics.record import replace
from loopc.lower.plan import Assign, Overlap, Step, Store, Tile, View
from loopc.lower.plan_names import mentions
from loopc.lower.plan_visit import touched, walk

Dims = tuple[int, ...]


def laid_out(steps: Sequence[Step], outputs: Collection[str]) -> tuple[Step, ...]:
    """Return steps in which the dimensions that all tiles run over in blocks come first in memory.

    That is so for an array that tiles alone make and use, each in blocks of the same dimensions.
    """
    users: dict[str, list[Step]] = {}
    for step in steps:
        for name in set().union(*touched(step)):
            users.setdefault(name, []).append(step)
    return tuple(
        _with_orders(step, users, outputs) if isinstance(step, Tile) else step for step in steps
    )


def _with_orders(tile: Tile, users: dict[str, list[Step]], outputs: Collection[str]) -> Tile:
    orders: list[tuple[str, Dims]] = []
    for alloc in tile.made:
        if alloc.array in outputs:
            continue
        found = {d for user in users[alloc.array] for d in _blocked(user, alloc.array)}
        front = next(iter(found)) if len(found) == 1 else None
        if front and front != tuple(range(len(front))):
            rest = (d for d, _ in enumerate(alloc.shape) if d not in front)
            orders.append((alloc.array, (*front, *rest)))
    return replace(tile, orders=tuple(orders)) if orders else tile


def _blocked(step: Step, name: str) -> Iterator[Dims | None]:
    """Yield the dimensions of an array that run in blocks, for each access; None: not known."""
    if not isinstance(step, Tile):
        yield None
        return
    ends = {n for i in step.indices for n in (i.low, i.high)}
    for each in step.body:
        if not isinstance(each, Assign | Store | Overlap):
            continue
        values = [*walk(each.value), *([each.target] if isinstance(each, Store) else [])]
        for value in values:
            if isinstance(value, View) and value.array == name:
                yield tuple(d for d, p in enumerate(value.parts) if mentions(p, ends))
            elif getattr(value, "array", None) == name:
                yield None
