"""Subscripts beside an index that runs over a whole axis, and what is there past its edges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from loopc.diagnostics.record import record
from loopc.ir.affine import affine, plus
from loopc.ir.bounds import is_whole
from loopc.ir.nodes import Call, Const, Expr, Index, IndexRef, Mode, Subscript
from loopc.ir.visit import reads

FAR = 32
"""The most cells past an edge that are worth a copy of theirs; there may be any number of zeros."""

SEVERAL = 3
"""The accesses past edges from which on a copy with these takes less time than slices for each."""


@record()
class Place:
    """How far beside an index of a whole axis a subscript is, and what is there past its edges."""

    offset: int
    mode: Mode


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
    """Return where a subscript is beside an index of a whole axis; None: it is another one."""
    form = affine(subscript.at)
    if form is None or len(form.terms) != 1 or reads(subscript):
        return None
    ((atom, factor),) = form.terms
    if not isinstance(atom, IndexRef) or factor != 1 or not is_whole(ranges[atom.name], size):
        return None
    offset = int(form.constant)
    if offset and (subscript.mode == "strict" or (subscript.mode != "pad" and abs(offset) > FAR)):
        return None
    return Place(offset, subscript.mode)


def axis_of(places: Iterable[Place]) -> Axis | None:
    """Return the axis of several accesses; None: they have different cells past its edges."""
    found = tuple(places)
    offsets, modes = [p.offset for p in found], {p.mode for p in found if p.offset}
    if len(modes) > 1:
        return None
    return Axis(max(0, -min(offsets)), max(0, *offsets), *(modes or {"pad"}))
