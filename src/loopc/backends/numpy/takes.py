"""Cells of a value along an axis: at computed positions, or all of them backwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopc.backends.numpy.texts import bracketed
from loopc.lower.plan import Flip, Take

if TYPE_CHECKING:
    from loopc.backends.numpy.values import Speller, Text


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
