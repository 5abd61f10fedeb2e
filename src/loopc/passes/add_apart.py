"""Add over one index of pairs into another array than over the other one.

Rewrite:   for i,j  g[i] += exp(s[i] - s[j])   ->   for i,j  g[i] += exp(s[i] - s[j])
           for i,j  g[j] -= exp(s[i] - s[j])        for i,j  g_apart[j] -= exp(s[i] - s[j])
                                                    for i  g[i] += g_apart[i]
           (both are one tile over i, which computes the exponentials once)
Requires:  sums in the same loops, of the same function, into other cells of one array.
Keeps:     every value up to the order of sums.
"""

from __future__ import annotations

from collections.abc import Iterator

from loopc.analysis.dependence import Leaf, only_leaf
from loopc.diagnostics.record import replace
from loopc.ir.functions import is_costly
from loopc.ir.nodes import (
    ZERO,
    Access,
    Array,
    Call,
    Index,
    IndexRef,
    Program,
    Read,
    Stmt,
    Subscript,
    Update,
)
from loopc.ir.visit import free_indices, loop, reads, walk, with_update
from loopc.ir.workspace import Names


def add_apart(program: Program) -> Program:
    """Return the program with arrays of their own for sums over the other index of pairs."""
    arrays = {a.name: a for a in program.arrays}
    names = Names.of(program)
    body: list[Stmt] = []
    sums: dict[str, list[Leaf]] = {}
    for stmt in program.body:
        leaf = only_leaf(stmt)
        if leaf is None or not _is_sum(leaf):
            body.append(stmt)
            continue
        array = arrays[leaf.update.target.array]
        others = sums.setdefault(array.name, [])
        if any(_is_turned(other, leaf) for other in others) and array.shape is not None:
            body += _apart(stmt, leaf.update, array, names)
        else:
            others.append(leaf)
            body.append(stmt)
    if len(names.arrays) == len(arrays):
        return program
    return replace(program, body=tuple(body), arrays=tuple(names.arrays.values()))


def _is_sum(leaf: Leaf) -> bool:
    """Whether a statement adds functions over some of its loops to cells told by the others."""
    target = leaf.update.target
    at = [s.at.name for s in target.subscripts if isinstance(s.at, IndexRef)]
    plain = len(at) == len({*at}) == len(target.subscripts)
    strict = all(s.mode == "strict" for s in target.subscripts)
    apart = target.array not in {r.access.array for r in leaf.refs[1:]}
    some = 0 < len(at) < len(leaf.levels)
    return leaf.update.op in ("+=", "-=") and plain and strict and apart and some


def _is_turned(one: Leaf, other: Leaf) -> bool:
    """Whether a sum goes to other cells than one in the same loops of the same function."""
    same = one.guards == other.guards and [v.index for v in one.levels] == [
        v.index for v in other.levels
    ]
    turned = {*free_indices(one.update.target)} != {*free_indices(other.update.target)}
    return same and turned and not _functions(one.update).isdisjoint(_functions(other.update))


def _functions(update: Update) -> frozenset[Call]:
    """Return the functions of one argument in a value that depend on all loops of pairs."""
    found = (n for n in walk(update.value) if isinstance(n, Call) and reads(n))
    return frozenset(c for c in found if is_costly(c.fn) and len(free_indices(c)) > 1)


def _apart(stmt: Stmt, update: Update, array: Array, names: Names) -> Iterator[Stmt]:
    """Yield a sum into an array of its own, and what adds that."""
    shape, span = array.shape or (), array.span
    name = names.fresh(f"{array.name}_apart".replace(".", "_"))
    names.arrays[name] = Array(name, "temp", shape, span=span)
    yield with_update(stmt, replace(update, target=replace(update.target, array=name)))
    indices = tuple(Index(names.fresh("i", numbered=True), ZERO, n) for n in shape)
    at = tuple(Subscript(IndexRef(i.name)) for i in indices)
    value = Read(Access(name, at, span=span), span=span)
    yield from loop(
        indices, None, Update(Access(array.name, at, span=span), "+=", value, span=span)
    )
