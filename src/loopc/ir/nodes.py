"""The loop IR.

    program   = Program( dim* dims, array* arrays, stmt* body, name* outputs, fit* fits )
    dim       = Dim( name, expr? value, axis? of )          -- a declared named extent
    array     = Array( name, kind, expr* shape | None, dtype, expr? initial )
                                                            -- kind: input | param | temp
    stmt      = For( index* indices, expr? guard, stmt* body )   -- order: of loops, outermost first
              | Update( access target, op, expr value )     -- op: "=", "+=", "*=", "max=", "min="
              | Backward( name of, name* wrt, name suffix ) -- replaced by adjoint loops early on
    index     = Index( name, expr? start, expr? stop, int step )
    access    = Access( name array, subscript* subscripts )
    subscript = Subscript( expr at, mode )                  -- strict | pad | clamp | wrap | reflect
    expr      = Const( value ) | IndexRef( name ) | Extent( name ) | Read( access )
              | Call( name fn, expr* args )                 -- operators too: rows of functions.py
              | Reduce( name op, index* indices, expr? guard, expr body, expr* at )

A program is *open* as `ir.build` makes it: ranges and shapes that were not written are None. It is
*resolved* once `ir.infer` has filled in every one of them; all later rooms take and give resolved
programs, and `ir.unbuild` leaves out again what inference would find.

- `For(indices, guard, body)` with no indices is an `if`. A guard stands inside all of its indices.
- `x -= e` is `x += neg(e)`; `a - b` is `add(a, neg(b))`. `add mul max min and or` take two or more
  arguments and mean a fold from the left.
- An `IndexRef` names the innermost enclosing index of that name (a For's or a Reduce's).
- A range is `start, start+step, …` up to `stop`, exclusive, upwards for step > 0 and downwards for
  step < 0 (`reversed(range(0, N))` is start N-1, stop -1, step -1).
- An `Extent` names a dim: declared, or made by inference from an array's axis.
- A pointwise reduction (`softmax[k](…)`) has a value for each k: `at` says for which; its index is
  bound in `body` and `guard` alone. `at` is empty for all other reductions.
- An array `W.grad` is called just that: `W.grad`.
"""

from __future__ import annotations

from dataclasses import field
from typing import Literal, TypeAlias

from loopc.diagnostics.record import Memo, record
from loopc.diagnostics.span import Span

Kind: TypeAlias = Literal["input", "param", "temp"]
Mode: TypeAlias = Literal["strict", "pad", "clamp", "wrap", "reflect"]


@record(kw_only=True)
class Node(Memo):
    """What every node has: the place it came from. Equality looks at the rest alone."""

    span: Span | None = field(default=None, compare=False, repr=False)


@record()
class Const(Node):
    """A literal number. `1`, `1.0` and `True` differ, `nan` equals `nan`, `0.0` is not `-0.0`."""

    value: bool | int | float | complex

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Const) or type(self.value) is not type(other.value):
            return False
        if type(self.value) is int:
            return self.value == other.value
        return repr(self.value) == repr(other.value)

    def __hash__(self) -> int:
        return hash(self.value) if type(self.value) is int else hash(repr(self.value))


ZERO, ONE = Const(0), Const(1)


@record()
class IndexRef(Node):
    """The value of an enclosing loop's or reduction's index."""

    name: str


@record()
class Extent(Node):
    """The value of a dim."""

    name: str


@record()
class Subscript(Node):
    """One index expression of an access, and what happens outside the array."""

    at: Expr
    mode: Mode = "strict"


@record()
class Access(Node):
    """One cell of an array: its name and a subscript per axis (none: a scalar)."""

    array: str
    subscripts: tuple[Subscript, ...] = ()


@record()
class Read(Node):
    """The value of a cell."""

    access: Access


@record()
class Call(Node):
    """A scalar function or operator, under the spelling of the program (`σ`, `sigmoid'`, `add`)."""

    fn: str
    args: tuple[Expr, ...]


@record()
class Index(Node):
    """A loop variable and its range; `written` if the program gives the range itself."""

    name: str
    start: Expr | None = None
    stop: Expr | None = None
    step: int = 1
    written: bool = field(default=False, compare=False, repr=False)


@record()
class Reduce(Node):
    """A reduction inside an expression: `sum[k](…)`, `softmax[k](…)`."""

    op: str
    indices: tuple[Index, ...]
    guard: Expr | None
    body: Expr
    at: tuple[Expr, ...] = ()


Expr: TypeAlias = Const | IndexRef | Extent | Read | Call | Reduce


@record()
class Update(Node):
    """`target op value`, once for each point of the enclosing loops."""

    target: Access
    op: str
    value: Expr


@record()
class For(Node):
    """Nested loops over `indices` round a body that runs where the guard holds."""

    indices: tuple[Index, ...]
    guard: Expr | None
    body: tuple[Stmt, ...]


@record()
class Backward(Node):
    """`backward of wrt … as …`: stands for adjoint loops; `wrt` empty: every param."""

    of: str
    wrt: tuple[str, ...]
    suffix: str


Stmt: TypeAlias = For | Update | Backward


@record()
class Dim(Node):
    """A dim of a `dim` declaration; `value` where it is given one.

    Attributes:
        of: the array and the axis whose extent it is, until inference puts that in: a dim of an
            expanded `def`.
    """

    name: str
    value: Expr | None = None
    of: tuple[str, int] | None = None


@record()
class Array(Node):
    """An array's name, kind, shape and type.

    Attributes:
        shape: an extent per axis; None until it is inferred.
        dtype: as declared: `float float32 float64 int bool complex`, or "" where nothing says.
        initial: the value of every cell of a param that is not given (`param b[J] = 0`).
        declared: whether the program declares it (and the printer prints that).
        turned: the array of the program that it stands for, whose last axis it has first.
        like: a float whose type it has, whatever is assigned to it; "" where that decides.
    """

    name: str
    kind: Kind
    shape: tuple[Expr, ...] | None = None
    dtype: str = ""
    initial: Expr | None = None
    declared: bool = field(default=False, compare=False, repr=False)
    turned: str = field(default="", compare=False, repr=False)
    like: str = field(default="", compare=False, repr=False)


@record()
class Fit:
    """What an expanded call of a `def` asks of a size: that it is what the def declares.

    Attributes:
        given: the extent of the argument.
        expected: the extent of the formal.
        array: the argument.
        call: what is said of it: the def, the formal as it is declared, and the axis.
        span: the argument.
        formal: the formal.
    """

    given: Expr
    expected: Expr
    array: str
    call: tuple[str, str, int]
    span: Span | None = field(default=None, compare=False, repr=False)
    formal: Span | None = field(default=None, compare=False, repr=False)


@record()
class Program(Node):
    """Declarations, statements in order, and the names a run returns.

    Attributes:
        fits: sizes that are checked, and that nothing is derived from.
    """

    dims: tuple[Dim, ...]
    arrays: tuple[Array, ...]
    body: tuple[Stmt, ...]
    outputs: tuple[str, ...]
    fits: tuple[Fit, ...] = field(default=(), compare=False, repr=False)

    def array(self, name: str) -> Array:
        """Return the array called `name`."""
        return next(a for a in self.arrays if a.name == name)
