"""Steps with what they touch: what the grouping into tiles moves about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from loopc.diagnostics.record import record
from loopc.ir.nodes import Expr
from loopc.lower.blocks import extents
from loopc.lower.plan import (
    Alloc,
    Assign,
    Copy,
    Loop,
    Note,
    Overlap,
    Running,
    Scatter,
    Step,
    Store,
    When,
)
from loopc.lower.plan_visit import touched
from loopc.lower.tile_rules import Tileable, target_axes

T = TypeVar("T")

MOVABLE = (Alloc, Copy, Assign, Store, Scatter, Overlap, Running, Loop, When)
"""Steps that have no effect but on the arrays that they name."""


@record()
class Unit:
    """A step with the note that it stands under; `facts`: what was found out about the step."""

    note: Note | None
    step: Step
    reads: frozenset[str]
    writes: frozenset[str]
    sizes: Mapping[str, Expr]
    facts: dict[Any, Any] = field(default_factory=dict, compare=False)

    def ask(self, rule: Callable[..., T], *about: Any) -> T:
        """Return what a rule says of the step: groups that it might join ask again and again."""
        key = (rule, *about)
        if key not in self.facts:
            self.facts[key] = rule(self.step, *about)
        found: T = self.facts[key]
        return found


@record()
class Member:
    """A step of a group: the axis that each shared index is in it; whether it sums over them."""

    unit: Unit
    axes: tuple[str, ...]
    sums: bool


@dataclass
class Touched:
    """The arrays that some steps read and write."""

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)

    def add(self, unit: Unit) -> None:
        """Add a step's arrays."""
        self.reads |= unit.reads
        self.writes |= unit.writes

    def conflicts(self, unit: Unit) -> bool:
        """Whether a step must stay behind one of these."""
        own, others = unit.writes, self.writes
        apart = others.isdisjoint(unit.reads) and others.isdisjoint(own)
        return not apart or not self.reads.isdisjoint(own)


def units_of(steps: Sequence[Step]) -> list[Unit]:
    """Return steps with the notes that they stand under."""
    units: list[Unit] = []
    note: Note | None = None
    for step in steps:
        if isinstance(step, Note):
            note = step
            continue
        reads, writes = touched(step)
        units.append(Unit(note, step, reads, writes, extents(step)))
    return units


def listed(units: Sequence[Unit]) -> list[Step]:
    """Return units as steps with notes."""
    found: list[Step] = []
    for unit in units:
        if unit.note is not None:
            found.append(unit.note)
        found.append(unit.step)
    return found


def is_spread(member: Member, members: Sequence[Member]) -> bool:
    """Whether a step makes a new array of smaller ones, for others than its group's steps."""
    step, unit = member.unit.step, member.unit
    if member.sums or not isinstance(step, Assign):
        return False
    others = [m.unit for m in members if m is not member]
    own = [u.step for u in others if u.writes & unit.reads]
    ranks = [len(target_axes(s)) for s in own if isinstance(s, Tileable)]
    unread = not any(u.reads & unit.writes for u in others)
    return unread and bool(ranks) and max(ranks) < len(step.order)


def linked(touched: Sequence[set[str]]) -> set[int]:
    """Return which of some sets have to do with the first: by a member, or through others."""
    own, found = {0}, set(touched[0])
    while True:
        more = {n for n, each in enumerate(touched) if n not in own and each & found}
        if not more:
            return own
        own |= more
        found = found.union(*(touched[n] for n in more))
