"""What a run with gradients keeps for its adjoint: which arrays, why, and how many bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod

from loopc.autodiff.adjoint import Adjoint
from loopc.diagnostics.record import record
from loopc.ir.bind import shape_of
from loopc.ir.dtypes import infer_dtypes
from loopc.ir.nodes import Program, Stmt, Update
from loopc.ir.unbuild import statement
from loopc.ir.unbuild_expr import expr_text
from loopc.ir.visit import reads, updates
from loopc.syntax.printer import print_statement


@record()
class Kept:
    """An array that the adjoint reads and the forward part makes.

    Attributes:
        name: the array.
        shape: its extents as text.
        bytes: of its cells, as far as they are all in memory at a time; 0 where data decides.
        how: `recorded`, a copy of what is overwritten; `checkpoint`, a state from which a part of a
            loop runs again; `still there`, a value of the program that is not overwritten.
        line: of the source, whose statement keeps it.
        by: that statement.
        read_by: the statements of the adjoint that read it.
    """

    name: str
    shape: tuple[str, ...]
    bytes: int
    how: str
    line: int
    by: str
    read_by: tuple[str, ...]

    def __str__(self) -> str:
        shape = f"[{', '.join(self.shape)}]" if self.shape else ""
        first, more = self.read_by[0], len(self.read_by) - 1
        others = f" and {more} more" if more else ""
        what = f"{self.name}{shape}: {self.how}, {self.bytes:,} bytes"
        return f"{self.line:>4}  {what}, by {self.by}, for {first}{others}"


def kept(
    program: Program, made: Adjoint, dims: Mapping[str, int], scalars: Mapping[str, int]
) -> tuple[Kept, ...]:
    """Return what an adjoint reads of the arrays that the forward part makes, in their order."""
    ends = tuple(f".{g.rpartition('.')[2]}" for g in made.gradients.values())
    forward, backward = _split(made.program.body, ends)
    types = infer_dtypes(made.program, {}, uniform=True)
    own = {a.name for a in program.arrays}
    states = {n for loop in made.checkpointed for n in loop.saved}
    writes = {u.target.array: u for u in _updates(forward)}
    read: dict[str, dict[str, None]] = {}
    for update in _updates(backward):
        for name in {a.array for a in reads(update)}:
            read.setdefault(name, {})[_text(update)] = None
    found: list[Kept] = []
    for array in made.program.arrays:
        if array.kind != "temp" or array.name not in read or array.name not in writes:
            continue
        how = "checkpoint" if array.name in states else "recorded"
        if array.name in own:
            how = "still there"
        try:
            cells = prod(shape_of(array, dims, scalars))
        except KeyError:
            cells = 0
        size = cells * (1 if types[array.name].kind == "b" else 8)
        update = writes[array.name]
        line = 0 if update.span is None else update.span.line
        shape = tuple(expr_text(e) for e in array.shape or ())
        texts = tuple(read[array.name])
        found.append(Kept(array.name, shape, size, how, line, _text(update), texts))
    return tuple(found)


def _split(body: Sequence[Stmt], ends: tuple[str, ...]) -> tuple[Sequence[Stmt], Sequence[Stmt]]:
    """Return the forward part of a program and its adjoint, which starts at the first gradient."""
    for number, stmt in enumerate(body):
        if any(u.target.array.endswith(ends) for u in _updates((stmt,))):
            return body[:number], body[number:]
    return body, ()


def _updates(body: Sequence[Stmt]) -> Iterator[Update]:
    return (update for _, update in updates(tuple(body)))


def _text(update: Update) -> str:
    return " ".join(print_statement(statement(update)).split())
