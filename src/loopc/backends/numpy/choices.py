"""Choices between arrays by their bits: NumPy's own branch at each cell.

Where a condition on data changes from cell to cell, `np.where` and masked copies take five to ten
times as long as the three passes over the bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from loopc.backends.numpy.texts import ATOM, Text
from loopc.backends.numpy.tile_items import is_operation
from loopc.ir.dtypes import DType
from loopc.lower.plan import Apply, Gather, Lit, Strided, Value, View
from loopc.lower.plan_visit import walk
from loopc.lower.value_types import type_of

if TYPE_CHECKING:
    from loopc.backends.numpy.blocks_graph import Graph
    from loopc.backends.numpy.values import Speller


def call(speller: Speller, graph: Graph, value: Apply) -> str | None:
    """Return the call of a choice on blocks up to `out=`, by bits; None: `tile_choices` spells it.

    It does where the condition is the same for all blocks.
    """
    condition = value.args[0]
    if not isinstance(condition, View) or not graph.varies(condition):
        return None
    return _zeroed(speller, graph, value) or _either(speller, graph.dtype, value)


def merged(graph: Graph, args: list[Value], axes: tuple[str, ...]) -> list[Value]:
    """Return the arguments of `where(c, where(c, a, b), d)` as those of `where(c, a, d)`."""
    condition, taken, other = args
    if not is_operation(taken) or taken.axes != axes:
        return args
    match graph.operations[int(taken.array[1:])].value:
        case Apply("where", (same, chosen, _), own) if same == condition and own == axes:
            if {*condition.axes, *chosen.axes, *other.axes} >= {*axes}:  # else one is lost
                return [condition, chosen, other]
    return args


def text(speller: Speller, value: Apply) -> Text | None:
    """Return a choice outside of tiles, by bits; None: `np.where` does it."""
    on_data = any(isinstance(v, View | Gather | Strided) for v in walk(value.args[0]))
    if speller.opt < 2 or not on_data:
        return None
    found = _either(speller, lambda v: type_of(v, speller.types.get), value)
    return None if found is None else Text(f"{found})", ATOM, value.axes)


def _either(speller: Speller, types: Callable[[Value], DType | None], value: Apply) -> str | None:
    """Return the call of a choice between numbers of one type, or one and a literal."""
    condition, *both = value.args
    test, own = (types(v) for v in (condition, value))
    if not condition.axes or test is None or test.kind != "b":
        return None
    if own is None or own.weak or own.kind not in "fi":
        return None
    if not all(isinstance(v, Lit) or types(v) == own for v in both):
        return None
    texts = [speller.fit(v, value.axes) for v in value.args]
    speller.helper("_bits")
    return f"{speller.helper('_either')}({', '.join(texts)}"


def _zeroed(speller: Speller, graph: Graph, choice: Apply) -> str | None:
    """Return the call of `where(c, a, 0)` or `where(c, 0, a)` up to `out=`; None: it is none."""
    condition, first, second = choice.args
    value, other = (second, first) if isinstance(first, Lit) else (first, second)
    if not isinstance(other, Lit) or repr(other.value) not in ("0", "0.0"):
        return None
    kinds = [graph.dtype(value), graph.dtype(condition)]
    plain = isinstance(value, View) and value.axes == choice.axes
    if not plain or kinds[0] != graph.dtype(choice) or kinds[1] is None or kinds[1].kind != "b":
        return None
    test = speller.fit(condition, choice.axes)
    where = f"np.logical_not({test})" if value is second else test
    speller.helper("_bits")
    return f"{speller.helper('_kept')}({speller.text(value)}, {where}"
