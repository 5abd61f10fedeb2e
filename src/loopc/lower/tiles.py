"""Tiles: steps that share outer indices run for a block of these at a time.

What one step makes and the next one reads stays in the cache, and an array that only they use needs
no more memory than a block. Steps join a group if each of them, at a point of the shared indices,
reads of what the group writes only what it wrote at this point; sums over a shared index add up
block by block. Steps in between that cannot join move before or behind the group where no
dependence forbids it.

Source: loop fusion and array contraction, Allen and Kennedy, Optimizing Compilers for Modern
Architectures, ch. 6.2 and 5.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from loopc.diagnostics.record import replace
from loopc.ir.dtypes import DType
from loopc.ir.magnitude import Magnitudes
from loopc.lower.plan import (
    Assign,
    Loop,
    Step,
    Store,
    Strips,
)
from loopc.lower.strips import stripped
from loopc.lower.sweeps import swept
from loopc.lower.tile_groups import Group, Shapes
from loopc.lower.tile_rules import (
    Tileable,
    target_axes,
)
from loopc.lower.tile_units import (
    Unit,
    is_spread,
    linked,
    listed,
    units_of,
)

DEPTH = 2
"""The most indices that run in blocks."""


TOP = (2, 2)
"""The operations that a tile saves temporaries of, to be worth its own calls.

The second number counts where the extents of its blocks change while it runs.
"""

SERIAL = (4, 4)
"""The same in a serial loop."""

PREPARED = (2, 4)
"""The same in a serial loop of a call of known shapes: its buffers and views are made outside."""


def tiled(
    steps: Sequence[Step],
    inputs: Iterable[str],
    outputs: Iterable[str],
    shapes: Shapes,
    types: Mapping[str, DType],
    serial: tuple[int, int] = SERIAL,
    work: tuple[int, int] = TOP,
    sizes: Magnitudes | None = None,
) -> tuple[Step, ...]:
    """Return the steps of a plan, those in tiles that do enough.

    Args:
        steps: the steps.
        inputs: the arrays that exist before them.
        outputs: those that are read after them.
        shapes: of the arrays.
        types: of the arrays.
        serial: the work that a tile in a serial loop does at least.
        work: the work that one here does at least.
        sizes: what is known of extents where triangles are to run in strips; None: they are not.
    """
    made = set(inputs)
    kept = set(outputs)
    if sizes is not None:
        steps = stripped(steps, made, kept, shapes, types, sizes)
    left = units_of([_with_tiles(s, shapes, types, serial) for s in steps])
    found: list[Step] = []
    while left:
        group = _best(left, made, work)
        if group is not None:
            group = _handed_on(group, left, made, work, kept)
        if group is None:
            found += listed(left[:1])
            made |= left.pop(0).writes
        else:
            before, later = group.around()
            names = {n for u in later for n in u.reads | u.writes}
            left = [*before, group.unit(kept | names, shapes, types), *later]
    return tuple(found)


def _with_tiles(
    step: Step, shapes: Shapes, types: Mapping[str, DType], work: tuple[int, int]
) -> Step:
    """Return a serial loop as a sweep, or with tiles in its body, where all arrays exist.

    In strips those exist that are not made in each.
    """
    if isinstance(step, Strips):
        own = {a.array: a.shape for a in step.local}
        others = [n for n in shapes if n not in own]
        shapes = {**shapes, **own}
        return replace(step, body=tiled(step.body, others, others, shapes, types, work))
    if not isinstance(step, Loop):
        return step
    sweep = swept(step)
    if sweep is not step:
        return sweep
    return replace(step, body=tiled(step.body, shapes, shapes, shapes, types, work, work))


def _best(units: Sequence[Unit], made: set[str], work: tuple[int, int]) -> Group | None:
    """Return the group that starts with the first step, with as many steps as can be."""
    step = units[0].step
    if not isinstance(step, Assign | Store):
        return None
    best: Group | None = None
    alone: set[int] = set()
    for lead, depth in _ways(units[0]):
        group = None if lead in alone else _grown(units, made, depth, lead)
        if group is None or (len(group.members) == 1 and not group.pays(work)):
            alone.add(lead)  # nor does another step share two indices with it
            continue
        least = (0, 0) if best is None else (len(best.members) + (best.lead != lead), best.again)
        if (len(group.members), group.again) >= least:
            best = group
    return best if best is not None and best.pays(work) else None


def _handed_on(
    group: Group, units: Sequence[Unit], made: set[str], work: tuple[int, int], kept: set[str]
) -> Group:
    """Return a group without the steps that are better made by those who read their arrays.

    Such an array has more dimensions than what its step needs of the group, and others alone read
    it, who are a group with the step: there it takes no more memory than a block.
    """
    for member in reversed(group.members):
        unit = member.unit
        if not is_spread(member, group.members) or unit.writes & kept:
            continue
        smaller = _grown(units, made, group.depth, group.lead, group.apart | {id(unit)})
        if smaller is None or len(smaller.members) != len(group.members) - 1:
            continue
        before, later = smaller.around()
        place = next((n for n, u in enumerate(later) if u is unit), None)
        if place is None:  # it can only run before the group
            continue
        first = [*before, *(m.unit for m in smaller.members), *later[:place]]
        next_group = _best(later[place:], made.union(*(u.writes for u in first)), work)
        if next_group is not None:
            own = {id(m.unit) for m in next_group.members}
            if all(id(u) in own for u in later if u.reads & unit.writes):
                group = smaller
    return group


def _ways(unit: Unit) -> Iterator[tuple[int, int]]:
    """Yield which indices of a group's first step may be shared: from which one on, and how many.

    Those of its cells, the second one of these alone, or those that it sums over.
    """
    assert isinstance(unit.step, Tileable)
    own = len(target_axes(unit.step))
    for depth in range(1, DEPTH + 1):
        yield 0, depth
    if own > DEPTH:
        yield 1, 1
    for depth in range(1, min(DEPTH, len(unit.sizes) - own) + 1):
        yield own, depth


def _grown(
    units: Sequence[Unit],
    made: set[str],
    depth: int,
    lead: int = 0,
    apart: frozenset[int] = frozenset(),
) -> Group | None:
    """Return a group of the first step and all that join it and have to do with it."""
    group = Group(depth, set(made), lead, apart)
    if not group.join(units[0]):
        return None
    group.grow(units[1:])
    own = linked(group.touched)
    others = frozenset(id(m.unit) for n, m in enumerate(group.members) if n not in own)
    return _grown(units, made, depth, lead, apart | others) if others else group
