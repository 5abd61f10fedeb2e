"""Reductions along axes: NumPy's, the ufuncs' own, or helpers."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from loopc.backends.numpy import row_sums
from loopc.backends.numpy.helpers import HELPERS
from loopc.backends.numpy.texts import ATOM, Text, literal, python_tuple
from loopc.ir import reductions
from loopc.ir.nodes import Const
from loopc.lower.plan import Along, Fold, Strided

if TYPE_CHECKING:
    from loopc.backends.numpy.values import Speller


FEW = 16
"""The most cells of a window that are added up one by one."""


def spelled(speller: Speller, value: Fold | Along) -> Text:
    """Spell a reduction; its axes stand in the order in which its argument is spelled."""
    product = row_sums.of_array(speller, value)
    if product is not None:
        return product
    inner = speller.spell(value.arg)
    places = tuple(inner.axes.index(a) for a in value.over)
    axes = tuple(a for a in inner.axes if a in value.axes)
    if speller.opt == 2 and _is_over_few(value):
        call = f"{speller.helper('_add_few')}({inner.text}, {python_tuple(places)})"
    else:
        call = _call(speller, value, inner, places)
    return Text(call, ATOM, axes)


def _call(speller: Speller, value: Fold | Along, inner: Text, places: tuple[int, ...]) -> str:
    row = reductions.lookup(value.op)
    assert row is not None
    kind = value.kind if isinstance(value, Fold) else "f"
    mask = ""
    if isinstance(value, Fold) and value.mask is not None:
        mask = f", {speller.fit(value.mask, inner.axes)}"
    if value.op in ("argmax", "argmin"):
        where = f"{inner.text}, {python_tuple(places)}{mask}"
        speller.helper("_extreme")
        return f"{speller.helper('_argbest')}(np.{value.op}, {where})"
    if f"_{value.op}" in HELPERS:
        return f"{speller.helper(f'_{value.op}')}({inner.text}, {python_tuple(places)})"
    if row.form == "pointwise":
        return f"{row.ufunc}.accumulate({inner.text}, axis={_numbers(places)})"
    if row.op in ("max=", "min=") and kind == "i":
        call = f"{row.ufunc}, {inner.text}, {python_tuple(places)}{mask}"
        return f"{speller.helper('_extreme')}({call})"
    whole, initial = len(places) == len(inner.axes), ""
    ufunc, name = row.ufunc, f"np.{value.op}"
    if row.op in ("max=", "min=") and kind == "b":
        highest = row.op == "max="
        ufunc = "np.logical_or" if highest else "np.logical_and"
        name = "np.any" if highest else "np.all"
    elif row.op in ("max=", "min="):
        if speller.opt == 2 and not whole and places == (len(inner.axes) - 1,):
            return f"{speller.helper('_row_extreme')}({ufunc}, {inner.text})"
        initial = f", initial={literal(reductions.start(row, 'float64'))[0]}"
    axes = "" if whole else f", axis={_numbers(places)}"
    if speller.opt == 2 and ufunc:  # what the functions call, which look at their arguments first
        axes = ", axis=None" if whole and len(places) > 1 else axes
        return f"{ufunc}.reduce({inner.text}{axes}{initial})"
    return f"{name}({inner.text}{axes}{initial})"


def _numbers(places: tuple[int, ...]) -> str:
    return str(places[0]) if len(places) == 1 else str(places)


def _is_over_few(value: Fold | Along) -> bool:
    """Whether a value sums over the few cells of windows in a view, not over all of its axes."""
    if not isinstance(value, Fold) or (value.op, value.kind, value.mask) != ("sum", "f", None):
        return False
    if not isinstance(value.arg, Strided) or not value.axes or value.arg.pads:
        return False
    counts = [w.count for w in value.arg.windows if w.axis in value.over]
    known = [int(c.value.real) for c in counts if isinstance(c, Const)]
    return len(known) == len(counts) and 1 < prod(known) <= FEW
