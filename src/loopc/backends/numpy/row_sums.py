"""Sums along the rows or the columns of a block as products with ones.

    np.sum(w, axis=1, out=s)  ->  np.matmul(w, np.ones(n, dtype), out=s)

BLAS takes a third to a tenth of the time, and its sums are as exact: it adds up many cells of a row
side by side, and columns in groups. Only the order of the terms is another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopc.backends.numpy.texts import ATOM, PRODUCT, Text
from loopc.backends.numpy.tile_items import Operation, is_operation
from loopc.diagnostics.record import replace
from loopc.ir.nodes import Expr
from loopc.lower.blocks import size
from loopc.lower.plan import Along, Fold, View

if TYPE_CHECKING:
    from loopc.backends.numpy.blocks_graph import Graph
    from loopc.backends.numpy.values import Speller

MANY = 16
"""The rows of a matrix, of which there are several, that are worth a call of BLAS."""


def product(speller: Speller, graph: Graph, operation: Operation) -> str | None:
    """Return the call up to `out=` that sums along an axis of a block, or along its last ones."""
    value = operation.value
    if not isinstance(value, Fold) or value.mask is not None:
        return None
    arg, dtype = value.arg, operation.dtype
    if not is_operation(arg) or not value.axes:
        return None
    below = graph.operations[int(arg.array[1:])]
    if below.dims is None or below.axes != arg.axes or dtype is None or dtype != below.dtype:
        return None
    if isinstance(below.value, View) and any(p.step != 1 for p in below.value.parts):
        return None
    if len(value.over) > 1:
        return _of_last(speller, graph, operation, below) or _of_first(
            speller, graph, operation, below
        )
    place = arg.axes.index(value.over[0])
    number = _number(speller, graph, below.dims[place])
    ones, text = f"np.ones({number}, {speller.dtype(dtype)})", speller.text(arg)
    if place == len(arg.axes) - 1 and value.axes == arg.axes[:-1]:
        several = len(arg.axes) > 2 and speller.hints.typical(below.dims[-2], decides=False) < MANY
        return None if several else f"np.matmul({text}, {ones}"
    if place == 0 and len(arg.axes) == 2:
        return f"np.matmul({ones}, {text}"
    return None


def _of_last(speller: Speller, graph: Graph, operation: Operation, below: Operation) -> str | None:
    """Return the call that sums along several last axes, which lie together in memory."""
    value, number = operation.value, len(operation.value.over)  # type: ignore[union-attr]
    assert isinstance(value, Fold)
    assert below.dims is not None
    assert operation.dtype is not None
    summed, axes = below.dims[-number:], value.arg.axes
    if {*axes[-number:]} != {*value.over} or value.axes != axes[:-number]:
        return None
    if isinstance(below.value, View) and not all(p.whole for p in below.value.parts[-number:]):
        return None
    if not {size(i) for i in graph.tile.indices}.isdisjoint(summed):
        return None
    if speller.hints.typical(below.dims[-number - 1], decides=False) < MANY:
        return None
    text, count = speller.text(value.arg), size_of(speller, summed)
    rows = f"{text}.reshape(*{text}.shape[:-{number}], {count})"
    return f"np.matmul({rows}, np.ones({count}, {speller.dtype(operation.dtype)})"


def _of_first(speller: Speller, graph: Graph, operation: Operation, below: Operation) -> str | None:
    """Return the call that sums along all axes but the last one."""
    value, dims = operation.value, below.dims
    assert isinstance(value, Fold)
    assert dims is not None
    assert operation.dtype is not None
    if value.axes != value.arg.axes[-1:] or len(value.over) != len(dims) - 1:
        return None
    text, dtype = speller.text(value.arg), speller.dtype(operation.dtype)
    if {size(i) for i in graph.tile.indices}.isdisjoint(dims[1:]):
        rows = " * ".join(_number(speller, graph, d, ATOM) for d in dims[:-1])
        return f"np.matmul(np.ones({rows}, {dtype}), {text}.reshape(-1, {speller.count(dims[-1])})"
    if speller.hints.typical(dims[-2], decides=False) < MANY:
        return None
    sums = f"np.matmul(np.ones({_number(speller, graph, dims[-2])}, {dtype}), {text})"
    return f"np.add.reduce({sums}, axis={tuple(range(len(dims) - 2))}"


def _number(speller: Speller, graph: Graph, extent: Expr, level: int = 0) -> str:
    """Spell the extent of an axis of a block."""
    if extent in {size(i) for i in graph.tile.indices}:
        return speller.size(extent, level)
    return speller.count(extent, level)


def in_two(value: Fold) -> Fold:
    """Return a sum over the last axes and others, as of `[b,c,i,j]` for each c, as sums of sums."""
    axes = value.arg.axes
    number = next((n for n, a in enumerate(reversed(axes)) if a not in value.over), 0)
    if value.op != "sum" or value.kind != "f" or value.mask is not None:
        return value
    if not 0 < number < len(value.over):
        return value
    inner = replace(value, over=axes[-number:], axes=axes[:-number])
    return replace(value, arg=inner, over=tuple(a for a in value.over if a in inner.axes))


def of_array(speller: Speller, value: Fold | Along) -> Text | None:
    """Return a sum over the first axes or the last axes of a whole array as a product with ones."""
    arg = value.arg
    if not isinstance(value, Fold) or value.op != "sum" or value.mask is not None:
        return None
    if speller.opt < 2 or not isinstance(arg, View) or not all(p.whole for p in arg.parts):
        return None
    dtype, shape = speller.types.get(arg.array), speller.shapes.get(arg.array)
    if dtype is None or shape is None or dtype.kind != "f" or dtype.weak or not value.axes:
        return None
    number = len(value.over)
    first = {*arg.axes[:number]} == {*value.over}
    if not first and {*arg.axes[-number:]} != {*value.over}:
        return None
    kept = shape[number:] if first else shape[:-number]
    summed = size_of(speller, shape[:number] if first else shape[-number:])
    sides = (summed, size_of(speller, kept))
    rows = speller.text(arg)
    if len(shape) > 2:
        rows = f"{rows}.reshape({', '.join(sides if first else sides[::-1])})"
    ones = f"np.ones({summed}, {speller.dtype(dtype)})"
    text = f"{ones} @ {rows}" if first else f"{rows} @ {ones}"
    axes = tuple(a for a in arg.axes if a in value.axes)
    if len(kept) < 2:
        return Text(text, PRODUCT, axes)
    return Text(f"({text}).reshape{speller.sizes(kept)}", ATOM, axes)


def size_of(speller: Speller, sizes: tuple[Expr, ...]) -> str:
    """Spell the product of some sizes."""
    if len(sizes) == 1:
        return speller.count(sizes[0])
    return " * ".join(speller.count(s, ATOM) for s in sizes)  # a // is no factor
