"""Choices in a tile whose condition is no matter of data: by masked copies, or by bits.

A condition that is the same for all blocks, as that of a causal attention, becomes once an array of
integers with all bits or none: what is kept beside zeros is then an `and` with it. NumPy's masked
copy takes two to four times as long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopc.backends.numpy import calls
from loopc.backends.numpy.tile_items import is_operation
from loopc.lower.plan import Apply, Lit, Value, View

if TYPE_CHECKING:
    from loopc.backends.numpy.tile_items import Operation
    from loopc.backends.numpy.tiles import TileSpeller


def chosen(tile: TileSpeller, operation: Operation, value: Apply, place: int) -> None:
    """Spell `where(c, a, b)`."""
    if not _by_bits(tile, operation, value, place):
        _by_copies(tile, operation, value, place)


def _by_bits(tile: TileSpeller, operation: Operation, value: Apply, place: int) -> bool:
    """Spell `where(c, a, 0)` by bits that are made before the loop; return whether it is one."""
    condition, first, second = value.args
    array, other = (second, first) if isinstance(first, Lit) else (first, second)
    types = [tile.graph.dtype(v) for v in (condition, array)]
    if not isinstance(other, Lit) or repr(other.value) not in ("0", "0.0"):
        return False
    if not isinstance(array, View) or array.axes != operation.axes:
        return False
    if not _is_steady(tile, condition) or types[0] is None or types[0].kind != "b":
        return False
    if types[1] != operation.dtype or operation.dtype is None or operation.dtype.kind != "f":
        return False
    speller = tile.speller
    test, dtype = speller.fit(condition, operation.axes), speller.dtype(operation.dtype)
    where = test if array is first else _opposite(tile, condition, test)
    bits = tile.before(f"{speller.helper('_bits')}({where}, {dtype})")
    text = speller.text(array)
    buffer = tile.buffer(operation, place, (array,))
    line = f"{speller.helper('_chosen')}({text}, {bits}, out={buffer.name})"
    tile.body.append(line)
    tile.take(operation, buffer)
    return True


def _by_copies(tile: TileSpeller, operation: Operation, value: Apply, place: int) -> None:
    """Spell a choice by masked copies; where possible into an operand of last use."""
    condition, first, second = value.args
    test = tile.speller.fit(condition, operation.axes)
    into_first = tile.is_last(first, operation, place)
    kept, other = (first, second) if into_first else (second, first)
    keeps = tile.is_last(kept, operation, place)
    kept_text = tile.speller.fit(kept, operation.axes)
    other_text = tile.speller.fit(other, operation.axes)
    buffer = tile.buffer(operation, place, (kept,))
    if not keeps or buffer.name != kept_text:
        tile.body.append(f"np.copyto({buffer.name}, {kept_text})")
    if into_first:
        where = _opposite(tile, condition, test)
    else:
        where = calls.as_bool(test, tile.graph.dtype(condition))
    tile.body.append(f"np.copyto({buffer.name}, {other_text}, where={where})")
    tile.take(operation, buffer)


def _opposite(tile: TileSpeller, condition: Value, test: str) -> str:
    """Return where a condition does not hold: made before the loop if it is the same always."""
    text = f"np.logical_not({test})"
    return tile.before(text) if _is_steady(tile, condition) else text


def _is_steady(tile: TileSpeller, condition: Value) -> bool:
    """Whether a condition is computed once for all blocks."""
    computed = is_operation(condition) and bool(condition.axes)
    return computed and not tile.graph.varies(condition)
