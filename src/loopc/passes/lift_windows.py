"""Compute a function of cells once a cell, not once for every window that has the cell.

Rewrite:   for p,k  y[p] += w[k] relu(x[pad(p+k-1)])
              ->  for i < X + 2  relu1[i] = relu(x[pad(i-1)])
                  for p,k        y[p] += w[k] relu1[p+k]
           for p, k if x[2*p+k] == y[p]: x.grad[2*p+k] += y.grad[p] / n[p]
              ->  for p  div1[p] = y.grad[p] / n[p]
                  for p, k if x[2*p+k] == y[p]: x.grad[2*p+k] += div1[p]
           for p,k  x.grad[p+k] += y.grad[p] w[k] relu'(x[p+k])
              ->  for p,k  x.grad1[p+k] += y.grad[p] w[k]
                  for i    x.grad[i] += x.grad1[i] relu'(x[i])
Requires:  one update in a nest of loops at the top of the program; a function of reads whose
           subscripts are together fewer than the indices in them, none of which is data. For a
           factor of a sum: windows that move by single cells, of which it is known which cells
           they touch; no other is multiplied.
Keeps:     every value; that of a gradient up to the rounding of a reassociated `+=`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from loopc.analysis.products import Versions, parts
from loopc.diagnostics.record import record, replace
from loopc.ir.affine import Affine, affine, at_least, equal, simplify, to_expr
from loopc.ir.bounds import bounds
from loopc.ir.functions import lookup
from loopc.ir.nodes import (
    Access,
    Array,
    Call,
    Const,
    Expr,
    Extent,
    For,
    Index,
    IndexRef,
    Node,
    Program,
    Read,
    Reduce,
    Stmt,
    Subscript,
    Update,
)
from loopc.ir.sites import used_ranges
from loopc.ir.visit import (
    free_indices,
    fresh_name,
    loop,
    map_children,
    mul,
    neg,
    reads,
    with_update,
)
from loopc.ir.workspace import Names

_PARTIAL = ("floordiv", "mod", "pow")
"""Functions of integers that may raise where the loops do not evaluate them."""


def lift_windows(program: Program) -> Program:
    """Return the program with functions of cells outside of windows."""
    return _Pass(program).program()


@record()
class _Coordinate:
    """What the loops make of an axis: a subscript, by one index of its own.

    Attributes:
        index: runs over the axis, and what the subscript reads of zeros round it.
        before: how many zeros there are in front.
    """

    index: Index
    before: Expr


class _Pass:
    def __init__(self, source: Program) -> None:
        self.source = source
        self.arrays = {a.name: a for a in source.arrays}
        self.names = Names.of(source)
        self.versions = Versions(source)
        self.known: dict[object, str] = {}

    def program(self) -> Program:
        """Return the changed program."""
        body: list[Stmt] = []
        for number, stmt in enumerate(self.source.body):
            body += self._statement(stmt, number)
        if all(a is b for a, b in zip(body, self.source.body, strict=False)):
            return self.source
        return replace(self.source, body=tuple(body), arrays=tuple(self.names.arrays.values()))

    def _statement(self, stmt: Stmt, number: int) -> list[Stmt]:
        ranges: dict[str, Index] = {}
        inner, guarded = stmt, False
        while isinstance(inner, For) and len(inner.body) == 1:
            ranges.update({i.name: i for i in inner.indices})
            guarded = guarded or inner.guard is not None
            inner = inner.body[0]
        if not isinstance(inner, Update) or not ranges:
            return [stmt]
        split = None if guarded else self._split(inner, ranges)
        update, after = split or (inner, ())
        made: list[Stmt] = []
        value = self._lifted(update.value, ranges, update, number, made)
        if value is not update.value:
            update = replace(update, value=value)
        return [stmt] if update is inner else [*made, with_update(stmt, update), *after]

    # Functions of a window

    def _lifted(
        self,
        expr: Expr,
        ranges: Mapping[str, Index],
        update: Update,
        number: int,
        made: list[Stmt],
    ) -> Expr:
        """Return an expression with reads in the place of functions of windows."""
        if isinstance(expr, Call):
            found = self._window(expr, ranges, update.target)
            if found is not None:
                return self._read(expr, found, update, number, made)
        inner = ranges
        if isinstance(expr, Reduce):
            inner = {**ranges, **{i.name: i for i in expr.indices}}

        def visit(child: Node) -> Node:
            if isinstance(child, Call | Reduce):
                return self._lifted(child, inner, update, number, made)
            return child

        return map_children(expr, visit)

    def _window(
        self, expr: Call, ranges: Mapping[str, Index], target: Access
    ) -> dict[Subscript, _Coordinate] | None:
        """Return the coordinates of a function of fewer of them than of indices.

        Windows that are added to one by one are not to divide each time.
        """
        if not _is_elementwise(expr):
            return None
        divides = expr.fn == "div" and any(len(free_indices(s)) > 1 for s in target.subscripts)
        found: dict[Subscript, _Coordinate] = {}
        for access in reads(expr):
            shape = self.arrays[access.array].shape if access.array in self.arrays else None
            if shape is None or access.array == target.array:
                return None
            for subscript, size in zip(access.subscripts, shape, strict=True):
                if not free_indices(subscript):
                    continue
                taken = {c.index.name for s, c in found.items() if s != subscript}
                own = _coordinate(subscript, size, ranges, _name(subscript, taken))
                known = found.setdefault(subscript, own) if own is not None else None
                if own is None or known is None or not _same_extent(known, own):
                    return None
        indices = free_indices(expr)
        if sum(len(free_indices(s)) for s in found) > len(indices):
            return None  # an index moves through several coordinates: together they have more cells
        if expr.fn == "mul" and len(found) > 1 and not all(_uses(a, found) for a in expr.args):
            return None  # the factors of a contraction
        fewer = len(found) < len(indices)
        invariant = divides and len(found) == len(indices) and len(indices) < len(ranges)
        return found if found and (fewer or invariant) else None

    def _read(
        self,
        expr: Call,
        found: Mapping[Subscript, _Coordinate],
        update: Update,
        number: int,
        made: list[Stmt],
    ) -> Expr:
        value = _at_coordinates(expr, found)
        indices = tuple(c.index for c in found.values())
        versions = tuple((a.array, self.versions.of(a.array, number)) for a in reads(expr))
        key = (value, indices, versions)
        if key not in self.known:
            row = lookup(expr.fn)
            assert row is not None
            name = self.known[key] = self.names.fresh(row.name, numbered=True)
            shape = tuple(i.stop for i in indices if i.stop is not None)
            self.names.arrays[name] = Array(name, "temp", shape, span=update.span)
            cell = Access(name, tuple(Subscript(IndexRef(i.name)) for i in indices))
            made += loop(indices, None, Update(cell, "=", value, span=update.span))
        cells = tuple(Subscript(simplify(Call("add", (s.at, c.before)))) for s, c in found.items())
        return Read(Access(self.known[key], cells, span=expr.span), span=expr.span)

    # Factors that depend on the target's cell alone

    def _split(
        self, update: Update, ranges: Mapping[str, Index]
    ) -> tuple[Update, tuple[Stmt, ...]] | None:
        """Return the sum without factors of the cell, and what multiplies them in."""
        target = update.target
        shape = self.arrays[target.array].shape if target.array in self.arrays else None
        own = set(target.subscripts)
        windows = any(len(free_indices(s)) > 1 for s in own)
        if update.op != "+=" or shape is None or not windows or len(own) < len(target.subscripts):
            return None
        found = parts(update.value)
        mine = [f for f in found.factors if _is_of_cell(f, own)]
        rest = [f for f in found.factors if f not in mine]
        if not mine or not any(map(free_indices, rest)):
            return None
        sizes = zip(target.subscripts, shape, strict=True)
        indices: list[Index] = []
        for subscript, size in sizes:
            name = _name(subscript, {i.name for i in indices})
            index = _touched(subscript, size, ranges, name)
            if index is None:
                return None
            indices.append(index)
        name = self.names.fresh(target.array, numbered=True)
        self.names.arrays[name] = Array(name, "temp", shape, span=update.span)
        pairs = zip(target.subscripts, indices, strict=True)
        cells = {s: _Coordinate(i, Const(0)) for s, i in pairs}
        at = tuple(Subscript(IndexRef(i.name)) for i in indices)
        value = mul(Read(Access(name, at)), *(_at_coordinates(f, cells) for f in mine))
        value = neg(value) if found.negative else value
        after = loop(
            tuple(indices), None, replace(update, target=Access(target.array, at), value=value)
        )
        sums = replace(target, array=name)
        return replace(
            update, target=sums, value=replace(found, negative=False).times(*rest)
        ), after


def _uses(factor: Expr, coordinates: Collection[Subscript]) -> bool:
    """Whether a factor depends on all coordinates, or on none."""
    own = {s for a in reads(factor) for s in a.subscripts if free_indices(s)}
    return not own or own == set(coordinates)


def _is_elementwise(expr: Expr) -> bool:
    """Whether a value is a function of cells whose places are no data, and cannot raise."""
    match expr:
        case Call("pow", (base, Const(exponent))):
            return _is_elementwise(base) and not isinstance(exponent, complex) and exponent >= 0
        case Call(fn, args):
            return fn not in _PARTIAL and all(map(_is_elementwise, args))
        case Read(access):
            return not any(True for s in access.subscripts for _ in reads(s))
        case Const() | Extent():
            return True
        case _:
            return False


def _coordinate(
    subscript: Subscript, size: Expr, ranges: Mapping[str, Index], name: str
) -> _Coordinate | None:
    """Return the index that stands for a subscript; None: it may not."""
    if subscript.mode == "strict":
        return _Coordinate(Index(name, Const(0), size), Const(0))
    form = affine(subscript.at)
    known = dict(ranges)
    if subscript.mode != "pad" or form is None or not set(free_indices(subscript)) <= set(known):
        return None
    ends = bounds(subscript.at, used_ranges(subscript.at, known))
    low = None if ends.low is None else affine(ends.low)
    high = None if ends.high is None else affine(ends.high)
    extent = affine(size)
    if low is None or high is None or extent is None:
        return None
    before = _at_least_zero(Affine(0) - low)
    after = _at_least_zero(high - extent + Affine(1))
    if free_indices(before) or free_indices(after) or reads(before) or reads(after):
        return None
    stop = simplify(Call("add", (size, before, after)))
    return _Coordinate(Index(name, Const(0), stop), before)


def _at_least_zero(size: Affine) -> Expr:
    return simplify(Call("max", (to_expr(size), Const(0))))


def _same_extent(a: _Coordinate, b: _Coordinate) -> bool:
    assert a.index.stop is not None
    assert b.index.stop is not None
    return equal(a.index.stop, b.index.stop)


def _at_coordinates(expr: Expr, found: Mapping[Subscript, _Coordinate]) -> Expr:
    """Return a function of windows as one of the cells of their coordinates."""

    def put(node: Node) -> Node:
        if isinstance(node, Subscript) and node in found:
            own = found[node]
            at = Call("add", (IndexRef(own.index.name), Call("neg", (own.before,))))
            mode = "strict" if node.mode == "clamp" else node.mode  # all cells of it are inside
            return Subscript(simplify(at), mode, span=node.span)
        return map_children(node, put)

    return put(expr)  # type: ignore[return-value]


def _is_of_cell(expr: Expr, own: set[Subscript]) -> bool:
    """Whether a factor is a function of what is read at a target's subscripts alone."""
    used = {s for a in reads(expr) for s in a.subscripts}
    return bool(free_indices(expr)) and _is_elementwise(expr) and used <= own


def _touched(
    subscript: Subscript, size: Expr, ranges: Mapping[str, Index], name: str
) -> Index | None:
    """Return an index that runs over the cells that a subscript touches; None: not known."""
    form, extent = affine(subscript.at), affine(size)
    used = [ranges.get(n) for n in free_indices(subscript)]
    if (
        form is None
        or extent is None
        or subscript.mode not in ("strict", "pad", "clamp")
        or not used
    ):
        return None
    moving = [(a, c) for a, c in form.terms if free_indices(a)]
    if not all(abs(c) == 1 and isinstance(a, IndexRef) for a, c in moving):
        return None
    if any(i is None or i.step != 1 or free_indices(i) or reads(i) for i in used):
        return None
    ends = bounds(subscript.at, used_ranges(subscript.at, dict(ranges)))
    high = None if ends.high is None else affine(ends.high)
    if ends.low is None or high is None:
        return None
    start = simplify(Call("max", (ends.low, Const(0))))
    stop = simplify(Call("min", (to_expr(high + Affine(1)), size)))
    if subscript.mode == "clamp":
        low = affine(ends.low)
        whole = low is not None and at_least(Affine(0), low) and at_least(high + Affine(1), extent)
        return Index(name, Const(0), size) if whole else None
    return Index(name, start, stop)


def _name(subscript: Subscript, taken: set[str]) -> str:
    """Return the name of the index that stands for a subscript: that of one in it, if it may."""
    own = free_indices(subscript)
    return next((n for n in own if n not in taken), None) or fresh_name("i", taken)
