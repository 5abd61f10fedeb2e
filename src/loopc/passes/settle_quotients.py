"""Put the numbers of a call in the place of dims that quotients of indices are taken by.

Rewrite:   input q[H,D], k[G,D]; for h,d: y[h,d] = q[h,d] k[h//(H//G),d]
           ->  input q[8,D], k[2,D]; for h < 8,d: y[h,d] = q[h,d] k[h//4,d]
Requires:  a call; a divisor that is computed of dims, as the heads of a group are. One that is a
           dim or a number itself needs no call.
Keeps:     every value. What follows makes views of the quotients, if nothing is left over
           (`split_quotients`), where cells would be looked up one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeGuard

from loopc.ir.affine import simplify
from loopc.ir.nodes import Call, Const, Extent, For, Index, IndexRef, Node, Program, Reduce
from loopc.ir.visit import children, free_indices, map_children, walk


def numbers_of(program: Program, dims: Mapping[str, int]) -> dict[str, int]:
    """Return the dims that such quotients are taken by, and those of their indices' ranges."""
    found: dict[str, int] = {}

    def add(node: Node) -> None:
        found.update({e.name: dims[e.name] for e in _extents(node) if e.name in dims})

    def visit(node: Node, ranges: Mapping[str, Index]) -> None:
        if isinstance(node, For | Reduce):
            ranges = {**ranges, **{i.name: i for i in node.indices}}
        if _is_quotient(node):
            index, by = node.args
            if isinstance(index, IndexRef) and not isinstance(by, Extent) and not free_indices(by):
                if _extents(by) and index.name in ranges:
                    add(ranges[index.name])
                add(by)
        for child in children(node):
            visit(child, ranges)

    if any(map(_is_quotient, walk(program))):
        visit(program, {})
    return found


def _is_quotient(node: Node) -> TypeGuard[Call]:
    return isinstance(node, Call) and node.fn in ("floordiv", "mod")


def _extents(node: Node) -> list[Extent]:
    return [e for e in walk(node) if isinstance(e, Extent)]


def settle_quotients(program: Program, numbers: Mapping[str, int]) -> Program:
    """Return the program with numbers for dims."""

    def visit(node: Node) -> Node:
        if isinstance(node, Extent):
            return Const(numbers[node.name]) if node.name in numbers else node
        new = map_children(node, visit)
        return simplify(new) if new is not node and _is_quotient(new) else new

    return map_children(program, visit) if numbers else program
