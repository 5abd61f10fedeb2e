"""The steps of a plan that are serial loops of a special kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopc.diagnostics.record import Memo, record
from loopc.ir.nodes import Expr
from loopc.lower.plan_values import Spot, Value, View

if TYPE_CHECKING:
    from loopc.lower.plan import Alloc, Loop, Step, Tile, TileIndex


@record()
class Cells:
    """An array as a loop on numbers has it.

    Attributes:
        array: which.
        fixed: for each dimension the one place in it that the loop uses; None: it moves there.
        written: whether the loop writes it.
        listed: whether its cells are made numbers beforehand, else each one when it is read.
    """

    array: str
    fixed: tuple[Expr | None, ...]
    written: bool
    listed: bool


@record()
class Numbers(Memo):
    """A loop in which every step is on single cells.

    Attributes:
        body: the loop.
        cells: the arrays.
        bits: how large integer cells may be so that no sum or product of them leaves 64 bits; 0:
            there are none.
    """

    body: tuple[Loop]
    cells: tuple[Cells, ...]
    bits: int


@record()
class Stage(Memo):
    """Steps of a sweep that take the same rows; `shift`: how far these are behind the block's."""

    shift: int
    tile: Tile


@record()
class Sweep(Memo):
    """A serial loop, for a block of rows at a time.

    Attributes:
        index: of the loop.
        start: of the loop.
        stop: of the loop.
        step: of the loop.
        skew: how far the rows move down from one step of the loop to the next.
        body: in each of these steps.
    """

    index: str
    start: Expr
    stop: Expr
    step: int
    skew: int
    body: tuple[Stage, ...]


@record()
class SpotStore(Memo):
    """`spot op value`: each cell of the plane once.

    Attributes:
        kept: whether something but the steps that follow in the plane reads the cells.
    """

    target: Spot
    op: str
    value: Value
    kept: bool = True


@record()
class Planes(Memo):
    """A nest of three loops, plane by plane.

    Attributes:
        counts: of the values of its loops.
        weights: what each of these counts in the number of a plane.
        body: for a plane.
    """

    counts: tuple[Expr, ...]
    weights: tuple[int, int, int]
    body: tuple[Step, ...]


@record()
class Running(Memo):
    """A running reduction along an axis of a view, in place: `ufunc.accumulate`.

    With a `factor`, the cell before is multiplied by it first; it has a cell less along the axis.
    """

    target: View
    axis: str
    ufunc: str
    factor: Value | None = None


@record()
class Strips(Memo):
    """Steps for a strip of rows at a time, with those columns alone in which its band has points.

    Attributes:
        rows: the index that is cut into strips.
        columns: the other index; an end without a name is that of the whole index.
        first: the first column of a strip, by the ends of its rows; None: the first of all.
        stop: the column behind its last one; None: the last of all.
        cells: the extents of the largest value, by which strips are made.
        products: arrays by whose norms it is known that what is left out is 0, if each product of
            norms is no large number; otherwise strips have all columns.
        made: the arrays that they make strip by strip.
        sums: those that they add up to, or make some columns of: all cells start from 0.
        local: the arrays that live within a strip, and their shapes there.
        body: the steps; views are of a strip.
    """

    rows: TileIndex
    columns: TileIndex
    first: Expr | None
    stop: Expr | None
    cells: tuple[Expr, ...]
    products: tuple[tuple[str, ...], ...]
    made: tuple[Alloc, ...]
    sums: tuple[Alloc, ...]
    local: tuple[Alloc, ...]
    body: tuple[Step, ...]
