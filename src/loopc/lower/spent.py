"""Arrays that a tile is the last to use, so that what it makes may take their memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from loopc.diagnostics.record import replace
from loopc.lower.plan import Step, Tile
from loopc.lower.plan_visit import touched


def with_spent(steps: Sequence[Step], outputs: Collection[str]) -> tuple[Step, ...]:
    """Return the steps at the top of a plan, tiles with the arrays that end in them.

    These are made by an earlier tile, and nothing but tiles uses them: no other array is a view
    of their memory.
    """
    last: dict[str, int] = {}
    apart = set(outputs)
    for place, step in enumerate(steps):
        names = set().union(*touched(step))
        last.update(dict.fromkeys(names, place))
        if not isinstance(step, Tile):
            apart |= names
    found: list[Step] = []
    owned: list[str] = []
    for place, step in enumerate(steps):
        if isinstance(step, Tile):
            spent = tuple(n for n in owned if last[n] == place)
            found.append(replace(step, spent=spent))
            owned = [n for n in owned if n not in spent]
            owned += [a.array for a in step.made if a.array not in apart]
        else:
            found.append(step)
    return tuple(found)
