"""The plan: array operations with named axes, which a backend spells as source text.

    value = Lit( value ) | Scalar( expr )          -- a literal; an integer of dims and indices
          | Bound( largest, dtype )                -- the largest or least number of a type
          | Range( axis, start, stop, step )       -- the values of an index
          | View( array, parts )                   -- slices of an array, one part per dimension
          | Strided( array, starts, windows )      -- an affine access that is no slice
          | Packed( arg )                          -- a copy in memory of its own
          | Row( array, start, step, span )        -- cells at equal steps in memory
          | Spot( array, start, strides )          -- the cells of a plane of a nest
          | Gather( array, indices )               -- an access by index arrays
          | Apply( fn, args )                      -- a function or operator, elementwise
          | Fold( op, arg, over )                  -- a reduction over axes
          | Along( op, arg, over )                 -- a pointwise reduction along axes
          | Renamed( arg, old, new )               -- the same under another axis name
          | Flip( arg, axis )                      -- the same, last cell first along an axis
          | Take( arg, axis, at )                  -- cells along an axis
          | Contract( args )                       -- a sum of products over axes not in `axes`
          | Selected( args, mask, exact )          -- a contraction of the terms under a mask
          | Exactly( arg, exact )                  -- `arg` if it is finite
          | Checked( helper, arg, place, dtype )
          | Cast( arg, dtype )
    step  = Alloc | Copy | Assign | Store | Scatter | Overlap | Flatten | Loop | Numbers | Sweep
          | Stage | Strips | Tile | When | RowStore | SpotStore | Planes | Running | Unfold | Let
          | Note

Every value has `axes`: the names of the indices that its dimensions run over, in their order. Axes
meet by name, so that broadcasting and transposition are worked out where a value is spelled.
"""

from __future__ import annotations

from dataclasses import field
from typing import TypeAlias

from loopc.diagnostics.record import Memo, record
from loopc.diagnostics.span import Span
from loopc.ir.dtypes import DType
from loopc.ir.nodes import Const, Expr, Fit, Index
from loopc.lower.plan_loops import Cells as Cells
from loopc.lower.plan_loops import Numbers as Numbers
from loopc.lower.plan_loops import Planes as Planes
from loopc.lower.plan_loops import Running as Running
from loopc.lower.plan_loops import SpotStore as SpotStore
from loopc.lower.plan_loops import Stage as Stage
from loopc.lower.plan_loops import Strips as Strips
from loopc.lower.plan_loops import Sweep as Sweep
from loopc.lower.plan_values import Along as Along
from loopc.lower.plan_values import Apply as Apply
from loopc.lower.plan_values import Bound as Bound
from loopc.lower.plan_values import Cast as Cast
from loopc.lower.plan_values import Checked as Checked
from loopc.lower.plan_values import Contract as Contract
from loopc.lower.plan_values import Exactly as Exactly
from loopc.lower.plan_values import Expand as Expand
from loopc.lower.plan_values import Flip as Flip
from loopc.lower.plan_values import Fold as Fold
from loopc.lower.plan_values import Gather as Gather
from loopc.lower.plan_values import Lit as Lit
from loopc.lower.plan_values import Packed as Packed
from loopc.lower.plan_values import Part as Part
from loopc.lower.plan_values import Position as Position
from loopc.lower.plan_values import Range as Range
from loopc.lower.plan_values import Renamed as Renamed
from loopc.lower.plan_values import Row as Row
from loopc.lower.plan_values import Scalar as Scalar
from loopc.lower.plan_values import Selected as Selected
from loopc.lower.plan_values import Spot as Spot
from loopc.lower.plan_values import Strided as Strided
from loopc.lower.plan_values import Take as Take
from loopc.lower.plan_values import Value as Value
from loopc.lower.plan_values import View as View
from loopc.lower.plan_values import Window as Window


@record()
class Alloc(Memo):
    """A new array, every cell `fill`; among integers, inf stands for the largest one."""

    array: str
    shape: tuple[Expr, ...]
    dtype: DType
    fill: bool | int | float | complex


@record()
class Copy(Memo):
    """An input about to be modified: a copy takes its name."""

    array: str


@record()
class Assign(Memo):
    """The whole of an array is one value; `fresh`: the value shares no memory with an array."""

    array: str
    value: Value
    order: tuple[str, ...]
    dtype: DType
    cast: bool
    fresh: bool
    shape: tuple[Expr, ...] = ()


@record()
class Store(Memo):
    """`view op value`: each cell of the view once."""

    target: View
    op: str
    value: Value


@record()
class Scatter(Memo):
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
class Overlap(Memo):
    """`window += value`: the cells of a strided view, which meet where windows overlap, or `=`.

    Attributes:
        array: of which.
        window: the view; what its pads stand for outside the array is dropped.
        order: its axes, those that step within a window in front of those from window to window.
    """

    array: str
    window: Strided
    op: str
    value: Value
    order: tuple[str, ...]


@record()
class Flatten(Memo):
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
class Loop(Memo):
    """A loop that runs in order."""

    index: str
    start: Expr
    stop: Expr
    step: int
    body: tuple[Step, ...]

    def nest(self) -> tuple[tuple[Loop, ...], tuple[Step, ...]]:
        """Return the loops to spell in one line, and what runs inside: Python has room for few."""
        loops, body, notes = [self], self.body, tuple[Step, ...]()
        while len(inner := [s for s in body if not isinstance(s, Note)]) == 1:
            (only,) = inner
            if not isinstance(only, Loop):
                break
            notes += tuple(s for s in body if isinstance(s, Note))
            loops.append(only)
            body = only.body
        return (tuple(loops), (*notes, *body)) if len(loops) > MOST_LOOPS else ((self,), self.body)


MOST_LOOPS = 8
"""How many loops round each other have lines of their own."""


@record()
class TileIndex:
    """An index that runs in blocks: the variables of a block's ends, and its number of values.

    An end without a variable is that of the whole index.
    """

    low: str
    high: str
    extent: Expr


@record()
class Tile(Memo):
    """Steps for a block of some indices at a time, so that what they make stays in the cache.

    Attributes:
        indices: outermost first.
        made: the arrays that the steps make block by block, with shapes and types.
        sums: the arrays that they add up to, which start from 0.
        local: the arrays that live within a block.
        body: the steps; views are of a block.
        apart: the arrays that it only adds to, at places that are not those of the block.
        orders: of some arrays that it makes, the dimensions as they are to lie in memory.
    """

    indices: tuple[TileIndex, ...]
    made: tuple[Alloc, ...]
    sums: tuple[Alloc, ...]
    local: tuple[str, ...]
    body: tuple[Step, ...]
    apart: tuple[str, ...] = ()
    orders: tuple[tuple[str, tuple[int, ...]], ...] = ()


@record()
class When(Memo):
    """Steps under a condition."""

    condition: Value
    body: tuple[Step, ...]


@record()
class RowStore(Memo):
    """`row op value`: each cell of the row once."""

    target: Row
    op: str
    value: Value


@record()
class Unfold(Memo):
    """An array's memory as one row of cells, for the `Row`s that follow; `written`: by them."""

    array: str
    written: bool


@record()
class Let(Memo):
    """A number that following steps use like a dim."""

    dim: str
    value: Expr


@record()
class Note(Memo):
    """The source line that the following steps come from, and how it was lowered."""

    text: str
    span: Span | None = field(default=None, compare=False)
    how: str = ""


Step: TypeAlias = (
    Alloc
    | Copy
    | Assign
    | Store
    | Scatter
    | Overlap
    | Flatten
    | Loop
    | Numbers
    | Sweep
    | Stage
    | Strips
    | Tile
    | When
    | RowStore
    | SpotStore
    | Planes
    | Running
    | Unfold
    | Let
    | Note
)


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
        fits: the sizes of arguments of `def`s that depend on those of a call.
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
    fits: tuple[Fit, ...] = ()


@record()
class DimRule:
    """`dim` is `(shape[axis] of array - offset) // factor`, or `value`."""

    dim: str
    array: str = ""
    axis: int = 0
    factor: Expr = Const(1)
    offset: Expr | None = None
    value: Expr | None = None
