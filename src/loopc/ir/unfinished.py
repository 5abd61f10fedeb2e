"""Reductions over an array that the loops round them have not finished yet.

In `for i: e[i] = exp(x[i]); p[i] = e[i] / sum[k](e[k])`, written as one block, the sum at `i` sees
the cells up to `i` alone: those behind hold their start value. It is what the loops say, and hardly
ever what was meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loopc.diagnostics import catalogue
from loopc.diagnostics.errors import Diagnostic
from loopc.ir.nodes import Access, For, Index, IndexRef, Program, Read, Reduce, Update
from loopc.ir.visit import updates, walk

Placed = tuple[Sequence[For], Update]
"""An update with the loops round it."""


def check_unfinished(program: Program, found: list[Diagnostic]) -> None:
    """Append a warning for each array that a reduction reads before it is finished."""
    temporary = {a.name for a in program.arrays if a.kind == "temp"}
    writers: dict[str, list[Placed]] = {}
    for loops, update in updates(program.body):
        writers.setdefault(update.target.array, []).append((loops, update))
    reported: set[str] = set()
    for loops, update in updates(program.body):
        for value, access in _read_whole(update):
            name, made = access.array, writers.get(access.array, [])
            if not loops or name in reported or name not in temporary:
                continue
            if not all(f and f[0] is loops[0] and _is_first(f, u) for f, u in made):
                continue
            for around, writer in made:
                shared = [f for f in loops if any(f is g for g in around)]
                index = _running(shared, writer.target, access, value)
                if index is not None and name not in reported:
                    reported.add(name)
                    found.append(_diagnostic(access, value, index, update))


def _is_first(loops: Sequence[For], update: Update) -> bool:
    """Whether an update gives each of its cells a value, once."""
    alone = {s.at.name for s in update.target.subscripts if isinstance(s.at, IndexRef)}
    return update.op == "=" and alone.issuperset(i.name for f in loops for i in f.indices)


def _read_whole(update: Update) -> Iterator[tuple[Reduce, Access]]:
    """Yield the reads inside reductions that leave no term out."""
    for value in walk(update.value):
        if isinstance(value, Reduce) and value.guard is None:
            yield from ((value, n.access) for n in walk(value.body) if isinstance(n, Read))


def _running(
    shared: Sequence[For], target: Access, access: Access, value: Reduce
) -> tuple[Index, Index] | None:
    """Return the index of a reduction, and the loop that writes what it runs over, if it does."""
    bound = {i.name: i for i in value.indices}
    outer = {i.name: i for f in shared for i in f.indices}
    found = None
    for mine, theirs in zip(access.subscripts, target.subscripts, strict=True):
        at, place = mine.at, theirs.at
        if isinstance(at, IndexRef) and at.name in bound:
            if not isinstance(place, IndexRef) or place.name not in outer:
                return None
            inner, running = bound[at.name], outer[place.name]
            if (inner.start, inner.stop) != (running.start, running.stop):
                return None
            found = (inner, running)
        elif at != place:
            return None
    return found


def _diagnostic(
    access: Access, value: Reduce, indices: tuple[Index, Index], update: Update
) -> Diagnostic:
    inner, running = indices
    return catalogue.diagnostic(
        "L0335",
        access.span or update.span,
        op=value.op,
        index=inner.name,
        name=access.array,
        loop=running.name,
    )
