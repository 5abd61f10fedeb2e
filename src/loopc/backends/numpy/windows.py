"""Windows of arrays as NumPy text: strided views, and what is added to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from loopc.backends.numpy.texts import python_tuple
from loopc.ir.nodes import Expr
from loopc.lower.plan import Overlap, Strided, Window

if TYPE_CHECKING:
    from loopc.backends.numpy.values import Speller


def view(speller: Speller, value: Strided) -> str:
    """Spell a strided view, of a padded copy where it goes outside."""
    array = _cut(speller, value)
    if value.pads:
        array = f"{speller.helper('_padded')}({array}, {_pads(speller, value)})"
    return f"{speller.helper('_window')}({array}, {_place(speller, value, value.windows)})"


def update(speller: Speller, step: Overlap) -> str:
    """Spell what is added to windows that overlap, or written to some that do not."""
    by_axis = {w.axis: w for w in step.window.windows}
    array = _cut(speller, step.window)
    place = _place(speller, step.window, [by_axis[a] for a in step.order])
    pads = f", {_pads(speller, step.window)}" if step.window.pads else ""
    value = speller.fit(step.value, step.order)
    if step.op == "=":
        return f"{speller.helper('_window')}({array}, {place}, writeable=True)[...] = {value}"
    return f"{speller.helper('_add_windows')}({array}, {place}, {value}{pads})"


def _cut(speller: Speller, value: Strided) -> str:
    """Spell what is taken of an array before zeros are put round it."""
    array = speller.name("array", value.array)
    if not value.cuts:
        return array
    ends = {dim: f"{speller.size(low)}:{speller.size(high)}" for dim, low, high in value.cuts}
    return f"{array}[{', '.join(ends.get(d, ':') for d in range(max(ends) + 1))}]"


def _place(speller: Speller, value: Strided, windows: Sequence[Window]) -> str:
    starts = python_tuple(speller.size(s) for s in value.starts)
    counts = speller.sizes(w.count for w in windows)
    steps = python_tuple(
        python_tuple(s if isinstance(s, int) else speller.size(s) for s in w.steps) for w in windows
    )
    return f"{starts}, {counts}, {steps}"


def _pads(speller: Speller, value: Strided) -> str:
    def pair(low: Expr, high: Expr) -> str:
        return f"({speller.size(low)}, {speller.size(high)})"

    return python_tuple(pair(low, high) for low, high in value.pads)
