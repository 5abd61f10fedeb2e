"""The few offsets of small windows, those of a pool, taken one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from loopc.diagnostics.record import replace
from loopc.ir.affine import affine
from loopc.ir.nodes import Access, Expr, Index, IndexRef
from loopc.ir.points import Point, points
from loopc.ir.visit import substitute
from loopc.lower.domain import boxed

if TYPE_CHECKING:
    from loopc.lower.statement import Job


class FewOffsets(Exception):  # noqa: N818 - no error: another way to lower
    """Windows that overlap have few offsets: each is a statement of its own."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(", ".join(names))
        self.names = tuple(names)


def one_by_one(job: Job, names: Sequence[str]) -> Iterator[Job]:
    """Yield the update at each value of some indices.

    Where no two of them have a cell in common, all find their cells as they were made.
    """
    masks: list[Expr] = []
    ranges: dict[str, Index] = {}
    for index in job.parallel:
        ranges[index.name] = boxed(index, ranges, masks if index.name in names else [])
    found = points(ranges, names)
    apart = meet_nowhere(job.update.target, found)
    for number, at in enumerate(found):
        yield replace(
            job,
            update=substitute(job.update, at),
            parallel=tuple(substitute(i, at) for i in job.parallel if i.name not in names),
            guards=tuple(substitute(g, at) for g in (*masks, *job.guards)),
            fresh=job.fresh and (apart or number == 0),
            occupied=tuple(i for i in job.occupied if i.name not in names),
        )


def meet_nowhere(target: Access, found: Sequence[Point]) -> bool:
    """Whether a target has different cells at all these points, wherever its windows are."""
    return all(
        any(_differs(s.at, a, b) for s in target.subscripts) for a, b in combinations(found, 2)
    )


def _differs(at: Expr, a: Point, b: Point) -> bool:
    form = affine(at)
    if form is None or not all(isinstance(atom, IndexRef) for atom, _ in form.terms):
        return False
    steps = {atom.name: c for atom, c in form.terms if isinstance(atom, IndexRef)}
    apart = sum(c * int(b[n].value.real - a[n].value.real) for n, c in steps.items() if n in a)
    moves = [abs(c) for n, c in steps.items() if n not in a]
    return apart % moves[0] != 0 if len(moves) == 1 else not moves and apart != 0
