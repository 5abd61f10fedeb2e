"""Whole numbers that are floats, where an integer is wanted: they are made integers there.

A subscript, the end of a range and a cell of an array that is declared `int` want one. `floor`,
`ceil`, `round` and `//` give whole numbers, and so do sums and products of these, and arrays that
nothing else is written to. There `floor(x)` becomes `int(floor(x))`, which is checked while the
program runs; the arithmetic round it is then that of integers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from loopc.diagnostics.record import replace
from loopc.ir.dtypes import DECLARED, DType, infer_dtypes, of_expr
from loopc.ir.functions import TO_INTEGER, lookup
from loopc.ir.nodes import (
    Access,
    Array,
    Call,
    Const,
    Dim,
    Expr,
    Index,
    Node,
    Program,
    Read,
    Reduce,
    Subscript,
    Update,
)
from loopc.ir.reductions import lookup as lookup_reduction
from loopc.ir.visit import map_children, reads, updates, walk


def with_index_types(program: Program) -> Program:
    """Let an input without a declared type whose cells are indices or sizes hold integers."""
    used = {name for expr in integers(program) for name in positions(expr)}
    arrays = tuple(
        replace(a, dtype="int") if a.name in used and a.kind == "input" and not a.dtype else a
        for a in program.arrays
    )
    return replace(program, arrays=arrays)


def integers(program: Program) -> Iterator[Expr]:
    """Yield what must be an integer: subscripts, the ends of ranges, and declared sizes."""
    for node in walk(program):
        match node:
            case Subscript(at):
                yield at
            case Index(_, start, stop):
                yield from (e for e in (start, stop) if e is not None)
            case Array(_, _, shape, declared=True):
                yield from shape or ()
            case Dim(_, value) if value is not None:
                yield value


def positions(expr: Expr) -> Iterator[str]:
    """Yield the arrays that an index is made of by integer arithmetic, what is rounded apart."""
    match expr:
        case Read(access):
            yield access.array
        case Call(fn, args):
            row = lookup(fn)
            if row is not None and (row.whole == "kept" or row.infix is not None):
                for argument in args[1:] if fn == "where" else args:
                    yield from positions(argument)
        case Reduce(op, body=body):
            reduction = lookup_reduction(op)
            if reduction is not None and reduction.result == "same":
                yield from positions(body)
        case _:
            pass


def with_integers(program: Program) -> Program:
    """Return a program in which whole floats are integers where an integer is wanted."""
    if not _may_have(program):
        return program
    types = infer_dtypes(program, {})
    whole = _whole_arrays(program, types)
    declared = {a.name: DECLARED[a.dtype] for a in program.arrays if a.kind == "temp" and a.dtype}

    def put(expr: Expr) -> Expr:
        dtype = of_expr(expr, types)
        if dtype is None or dtype.kind != "f" or not is_whole(expr, types, whole):
            return expr
        return _as_integer(expr, types, whole)

    def step(node: Node) -> Node:
        node = map_children(node, step)
        match node:
            case Subscript(at):
                new = put(at)
                return node if new is at else replace(node, at=new)
            case Index(_, start, stop):
                ends = [None if e is None else put(e) for e in (start, stop)]
                same = ends[0] is start and ends[1] is stop
                return node if same else replace(node, start=ends[0], stop=ends[1])
            case Update(target, _, value) if declared.get(target.array) == "i":
                new = put(value)
                return node if new is value else replace(node, value=new)
            case _:
                return node

    return cast(Program, step(program))


def _may_have(program: Program) -> bool:
    """Whether anything in a program rounds."""
    return any(isinstance(n, Call) and _whole(n.fn) == "always" for n in walk(program))


def _whole(fn: str) -> str:
    """Return whether a function's values are whole numbers."""
    row = lookup(fn)
    assert row is not None, fn
    return "always" if row.result in ("bool", "int") else row.whole


def _whole_arrays(program: Program, types: Mapping[str, DType]) -> frozenset[str]:
    """Return the arrays of floats to which only whole numbers are written."""
    found = frozenset(a.name for a in program.arrays if a.kind == "temp")
    found -= {a.name for a in program.arrays if a.kind != "temp"}
    while True:
        wrong = {
            u.target.array
            for _, u in updates(program.body)
            if u.target.array in found and not is_whole(u.value, types, found)
        }
        if not wrong:
            return found & {u.target.array for _, u in updates(program.body)}
        found -= wrong


def is_whole(expr: Expr, types: Mapping[str, DType], arrays: frozenset[str]) -> bool:
    """Whether the values of an expression are whole numbers (or NaN or inf).

    Args:
        expr: the expression.
        types: of all arrays.
        arrays: the arrays of floats whose values are whole numbers.
    """
    dtype = of_expr(expr, types)
    if dtype is not None and dtype.kind in "bi":
        return True
    match expr:
        case Const(value):
            return not isinstance(value, complex) and float(value).is_integer()
        case Read(Access(array)):
            return array in arrays
        case Call("where", (_, a, b)):
            return is_whole(a, types, arrays) and is_whole(b, types, arrays)
        case Call(fn, args):
            kept = _whole(fn) == "kept" and all(is_whole(a, types, arrays) for a in args)
            return kept or _whole(fn) == "always"
        case Reduce(op, body=body):
            reduction = lookup_reduction(op)
            if reduction is None or reduction.result in ("bool", "int"):
                return reduction is not None
            return reduction.result == "same" and is_whole(body, types, arrays)
        case _:
            return True


def _as_integer(expr: Expr, types: Mapping[str, DType], whole: frozenset[str]) -> Expr:
    """Return a whole number as an integer, arithmetic of whole numbers as that of integers."""
    dtype = of_expr(expr, types)
    if dtype is None or dtype.kind != "f":
        return expr
    match expr:
        case Const(value) if not isinstance(value, complex):
            return Const(int(value), span=expr.span)
        case Call("where", (condition, a, b)):
            branches = (_as_integer(a, types, whole), _as_integer(b, types, whole))
            return replace(expr, args=(condition, *branches))
        case Call(fn, (Call("div", (a, b)),)) if _is_size(a) and _is_size(b):
            exact = _of_quotient(fn, a, b)
            if exact is not None:
                return replace(exact, span=expr.span)
        case Call(fn, args) if _keeps(fn) and all(is_whole(a, types, whole) for a in args):
            return replace(expr, args=tuple(_as_integer(a, types, whole) for a in args))
        case _:
            pass
    return Call(TO_INTEGER, (expr,), span=expr.span)


def _keeps(fn: str) -> bool:
    """Whether a function of integers is an integer: arithmetic, `//` among it."""
    row = lookup(fn)
    return row is not None and (row.whole == "kept" or (bool(row.whole) and row.infix is not None))


def _of_quotient(fn: str, a: Expr, b: Expr) -> Expr | None:
    """Return a rounded quotient of integers by integers alone."""
    from loopc.ir.build import expression

    row = lookup(fn)
    if row is None or not row.of_quotient:
        return None
    return expression(row.of_quotient, {"a": a, "b": b})


def _is_size(expr: Expr) -> bool:
    """Whether an expression is integer arithmetic of indices and dims: no data is divided by."""
    dtype = of_expr(expr, {})
    return dtype is not None and dtype.kind in "bi" and not any(True for _ in reads(expr))
