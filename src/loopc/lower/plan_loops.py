"""The steps of a plan that are serial loops of a special kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopc.diagnostics.record import Memo, record
from loopc.ir.nodes import Expr
from loopc.lower.plan_values import Spot, Value, View

if TYPE_CHECKING:
    from loopc.lower.plan import Loop, Step, Tile


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
    """A running reduction along an axis of a view, in place: `ufunc.accumulate`."""

    target: View
    axis: str
    ufunc: str
