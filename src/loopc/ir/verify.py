"""Whether a program is well formed; run after every pass in tests."""

from __future__ import annotations

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
    Update,
)
from loopc.ir.reductions import by_op
from loopc.ir.reductions import lookup as lookup_reduction

MODES = frozenset({"strict", "pad", "clamp", "wrap", "reflect"})


class IllFormedError(AssertionError):
    """A program that no pass may make; a fault of loopc, never of its user."""


def verify(program: Program) -> Program:
    """Return `program` if it is resolved and well formed.

    Raises:
        IllFormedError: an unbound index, an unknown array or function, a wrong rank, a range or a
            shape that is not there, a name declared twice.
    """
    names = [a.name for a in program.arrays]
    _require(len(names) == len(set(names)), f"arrays twice: {names}")
    ranks: dict[str, int] = {}
    for array in program.arrays:
        _require(array.shape is not None, f"{array.name} has no shape")
        ranks[array.name] = len(array.shape or ())
        for extent in array.shape or ():
            _expr(extent, frozenset(), ranks)
    for name in program.outputs:
        _require(name in ranks, f"output {name} is no array")
    for stmt in program.body:
        _stmt(stmt, frozenset(), ranks)
    return program


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise IllFormedError(message)


def _stmt(stmt: Stmt, bound: frozenset[str], ranks: dict[str, int]) -> None:
    match stmt:
        case Backward():
            pass
        case Update(target, op, value):
            _require(op == "=" or by_op(op) is not None, f"operator {op}")
            _access(target, bound, ranks)
            _expr(value, bound, ranks)
        case For(indices, guard, body):
            _require(bool(body), "a loop without a body")
            inner = _indices(indices, bound, ranks)
            if guard is not None:
                _expr(guard, inner, ranks)
            for child in body:
                _stmt(child, inner, ranks)


def _indices(
    indices: tuple[Index, ...], bound: frozenset[str], ranks: dict[str, int]
) -> frozenset[str]:
    for index in indices:
        _require(index.step != 0, f"step 0 of {index.name}")
        for end in (index.start, index.stop):
            _require(end is not None, f"{index.name} has no range")
            if end is not None:
                _expr(end, bound, ranks)
        bound |= {index.name}
    return bound


def _access(access: Access, bound: frozenset[str], ranks: dict[str, int]) -> None:
    _require(access.array in ranks, f"unknown array {access.array}")
    rank = len(access.subscripts)
    _require(rank == ranks[access.array], f"{access.array} has rank {ranks[access.array]}: {rank}")
    for subscript in access.subscripts:
        _require(subscript.mode in MODES, f"mode {subscript.mode}")
        _expr(subscript.at, bound, ranks)


def _expr(expr: Expr, bound: frozenset[str], ranks: dict[str, int]) -> None:
    match expr:
        case IndexRef(name):
            _require(name in bound, f"unbound index {name}")
        case Read(access):
            _access(access, bound, ranks)
        case Call(fn, args):
            _require(lookup(fn) is not None, f"unknown function {fn}")
            for arg in args:
                _expr(arg, bound, ranks)
        case Reduce(op, indices, guard, body, at):
            row = lookup_reduction(op)
            _require(row is not None, f"unknown reduction {op}")
            _require(row is None or (row.form == "pointwise") == bool(at), f"{op}: at {at}")
            inner = _indices(indices, bound, ranks)
            for inside in (guard, body):
                if inside is not None:
                    _expr(inside, inner, ranks)
            for position in at:
                _expr(position, bound, ranks)
        case Const() | Extent():
            pass
