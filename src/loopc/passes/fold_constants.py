"""Put a literal in the place of the reads of a temporary that holds nothing else.

Rewrite:   L.grad = 1                           ->  for i  y.grad[i] += g[i]
           for i  y.grad[i] += L.grad g[i]
Requires:  one assignment, or one addition to what starts from zero, gives the temporary its only
           value, in every cell, before it is read; no read is outside, or checked by the run.
           Keeps: every value; a factor 1 and nothing else is dropped, since 0 times inf is not 0,
           and that only where it does not make a number of a bool.
Source: constant propagation, e.g. Muchnick, Advanced Compiler Design, ch. 12.6.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from loopc.diagnostics.record import replace
from loopc.ir.bounds import is_whole
from loopc.ir.dtypes import infer_dtypes, of_expr
from loopc.ir.nodes import (
    Access,
    Call,
    Const,
    Expr,
    For,
    Index,
    IndexRef,
    Node,
    Program,
    Read,
    Stmt,
    Update,
)
from loopc.ir.visit import N, free_indices, map_children, mul, reads, updates, uses


def fold_constants(program: Program) -> Program:
    """Return the program with literals in the place of temporaries that hold them."""
    known = _constants(program)
    if not known:
        return program
    body = tuple(_Fold(program, known).put(s) for s in program.body)
    kept = {*program.outputs, *(a.array for s in body for a in reads(s))}
    gone = set(known) - kept
    left = tuple(s for stmt in body for s in _without(stmt, gone))
    arrays = tuple(a for a in program.arrays if a.name not in gone)
    return replace(program, body=left, arrays=arrays)


def _constants(program: Program) -> dict[str, Const]:
    """Return the temporaries that hold one literal, in every cell, wherever they are read."""
    writes = Counter(u.target.array for _, u in updates(program.body))
    shapes = {a.name: a.shape or () for a in program.arrays if a.kind == "temp"}
    typed = {a.name for a in program.arrays if a.dtype not in ("", "float")}
    unsure = {a.array for s in program.body for a in reads(s) if not _is_inside(a)}
    known: dict[str, Const] = {}
    read: set[str] = set()
    for stmt in program.body:
        for loops, update in updates((_Fold(program, known).put(stmt),)):
            name, value = update.target.array, update.value
            read |= {a.array for a in reads(update)}
            if name not in shapes or name in typed or name in read or name in unsure:
                continue
            if writes[name] > 1:
                continue
            indices = tuple(i for f in loops for i in f.indices)
            plain = isinstance(value, Const) and all(f.guard is None for f in loops)
            plain = plain and _runs_before_reads(program, loops, update)
            if plain and _covers(update, indices, shapes[name]) and _is_same_cell(stmt, update):
                assert isinstance(value, Const)
                known[name] = value
        read |= {a.array for a in reads(stmt)}
    return known


def _is_inside(access: Access) -> bool:
    """Whether an access has a cell, or was refused before the run."""
    return all(s.mode != "pad" and not any(True for _ in reads(s)) for s in access.subscripts)


def _is_same_cell(stmt: Stmt, update: Update) -> bool:
    """Whether the statement round an assignment reads no cell that is still to be assigned."""
    own = (a for a in reads(stmt) if a.array == update.target.array)
    return all(a == update.target for a in own)


def _runs_before_reads(program: Program, loops: Sequence[For], update: Update) -> bool:
    """Whether the loops over indices that the target does not have run wherever it is read.

    Such a loop may be empty: then a read behind it sees the array's first value.
    """
    target = update.target
    own = {s.at.name for s in target.subscripts if isinstance(s.at, IndexRef)}
    around = [f for f in loops if any(i.name not in own and _may_be_empty(i) for i in f.indices)]
    return not around or _reads_of(target.array, around[-1].body) == _reads_of(
        target.array, program.body
    )


def _may_be_empty(index: Index) -> bool:
    match (index.start, index.stop):
        case (Const(int(start)), Const(int(stop))):
            return stop <= start
        case _:
            return True


def _reads_of(name: str, body: Iterable[Stmt]) -> int:
    return sum(a.array == name for s in body for a in reads(s))


def _covers(update: Update, indices: tuple[Index, ...], shape: tuple[Expr, ...]) -> bool:
    """Whether an assignment writes every cell of an array."""
    ranges = {i.name: i for i in indices}
    seen: set[str] = set()
    if update.op != "=" and not _adds_once(update, indices):
        return False
    for subscript, size in zip(update.target.subscripts, shape, strict=True):
        at = subscript.at
        if not isinstance(at, IndexRef) or at.name in seen or subscript.mode != "strict":
            return False
        seen.add(at.name)
        if not is_whole(ranges[at.name], size):
            return False
    return True


def _adds_once(update: Update, indices: tuple[Index, ...]) -> bool:
    """Whether an update adds a number to the zero of each of its cells, and that once."""
    own = set(free_indices(update.target))
    zero = update.value in (Const(-0.0), Const(False), Const(True))
    return update.op == "+=" and not zero and all(i.name in own for i in indices)


class _Fold:
    """Puts literals in the place of reads.

    Args:
        program: the program.
        known: the literals, by arrays.
    """

    def __init__(self, program: Program, known: Mapping[str, Const]) -> None:
        self.program = program
        self.known = known

    def put(self, node: N) -> N:
        """Return a node with literals."""
        return self._put(node) if self.known else node  # type: ignore[return-value]

    def _put(self, node: Node) -> Node:
        if self.known.keys().isdisjoint(uses(node)):
            return node
        if isinstance(node, Read) and node.access.array in self.known:
            return replace(self.known[node.access.array], span=node.span)
        new = map_children(node, self._put)
        if new is not node and isinstance(new, Call) and new.fn == "mul":
            product = mul(*new.args)
            return new if self._is_bool(product) else product
        return new

    def _is_bool(self, value: Expr) -> bool:
        dtype = of_expr(value, infer_dtypes(self.program, {}))
        return dtype is not None and dtype.kind == "b"


def _without(stmt: Stmt, gone: set[str]) -> list[Stmt]:
    """Drop the assignments of arrays that nothing reads any more."""
    match stmt:
        case Update(target):
            return [] if target.array in gone else [stmt]
        case For(body=body):
            inner = tuple(s for b in body for s in _without(b, gone))
            same = len(inner) == len(body) and all(a is b for a, b in zip(inner, body, strict=True))
            return [stmt] if same else [replace(stmt, body=inner)] if inner else []
        case _:
            return [stmt]
