"""IR to tree, so that one printer serves what was written and what was derived.

Ranges that the program did not write are left out where inference finds the same again.
"""

from __future__ import annotations

from collections.abc import Iterator

from loopc.diagnostics.record import replace
from loopc.ir.affine import simplify
from loopc.ir.build import build, default_outputs
from loopc.ir.infer import infer
from loopc.ir.latex import latex_module
from loopc.ir.nodes import (
    Array,
    Backward,
    Expr,
    Extent,
    For,
    Index,
    Node,
    Program,
    Stmt,
    Update,
)
from loopc.ir.unbuild_expr import (
    access_tree,
    expression_tree,
    index_tree,
    negated,
    starred,
)
from loopc.ir.unbuild_origins import with_origins
from loopc.ir.unbuild_points import with_points
from loopc.ir.visit import free_indices, map_children, walk, written_names
from loopc.syntax import tree
from loopc.syntax.printer import print_module


def to_text(program: Program, explained: tuple[Stmt, ...] = ()) -> str:
    """Return the canonical text of a program; comments say what `explained` are derived from."""
    program = replace(program, body=with_points(program.body, program.arrays))
    return print_module(with_origins(_readable(program), program.body, explained))


def _readable(program: Program) -> tree.Module:
    """Return the tree, with what it takes for inference to find the same again.

    That is nothing, the shapes of inputs, or all shapes and ranges.
    """
    for known in (program, _with_shapes(program, ("input", "param"))):
        module = unbuild(known)
        if _means(print_module(module), program):
            return module
    return unbuild(_written(program))


def statements_text(stmts: tuple[Stmt, ...], explained: tuple[Stmt, ...] = ()) -> str:
    """Return the text of statements alone; `explained` as in `to_text`."""
    stmts = with_points(stmts)
    module = tree.Module(tuple(statement(s) for s in stmts))
    return print_module(with_origins(module, stmts, explained))


def to_latex(program: Program) -> str:
    """Return the program in LaTeX; every range that the text would have is there."""
    program = replace(program, body=with_points(program.body, program.arrays))
    return latex_module(_readable(program))


def statements_latex(stmts: tuple[Stmt, ...]) -> str:
    """Return statements alone in LaTeX."""
    return latex_module(tree.Module(tuple(statement(s) for s in with_points(stmts))))


def unbuild(program: Program) -> tree.Module:
    """Return the tree of a program."""
    head = list(_declarations(program))
    body = [statement(s) for s in program.body]
    if head and body:
        body[0] = replace(body[0], blank=True)
    return tree.Module((*head, *body))


def _means(text: str, program: Program) -> bool:
    """Whether reading the text gives the ranges of `program` again."""
    from loopc.diagnostics.span import Source
    from loopc.syntax.parser import parse_collecting

    if any(s is None for a in program.arrays for s in (a.shape,)):
        return True
    module, found = parse_collecting(Source("", text))
    again = infer(build(module, found), found)
    if any(d.severity == "error" for d in found):
        return False
    names: dict[str, str] = {}
    for array in (a for a in program.arrays if a.kind != "temp"):
        twin = next((a for a in again.arrays if a.name == array.name), None)
        for a, b in zip(array.shape or (), (twin.shape or ()) if twin else (), strict=False):
            if isinstance(a, Extent) and isinstance(b, Extent):
                names.setdefault(b.name, a.name)
    extents = dict.fromkeys(n.name for n in walk(again) if isinstance(n, Extent))
    if len({names.get(n, n) for n in extents}) < len(extents):
        return False  # two dims where the program has one
    return _ranges(program, {}) == _ranges(again, names)


def _ranges(
    program: Program, names: dict[str, str]
) -> tuple[list[tuple[str, Expr | None, Expr | None]], dict[str, tuple[Expr, ...]]]:
    """Return every range in the order of the text, and every shape."""
    taken = set(names.values())

    def rename(node: Node) -> Node:
        if isinstance(node, Extent):
            other = f"{node.name}?" if node.name in taken else node.name  # one that no shape gives
            return Extent(names.get(node.name, other))
        return map_children(node, rename)

    def normal(expr: Expr | None) -> Expr | None:
        return None if expr is None else simplify(rename(expr))  # type: ignore[arg-type]

    body = [n for s in program.body for n in walk(s) if isinstance(n, Index)]
    ranges = [(n.name, normal(n.start), normal(n.stop)) for n in body]
    shapes = {a.name: tuple(normal(e) for e in a.shape or ()) for a in program.arrays}
    return ranges, shapes  # type: ignore[return-value]


def _written(program: Program) -> Program:
    """Return the program with every range and every input's shape written out."""

    def step(node: Node) -> Node:
        node = map_children(node, step)
        return replace(node, written=True) if isinstance(node, Index) else node

    return _with_shapes(step(program), ("input", "param", "temp"))  # type: ignore[arg-type]


def _with_shapes(program: Program, kinds: tuple[str, ...]) -> Program:
    """Return the program with the shapes of arrays written out."""
    arrays = (replace(a, declared=True) if a.kind in kinds else a for a in program.arrays)
    return replace(program, arrays=tuple(arrays))


# Declarations


def _declarations(program: Program) -> Iterator[tree.Statement]:
    for dim in program.dims:
        value = None if dim.value is None else expression_tree(dim.value)
        yield tree.Declare("dim", (tree.Declared(dim.name, None, "", value),))
    written = written_names(program)
    declares = any(a.kind == "input" and (a.declared or a.name in written) for a in program.arrays)
    for keyword in ("input", "param"):
        of_kind = [a for a in program.arrays if a.kind == keyword and (a.declared or declares)]
        if of_kind:
            yield tree.Declare(keyword, tuple(_declared(a) for a in of_kind))
    for array in program.arrays:
        if array.kind == "temp" and array.declared and (array.shape or array.dtype):
            yield tree.Declare("dim", (_declared(array),))
    if program.outputs != default_outputs(program):
        yield tree.Declare("output", tuple(tree.Declared(n) for n in program.outputs))


def _declared(array: Array) -> tree.Declared:
    dims = tuple(starred(expression_tree(e)) for e in array.shape or ()) or None
    if array.kind == "temp" and dims is None:
        dims = ()
    value = None if array.initial is None else expression_tree(array.initial)
    return tree.Declared(array.name, dims, array.dtype, value)


# Statements


def statement(stmt: Stmt) -> tree.Statement:
    """Return the tree of a statement."""
    match stmt:
        case Update(target, op, value):
            if op == "+=" and (opposite := negated(value)) is not None:
                op, value = "-=", opposite
            return tree.Assign((access_tree(target),), op, expression_tree(value))
        case Backward(of, wrt, suffix):
            return tree.Backward(of, wrt, "" if suffix == "grad" else suffix)
        case For(indices, guard, body):
            inner = tuple(statement(s) for s in body)
            inline = len(body) == 1 and isinstance(body[0], Update) and not _loses(stmt, body[0])
            condition = None if guard is None else expression_tree(guard)
            if not indices:
                assert condition is not None
                return tree.If(condition, inner, inline)
            return tree.For(tuple(index_tree(i) for i in indices), condition, inner, inline)


def _loses(loop: For, update: Update) -> bool:
    """Whether the loop on one line would be refused for losing values."""
    kept = free_indices(update.target)
    return update.op == "=" and any(i.name not in kept for i in loop.indices)
