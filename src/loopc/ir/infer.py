"""Ranges and shapes by unification: an open program becomes a resolved one.

The equations (`ir.extents`) are collected over the whole program and solved once, symbolically, so
that no array is needed; `ir.bind` puts numbers in when arrays are there. An extent that no
declaration names becomes a dim, called after the index that runs over it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from loopc.diagnostics import catalogue
from loopc.diagnostics.errors import Diagnostic
from loopc.diagnostics.record import replace
from loopc.ir.affine import affine, plus, simplify
from loopc.ir.attained import is_attained
from loopc.ir.bounds import bounds, extent, runs_over
from loopc.ir.clashes import clash, narrower, too_long
from loopc.ir.extents import Equations, Use
from loopc.ir.fits import open_fits, wrong_fits
from loopc.ir.nodes import (
    Access,
    Array,
    Backward,
    Call,
    Const,
    Expr,
    Extent,
    For,
    Index,
    IndexRef,
    Node,
    Program,
    Reduce,
    Stmt,
)
from loopc.ir.sites import Scope, Site, Slot, Walker, sites, used_ranges
from loopc.ir.unbuild_expr import expr_text
from loopc.ir.visit import free_indices, map_children, reads, updates, walk


def infer(
    program: Program, found: list[Diagnostic], doubtful: frozenset[str] | None = None
) -> Program:
    """Return `program` with every range and shape filled in.

    What cannot be inferred, and accesses that are outside their array by construction, are appended
    to `found`; if it holds an error afterwards, the result is not to be used.

    Args:
        program: an open program.
        found: the findings.
        doubtful: arrays on which statements are wrong and left out: what follows from their shapes
            is not reported. None: nothing is wrong so far.
    """
    program = _with_adjoints(program)
    equations = Equations(program)
    collector = _Collector(equations)
    for stmt in program.body:
        collector.walk(stmt, {})
    ranks = _ranks(program)
    _tie_adjoints(program, ranks, equations)
    equations.ask(program.fits)
    equations.solve()
    clashing: set[str] = set()
    found.extend(_clashes(equations, clashing))
    unknown: list[Diagnostic] = []
    filler = _Filler(equations, unknown)
    body = tuple(cast(Stmt, filler.walk(stmt, {})) for stmt in program.body)
    arrays = tuple(_shaped(array, ranks, equations, unknown) for array in program.arrays)
    resolved = _without_aliases(replace(program, arrays=arrays, body=body))
    if doubtful is None:
        found.extend(_roots(unknown))
    if not unknown:
        found.extend(wrong_fits(resolved, clashing))
        _check_bounds(resolved, found, (doubtful or frozenset()) | clashing)
    return resolved


def _roots(unknown: list[Diagnostic]) -> list[Diagnostic]:
    """Return the ranges that are unknown; where none is, the shapes."""
    ranges = [d for d in unknown if d.code == "L0201"]
    return ranges or unknown


def _without_aliases(program: Program) -> Program:
    """Replace the dims of expanded defs by the extents that they are."""
    aliases = {d.name: d.of for d in program.dims if d.of is not None}
    if not aliases:
        return program
    shapes = {a.name: a.shape or () for a in program.arrays}

    def step(node: Node) -> Node:
        if isinstance(node, Extent) and node.name in aliases:
            array, axis = aliases[node.name]
            return step(shapes[array][axis])
        new = map_children(node, step)
        return simplify(new) if new is not node and isinstance(new, Call) else new

    fits = tuple(
        replace(f, given=cast(Expr, step(f.given)), expected=cast(Expr, step(f.expected)))
        for f in program.fits
    )
    program = replace(program, dims=tuple(d for d in program.dims if d.of is None), fits=fits)
    return map_children(replace(program, fits=open_fits(program)), step)


def _with_adjoints(program: Program) -> Program:
    """Give arrays that a `backward` defines the rank and the unknown shape of their primal."""
    names = {a.name for a in program.arrays}
    new: dict[str, Array] = {}
    for node in walk(program):
        if isinstance(node, Backward):
            for array in program.arrays:
                name = f"{array.name}.{node.suffix}"
                if name not in names and array.name in node.wrt:
                    new[name] = Array(name, "temp", span=node.span)
    return replace(program, arrays=(*program.arrays, *new.values())) if new else program


def primal_of(name: str, arrays: set[str]) -> str | None:
    """Return the array that `name` is an adjoint (or tangent) of, if the program has it."""
    base, dot, _ = name.rpartition(".")
    return base if dot and base in arrays else None


def _ranks(program: Program) -> dict[str, int]:
    ranks: dict[str, int] = {}
    for node in walk(program):
        if isinstance(node, Access):
            ranks.setdefault(node.array, len(node.subscripts))
    for array in program.arrays:
        if array.shape is not None:
            ranks[array.name] = len(array.shape)
    names = {a.name for a in program.arrays}
    for array in program.arrays:
        base = primal_of(array.name, names)
        if array.name not in ranks and base in ranks:
            ranks[array.name] = ranks[base]
    return ranks


def _tie_adjoints(program: Program, ranks: dict[str, int], equations: Equations) -> None:
    """`W.grad` has W's shape."""
    names = {a.name for a in program.arrays}
    for array in program.arrays:
        base = primal_of(array.name, names)
        for axis in range(ranks.get(array.name, 0)):
            equations.find((array.name, axis))
            if base is not None and ranks.get(base) == ranks[array.name]:
                equations.union((base, axis), (array.name, axis))


class _Collector(Walker):
    """Collects the equations of a program."""

    def __init__(self, equations: Equations) -> None:
        super().__init__()
        self.equations = equations
        self.shifted: set[tuple[str, int]] = set()
        self.moved = set(_moved(equations.program))

    def walk(self, node: Node, scope: Scope) -> Node:
        """Walk `node`; in a range, `ptr[i]` beside `ptr[i+1]` bounds `i`, but is not all of it."""
        if not isinstance(node, Index):
            return super().walk(node, scope)
        outer, self.shifted = self.shifted, set(_shifted(node))
        result = super().walk(node, scope)
        self.shifted = outer
        return result

    def index(self, slot: Slot) -> Index:
        self.equations.slots[slot.number] = slot
        if slot.index.stop is None:
            self.equations.find(slot.number)
        return slot.index

    def access(self, access: Access, scope: Scope, *, write: bool) -> None:
        temp = self.equations.arrays[access.array].kind == "temp"
        for axis, subscript in enumerate(access.subscripts):
            key = (access.array, axis)
            self.equations.find(key)
            if subscript.mode != "strict":
                continue
            at = subscript.at
            if key in self.shifted:
                self.equations.reads.append(Use(access, axis, at, dict(scope), self.guards))
                continue
            if isinstance(at, IndexRef):
                self.equations.alone.setdefault(key, []).append(at.name)
                self.equations.suggest(key, scope.get(at.name))
            equal = self.equations.equal_to(access, axis, scope)
            if equal is not None and write and temp and key in self.moved:
                self.equations.soft.append((key, equal))
                equal = None
            if equal is not None:
                self.equations.union(key, equal)
                continue
            use = Use(access, axis, at, dict(scope), self.guards)
            if write and temp:
                self.equations.writes.setdefault(key, []).append(use)
            else:
                self.equations.reads.append(use)

    def reduction(self, node: Reduce, scope: Scope, inner: Scope) -> None:
        """A pointwise reduction's value stands at an outer index: that runs over the same range."""
        for index, position in zip(node.indices, node.at, strict=False):
            own = inner[index.name]
            if not isinstance(position, IndexRef) or position.name not in scope:
                continue
            outer = scope[position.name]
            if outer.index.stop is None and own.index.stop is None:
                self.equations.union(outer.number, own.number)
            elif outer.index.stop is None:
                self.equations.points.append((outer.number, index.name, dict(inner)))


def _shifted(index: Index) -> Iterator[tuple[str, int]]:
    """Yield the axes at which a range reads something other than a bare index."""
    for access in reads(index):
        for axis, subscript in enumerate(access.subscripts):
            if not isinstance(subscript.at, IndexRef):
                yield access.array, axis


def _moved(program: Program) -> Iterator[tuple[str, int]]:
    """Yield the axes that some update writes at a shifted or scaled index: `z[t+5]`, `e[2*s]`."""
    for _, update in updates(program.body):
        for axis, subscript in enumerate(update.target.subscripts):
            if free_indices(subscript.at) and not isinstance(subscript.at, IndexRef):
                yield update.target.array, axis


class _Filler(Walker):
    """Writes the ranges that were found into the program."""

    def __init__(self, equations: Equations, found: list[Diagnostic]) -> None:
        super().__init__()
        self.equations = equations
        self.found = found

    def index(self, slot: Slot) -> Index:
        if slot.index.stop is not None:
            return slot.index
        group = self.equations.class_of(slot.number)
        if group.stop is None:
            name, repair = slot.index.name, self._repair(slot.index)
            place = slot.index.span
            self.found.append(catalogue.diagnostic("L0201", place, index=name, repair=repair))
            group.start = group.stop = Const(0)
        return replace(slot.index, start=group.start, stop=group.stop)

    def _repair(self, index: Index) -> str:
        """Return how an index gets a range: that of an axis that it moves along, if one is known.

        A boundary mode lets it go beyond, so that the axis alone does not say how far it goes.
        """
        name = index.name
        binders = (n for n in walk(self.equations.program) if isinstance(n, For | Reduce))
        own = next((b for b in binders if any(i is index for i in b.indices)), None)
        for access in walk(own or self.equations.program):
            if not isinstance(access, Access):
                continue
            for axis, subscript in enumerate(access.subscripts):
                if subscript.mode == "strict" or name not in free_indices(subscript.at):
                    continue
                stop = self.equations.class_of((access.array, axis)).stop
                if isinstance(stop, Extent):
                    text = f"write `for {name} < {stop.name}`, or how far it is to go"
                    return f"{text}: `{subscript.mode}(…)` is inside for every `{name}`"
        return f"write `for {name} < N`, with `N` a number or a declared dim"


def _shaped(
    array: Array, ranks: dict[str, int], equations: Equations, found: list[Diagnostic]
) -> Array:
    if array.shape is not None:
        return array
    shape: list[Expr] = []
    for axis in range(ranks.get(array.name, 0)):
        stop = equations.class_of((array.name, axis)).stop
        if stop is None:
            found.append(catalogue.diagnostic("L0205", array.span, array=array.name, axis=axis + 1))
            stop = Const(0)
        shape.append(stop)
    return replace(array, shape=tuple(shape))


def _clashes(equations: Equations, arrays: set[str]) -> Iterator[Diagnostic]:
    """Yield the axes that must be equal and are declared with different numbers.

    Args:
        equations: the equations, solved.
        arrays: the names of the arrays with such axes are added.
    """
    for group in equations.classes.values():
        declared = equations.declared(group)
        for (array, axis), other in declared[1:]:
            (first, first_axis), size = declared[0]
            a, b = affine(size), affine(other)
            if a is None or b is None or not a.is_constant or not b.is_constant or a == b:
                continue
            arrays |= {first, array}
            one, two = (first, first_axis, a.constant), (array, axis, b.constant)
            yield clash(equations.program, one, two)


def _check_bounds(
    program: Program, found: list[Diagnostic], doubtful: frozenset[str] = frozenset()
) -> None:
    """Report the accesses that are outside their array whatever the extents are."""
    shapes = {a.name: a.shape for a in program.arrays}
    for site in sites(program):
        shape = shapes[site.access.array]
        if shape is None or site.conditional or runs_over(site.at, site.ranges, shape[site.axis]):
            continue
        if _may_be_empty(site):
            continue
        if site.access.array in doubtful:
            continue
        if not is_attained(site.at, used_ranges(site.at, site.ranges)):
            continue
        outside = _outside(site, shape[site.axis])
        if outside is not None:
            if site.write:
                doubtful |= {site.access.array}
            clashing = _too_long(program, site, shape[site.axis], outside)
            if clashing is not None:
                found.append(clashing[0])
                doubtful |= {clashing[1]}
                continue
            found.append(
                catalogue.diagnostic(
                    "L0210",
                    site.access.subscripts[site.axis].span or site.access.span,
                    array=site.access.array,
                    axis=site.axis + 1,
                    what=outside,
                    repair=narrower(site),
                )
            )


def _too_long(
    program: Program, site: Site, size: Expr, outside: str
) -> tuple[Diagnostic, str] | None:
    """Return the clash of sizes that lets a write be outside, and with what, if there is one."""
    high = bounds(site.at, used_ranges(site.at, site.ranges)).high
    if not site.write or high is None or not outside.endswith(_PAST):
        return None
    sizes = expr_text(plus(high, 1)), expr_text(size)
    return too_long(program, site.access.array, site.axis, sizes)


_PAST = "past the last index"


def _may_be_empty(site: Site) -> bool:
    """Whether a range round the access is a literal, empty one."""
    for index in used_ranges(site.at, site.ranges).values():
        size = affine(extent(index))
        if size is not None and size.is_constant and size.constant <= 0:
            return True
    return False


def _outside(site: Site, size: Expr) -> str | None:
    ends = bounds(site.at, used_ranges(site.at, site.ranges))
    low = None if ends.low is None else affine(ends.low)
    if low is not None and low.is_constant and low.constant < 0:
        return f"reaches index {low.constant}"
    high = None if ends.high is None else affine(ends.high)
    limit = affine(size)
    if high is None or limit is None:
        return None
    over = high - limit
    if over.is_constant and over.constant >= 0:
        return f"reaches {over.constant + 1} {_PAST}"
    return None
