"""Cells beside an index, for which others stand at the edges: slices of an axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from loopc.analysis.edges import EDGES
from loopc.ir.nodes import Const
from loopc.lower.plan import Gather, Lit, Part, Position, Range, Scalar, Scatter

if TYPE_CHECKING:
    from loopc.backends.numpy.values import Speller


def axes_of(indices: Sequence[Position | Part]) -> tuple[str, ...] | None:
    """Return the axes of an access past edges, in the order of the array's; None: it is none."""
    found: list[str] = []
    moved = False
    for part in indices:
        if isinstance(part, Position) and part.at.axes:
            if part.mode not in EDGES or not isinstance(part.at, Range) or part.at.step != 1:
                return None
            moved = True
            found += part.at.axes
        elif isinstance(part, Position):
            if part.mode != "strict":
                return None
        elif part.axis:
            found.append(part.axis)
    return tuple(found) if moved and len({*found}) == len(found) else None


def read(
    speller: Speller, value: Gather, name: str, indices: Sequence[Position | Part]
) -> tuple[str, tuple[str, ...]] | None:
    """Spell a read past the edges of axes, and its axes in their order; None: it is another one."""
    axes = axes_of(indices) if speller.opt == 2 and value.mask is None else None
    if axes is None or sorted(axes) != sorted(value.axes):
        return None
    text = view(speller, name, indices)
    speller.helper("_edges")
    for number, part in enumerate(p for p in indices if not _is_number(p)):
        if isinstance(part, Position):
            text = f"{speller.helper('_moved')}({text}, {number}, {_ends(speller, part)})"
    return text, axes


def added(speller: Speller, step: Scatter, ufunc: str) -> str | None:
    """Spell a sum into cells past the edges of one axis; None: it goes to others."""
    name, indices = speller.turned(step.array, step.indices)
    axes = axes_of(indices) if speller.opt == 2 and step.mask is None else None
    parts = [p for p in indices if not _is_number(p)]
    moved = [n for n, p in enumerate(parts) if isinstance(p, Position)]
    if axes is None or sorted(axes) != sorted(step.axes) or len(moved) != 1:
        return None
    if not all(isinstance(p, Part) or p.at.axes or _is_python(p) for p in indices):
        return None  # an array of one place would take a copy
    speller.helper("_edges")
    speller.helper("_scatter")
    (axis,) = moved
    into = f"{ufunc}, {view(speller, name, indices)}, {axis}, {_ends(speller, parts[axis])}"
    return f"{speller.helper('_add_moved')}({into}, {speller.fit(step.value, axes)})"


def _is_number(part: Position | Part) -> bool:
    return not (part.at.axes if isinstance(part, Position) else part.axis)


def _is_python(part: Position) -> bool:
    """Whether a place is a number of Python's."""
    return isinstance(part.at, Lit | Scalar) and (part.safe or part.mode == "zero")


def view(speller: Speller, name: str, indices: Sequence[Position | Part]) -> str:
    """Spell the part of an array that is read or added to, whole along the axes with places."""
    whole = Part(Const(0), "all", whole=True)
    parts = [p if isinstance(p, Part) or _is_number(p) else whole for p in indices]
    inside = speller.subscript(parts, (), None)
    return name if {*inside} <= {":", ",", " "} else f"{name}[{inside}]"


def _ends(speller: Speller, part: Position | Part) -> str:
    """Spell the first place, the one behind the last, and what cells stand for those outside."""
    assert isinstance(part, Position)
    assert isinstance(part.at, Range)
    if part.mode == "reflect":
        speller.helper("_reflect")
    return f"{speller.size(part.at.start)}, {speller.size(part.at.stop)}, {part.mode!r}"
