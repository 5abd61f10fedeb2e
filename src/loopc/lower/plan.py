"""The plan: array operations with named axes, which a backend spells as source text.

    value = Lit( value ) | Scalar( expr )          -- a literal; an integer of dims and indices
          | Range( axis, start, stop, step )       -- the values of an index
          | View( array, parts )                   -- slices of an array, one part per dimension
          | Strided( array, starts, windows )      -- an affine access that is no slice
          | Gather( array, indices )               -- an access by index arrays
          | Apply( fn, args )                      -- a function or operator, elementwise
          | Fold( op, arg, over )                  -- a reduction over axes
          | Along( op, arg, over )                 -- a pointwise reduction along axes
          | Renamed( arg, old, new )               -- the same under another axis name
          | Take( arg, axis, at )                  -- cells along an axis
          | Contract( args )                       -- a sum of products over axes not in `axes`
          | Cast( arg, dtype )
    step  = Alloc | Copy | Assign | Store | Scatter | Flatten | Loop | When | Note

Every value has `axes`: the names of the indices that its dimensions run over, in their order. Axes
meet by name, so that broadcasting and transposition are worked out where a value is spelled.
"""

from __future__ import annotations

from dataclasses import field
from typing import TypeAlias

from loopc.diagnostics.record import record
from loopc.diagnostics.span import Span
from loopc.ir.dtypes import DType
from loopc.ir.nodes import Expr, Index


@record()
class Lit:
    """A literal number."""

    value: bool | int | float | complex
    axes: tuple[str, ...] = ()


@record()
class Scalar:
    """An integer expression of dims, serial indices and cells of integer arrays."""

    expr: Expr
    axes: tuple[str, ...] = ()


@record()
class Range:
    """The values of an index; `dtype` where they meet floats, else integers."""

    start: Expr
    stop: Expr
    step: int
    axes: tuple[str, ...]


@record()
class Part:
    """One dimension of a view: `count` cells from `start` in steps; a single cell has no axis."""

    start: Expr
    axis: str = ""
    count: Expr | None = None
    step: int = 1
    whole: bool = False


@record()
class View:
    """A basic slice of an array."""

    array: str
    parts: tuple[Part, ...]
    axes: tuple[str, ...]


@record()
class Window:
    """An axis of a strided view: its extent, and its step in each dimension of the array."""

    axis: str
    count: Expr
    steps: tuple[int, ...]


@record()
class Strided:
    """A view in which an index moves through several dimensions, or several through one."""

    array: str
    starts: tuple[Expr, ...]
    windows: tuple[Window, ...]
    axes: tuple[str, ...]


@record()
class Position:
    """An index array of a gather or scatter.

    Attributes:
        at: integer values.
        mode: what happens outside; `strict` is checked at run time unless `safe`.
        safe: whether all values are known to be inside.
        extent: of the dimension.
        place: what an error says about the place.
    """

    at: Value
    mode: str
    safe: bool
    extent: Expr
    place: str


@record()
class Gather:
    """`array[i, :, …]` by index arrays and slices; where `mask` does not hold, any cell will do.

    Attributes:
        over: the axes that the index arrays have together.
        axes: in the order in which NumPy gives them.
    """

    array: str
    indices: tuple[Position | Part, ...]
    over: tuple[str, ...]
    axes: tuple[str, ...]
    mask: Value | None = None


@record()
class Apply:
    """A function of the table, elementwise."""

    fn: str
    args: tuple[Value, ...]
    axes: tuple[str, ...]


@record()
class Fold:
    """A reduction of the table over axes.

    Attributes:
        kind: that of the terms.
        mask: which terms count, where no value can stand for those that do not.
    """

    op: str
    arg: Value
    over: tuple[str, ...]
    axes: tuple[str, ...]
    kind: str = "f"
    mask: Value | None = None


@record()
class Along:
    """A pointwise reduction along axes."""

    op: str
    arg: Value
    over: tuple[str, ...]
    axes: tuple[str, ...]


@record()
class Renamed:
    """A value one of whose axes goes by another index's name."""

    arg: Value
    old: str
    new: str
    axes: tuple[str, ...]


@record()
class Take:
    """The cells `at` along one axis of a value; `at` has one axis, none, or all others of it."""

    arg: Value
    axis: str
    at: Value
    axes: tuple[str, ...]


@record()
class Contract:
    """A sum of products."""

    args: tuple[Value, ...]
    axes: tuple[str, ...]


@record()
class Cast:
    """A value in another type."""

    arg: Value
    dtype: DType
    axes: tuple[str, ...]


@record()
class Expand:
    """A value broadcast along further axes."""

    arg: Value
    counts: tuple[Expr, ...]
    axes: tuple[str, ...]


Value: TypeAlias = (
    Lit
    | Scalar
    | Range
    | View
    | Strided
    | Gather
    | Apply
    | Fold
    | Along
    | Take
    | Renamed
    | Contract
    | Cast
    | Expand
)


@record()
class Alloc:
    """A new array, every cell `fill`."""

    array: str
    shape: tuple[Expr, ...]
    dtype: DType
    fill: bool | int | float | complex


@record()
class Copy:
    """An input about to be modified: a copy takes its name."""

    array: str


@record()
class Assign:
    """The whole of an array is one value; `fresh`: the value shares no memory with an array."""

    array: str
    value: Value
    order: tuple[str, ...]
    dtype: DType
    cast: bool
    fresh: bool
    shape: tuple[Expr, ...] = ()


@record()
class Store:
    """`view op value`: each cell of the view once."""

    target: View
    op: str
    value: Value


@record()
class Scatter:
    """`array[i, :, …] op value` in loop order; `mask`: where.

    Attributes:
        over: the axes that the index arrays have together.
        axes: all of them, in the order of NumPy's `array[i, :, …]`.
    """

    array: str
    indices: tuple[Position | Part, ...]
    over: tuple[str, ...]
    op: str
    value: Value
    axes: tuple[str, ...]
    mask: Value | None
    shape: tuple[Expr, ...]


@record()
class Flatten:
    """Counts out one more index of a flattened domain; the arrays are integers over its cells.

    Attributes:
        array: takes the values of the index.
        before: the arrays of the indices further out, which are spread over the new cells.
        outer: an index that the cells so far are the values of; it is the first of `before`.
        size: the dim that takes the number of cells.
        start: where the range starts at each cell so far.
        stop: where it stops.
        step: its step.
        count: the number of cells so far.
        axis: the name of their axis, "" if there is one cell.
    """

    array: str
    before: tuple[str, ...]
    outer: Index | None
    size: Expr
    start: Value
    stop: Value
    step: int
    count: Expr
    axis: str


@record()
class Loop:
    """A loop that runs in order."""

    index: str
    start: Expr
    stop: Expr
    step: int
    body: tuple[Step, ...]


@record()
class When:
    """Steps under a condition."""

    condition: Value
    body: tuple[Step, ...]


@record()
class Note:
    """The source line that the following steps come from, and how it was lowered."""

    text: str
    span: Span | None = field(default=None, compare=False)
    how: str = ""


Step: TypeAlias = Alloc | Copy | Assign | Store | Scatter | Flatten | Loop | When | Note


@record()
class Require:
    """A condition on the sizes of a call: `low >= 0 and high < extent` unless a count is 0."""

    low: Expr
    high: Expr
    extent: Expr
    counts: tuple[Expr, ...]
    place: str


@record()
class Plan:
    """A program as array operations.

    Attributes:
        inputs: the names of inputs and params, in order.
        shapes: of every array.
        dtypes: of every array.
        dims: how dims follow from shapes: (dim, input, axis, factor, offset) means
            `(input.shape[axis] - offset) // factor`.
        free: dims that the caller must give.
        requires: what must hold for the sizes.
        steps: in order.
        outputs: the names of what is returned.
        initials: the values of the cells of inputs that need not be given.
    """

    inputs: tuple[str, ...]
    shapes: dict[str, tuple[Expr, ...]]
    dtypes: dict[str, DType]
    dims: tuple[DimRule, ...]
    free: tuple[str, ...]
    requires: tuple[Require, ...]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]
    initials: dict[str, Expr] = field(default_factory=dict)


@record()
class DimRule:
    """`dim` is `(shape[axis] of array - offset) // factor`, or `value`."""

    dim: str
    array: str = ""
    axis: int = 0
    factor: int = 1
    offset: Expr | None = None
    value: Expr | None = None
