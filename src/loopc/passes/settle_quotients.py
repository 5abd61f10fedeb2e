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

from loopc.ir.affine import simplify
from loopc.ir.nodes import Call, Const, Extent, For, Index, IndexRef, Node, Program, Reduce
from loopc.ir.visit import children, free_indices, map_children, walk


def divided_dims(program: Program) -> tuple[str, ...]:
    """Return the dims that such quotients are taken by, and those of their indices' ranges."""
    found: dict[str, None] = {}

    def visit(node: Node, ranges: Mapping[str, Index]) -> None:
        if isinstance(node, For | Reduce):
            ranges = {**ranges, **{i.name: i for i in node.indices}}
        if isinstance(node, Call) and node.fn in ("floordiv", "mod"):
            index, by = node.args
            if isinstance(index, IndexRef) and not isinstance(by, Extent) and not free_indices(by):
                dims = [e.name for e in walk(by) if isinstance(e, Extent)]
                own = walk(ranges[index.name]) if dims and index.name in ranges else ()
                found.update(dict.fromkeys(dims))
                found.update(dict.fromkeys(e.name for e in own if isinstance(e, Extent)))
        for child in children(node):
            visit(child, ranges)

    visit(program, {})
    return tuple(found)


def settle_quotients(program: Program, numbers: Mapping[str, int]) -> Program:
    """Return the program with numbers for dims."""

    def visit(node: Node) -> Node:
        if isinstance(node, Extent):
            return Const(numbers[node.name]) if node.name in numbers else node
        new = map_children(node, visit)
        if isinstance(new, Call) and new is not node and new.fn in ("floordiv", "mod"):
            return simplify(new)
        return new

    return map_children(program, visit) if numbers else program
