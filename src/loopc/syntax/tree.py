"""The tree of a program as it was written; sugar and comments are still there.

    module    = Module( statement* body, comment* tail )
    statement = Declare( keyword, declared* items )       -- dim | input | param | output
              | Assign( expr* targets, op, expr value )   -- several targets: a call of a def
              | For( index* indices, expr? guard, statement* body, inline )
              | If( expr guard, statement* body, inline )
              | Def( name, declared* params, declared* results, statement* body )
              | Use( target, quoted )                                -- use nn | use "file.loops"
              | Backward( of, wrt*, name )
    declared  = Declared( name, expr* dims | None, dtype, expr? value )
    index     = Index( name, relation, expr? bound )      -- relation: "" | "<" | "<=" | "in"
    expr      = Number( text ) | Name( name, primes )
              | Bracket( name, primes, item* items, expr? guard )    -- A[i, j], softmax[k if c]
              | Group( expr* items )                                 -- (a), (a, b)
              | Chain( operand* operands )                -- + and -, or * / // % and juxtaposed
              | Power( base, exponent ) | Not( expr )
              | Compare( first, (op, expr)* ) | Logic( op, expr* )   -- op: "and" | "or"
    operand   = Operand( op, negations, expr )            -- op: "" for the first and juxtaposed,
                                                          -- "()": `f(…)`, written without a space
    item      = expr | Whole()                                       -- `:`
              | Index                                                -- k in range(…)

The parser knows no function names: `ln P[y]` is a Chain of two juxtaposed operands, `f(a, b)` one
of a Name and a Group, and `softmax[k](x)` one of a Bracket and a Group. `ir.build` tells them
apart. A `-` in front of an operand counts in its `negations`, and applies after function
application and before `*`: `-ln P[y] z` is (-(ln P[y])) z.
"""

from __future__ import annotations

from dataclasses import field
from typing import TypeAlias

from loopc.diagnostics.record import Memo, record
from loopc.diagnostics.span import Span


@record(kw_only=True)
class Node(Memo):
    """What every node has: its place. Two nodes are equal if they are written alike."""

    span: Span | None = field(default=None, compare=False, repr=False)


@record()
class Number(Node):
    """A literal, as written: `2`, `0.5`, `1e-3`."""

    text: str


@record()
class Name(Node):
    """A name without brackets: a scalar, an index, a dim, a constant, or a function."""

    name: str
    primes: int = 0


@record()
class Whole(Node):
    """A `:` in brackets: a whole axis."""


@record()
class Index(Node):
    """One index of a `for` or of a reduction's brackets, with its range as written."""

    name: str
    relation: str = ""
    bound: Expr | None = None


@record()
class Bracket(Node):
    """A name with brackets: an access, a reduction, or a boundary mode's access."""

    name: str
    items: tuple[Expr | Whole | Index, ...]
    guard: Expr | None = None
    primes: int = 0


@record()
class Group(Node):
    """Round brackets: one expression, or a call's arguments."""

    items: tuple[Expr | Whole | Index, ...]


@record()
class Operand(Node):
    """One operand of a chain, with the operator before it and the `-` signs on it."""

    op: str
    negations: int
    expr: Expr


@record()
class Chain(Node):
    """Operands of one precedence, from left to right: sums, or products and quotients.

    A sum's operands have no negations of their own: `-a + b` is a chain of `-a` (a product chain
    of one negated operand) and `b`.
    """

    operands: tuple[Operand, ...]


@record()
class Power(Node):
    """`base ** exponent`; the exponent may be negated, which is then a Chain."""

    base: Expr
    exponent: Expr


@record()
class Compare(Node):
    """`a < b <= c`: holds if each pair does."""

    first: Expr
    rest: tuple[tuple[str, Expr], ...]


@record()
class Not(Node):
    """`not x`."""

    expr: Expr


@record()
class Logic(Node):
    """`a and b and …`, or the same with `or`."""

    op: str
    items: tuple[Expr, ...]


Expr: TypeAlias = Number | Name | Bracket | Group | Chain | Power | Compare | Not | Logic


@record(kw_only=True)
class Written(Node):
    """A statement's comments: the lines above it, the one behind it, and a blank line before."""

    above: tuple[str, ...] = field(default=(), compare=False, repr=False)
    behind: str = field(default="", compare=False, repr=False)
    blank: bool = field(default=False, compare=False, repr=False)


@record()
class Declared(Node):
    """One item of a declaration: `x[B, T]: int`, `bias[3*D] = 0`; dims None: no brackets.

    Attributes:
        typed: the place of the type.
    """

    name: str
    dims: tuple[Expr, ...] | None = None
    dtype: str = ""
    value: Expr | None = None
    typed: Span | None = field(default=None, compare=False, repr=False)


@record()
class Declare(Written):
    """`dim`, `input`, `param` or `output` and its items."""

    keyword: str
    items: tuple[Declared, ...]


@record()
class Assign(Written):
    """`targets op value`; op is one of `= += -= *= max= min=`."""

    targets: tuple[Name | Bracket, ...]
    op: str
    value: Expr


@record()
class For(Written):
    """A loop; `inline` if its one statement stands on the same line."""

    indices: tuple[Index, ...]
    guard: Expr | None
    body: tuple[Statement, ...]
    inline: bool


@record()
class If(Written):
    """A guard without a loop."""

    guard: Expr
    body: tuple[Statement, ...]
    inline: bool


@record()
class Def(Written):
    """A function; comments at the head of its body are its docstring."""

    name: str
    params: tuple[Declared, ...]
    results: tuple[Declared, ...]
    body: tuple[Statement, ...]


@record()
class Use(Written):
    """`use nn` (a library of the package) or `use "file.loops"` (quoted)."""

    target: str
    quoted: bool


@record()
class Backward(Written):
    """`backward of wrt … as name`; `name` is empty where it is not written.

    Attributes:
        places: where `of` and each of `wrt` stand.
    """

    of: str
    wrt: tuple[str, ...]
    name: str
    places: tuple[Span | None, ...] = field(default=(), compare=False, repr=False)


Statement: TypeAlias = Declare | Assign | For | If | Def | Use | Backward


@record()
class Module(Node):
    """A whole file; `tail` are the comments after the last statement.

    Attributes:
        lost: the names in lines that could not be parsed.
        spoilt: the places of mistakes in lines that could be.
    """

    body: tuple[Statement, ...]
    tail: tuple[str, ...] = field(default=(), compare=False, repr=False)
    lost: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    spoilt: tuple[Span, ...] = field(default=(), compare=False, repr=False)
