"""Give a temporary that starts anew in every iteration a cell for each of them.

Rewrite:   for b: { a = x[b];  y[b] = a a }   ->   for b: { a[b] = x[b];  y[b] = a[b] a[b] }
Requires:  the temporary is no output, and no value of it enters or leaves an iteration. Keeps:
           every value. Only loops that need not run in order then are expanded over: there it
           makes array operations of what would be a Python loop.
Source: scalar and array expansion, Allen and Kennedy, Optimizing Compilers for Modern
Architectures, ch. 5.3.
"""

from __future__ import annotations

from collections.abc import Sequence

from loopc.analysis.dependence import leaves
from loopc.analysis.private import Region, alone, regions
from loopc.analysis.serial import serial_loops
from loopc.diagnostics.record import record, replace
from loopc.ir.affine import affine
from loopc.ir.dtypes import infer_dtypes, is_same
from loopc.ir.nodes import (
    Access,
    Array,
    Backward,
    Const,
    For,
    Index,
    IndexRef,
    Node,
    Program,
    Reduce,
    Stmt,
    Update,
)
from loopc.ir.visit import map_children, updates, uses, walk
from loopc.ir.workspace import Names


def expand_workspaces(program: Program, keep: Sequence[str] = ()) -> Program:
    """Return the program with a cell per iteration of its private temporaries, but for `keep`."""
    if not any(isinstance(s, For) for s in program.body):
        return program
    names = Names.of(program)
    chosen: list[_Chosen] = []
    for array in _candidates(program, keep):
        arrays = dict(names.arrays)
        new, more = _renamed(program.body, array, names)
        if new is not program.body:
            renamed = replace(program, body=new, arrays=tuple(names.arrays.values()))
            if not _keeps_types(program, renamed, array):
                names.arrays = arrays
                continue
            program = renamed
        chosen.extend(more)
    if not chosen:
        return program
    body = tuple(s for stmt in program.body for s in _expanded(stmt, chosen, names))
    used = {n.array for s in body for n in walk(s) if isinstance(n, Access)}
    kept = tuple(a for n, a in names.arrays.items() if n in used or a.kind != "temp" or a.declared)
    return replace(program, body=body, arrays=kept)


@record()
class _Chosen:
    """A temporary of one region, and the loops it could be expanded over, by depth."""

    array: str
    depths: tuple[int, ...]


def _candidates(program: Program, keep: Sequence[str]) -> list[Array]:
    """Return the temporaries that only loops know of."""
    outside = {*program.outputs, *keep}
    for stmt in program.body:
        if isinstance(stmt, Backward):
            outside |= {stmt.of, *stmt.wrt}
        if not isinstance(stmt, For):
            outside |= {n.array for n in walk(stmt) if isinstance(n, Access)}
    for array in program.arrays:
        outside |= {n.array for e in array.shape or () for n in walk(e) if isinstance(n, Access)}
    outside |= _windows(program.body)
    again = _written_again(program.body)
    return [
        a for a in program.arrays if a.name in again and a.kind == "temp" and a.name not in outside
    ]


def _windows(body: tuple[Stmt, ...]) -> set[str]:
    """Return the arrays that count their cells from an outer index: `a[t - 5*part]` is reused."""
    found: set[str] = set()
    for _, update in updates(body):
        for subscript in update.target.subscripts:
            form = affine(subscript.at)
            signs = [c > 0 for a, c in form.terms if isinstance(a, IndexRef)] if form else []
            if any(signs) and not all(signs):
                found.add(update.target.array)
    return found


def _written_again(body: tuple[Stmt, ...]) -> set[str]:
    """Return the arrays of which iterations of a block can write the same cells."""
    found: set[str] = set()

    def visit(stmt: Stmt, block: frozenset[str]) -> None:
        if isinstance(stmt, Update):
            single = {s.at.name for s in stmt.target.subscripts if isinstance(s.at, IndexRef)}
            if not block <= single:
                found.add(stmt.target.array)
        elif isinstance(stmt, For):
            if sum(1 for _ in updates(stmt.body)) > 1:
                block |= {i.name for i in stmt.indices}
            for child in stmt.body:
                visit(child, block)

    for stmt in body:
        visit(stmt, frozenset())
    return found


def _renamed(
    body: tuple[Stmt, ...], array: Array, names: Names
) -> tuple[tuple[Stmt, ...], list[_Chosen]]:
    """Give the array a name of its own in each region."""
    found = [r for r in regions(body, array.name) if _depths(r, array, names)]
    if not found:
        return body, []
    total = sum(uses(s).get(array.name, 0) for s in body)
    chosen: list[_Chosen] = []
    for region in found:
        inside = uses(region.loop).get(array.name, 0)
        name = array.name
        if inside < total:
            name = names.fresh(array.name, numbered=True)
            names.arrays[name] = replace(array, name=name, declared=False)
            new = _with_name(region.loop, array.name, name)
            body = tuple(_put(s, region.loop, new) for s in body)
        chosen.append(_Chosen(name, _depths(region, array, names)))
    return body, chosen


def _keeps_types(old: Program, new: Program, array: Array) -> bool:
    """Whether what a new program calls in several ways has the type of all that is put into it."""
    types = infer_dtypes(old, {})
    return all(
        is_same(types.get(name, types[array.name]), dtype)
        for name, dtype in infer_dtypes(new, {}).items()
    )


def _with_name(node: Node, old: str, new: str) -> Node:
    def step(inner: Node) -> Node:
        inner = map_children(inner, step)
        if isinstance(inner, Access) and inner.array == old:
            return replace(inner, array=new)
        return inner

    return step(node)


def _put(stmt: Stmt, old: Stmt, new: Node) -> Stmt:
    """Replace a statement, the very object, wherever it stands."""
    if stmt is old:
        return new  # type: ignore[return-value]
    if not isinstance(stmt, For):
        return stmt
    body = tuple(_put(s, old, new) for s in stmt.body)
    same = all(a is b for a, b in zip(body, stmt.body, strict=True))
    return stmt if same else replace(stmt, body=body)


def _loops(region: Region) -> list[Index]:
    return [i for f in (*region.around, region.loop) for i in f.indices]


def _depths(region: Region, array: Array, names: Names) -> tuple[int, ...]:
    """Return the loops whose iterations can be counted and told apart inside the region."""
    loops = _loops(region)
    bound: list[str] = [i.name for i in loops]
    for node in (n for s in region.loop.body for n in walk(s)):
        if isinstance(node, For | Reduce):
            bound.extend(i.name for i in node.indices)
    told_apart = set(alone(region.loop, array.name).values())
    return tuple(
        n
        for n, index in enumerate(loops)
        if bound.count(index.name) == 1
        and index.name not in told_apart
        and _is_countable(index, loops, names)
    )


def _is_countable(index: Index, loops: Sequence[Index], names: Names) -> bool:
    probe = Names(dict(names.arrays), set(names.taken), names.written)
    return isinstance(probe.countable_cells("probe", [index], loops, None), Access)


def _expanded(stmt: Stmt, chosen: Sequence[_Chosen], names: Names) -> list[Stmt]:
    here = {n.array for n in walk(stmt) if isinstance(n, Access)}
    own = [c for c in chosen if c.array in here]
    if not own or not isinstance(stmt, For):
        return [stmt]
    probe = Names(dict(names.arrays), set(names.taken), names.written)
    serial = serial_loops(_with_cells(stmt, {c.array: c.depths for c in own}, probe))
    depths = {c.array: tuple(d for d in c.depths if _is_free(stmt, c, d, serial)) for c in own}
    return [_with_cells(stmt, {n: d for n, d in depths.items() if d}, names)]


def _is_free(stmt: Stmt, chosen: _Chosen, depth: int, serial: frozenset[tuple[int, int]]) -> bool:
    """Whether some update that touches the array, and computes, can leave a loop."""
    touching = (
        leaf
        for leaf in leaves((stmt,))
        if any(r.access.array == chosen.array for r in leaf.refs)
        and not isinstance(leaf.update.value, Const)
    )
    return any((leaf.number, depth) not in serial for leaf in touching)


def _with_cells(stmt: For, depths: dict[str, tuple[int, ...]], names: Names) -> For:
    """Return a statement with arrays that have a cell per iteration of some loops."""
    loops = _common(stmt, set(depths))
    cells: dict[str, Access] = {}
    for name, over in depths.items():
        array = names.arrays[name]
        around = loops[name]
        cell = names.cells(name, [around[d] for d in over], around, array.span)
        made = names.arrays[name]
        shape = (*(made.shape or ()), *(array.shape or ()))
        names.arrays[name] = replace(array, shape=shape, declared=False)
        cells[name] = cell

    def step(node: Node) -> Node:
        node = map_children(node, step)
        if isinstance(node, Access) and node.array in cells:
            return replace(node, subscripts=(*cells[node.array].subscripts, *node.subscripts))
        return node

    return step(stmt)  # type: ignore[return-value]


def _common(stmt: For, names: set[str]) -> dict[str, list[Index]]:
    """Return the loops round all uses of each array, outermost first."""
    found: dict[str, list[Index]] = {}

    def visit(inner: Stmt, around: list[Index], name: str) -> None:
        holding = isinstance(inner, For) and any(
            isinstance(n, Access) and n.array == name for n in walk(inner)
        )
        if not holding:
            return
        assert isinstance(inner, For)
        around = [*around, *inner.indices]
        found[name] = around
        parts = [s for s in inner.body if any(_is_of(n, name) for n in walk(s))]
        if len(parts) == 1:
            visit(parts[0], around, name)

    for name in sorted(names):
        visit(stmt, [], name)
    return found


def _is_of(node: Node, name: str) -> bool:
    return isinstance(node, Access) and node.array == name
