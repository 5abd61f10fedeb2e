"""An index as two: the quotient and the remainder by a number.

Source: strip mining, e.g. Wolfe, High Performance Compilers for Parallel Computing, ch. 9.7.
"""

from __future__ import annotations

from collections.abc import Iterable

from loopc.diagnostics.record import replace
from loopc.ir.affine import simplify
from loopc.ir.nodes import ZERO, Call, Expr, For, Index, IndexRef, Node, Reduce
from loopc.ir.visit import fresh_name, map_children, substitute


def names_in(nodes: Iterable[Node]) -> set[str]:
    """Return the names of indices."""
    return {n.name for n in nodes if isinstance(n, Index | IndexRef)}


def mined(
    nest: For | Reduce, index: Index, number: Expr, size: Expr, taken: set[str]
) -> For | Reduce:
    """Return a loop, or a reduction, over the quotient and the remainder of an index by a number.

    Args:
        nest: what the index belongs to.
        index: it runs from 0 to the number times `size`.
        number: a literal, or an expression of dims.
        size: the extent of the quotient.
        taken: names that the new indices may not have.
    """
    outer = IndexRef(fresh_name(index.name, taken))
    inner = IndexRef(fresh_name(index.name, taken | {outer.name}))
    here = IndexRef(index.name)
    parts: dict[Node, Expr] = {
        Call("floordiv", (here, number)): outer,
        Call("mod", (here, number)): inner,
    }

    def split(node: Node) -> Node:
        return parts.get(node) or map_children(node, split)

    whole = simplify(Call("add", (Call("mul", (number, outer)), inner)))
    place = nest.indices.index(index)
    indices = (*nest.indices[:place], *nest.indices[place + 1 :])
    rest = substitute(split(replace(nest, indices=indices)), {index.name: whole})
    assert isinstance(rest, For | Reduce)
    new = Index(outer.name, ZERO, size), Index(inner.name, ZERO, number)
    return replace(rest, indices=(*rest.indices[:place], *new, *rest.indices[place:]))
