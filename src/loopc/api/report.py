"""How a program is lowered, and what it costs."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from loopc import passes
from loopc.api import memory
from loopc.api.arrays import dim_value
from loopc.api.kept import Kept
from loopc.api.lowered import Left, lowered
from loopc.diagnostics import catalogue
from loopc.diagnostics.record import record
from loopc.ir import bind, nodes
from loopc.ir.bounds import bounds, extent
from loopc.ir.dtypes import infer_dtypes
from loopc.ir.magnitude import Magnitudes
from loopc.ir.nodes import Access, Expr, Index, Program, Reduce, Stmt
from loopc.ir.unbuild import statement
from loopc.ir.visit import children, updates, walk
from loopc.lower.notes import in_loops
from loopc.passes.settle_quotients import numbers_of, settle_quotients
from loopc.syntax.printer import print_statement

if TYPE_CHECKING:
    from loopc.api.program import Program as Compiled

WIDTH = 8
"""Bytes of a number, as assumed where types are not given."""


@record()
class Row:
    """One statement.

    Attributes:
        file: the name of the source.
        line: in it.
        text: the statement.
        how: the array operations it became: einsum, matmul, elementwise, view, gather, scatter,
            reduction, serial.
        flops: scalar operations that the loops as written perform.
        bytes: of the arrays that it reads and writes.
        python_loop: whether a Python-level loop is left.
        specs: its contractions, as `numpy.einsum` has them.
        loops: the loops that are left: over which index, and which arrays carry it.
    """

    file: str
    line: int
    text: str
    how: str
    flops: int
    bytes: int
    python_loop: bool
    specs: tuple[str, ...] = ()
    loops: tuple[Left, ...] = ()

    @property
    def operations(self) -> str:
        """How it is lowered, its contractions included."""
        return f"{self.how} {' '.join(self.specs)}".rstrip()

    @property
    def left(self) -> str:
        """The Python-level loops that are left, in words."""
        return f"Python loop over {', '.join(map(str, self.loops))}" if self.loops else ""


@record()
class Report:
    """What `explain` found; `str()` is a table.

    Attributes:
        dims: the sizes that it holds for.
        rows: the statements.
        peak_bytes: the most that a call allocates at a time: results, arrays, temporaries, tables.
        gradient_peak_bytes: the same of `value_and_grad`; None if there is no gradient.
        kept: what the forward part makes and the adjoint reads.
        estimated: which of the two peaks are the bytes of all arrays together, since the run could
            not be followed without cells.
    """

    dims: dict[str, int]
    rows: tuple[Row, ...]
    peak_bytes: int
    gradient_peak_bytes: int | None = None
    kept: tuple[Kept, ...] = ()
    estimated: tuple[str, ...] = ()

    @property
    def flops(self) -> int:
        """Scalar operations of the whole program."""
        return sum(r.flops for r in self.rows)

    def to_json(self) -> str:
        """Return the report as JSON."""
        return json.dumps({**asdict(self), "flops": self.flops}, ensure_ascii=False, indent=2)

    def to_html(self) -> str:
        """Return the report as an HTML table."""
        titles = ("line", "statement", "lowered to", "loops left", "FLOPs", "bytes")
        head = "".join(f"<th>{h}</th>" for h in titles)
        body = "".join(
            f"<tr><td>{html.escape(r.file)}:{r.line}</td><td><code>{html.escape(r.text)}</code></td>"
            f"<td>{html.escape(r.operations)}</td><td>{html.escape(r.left)}</td>"
            f"<td>{r.flops:,}</td><td>{r.bytes:,}</td></tr>"
            for r in self.rows
        )
        return (
            '<!doctype html><meta charset="utf-8"><title>loopc explain</title>'
            f"<table><tr>{head}</tr>{body}</table><p>{html.escape(self._summary())}</p>"
        )

    def _summary(self) -> str:
        sizes = ", ".join(f"{n} = {v}" for n, v in self.dims.items())
        peak = f"{self.peak_bytes:,} bytes at the peak"
        if self.gradient_peak_bytes is not None:
            peak += f" ({self.gradient_peak_bytes:,} with gradients)"
        if self.estimated:
            peak += f" ({' and '.join(self.estimated)} estimated: all arrays together)"
        return f"{self.flops:,} FLOPs, {peak}, for {sizes or 'all sizes'}"

    def __str__(self) -> str:
        width = max((len(r.text) for r in self.rows), default=0)
        how = max((len(r.operations) for r in self.rows), default=0)
        several = len({r.file for r in self.rows}) > 1
        places = [f"{r.file}:{r.line}" if several else str(r.line) for r in self.rows]
        margin = max(4, *map(len, places), 0)
        lines = [
            f"{place:>{margin}}  {r.text:<{width}}  {r.operations:<{how}}  {r.flops:>12,} FLOPs"
            + f"  {r.bytes:>12,} bytes"
            + (f"  {r.left}" if r.loops else "")
            for r, place in zip(self.rows, places, strict=True)
        ]
        head = ["What the adjoint reads:"] if self.kept else []
        return "\n".join([*lines, self._summary(), *head, *map(str, self.kept)])


def explain(program: Compiled, given: Mapping[str, Any]) -> Report:
    """Return the report for arrays, or for values of dims alone."""
    inner = program._program
    names = {a.name for a in inner.arrays if a.kind != "temp"}
    if names & set(given):
        call = program._take(inner, given, frozenset())
        dims = call.dims
        scalars = call.scalars
    else:
        dims = {d: dim_value(d, v) for d, v in given.items()}
        unknown = [d for d in dims if d not in {*program.dims, *(d.name for d in inner.dims)}]
        if unknown:
            known = ", ".join(f"`{n}`" for n in (*names, *program.dims))
            raise catalogue.error("L0702", name=unknown[0], repair=f"the program takes {known}")
        _require_dims(program, dims)
        scalars = {}
        call = memory.blank_call(inner, dims, scalars)
    if program._options.opt > 1:
        inner = settle_quotients(inner, numbers_of(inner, dims))
    optimised = passes.run(inner, program._options.opt, Magnitudes(dims))
    rows = tuple(_rows(optimised, dims, scalars, program._options.opt))
    peak, both = memory.of_call(program, call), memory.of_gradients(program, call)
    peaks = {"peak_bytes": peak, "gradient_peak_bytes": both.peak}
    estimated = tuple(n for n, each in peaks.items() if each is not None and not each.followed)
    gradient = None if both.peak is None else both.peak.bytes
    return Report(dims, rows, peak.bytes, gradient, both.kept, estimated)


def _require_dims(program: Compiled, dims: dict[str, int]) -> None:
    inner = program._program
    for dim in inner.dims:
        if dim.value is not None and dim.name not in dims:
            dims[dim.name] = bind.evaluate(dim.value, dims, {})
    for name in program.dims:
        if name not in dims:
            raise catalogue.error("L0206", dim=name)


def _rows(
    program: Program, dims: Mapping[str, int], scalars: Mapping[str, int], opt: int
) -> Iterator[Row]:
    sizes = _sizes(program, dims, scalars)
    for stmt in program.body:
        for found in lowered(program, stmt, opt):
            alone = in_loops(found.leaf)
            text, span = print_statement(statement(alone)), found.leaf.update.span
            yield Row(
                "" if span is None else span.file,
                0 if span is None else span.line,
                " ".join(text.split()),
                ", ".join(found.how),
                _flops((alone,), dims, scalars),
                sum(sizes[n] for n in {a.array for a in walk(alone) if isinstance(a, Access)}),
                bool(found.loops),
                found.specs,
                found.loops,
            )


def _trips(indices: Sequence[Index], dims: Mapping[str, int], scalars: Mapping[str, int]) -> int:
    """Return the number of points of a box round the loops (0 where data decides)."""
    total = 1
    ranges = {i.name: i for i in indices}
    for index in indices:
        outer = {n: r for n, r in ranges.items() if n != index.name}
        high = bounds(extent(index), outer).high
        try:
            total *= 0 if high is None else max(0, bind.evaluate(high, dims, scalars))
        except KeyError:
            return 0
    return total


def _flops(stmts: Sequence[Stmt], dims: Mapping[str, int], scalars: Mapping[str, int]) -> int:
    total = 0
    for loops, update in updates(tuple(stmts)):
        indices = [i for loop in loops for i in loop.indices]
        each = _operations(update.value, dims, scalars) + (update.op != "=")
        total += each * _trips(indices, dims, scalars)
    return total


def _operations(expr: Expr, dims: Mapping[str, int], scalars: Mapping[str, int]) -> int:
    if isinstance(expr, Reduce):
        return _trips(expr.indices, dims, scalars) * (1 + _operations(expr.body, dims, scalars))
    own = 1 if isinstance(expr, nodes.Call) else 0
    if isinstance(expr, nodes.Call) and len(expr.args) > 2:
        own = len(expr.args) - 1
    if isinstance(expr, nodes.Read):
        return 0
    inner = (c for c in children(expr) if isinstance(c, nodes.Call | Reduce))
    return own + sum(_operations(c, dims, scalars) for c in inner)


def _sizes(program: Program, dims: Mapping[str, int], scalars: Mapping[str, int]) -> dict[str, int]:
    types = infer_dtypes(program, {}, uniform=True)
    found = {}
    for array in program.arrays:
        cells = 1
        try:
            for n in bind.shape_of(array, dims, scalars):
                cells *= n
        except KeyError:
            cells = 0
        found[array.name] = cells * (1 if types[array.name].kind == "b" else WIDTH)
    return found
