"""What a tile is made of: single operations, writes, and additions to sums."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from loopc.diagnostics.record import record, replace
from loopc.ir.dtypes import DType
from loopc.ir.nodes import ZERO, Expr
from loopc.lower.plan import (
    Apply,
    Assign,
    Cast,
    Contract,
    Note,
    Overlap,
    Part,
    Step,
    Store,
    Value,
    View,
)
from loopc.lower.plan_visit import walk


@record()
class Operation:
    """One operation.

    Attributes:
        number: its name in other operations' values is `·number`.
        value: what it computes, over views of `·n` and of arrays in memory.
        dims: the extent of each axis; None if one is not known.
        dtype: None if it is not known.
        below: the operations that it reads.
        varies: whether it differs from block to block.
    """

    number: int
    value: Value
    dims: tuple[Expr, ...] | None
    dtype: DType | None
    below: tuple[int, ...]
    varies: bool

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes of its value."""
        return self.value.axes


@record()
class Write:
    """The value of an operation goes into an array's block."""

    view: View
    number: int


@record()
class Add:
    """A step that adds a sum over the block to an array."""

    step: Assign | Store | Overlap
    below: tuple[int, ...]


Item = Operation | Write | Add | Note


@dataclass
class Buffer:
    """A Python variable: memory of its own, or a view of others'; `memory` holds a pooled one."""

    name: str
    key: tuple[str, ...] = ()
    pooled: bool = False
    owned: bool = True
    memory: str = ""


def name_of(number: int) -> str:
    """Return the name of an operation in values."""
    return f"·{number}"


def block_of(number: int, axes: tuple[str, ...]) -> View:
    """Return the view of all that an operation makes."""
    parts = tuple(Part(ZERO, a, None, 1, whole=True) for a in axes)
    return View(name_of(number), parts, axes)


def is_operation(value: Value) -> TypeGuard[View]:
    """Whether a value is a view of an operation."""
    return isinstance(value, View) and value.array.startswith("·")


def in_buffer(operation: Operation, blocks: Collection[Expr]) -> bool:
    """Whether an operation is made in memory of the tile's; `blocks`: the extents that it cuts."""
    dims, dtype = operation.dims, operation.dtype
    if dims is None or not operation.axes or dtype is None or dtype.weak:
        return False
    return dtype.kind in "fb" and any(d in blocks for d in dims)


def touched(item: Item) -> tuple[int, ...]:
    """Return the operations that an item reads or is."""
    match item:
        case Operation(number=number, below=below):
            return (*below, number)
        case Add(below=below):
            return below
        case Write(number=number):
            return (number,)
        case Note():
            return ()


def in_pieces(body: Sequence[Step]) -> set[str]:
    """Return the arrays of which several parts are written or read in a block."""
    found: dict[str, set[tuple[Part, ...]]] = {}
    for step in body:
        if isinstance(step, Assign | Store | Overlap):
            views = [v for v in walk(step.value) if isinstance(v, View)]
            views += [step.target] if isinstance(step, Store) else []
            for view in views:
                own = tuple(replace(p, axis=str(bool(p.axis)), whole=False) for p in view.parts)
                found.setdefault(view.array, set()).add(own)
    return {name for name, parts in found.items() if len(parts) > 1}


def ends_in(items: Sequence[Item], place: int, write: Write, last: int) -> bool:
    """Whether an operation's value, used last there, is written at once and not needed again."""
    return items[place + 1] is write and last == place + 1


def only_written(items: Sequence[Item], operation: Operation) -> bool:
    """Whether an operation's value goes into arrays, and nothing computes with it."""
    users = (i for i in items if i is not operation and operation.number in touched(i))
    return all(isinstance(i, Write) for i in users)


def place_of_write(items: Sequence[Item], array: str, start: int) -> int:
    """Return the first item from one on that writes to an array; behind all if none does."""
    for place in range(start, len(items)):
        item = items[place]
        if isinstance(item, Write) and item.view.array == array:
            return place
    return len(items)


def memory_order(
    args: Sequence[Value], axes: tuple[str, ...], whole: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the axes of an operation as those of an operand lie in memory that has all.

    Else in the order of the `whole` that it is a part of.
    """
    for arg in args:
        if isinstance(arg, View) and len(arg.axes) == len(axes) > 1:
            found = tuple(p.axis for p in arg.parts if p.axis)
            if sorted(found) == sorted(axes):
                return found
    return tuple(sorted(axes, key=whole.index)) if set(axes) <= set(whole) else axes


def in_order(value: Value, order: tuple[str, ...]) -> Value:
    """Return a value with its axes in the order of what it is written to, as it lies best."""
    if set(value.axes) != set(order):
        return value
    if isinstance(value, Cast):
        return replace(value, arg=in_order(value.arg, order), axes=order)
    return replace(value, axes=order) if isinstance(value, Contract | Apply) else value
