"""Cells of arrays at computed positions, or along an axis, or all of one backwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from loopc.backends.numpy import edges
from loopc.backends.numpy.texts import bracketed
from loopc.lower.plan import Flip, Gather, Part, Position, Take

if TYPE_CHECKING:
    from loopc.backends.numpy.values import Speller, Text


def gathered(speller: Speller, value: Gather) -> Text:
    """Spell cells at index arrays, beside which slices stay slices."""
    from loopc.backends.numpy.values import ATOM, Text

    name, indices = speller.turned(value.array, value.indices)
    inside = speller.subscript(indices, value.over, value.mask)
    given = [p for p in value.indices if isinstance(p, Position)]
    along = edges.read(speller, value, name, indices) or _along(speller, value, name, indices)
    if along is not None:
        return Text(along[0], ATOM, along[1])
    if value.mask is None and all(p.mode == "strict" for p in given):
        if speller.opt > 1 and _are_all_cells(indices):
            places = speller.subscript(given, value.over, None)
            return Text(f"{speller.helper('_cells')}({name}, ({places}))", ATOM, value.axes)
        first, *rest = indices
        slices = [p for p in rest if isinstance(p, Part) and p.axis]
        if speller.opt == 0 or not isinstance(first, Position) or not slices or slices != rest:
            return Text(f"{name}[{inside}]", ATOM, value.axes)
        rows = speller.subscript([first], value.over, None)
        parts = speller.subscript(rest, value.over, None)
        whole = set(parts) <= {":", ",", " "}
        text = f"{speller.helper('_picked')}({name}, {rows}"
        return Text(f"{text})" if whole else f"{text}, np.s_[{parts},])", ATOM, value.axes)
    comma = "," if len(value.indices) == 1 else ""
    helper = speller.helper("_at" if any(p.mode == "zero" for p in given) else "_gather")
    return Text(f"{helper}({name}, np.s_[{inside}{comma}])", ATOM, value.axes)


def _are_all_cells(indices: Sequence[Position | Part]) -> bool:
    """Whether positions of several axes, all of them arrays, stand in front of whole axes."""
    places = [p for p in indices if isinstance(p, Position)]
    parts = [p for p in indices[len(places) :] if isinstance(p, Part)]
    whole = all(p.axis and p.whole for p in parts)
    apart = len(places) + len(parts) == len(indices)
    return len(places) > 1 and apart and whole and all(p.at.axes for p in places)


def _along(
    speller: Speller, value: Gather, name: str, indices: Sequence[Position | Part]
) -> tuple[str, tuple[str, ...]] | None:
    """Spell cells at places of axes, of the first among others alone; None: they are others.

    Places of several axes are taken one axis after the other: each is an index of its own. Their
    order is that of the array's axes. Those of one axis may be of several indices.
    """
    places = [n for n, p in enumerate(indices) if isinstance(p, Position)]
    if speller.opt < 2 or value.mask is not None or places in ([], [0]):
        return None
    axes = [p.at.axes if isinstance(p, Position) else (p.axis,) for p in indices]
    if any(isinstance(p, Position) and p.mode == "zero" for p in indices):
        return None
    order = tuple(a for own in axes for a in own)
    if not all(own and own[0] for own in axes) or sorted(order) != sorted(value.axes):
        return None
    if len(places) > 1 and any(len(own) > 1 for own in axes):
        return None
    if len({*order}) < len(order):
        return None
    text = edges.view(speller, name, indices)
    rows = [speller.subscript([indices[n]], axes[n], None) for n in places]
    along = speller.helper("_along")
    if len(places) == 1:
        return f"{along}({text}, {places[0]}, {rows[0]})", order
    crossed = speller.helper("_crossed")
    return f"{crossed}({text}, {tuple(places)}, ({', '.join(rows)}))", order


def taken(speller: Speller, value: Take) -> Text:
    """Spell cells along an axis: one for each cell of the other axes, or the same for all."""
    from loopc.backends.numpy.values import ATOM, Text

    axes = value.axes
    if axes and set(value.at.axes) == set(axes) == {*value.arg.axes} - {value.axis}:
        inner = speller.fit(value.arg, (*axes, value.axis))
        position = speller.fit(value.at, axes, ATOM)
        n = len(axes)
        call = "np.take_along_axis" if value.safe else speller.helper("_take")
        text = f"{call}({inner}, {position}[..., None], axis={n})"
        return Text(f"{text}[..., 0]", ATOM, axes)
    spelled = speller.spell(value.arg)
    n = spelled.axes.index(value.axis)
    axes = (*spelled.axes[:n], *value.at.axes, *spelled.axes[n + 1 :])
    call = "np.take" if value.safe else speller.helper("_take")
    text = f"{call}({spelled.text}, {speller.text(value.at)}, axis={n})"
    return Text(text, ATOM, axes)


def flipped(speller: Speller, value: Flip) -> Text:
    """Spell all cells along an axis, the last one first."""
    from loopc.backends.numpy.values import ATOM, Text

    spelled = speller.spell(value.arg)
    before = ":, " * spelled.axes.index(value.axis)
    return Text(f"{bracketed(spelled, ATOM)}[{before}::-1]", ATOM, spelled.axes)
