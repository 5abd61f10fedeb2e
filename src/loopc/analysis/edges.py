"""Subscripts that go over a whole axis and past its edges, and what is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from loopc.diagnostics.record import record
from loopc.ir.affine import Affine, affine, plus
from loopc.ir.bounds import bounds
from loopc.ir.nodes import Access, Call, Const, Expr, Index, IndexRef, Mode, Subscript
from loopc.ir.sites import used_ranges
from loopc.ir.visit import free_indices, reads

EDGES: tuple[Mode, ...] = ("clamp", "wrap", "reflect")
"""The modes that take another cell of an axis past its edges, such that several places are one."""

STRIDE = 8
"""The largest step of a padded access: what is padded is copied, zeros included."""

FAR = 32
"""The most cells past an edge that are worth a copy of theirs; there may be any number of zeros."""

SEVERAL = 3
"""The accesses past edges from which on a copy with these takes less time than slices for each."""


@record()
class Place:
    """How many cells a subscript goes past both edges of a whole axis, and what is there."""

    low: int
    high: int
    mode: Mode

    @property
    def is_past(self) -> bool:
        """Whether it goes past an edge at all."""
        return self.low > 0 or self.high > 0


@record()
class Axis:
    """How many cells an axis has in front of its first one and behind its last, and which."""

    low: int
    high: int
    mode: Mode

    def around(self, size: Expr, index: str) -> tuple[Index, Subscript, Expr]:
        """Return an index over the axis with these cells, the cells they are, and their condition.

        Args:
            size: of the axis.
            index: the name.
        """
        over = Index(index, Const(0), plus(size, self.low + self.high))
        at = Subscript(plus(IndexRef(index), -self.low), self.mode)
        return over, at, Call("gt", (size, Const(0)))


def place_of(subscript: Subscript, size: Expr, ranges: Mapping[str, Index]) -> Place | None:
    """Return how far a subscript goes past an axis that it goes over; None: that is not known."""
    form = affine(subscript.at)
    if form is None or not form.terms or reads(subscript):
        return None
    if not all(isinstance(atom, IndexRef) and atom.name in ranges for atom, _ in form.terms):
        return None
    ends = bounds(subscript.at, used_ranges(subscript.at, dict(ranges)))
    low, high, extent = (None if e is None else affine(e) for e in (ends.low, ends.high, size))
    if low is None or high is None or extent is None:
        return None
    over = high - extent + Affine(1)
    if not (low.is_constant and over.is_constant):
        return None
    place = Place(max(0, -int(low.constant)), max(0, int(over.constant)), subscript.mode)
    if subscript.mode == "strict":
        return None if place.is_past else place
    return None if subscript.mode in EDGES and max(place.low, place.high) > FAR else place


def axis_of(places: Iterable[Place]) -> Axis | None:
    """Return the axis of several accesses; None: they have different cells past its edges."""
    found = tuple(places)
    modes = {p.mode for p in found if p.is_past}
    if len(modes) > 1:
        return None
    return Axis(max(p.low for p in found), max(p.high for p in found), *(modes or {"pad"}))


def is_shift(access: Access) -> bool:
    """Whether every subscript is an index of its own, with a number beside it."""
    forms = [affine(s.at) for s in access.subscripts]
    steps = [[c for _, c in f.terms] for f in forms if f is not None]
    used = [n for s in access.subscripts for n in free_indices(s)]
    return steps == [[1]] * len(forms) and len({*used}) == len(used)


def is_window(access: Access) -> bool:
    """Whether several indices move through a dimension past its edges."""
    return any(s.mode in EDGES and len(free_indices(s)) > 1 for s in access.subscripts)
