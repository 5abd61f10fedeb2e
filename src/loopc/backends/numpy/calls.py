"""One operation on blocks as one NumPy call, with the memory that its result goes to."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from loopc.backends.numpy import choices, row_sums
from loopc.backends.numpy.products import copied
from loopc.backends.numpy.texts import ATOM, Text
from loopc.backends.numpy.tile_items import Operation, Write
from loopc.backends.numpy.values import Speller
from loopc.diagnostics.record import replace
from loopc.ir import reductions
from loopc.ir.dtypes import DType
from loopc.ir.functions import lookup, order
from loopc.ir.nodes import Expr
from loopc.lower.blocks import size
from loopc.lower.plan import Apply, Contract, Fold, Lit, Packed, Store, Tile, Value
from loopc.lower.value_types import type_of

if TYPE_CHECKING:
    from loopc.backends.numpy.blocks_graph import Graph

UFUNCS = {
    "add": "np.add",
    "mul": "np.multiply",
    "div": "np.divide",
    "neg": "np.negative",
    "pow": "np.power",
    "eq": "np.equal",
    "ne": "np.not_equal",
    "lt": "np.less",
    "le": "np.less_equal",
    "gt": "np.greater",
    "ge": "np.greater_equal",
}
"""The NumPy functions of operators; those of other functions stand in their rows."""

SHORT = 256
"""The cells of a row beside which NumPy's work on the row itself takes no time."""

MANY = 64
"""The rows that may be worth a call of Python, which decides by how many a block has."""

_TURNED = re.compile(r"(\w+)\.T(\[.*\])?")
"""A transposed array, or one with further dimensions."""

_NUMBER = re.compile(r"-?[\d.]+(e[-+]?\d+)?")

_CALL = re.compile(r"(np\.\w+|_\w+)\(([^()]*)\)")


def call(speller: Speller, graph: Graph, operation: Operation) -> str | None:
    """Return the call of an operation up to `out=`; None: it makes its own memory."""
    value, axes = operation.value, operation.axes
    match value:
        case Packed(arg):
            return f"{speller.helper('_packed')}({speller.fit(arg, axes)}"
        case Apply("where"):
            return choices.call(speller, graph, value)
        case Apply(fn, args):
            return _ufunc(
                speller, fn, args, axes, lambda v: _is_short(speller, graph, operation, v)
            )
        case Fold("sum", Apply("mul", (a, b))) if axes:
            return f"np.vecdot({speller.text(a)}, {speller.text(b)}"
        case Fold("sum", kind="f") if product := row_sums.product(speller, graph, operation):
            return product
        case Fold("sum" | "max" | "min", arg, mask=None) if value.kind == "f":
            found = speller.spell(value)
            fits = arg.axes and axes and found.axes == axes and found.text.endswith(")")
            return found.text[:-1] if fits else None
        case _:
            return _product(speller, graph, operation)


def _product(speller: Speller, graph: Graph, operation: Operation) -> str | None:
    spelled, axes = speller.spell(operation.value), operation.axes
    fits = spelled.axes == axes
    if spelled.merged:
        fits = fits and lies_together(graph, operation.dims)
    else:
        fits = fits or axes[-1:] in (spelled.axes[-1:], spelled.axes[-2:-1])
    return f"np.matmul({', '.join(spelled.factors)}" if spelled.factors and fits else None


def lies_together(graph: Graph, dims: tuple[Expr, ...] | None) -> bool:
    """Whether a block of these extents has no gaps in memory that is made for the largest one."""
    blocks = {size(i) for i in graph.tile.indices}
    return dims is not None and blocks.isdisjoint(dims[1:])


def takes_product(speller: Speller, tile: Tile, write: Write, value: Contract) -> bool:
    """Whether a product can go straight into an array's block: as a matrix it has no gaps."""
    if not speller.spell(value).merged:
        return True
    made = any(a.array == write.view.array for a in tile.made)
    return made and all(p.whole for p in write.view.parts[1:])


def out(speller: Speller, operation: Operation, name: str) -> str:
    """Return the memory that a call puts an operation's value into, its axes in the call's order.

    BLAS puts a matrix into memory in which one of its two axes has no gaps.
    """
    if not isinstance(operation.value, Contract):
        return name
    spelled = speller.spell(operation.value)
    if spelled.merged:
        return f"{name}.reshape({spelled.merged})"
    return speller.fitted(Text(name, ATOM, operation.axes), spelled.axes)


def _ufunc(
    speller: Speller,
    fn: str,
    args: tuple[Value, ...],
    axes: tuple[str, ...],
    rows: Callable[[Value], bool] | None = None,
) -> str | None:
    """Return the call of a function up to `out=`; `rows` tells whether a value is a short row."""
    row = lookup(fn)
    assert row is not None, fn
    if fn == "where" or order(fn):  # these take no memory
        return None
    name = UFUNCS.get(fn)
    if fn == "add" and isinstance(args[-1], Apply) and args[-1].fn == "neg":
        name, args = "np.subtract", (args[0], args[-1].args[0])
    texts = [_turned_once(speller, speller.fit(a, axes)) for a in args]
    if fn == "pow" and isinstance(args[1], Lit) and args[1].value == 0.5:
        return f"np.sqrt({texts[0]}"
    if name is not None:
        if rows and any(a.axes == axes for a in args) and any(map(rows, args)):
            return f"{speller.helper('_long_rows')}({name}, {', '.join(texts)}"
        return f"{name}({', '.join(texts)}"
    template = _CALL.fullmatch(row.numpy)
    if template is None or (row.helper and "out=None" not in row.helper):
        return None
    if row.helper:
        speller.functions.add_helper(row)
    placed = dict(zip(row.params, texts, strict=True))
    given = [part.format(**placed) for part in template.group(2).split(", ")]
    if row.scalar_loop:
        number, array = sorted(given, key=lambda t: not _NUMBER.fullmatch(t))
        if _NUMBER.fullmatch(number) and not _NUMBER.fullmatch(array):
            return f"{speller.helper('_beside')}({template.group(1)}, {array}, {number}"
    return f"{template.group(1)}({', '.join(given)}"


def _is_short(speller: Speller, graph: Graph, operation: Operation, value: Value) -> bool:
    """Whether a value is a row of an operation's, as a bias is, that may be short."""
    number = len(value.axes)
    if not 0 < number < len(operation.axes) or value.axes != operation.axes[-number:]:
        return False
    blocks = {size(i): i.extent for i in graph.tile.indices}
    dims = (blocks.get(d, d) for d in operation.dims or ())
    sizes = [speller.hints.typical(d, decides=False) for d in dims]
    return math.prod(sizes[:-number]) >= MANY and math.prod(sizes[-number:]) < SHORT


def _turned_once(speller: Speller, text: str) -> str:
    """Return an operand; a transposed array that a serial loop does not change is copied once."""
    found = _TURNED.fullmatch(text)
    if found is None or found[1] not in speller.steady:
        return text
    return copied(speller, found[1], f"{found[1]}.T") + (found[2] or "")


def replaceable(value: Value) -> tuple[Value, ...]:
    """Return the operands whose memory the value of an operation may take."""
    row = lookup(value.fn) if isinstance(value, Apply) else None
    return () if row is None or row.apart else value.args  # type: ignore[union-attr]


def has_call(value: Value) -> bool:
    """Whether a value is a function that a NumPy call computes cell by cell."""
    if not isinstance(value, Apply) or value.fn == "where" or order(value.fn):
        return False
    row = lookup(value.fn)
    assert row is not None
    return value.fn in UFUNCS or (_CALL.fullmatch(row.numpy) is not None and not row.helper)


def ending_in(speller: Speller, step: Store) -> str | None:
    """Return the call of a store's last operation up to `out=`; None: its value is copied.

    What it reads of its target is as it was before the call: NumPy copies where both overlap.
    """
    target, value = step.target, step.value
    own = speller.types[target.array]
    row = reductions.by_op(step.op)
    if step.op in ("max=", "min=") and row is not None:
        value = Apply(row.fn, (target, value), target.axes)
    elif step.op != "=":
        return None
    if speller.opt < 2 or not isinstance(value, Apply) or value.axes != target.axes:
        return None
    if not target.axes or own.kind != "f" or type_of(value, speller.types.get) != own:
        return None
    row_of = lookup(value.fn)
    if row_of is not None and row_of.variadic and len(value.args) > 2:
        first = Apply(value.fn, value.args[:-1], value.axes)
        value = replace(value, args=(first, value.args[-1]))
    return _ufunc(speller, value.fn, value.args, value.axes)


def text(speller: Speller, value: Value, axes: tuple[str, ...], *, full: bool = False) -> str:
    """Return the text of an operation that makes its own memory.

    Args:
        speller: spells values.
        value: the operation.
        axes: the axes of its value.
        full: whether what it reads has a cell for each point of its axes, nothing broadcast.
    """
    if isinstance(value, Fold) and isinstance(value.arg, Apply) and value.arg.fn == "mul":
        a, b = value.arg.args
        if full and not value.axes and a.axes == b.axes and value.kind != "c":
            return f"np.vdot({speller.text(a)}, {speller.text(b)})"
    spelled = speller.spell(value)
    return speller.fitted(spelled, axes)


def as_bool(text: str, dtype: DType | None) -> str:
    """Return the text of a condition as one of bools."""
    return text if dtype is not None and dtype.kind == "b" else f"np.not_equal({text}, 0)"
