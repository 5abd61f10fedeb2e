"""Exact derivatives: the loops run one scalar at a time on numbers that carry their derivatives.

A `Dual` has a value and its derivative by every input cell that matters, as fractions. The programs
have small whole numbers and operators that keep them so; conventions at ties are the language's.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from loopc.autodiff.starts import is_only_source
from loopc.ir import reductions
from loopc.ir.derive import expand_primes
from loopc.ir.dtypes import infer_dtypes, of_expr
from loopc.ir.functions import lookup
from loopc.ir.nodes import (
    Access,
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
    Update,
)
from loopc.ir.visit import reads, updates

Parts = dict[tuple[str, tuple[int, ...]], Fraction]
Env = dict[str, int]


@dataclass(frozen=True)
class Dual:
    """A value and its derivatives."""

    value: Any
    parts: Parts = field(default_factory=dict)


class NotExactError(Exception):
    """A function whose derivatives are no fractions."""


def combined(*terms: tuple[Any, Parts]) -> Parts:
    """Return the sum of derivatives times factors."""
    result: Parts = {}
    for factor, parts in terms:
        if not parts:
            continue
        exact = factor if isinstance(factor, Fraction) else _exact(factor)
        if exact == 0:
            continue
        for cell, part in parts.items():
            result[cell] = result.get(cell, Fraction(0)) + exact * part
    return result


def _exact(value: Any) -> Fraction:
    if isinstance(value, bool | np.bool_):
        return Fraction(int(value))
    number = float(value)
    if number != number or number in (float("inf"), float("-inf")):
        raise NotExactError
    return Fraction(number)


WHOLE = 2**53
"""The start of a maximum of integers, and one step from there."""

HALF = Fraction(1, 2)


def _add(a: Dual, b: Dual) -> Dual:
    return Dual(_stored(_number(a) + _number(b)), combined((1, a.parts), (1, b.parts)))


def _number(a: Dual) -> Any:
    return int(a.value) if isinstance(a.value, bool | np.bool_) else a.value


def _mul(a: Dual, b: Dual) -> Dual:
    value = _stored(_number(a) * _number(b))
    return Dual(value, combined((b.value, a.parts), (a.value, b.parts)))


def _stored(value: Any) -> Any:
    """Return a value that no store changes: a large integer may overflow."""
    if isinstance(value, int) and abs(value) > WHOLE:
        raise NotExactError("of large integers")
    return value


def _comparable(*terms: Dual) -> None:
    """Refuse NaN, which wins whatever it is compared with."""
    if any(t.value != t.value for t in terms):
        raise NotExactError


def _best(better: Callable[[Any, Any], bool]) -> Callable[[Dual, Dual], Dual]:
    def best(a: Dual, b: Dual) -> Dual:
        _comparable(a, b)
        if a.value == b.value:
            return Dual(a.value, combined((HALF, a.parts), (HALF, b.parts)))
        return a if better(a.value, b.value) else b

    return best


FOLDS: dict[str, Callable[[Dual, Dual], Dual]] = {
    "add": _add,
    "mul": _mul,
    "max": _best(operator.gt),
    "min": _best(operator.lt),
}


def _clip(x: Dual, low: Dual, high: Dual) -> Dual:
    inside = low.value < x.value < high.value
    edge = x.value in (low.value, high.value)
    value = min(max(x.value, low.value), high.value)
    return Dual(value, combined((1 if inside else HALF if edge else 0, x.parts)))


def _pow(a: Dual, b: Dual) -> Dual:
    if b.parts or b.value < 0:
        raise NotExactError
    if b.value == 0:
        return Dual(a.value**b.value)
    return Dual(a.value**b.value, combined((b.value * a.value ** (b.value - 1), a.parts)))


def _of_call(fn: str, args: list[Dual]) -> Dual:
    if fn in FOLDS:
        result = args[0]
        for arg in args[1:]:
            result = FOLDS[fn](result, arg)
        return result
    row = lookup(fn)
    assert row is not None
    value = row.scalar(*(a.value for a in args)) if fn != "pow" else None
    x = args[0]
    match fn:
        case "neg":
            return Dual(-_number(x), combined((-1, x.parts)))
        case "abs":
            return Dual(value, combined(((x.value > 0) - (x.value < 0), x.parts)))
        case "relu":
            return Dual(value, combined((x.value > 0, x.parts)))
        case "clip":
            return _clip(*args)
        case "pow":
            return _pow(*args)
        case "div":
            if args[1].parts:
                raise NotExactError
            return Dual(value, combined((1 / _exact(args[1].value), x.parts)))
        case "mod":
            if args[1].parts:
                raise NotExactError
            return Dual(value, x.parts)
        case "stopgrad":
            return Dual(value)
    if any(a.parts for a in args) and any(p not in ("", "0") for p in row.partials or ()):
        raise NotExactError(fn)
    return Dual(value)


class Interpreter:
    """Runs a resolved program on duals.

    Args:
        program: the program.
        arrays: its inputs.
        dims: its extents.
        shared: whether equal terms of `max=` share evenly where its loops read its array, too. They
            do if no cell is read and then takes a step, which is left to those who compare.
        grouped: how many loops run in order round those of a `max=` whose terms are compared with
            each other before they are with what is there; None: none is. Which it is hangs on
            what depends on what, and is left to those who compare, too.

    Attributes:
        exact: whether all parts are floats.
        doubtful: whether there are ties that these make a difference for.
    """

    def __init__(
        self,
        program: Program,
        arrays: dict[str, np.ndarray],
        dims: dict[str, int],
        *,
        shared: bool = False,
        grouped: int | None = None,
    ) -> None:
        self.shared = shared
        self.grouped = grouped
        self.doubtful = False
        self.program = program
        self.dims = dims
        self.exact = True
        self.cells: dict[str, np.ndarray] = {}
        self.writers: dict[str, list[Update]] = {}
        for _, update in updates(program.body):
            self.writers.setdefault(update.target.array, []).append(update)
        self.types = types = infer_dtypes(program, {n: a.dtype.kind for n, a in arrays.items()})
        first = {n: found[0].op for n, found in self.writers.items()}
        self.ties: dict[tuple[str, tuple[int, ...]], tuple[int, Parts]] = {}
        for array in program.arrays:
            if array.kind == "temp":
                shape = tuple(max(0, int(self.value(e, {}).value)) for e in array.shape or ())
                row = reductions.by_op(first.get(array.name, "="))
                start = reductions.start(
                    row, {"i": "int64", "b": "bool"}.get(types[array.name].kind, "float64")
                )
                self.cells[array.name] = _filled(shape, lambda _, start=start: Dual(start))
            else:
                given = arrays[array.name]
                name = array.name
                if given.dtype.kind == "f":
                    make = lambda at, g=given, n=name: Dual(float(g[at]), {(n, at): Fraction(1)})
                else:
                    make = lambda at, g=given: Dual(g[at].item())
                self.cells[name] = _filled(given.shape, make)

    def run(self) -> dict[str, np.ndarray]:
        for stmt in self.program.body:
            self.statement(stmt, {})
        return {n: self.cells[n] for n in self.program.outputs}

    def statement(self, stmt: Stmt, env: Env) -> None:
        match stmt:
            case Update():
                self.update(stmt, env)
            case For(indices, guard, (Update(_, "max=" | "min=") as step,)) if (
                self.grouped is not None and not self.is_scatter(step)
            ):
                for outer in self.points(indices[: self.grouped], env):
                    self.group(indices[self.grouped :], guard, step, outer)
            case For(indices, guard, body):
                for point in self.points(indices, env):
                    if guard is None or self.value(guard, point).value:
                        for inner in body:
                            self.statement(inner, point)

    def group(self, indices: tuple[Index, ...], guard: Expr | None, step: Update, env: Env) -> None:
        """Run `max=` on cells that have values: the terms are compared with each other first."""
        found: dict[tuple[int, ...], list[Dual]] = {}
        for point in self.points(indices, env):
            if guard is not None and not self.value(guard, point).value:
                continue
            at, new = self.place(step.target, point), self.value(step.value, point)
            if at is not None:
                found.setdefault(at, []).append(new)
        row, array = reductions.by_op(step.op), self.cells[step.target.array]
        assert row is not None
        for at, terms in found.items():
            array[at] = FOLDS[row.fn](array[at], self.best(row.fn, terms))

    def points(self, indices: tuple[Index, ...], env: Env) -> Iterator[Env]:
        if not indices:
            yield env
            return
        index = indices[0]
        assert index.start is not None
        assert index.stop is not None
        start, stop = self.value(index.start, env).value, self.value(index.stop, env).value
        for number in range(int(start), int(stop), index.step):
            yield from self.points(indices[1:], {**env, index.name: number})

    def update(self, stmt: Update, env: Env) -> None:
        at = self.place(stmt.target, env)
        new = self.value(stmt.value, env)
        if at is None:
            return
        name = stmt.target.array
        array = self.cells[name]
        ties = stmt.op in ("max=", "min=") and new.value == array[at].value
        self.doubtful = self.doubtful or ties
        if stmt.op == "=":
            array[at] = new
        elif stmt.op in ("max=", "min=") and self.is_scatter(stmt):
            array[at] = self.tied(name, at, array[at], new, stmt.op)
        else:
            row = reductions.by_op(stmt.op)
            assert row is not None
            array[at] = FOLDS[row.fn](array[at], new)

    def is_scatter(self, stmt: Update) -> bool:
        """Whether the terms of `max=` share a tie evenly: nothing else has a part in its growth."""
        name = stmt.target.array
        others = [w for w in self.writers[name] if w is not stmt]
        top = next(s for s in self.program.body if any(u is stmt for _, u in updates((s,))))
        if any(w is u for w in others for _, u in updates((top,))):
            return False
        if not is_only_source(stmt, others, self.program.array(name)):
            return False
        return self.shared or all(a.array != name for a in reads(top))

    def tied(self, name: str, at: tuple[int, ...], old: Dual, new: Dual, op: str) -> Dual:
        _comparable(old, new)
        better = new.value > old.value if op == "max=" else new.value < old.value
        if better or ((name, at) not in self.ties and new.value == old.value):
            self.ties[name, at] = (1, new.parts)
            return new
        if new.value != old.value:
            return old
        count, parts = self.ties[name, at]
        parts = combined((1, parts), (1, new.parts))
        self.ties[name, at] = (count + 1, parts)
        return Dual(old.value, combined((self.share(count + 1), parts)))

    def share(self, count: int) -> Fraction:
        """Return the part of each of `count` equal terms; thirds are no exact floats."""
        self.exact = self.exact and count & (count - 1) == 0
        return Fraction(1, count)

    def place(self, access: Access, env: Env) -> tuple[int, ...] | None:
        found = []
        for subscript, size in zip(access.subscripts, self.cells[access.array].shape, strict=True):
            at = operator.index(self.value(subscript.at, env).value)
            match subscript.mode:
                case "pad":
                    if not 0 <= at < size:
                        return None
                case "clamp":
                    at = min(max(at, 0), size - 1)
                case "wrap":
                    at %= size
                case "reflect":
                    period = max(2 * size - 2, 1)
                    at = min(at % period, period - at % period) if size > 1 else 0
                case _:
                    pass
            if not 0 <= at < size:
                raise IndexError(at)
            found.append(at)
        return tuple(found)

    def value(self, expr: Expr, env: Env) -> Dual:
        match expr:
            case Const(value):
                return Dual(value)
            case IndexRef(name):
                return Dual(env[name])
            case Extent(name):
                return Dual(self.dims[name])
            case Read(access):
                at = self.place(access, env)
                found: Dual = Dual(0) if at is None else self.cells[access.array][at]
                return found
            case Call(fn, args):
                if fn.endswith("'"):
                    return self.value(expand_primes(expr), env)
                return self.call(fn, args, env)
            case Reduce():
                return self.reduce(expr, env)

    def call(self, fn: str, args: tuple[Expr, ...], env: Env) -> Dual:
        row = lookup(fn)
        assert row is not None
        match row.name:
            case "where":
                return self.value(args[1 if self.value(args[0], env).value else 2], env)
            case "and":
                return Dual(all(self.value(a, env).value for a in args))
            case "or":
                return Dual(any(self.value(a, env).value for a in args))
        values = [self.value(a, env) for a in args]
        return self.best(fn, values) if fn in ("max", "min") else _of_call(row.name, values)

    def best(self, op: str, terms: list[Dual]) -> Dual:
        """Return the largest or smallest: equal ones share the derivative evenly."""
        _comparable(*terms)
        best = (max if op == "max" else min)(t.value for t in terms)
        tied = [t for t in terms if t.value == best]
        return Dual(best, combined(*((self.share(len(tied)), t.parts) for t in tied)))

    def reduce(self, expr: Reduce, env: Env) -> Dual:
        points, terms = [], []
        for point in self.points(expr.indices, env):
            if expr.guard is None or self.value(expr.guard, point).value:
                points.append(tuple(point[i.name] for i in expr.indices))
                terms.append(self.value(expr.body, point))
        row = reductions.lookup(expr.op)
        assert row is not None
        match expr.op:
            case "any":
                return Dual(any(t.value for t in terms))
            case "all":
                return Dual(all(t.value for t in terms))
            case "argmax" | "argmin":
                values = [t.value for t in terms]
                best = max(values) if expr.op == "argmax" else min(values)
                return Dual(points[values.index(best)][0])
            case "max" | "min" if terms:
                return self.best(expr.op, terms)
        if row.form == "pointwise":
            place = [self.value(a, env).value for a in expr.at]
            signs = [i.step for i in expr.indices]
            key = [p * s for p, s in zip(place, signs, strict=True)]
            terms = [
                t
                for p, t in zip(points, terms, strict=True)
                if [x * s for x, s in zip(p, signs, strict=True)] <= key
            ]
        if expr.op in ("cummax", "cummin") and terms:
            return self.best(row.fn, terms)
        if row.fn not in FOLDS:
            raise NotExactError(expr.op)
        if not terms:
            found = of_expr(expr.body, self.types)
            kind = (
                "float64"
                if found is None
                else {"i": "int64", "b": "bool"}.get(found.kind, "float64")
            )
            return Dual(reductions.start(row, kind))
        return _folded(FOLDS[row.fn], terms)


def _folded(fold: Callable[[Dual, Dual], Dual], terms: list[Dual]) -> Dual:
    result = terms[0]
    for term in terms[1:]:
        result = fold(result, term)
    return result


def _filled(shape: tuple[int, ...], make: Callable[[tuple[int, ...]], Dual]) -> np.ndarray:
    array = np.empty(shape, object)
    for at in itertools.product(*map(range, shape)):
        array[at] = make(at)
    return array
