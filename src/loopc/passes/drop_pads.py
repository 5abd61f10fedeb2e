"""Add to padded cells only where they are inside.

Rewrite:   for i: g[pad(i+1)] += t[i]   ->   for i if i + 1 >= 0 and i + 1 < N: g[i+1] += t[i]
           (a slice, where a copy with zeros round it is added to the array otherwise)
Requires:  a subscript of one index; nothing is looked up outside of an array in what is left out.
Keeps:     every value.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopc.analysis.dependence import Leaf, only_leaf
from loopc.diagnostics.record import replace
from loopc.ir.affine import affine
from loopc.ir.bounds import ascending, is_whole
from loopc.ir.nodes import Array, Call, Const, Expr, For, IndexRef, Program, Stmt, Subscript
from loopc.ir.visit import conjunction, free_indices, reads, with_update


def drop_pads(program: Program) -> Program:
    """Return the program with conditions in the place of pads of targets."""
    arrays = {a.name: a for a in program.arrays}
    body = tuple(_inside(s, arrays) for s in program.body)
    if all(a is b for a, b in zip(body, program.body, strict=True)):
        return program
    return replace(program, body=body)


def _inside(stmt: Stmt, arrays: Mapping[str, Array]) -> Stmt:
    leaf = only_leaf(stmt)
    if leaf is None:
        return stmt
    target = leaf.update.target
    padded = {d: s for d, s in enumerate(target.subscripts) if s.mode == "pad"}
    if leaf.update.op != "+=" or not padded or not all(_is_shift(s) for s in target.subscripts):
        return stmt
    names = {n for s in padded.values() for n in free_indices(s)}
    if not _are_inside(leaf, names, arrays):
        return stmt
    shape = arrays[target.array].shape or ()
    conditions: list[Expr] = []
    for dim, subscript in padded.items():
        conditions += [Call("ge", (subscript.at, Const(0))), Call("lt", (subscript.at, shape[dim]))]
    strict = (replace(s, mode="strict") if s.mode == "pad" else s for s in target.subscripts)
    update = replace(leaf.update, target=replace(target, subscripts=tuple(strict)))
    return with_update(stmt, For((), conjunction(*conditions), (update,), span=update.span))


def _is_shift(subscript: Subscript) -> bool:
    """Whether a subscript is an index by itself or beside what has none."""
    form = affine(subscript.at)
    names = free_indices(subscript.at)
    return form is not None and len(names) == 1 and not reads(subscript)


def _are_inside(leaf: Leaf, names: set[str], arrays: Mapping[str, Array]) -> bool:
    """Whether all cells that are read with some indices are there wherever these run."""
    ranges = {level.index.name: ascending(level.index) for level in leaf.levels}

    def is_inside(subscript: Subscript, size: Expr) -> bool:
        if reads(subscript):
            return False
        if subscript.mode != "strict" or names.isdisjoint(free_indices(subscript)):
            return True
        at = subscript.at
        return isinstance(at, IndexRef) and at.name in ranges and is_whole(ranges[at.name], size)

    return all(
        is_inside(subscript, size)
        for access in reads(leaf.update.value)
        for subscript, size in zip(access.subscripts, arrays[access.array].shape or (), strict=True)
    )
