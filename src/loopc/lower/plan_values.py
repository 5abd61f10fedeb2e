"""The values of a plan: what an array operation makes, with named axes."""

from __future__ import annotations

from typing import TypeAlias

from loopc.diagnostics.record import Memo, record
from loopc.ir.dtypes import DType
from loopc.ir.nodes import Expr


@record()
class Lit(Memo):
    """A literal number. As in `Const`, `0`, `False`, `0.0` and `-0.0` differ."""

    value: bool | int | float | complex
    axes: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lit) and repr(self.value) == repr(other.value)

    def __hash__(self) -> int:
        return hash(repr(self.value))


@record()
class Bound(Memo):
    """The largest or the least number of an integer type, which has no inf."""

    largest: bool
    dtype: DType
    axes: tuple[str, ...] = ()


@record()
class Scalar(Memo):
    """An integer expression of dims, serial indices and cells of integer arrays."""

    expr: Expr
    axes: tuple[str, ...] = ()


@record()
class Range(Memo):
    """The values of an index; `dtype` where they meet floats, else integers."""

    start: Expr
    stop: Expr
    step: int
    axes: tuple[str, ...]


@record()
class Part(Memo):
    """One dimension of a view: `count` cells from `start` in steps; a single cell has no axis."""

    start: Expr
    axis: str = ""
    count: Expr | None = None
    step: int = 1
    whole: bool = False


@record()
class View(Memo):
    """A basic slice of an array."""

    array: str
    parts: tuple[Part, ...]
    axes: tuple[str, ...]


@record()
class Window(Memo):
    """An axis of a strided view: its extent, and its step in each dimension of the array.

    A step that is no number is a size of at least 1.
    """

    axis: str
    count: Expr
    steps: tuple[int | Expr, ...]


@record()
class Strided(Memo):
    """A view in which an index moves through several dimensions, or several through one.

    Attributes:
        array: of which.
        starts: its first cell.
        windows: its axes.
        axes: their names.
        pads: how many zeros stand in front of and behind each dimension; (): none anywhere.
        cuts: what is taken of the array before zeros are put round it: dimension, start, stop.
        memory: its axes as they lie in memory, if no two of its places are one cell.
    """

    array: str
    starts: tuple[Expr, ...]
    windows: tuple[Window, ...]
    axes: tuple[str, ...]
    pads: tuple[tuple[Expr, Expr], ...] = ()
    cuts: tuple[tuple[int, Expr, Expr], ...] = ()
    memory: tuple[str, ...] = ()


@record()
class Packed(Memo):
    """A value copied to memory of its own, its axes in this order."""

    arg: Value
    axes: tuple[str, ...]


@record()
class Row(Memo):
    """Cells of an array that lie at equal steps in memory.

    Attributes:
        array: its memory is one row, as an `Unfold` sees to.
        start: the number of the first cell.
        step: from one cell to the next.
        span: the step as many times as there are cells.
        axes: the one axis.
    """

    array: str
    start: Expr
    step: Expr
    span: Expr
    axes: tuple[str, ...]


@record()
class Spot(Memo):
    """The cells of a plane's points.

    Attributes:
        array: of which.
        start: the number of the nest's first cell.
        strides: from one cell to the next along each of its loops.
        axes: the one axis.
    """

    array: str
    start: Expr
    strides: tuple[Expr, ...]
    axes: tuple[str, ...]


@record()
class Position(Memo):
    """An index array of a gather or scatter.

    Attributes:
        at: integer values.
        mode: what happens outside; `strict` is checked at run time unless `safe`, and `zero`, of
            numbers alone, reads zeros.
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
class Gather(Memo):
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
class Apply(Memo):
    """A function of the table, elementwise."""

    fn: str
    args: tuple[Value, ...]
    axes: tuple[str, ...]


@record()
class Fold(Memo):
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
class Along(Memo):
    """A pointwise reduction along axes."""

    op: str
    arg: Value
    over: tuple[str, ...]
    axes: tuple[str, ...]


@record()
class Renamed(Memo):
    """A value one of whose axes goes by another index's name."""

    arg: Value
    old: str
    new: str
    axes: tuple[str, ...]


@record()
class Flip(Memo):
    """The cells of a value along an axis, the last one first."""

    arg: Value
    axis: str
    axes: tuple[str, ...]


@record()
class Take(Memo):
    """The cells `at` along one axis of a value; `at` has one axis, none, or all others of it.

    Where it is not `safe`, a position may be outside: any cell will do.
    """

    arg: Value
    axis: str
    at: Value
    axes: tuple[str, ...]
    safe: bool = True


@record()
class Contract(Memo):
    """A sum of products; `sizes` are the extents of all axes."""

    args: tuple[Value, ...]
    axes: tuple[str, ...]
    sizes: tuple[tuple[str, Expr], ...] = ()


@record()
class Selected(Memo):
    """A sum of products of which only the terms under a mask count.

    Attributes:
        args: the factors, such that the product of a term that does not count is 0 if it is finite.
        mask: which terms count.
        exact: the factors as they are, for a sum that is not finite.
        sizes: the extents of all axes.
    """

    args: tuple[Value, ...]
    mask: Value
    exact: tuple[Value, ...]
    axes: tuple[str, ...]
    sizes: tuple[tuple[str, Expr], ...] = ()


@record()
class Exactly(Memo):
    """A value that costs less, if it is finite, else the same as it is written."""

    arg: Value
    exact: Value
    axes: tuple[str, ...]


@record()
class Checked(Memo):
    """The argument of a function that has no value for some, looked at by a helper first.

    Attributes:
        helper: which says what is wrong, or gives the argument (or an integer made of it).
        place: what an error says about the place.
    """

    helper: str
    arg: Value
    place: str
    dtype: DType
    axes: tuple[str, ...]


@record()
class Cast(Memo):
    """A value in another type."""

    arg: Value
    dtype: DType
    axes: tuple[str, ...]


@record()
class Expand(Memo):
    """A value broadcast along further axes."""

    arg: Value
    counts: tuple[Expr, ...]
    axes: tuple[str, ...]


Value: TypeAlias = (
    Lit
    | Bound
    | Scalar
    | Range
    | View
    | Strided
    | Packed
    | Row
    | Spot
    | Gather
    | Apply
    | Fold
    | Along
    | Take
    | Renamed
    | Flip
    | Contract
    | Selected
    | Exactly
    | Checked
    | Cast
    | Expand
)
