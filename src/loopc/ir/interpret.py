"""The reference: runs the loops of a program exactly as written, one scalar at a time.

It is what every backend and pass is compared with, so it is plainly right rather than fast, and
shares nothing with lowering. An expression becomes a closure over the values of the indices.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from loopc.diagnostics import catalogue
from loopc.ir import reductions
from loopc.ir.derive import expand_primes
from loopc.ir.dtypes import DType, concrete, infer_dtypes, is_reciprocal, of_expr
from loopc.ir.functions import lookup
from loopc.ir.nodes import (
    Access,
    Backward,
    Call,
    Const,
    Expr,
    Extent,
    For,
    Index,
    IndexRef,
    Program,
    Read,
    Reduce,
    Stmt,
    Subscript,
    Update,
)
from loopc.ir.scalars import NoValueError, is_integer, wrapped
from loopc.ir.unbuild_expr import refused_text
from loopc.ir.visit import updates

Env = dict[str, int]
Closure = Callable[[Env], Any]


def interpret(
    program: Program, arrays: Mapping[str, np.ndarray[Any, Any]], dims: Mapping[str, int]
) -> dict[str, np.ndarray[Any, Any]]:
    """Run a resolved program without Backward statements; return its outputs.

    Args:
        program: the program.
        arrays: every input and param; none is modified.
        dims: the value of every dim.

    Raises:
        BoundsError: L0230, L0232, L0233.
    """
    with np.errstate(all="ignore"):
        return _Run(program, arrays, dims).outputs()


@dataclass
class _Terms:
    """The points of a reduction's domain where its guard holds, and its values there."""

    points: list[tuple[int, ...]]
    numbers: list[int]
    values: list[Any]


class _Run:
    def __init__(
        self,
        program: Program,
        arrays: Mapping[str, np.ndarray[Any, Any]],
        dims: Mapping[str, int],
    ) -> None:
        self.program = program
        self.dims = dims
        given = {name: str(a.dtype) for name, a in arrays.items()}
        kinds = {name: {"u": "i"}.get(a.dtype.kind, a.dtype.kind) for name, a in arrays.items()}
        self.types: dict[str, DType] = infer_dtypes(program, kinds)
        self.given = given
        self.arrays: dict[str, np.ndarray[Any, Any]] = {}
        first = {u.target.array: u.op for _, u in reversed(list(updates(program.body)))}
        for array in sorted(program.arrays, key=lambda a: a.kind == "temp"):
            if array.kind == "temp":  # whose shape may be made of inputs
                dtype = concrete(self.types[array.name], given)
                row = reductions.by_op(first.get(array.name, "="))
                shape = tuple(max(0, int(self.compile(e)({}))) for e in array.shape or ())
                self.arrays[array.name] = np.full(shape, reductions.start(row, dtype), dtype)
            else:
                copied = np.array(arrays[array.name])
                self.arrays[array.name] = copied

    def outputs(self) -> dict[str, np.ndarray[Any, Any]]:
        for stmt in self.program.body:
            self.statement(stmt)({})
        return {name: self.arrays[name] for name in self.program.outputs}

    # Statements

    def statement(self, stmt: Stmt) -> Callable[[Env], None]:
        match stmt:
            case Update():
                return self.update(stmt)
            case For(indices, guard, body):
                condition = None if guard is None else self.compile(guard)
                inner = [self.statement(s) for s in body]
                domain = self.domain(indices)

                def run(env: Env) -> None:
                    for point in domain(env):
                        if condition is None or condition(point):
                            for step in inner:
                                step(point)

                return run
            case Backward():
                raise AssertionError("a backward statement is expanded before a program runs")

    def update(self, stmt: Update) -> Callable[[Env], None]:
        array = self.arrays[stmt.target.array]
        place = self.place(stmt.target)
        value = self.compile(stmt.value)
        row = reductions.by_op(stmt.op)
        combine = None if row is None else row.combine

        def run(env: Env) -> None:
            at = place(env)
            new = wrapped(value(env))
            if at is None:
                return
            array[at] = new if combine is None else combine(array[at], new)

        return run

    def domain(self, indices: tuple[Index, ...]) -> Callable[[Env], Iterator[Env]]:
        """Return what yields the index values of nested loops, innermost fastest."""
        ends = [(i.name, self._end(i.start), self._end(i.stop), i.step) for i in indices]

        def points(env: Env, depth: int = 0) -> Iterator[Env]:
            if depth == len(ends):
                yield env
                return
            name, start, stop, step = ends[depth]
            for value in range(int(start(env)), int(stop(env)), step):
                yield from points({**env, name: value}, depth + 1)

        return points

    def _end(self, expr: Expr | None) -> Closure:
        assert expr is not None
        return self.compile(expr)

    # Accesses

    def place(self, access: Access) -> Callable[[Env], tuple[int, ...] | None]:
        """Return what gives a cell's position; None: outside, under `pad`."""
        shape = self.arrays[access.array].shape
        parts = [
            (self.compile(s.at), n, size, s)
            for n, (s, size) in enumerate(zip(access.subscripts, shape, strict=True))
        ]

        def at(env: Env) -> tuple[int, ...] | None:
            found = []
            for value, axis, size, subscript in parts:
                position = _inside(operator.index(value(env)), size, subscript, access, axis)
                if position is None:
                    return None
                found.append(position)
            return tuple(found)

        return at

    # Expressions

    def compile(self, expr: Expr) -> Closure:
        """Return the closure of an expression."""
        match expr:
            case Const(value):
                return lambda env: value
            case IndexRef(name):
                return operator.itemgetter(name)
            case Extent(name):
                number = self.dims[name]
                return lambda env: number
            case Read(access):
                return self._read(access)
            case Call(fn) if fn.endswith("'"):
                return self.compile(expand_primes(expr))
            case Call():
                return self._call(expr)
            case Reduce():
                return self._reduce(expr)

    def _read(self, access: Access) -> Closure:
        array = self.arrays[access.array]
        place = self.place(access)
        zero = array.dtype.type(0)

        def read(env: Env) -> Any:
            at = place(env)
            return zero if at is None else array[at]

        return read

    def _call(self, expr: Call) -> Closure:
        row = lookup(expr.fn)
        assert row is not None, expr.fn
        args = [self.compile(a) for a in expr.args]
        match row.name:
            case "where":
                condition, a, b = args
                return lambda env: a(env) if condition(env) else b(env)
            case "and":
                return lambda env: all(bool(a(env)) for a in args)
            case "or":
                return lambda env: any(bool(a(env)) for a in args)
            case _:
                pass
        scalar = row.scalar
        if row.counts_bools:
            args = [_counting(a) for a in args]
        if is_reciprocal(expr):
            args = [_as_float(args[0]), args[1]]
        if not row.variadic:
            return lambda env: _value(scalar, [a(env) for a in args], expr)

        def fold(env: Env) -> Any:
            result = args[0](env)
            for a in args[1:]:
                result = wrapped(scalar(result, a(env)))
            return result

        return fold

    # Reductions

    def _reduce(self, expr: Reduce) -> Closure:
        row = reductions.lookup(expr.op)
        assert row is not None, expr.op
        terms = self._terms(expr)
        at = [self.compile(e) for e in expr.at]
        dtype = of_expr(expr.body, self.types)
        name = "int64" if dtype is None else concrete(dtype, self.given)
        start = reductions.start(row, name)
        if row.form == "fold":
            return lambda env: _fold(row, start, terms(env).values)
        if row.form == "pointwise":
            steps = [i.step for i in expr.indices]
            return lambda env: _point(row, start, terms(env), [int(a(env)) for a in at], steps)
        if row.identity is None:
            return lambda env: _position(row, expr, terms(env))
        evaluate = row.evaluate
        assert evaluate is not None
        return lambda env: evaluate(terms(env).values)

    def _terms(self, expr: Reduce) -> Callable[[Env], _Terms]:
        domain = self.domain(expr.indices)
        guard = None if expr.guard is None else self.compile(expr.guard)
        body = self.compile(expr.body)
        names = [i.name for i in expr.indices]

        def terms(env: Env) -> _Terms:
            found = _Terms([], [], [])
            for number, point in enumerate(domain(env)):
                if guard is None or guard(point):
                    found.points.append(tuple(point[n] for n in names))
                    found.numbers.append(number)
                    found.values.append(body(point))
            return found

        return terms


def _inside(
    position: int, size: int, subscript: Subscript, access: Access, axis: int
) -> int | None:
    """Return where a subscript leads by its mode; None: outside, under `pad`."""
    if 0 <= position < size:
        return position
    if subscript.mode == "pad":
        return None
    if subscript.mode == "strict" or size == 0:
        raise catalogue.error(
            "L0230",
            subscript.span or access.span,
            array=access.array,
            axis=axis + 1,
            extent=size,
            at=position,
        )
    if subscript.mode == "clamp":
        return 0 if position < 0 else size - 1
    if subscript.mode == "wrap":
        return position % size
    return reflected(position, size)


def reflected(position: int, size: int) -> int:
    """Return the cell that mirrors a position outside; the edge cell is not repeated."""
    if size == 1:
        return 0
    period = 2 * size - 2
    position %= period
    return min(position, period - position)


def _value(scalar: Callable[..., Any], args: list[Any], expr: Call) -> Any:
    """Return a function's value, or say that it has none."""
    try:
        return wrapped(scalar(*args))
    except NoValueError as error:
        text, why = refused_text(expr), str(error)
        raise catalogue.error("L0233", expr.span, text=text, why=why) from None


def _counting(closure: Closure) -> Closure:
    """Let a bool count as 0 or 1."""

    def count(env: Env) -> Any:
        value = closure(env)
        return int(value) if isinstance(value, bool | np.bool_) else value

    return count


def _as_float(closure: Closure) -> Closure:
    """Let an integer be a float, of Python: it takes the type of what it meets."""

    def value(env: Env) -> Any:
        found = closure(env)
        return float(found) if is_integer(found) else found

    return value


def _fold(row: reductions.Reduction, start: Any, values: list[Any]) -> Any:
    assert row.combine is not None
    if not values:
        return start
    exact = [int(v) if isinstance(v, np.integer | np.bool_) else v for v in values]
    result = row.combine(start, exact[0]) if row.op in ("+=", "*=") else exact[0]
    if row.result == "bool":
        result = bool(result)
    for value in exact[1:]:
        result = row.combine(result, value)
    return wrapped(result)


def _position(row: reductions.Reduction, expr: Reduce, terms: _Terms) -> int:
    """Return the index (with several: the number of the point) that argmax and argmin find."""
    assert row.evaluate is not None
    if not terms.values:
        raise catalogue.error("L0232", expr.span, name=row.name)
    best = int(row.evaluate(terms.values))
    return terms.points[best][0] if len(expr.indices) == 1 else terms.numbers[best]


def _point(
    row: reductions.Reduction, start: Any, terms: _Terms, at: list[int], steps: list[int]
) -> Any:
    """Return a pointwise reduction's value at a point; a running one's: up to it, in loop order."""
    place = tuple(at)

    def later(point: tuple[int, ...], other: tuple[int, ...]) -> bool:
        return [p * s for p, s in zip(point, steps, strict=True)] > [
            p * s for p, s in zip(other, steps, strict=True)
        ]

    if row.evaluate is not None:
        if place not in terms.points:
            return row.outside
        return row.evaluate(terms.values)[terms.points.index(place)]
    upto = [v for p, v in zip(terms.points, terms.values, strict=True) if not later(p, place)]
    if row.name in ("cumsum", "cumprod"):
        upto = [int(v) if isinstance(v, np.integer | np.bool_) else v for v in upto]
    result = start
    for value in upto:
        assert row.combine is not None
        result = row.combine(result, value)
    return math.nan if result is None else wrapped(result)
