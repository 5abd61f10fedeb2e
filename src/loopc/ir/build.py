"""Tree to IR: what was written becomes what it means, with ranges and shapes still open.

`-=` becomes `+=` of the negated value, `x.value` becomes `x`, names become arrays, dims or indices,
and what the program leaves unsaid (kinds, outputs, what `backward` differentiates by) is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from loopc.diagnostics.errors import Diagnostic
from loopc.diagnostics.record import record, replace
from loopc.ir.affine import affine
from loopc.ir.build_calls import Expander
from loopc.ir.build_checks import (
    alone,
    check_defs,
    check_early_reads,
    check_rare_indices,
    check_spellings,
    collect_indices,
    keyword,
    roots,
)
from loopc.ir.build_expr import ExprBuilder
from loopc.ir.build_fits import declare_copies, sizes_asked, take_handed, take_types
from loopc.ir.build_names import GRAD, Names, in_order, names_in, plain_name, tree_walk
from loopc.ir.build_templates import written
from loopc.ir.build_use import used
from loopc.ir.check_types import index_repair
from loopc.ir.dtypes import of_expr
from loopc.ir.nodes import (
    Access,
    Array,
    Backward,
    Const,
    Dim,
    Expr,
    Extent,
    For,
    Index,
    Program,
    Read,
    Reduce,
    Stmt,
    Update,
)
from loopc.ir.visit import free_indices, neg, reads, updates, walk
from loopc.ir.whole import with_index_types, with_integers
from loopc.syntax import tree
from loopc.syntax.printer import print_expr


@record()
class Built:
    """What a tree was made into.

    Attributes:
        program: the open program, without the statements that are wrong.
        doubtful: the arrays that such statements write, of which little can be said.
        uncalled: a module for each def of the text that nothing calls.
    """

    program: Program
    doubtful: frozenset[str]
    uncalled: tuple[tree.Module, ...]


def build(module: tree.Module, found: list[Diagnostic], base: Path | None = None) -> Program:
    """Return the open program of a tree; what is wrong is appended to `found`.

    Args:
        module: the tree.
        found: the findings.
        base: the folder of the file, for `use` (default: the current one).
    """
    return build_all(module, found, base).program


def build_all(module: tree.Module, found: list[Diagnostic], base: Path | None = None) -> Built:
    """Return the open program of a tree, and what is left to be looked at; see `build`."""
    names = Names(found, doubtful=set(module.lost), spoilt=module.spoilt)
    source = module.span.source if module.span else None
    module = replace(module, body=used(module.body, names, base))
    defs = [n for n in tree_walk(module) if isinstance(n, tree.Def)]
    names.defs = {d.name: d for d in defs}
    check_defs(module.body, names)
    collect_indices(module.body, names)
    statements = module.body
    arrays = {n.name for n in tree_walk(module) if isinstance(n, tree.Name | tree.Bracket)}
    expander = Expander(names, arrays)
    module = replace(module, body=expander.module(module.body))
    builder = _Builder(names)
    for name, of in expander.aliases.items():
        builder.dims.append(Dim(name, None, of))
        names.dims[name] = None
    names.collect(module.body)
    _collect_adjoints(names, module)
    builder.declarations([s for s in module.body if isinstance(s, tree.Declare)])
    declare_copies(expander, names)
    body = builder.body(module.body, ExprBuilder(names), top=True)
    check_spellings(names)
    check_rare_indices(statements, names)
    check_early_reads(body, names)
    take_handed(expander, names)
    take_types(expander, names)
    fits = tuple(sizes_asked(expander, names))
    program = Program(tuple(builder.dims), tuple(names.arrays.values()), body, (), fits)
    program = with_integers(with_index_types(program))
    program = replace(program, body=tuple(_with_wrt(s, program) for s in program.body))
    program = replace(
        program, outputs=tuple(builder.outputs) or default_outputs(program, expander.kept)
    )
    uncalled = tuple(
        alone(d, defs)
        for d in defs
        if d.name not in expander.called and d.span is not None and d.span.source == source
    )
    return Built(program, frozenset(names.doubtful), uncalled)


def expression(text: str, names: Mapping[str, Expr]) -> Expr:
    """Return the expression of a table's text, with `names` put in for the names in it."""
    from loopc.syntax.parser import parse_expression  # lark is imported when text is parsed

    found: list[Diagnostic] = []
    expr = ExprBuilder(Names(found, substitutes=dict(names))).expr(parse_expression(text))
    assert not found, (text, found)
    return expr


def default_outputs(program: Program, kept: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the arrays that no statement after their last write reads, in order of first write.

    An input that is assigned is returned anyhow: its new version is in no memory of the caller.

    Args:
        program: the program, its calls expanded.
        kept: results of calls that only the called bodies read.
    """
    last_read: dict[str, int] = {}
    first_write: dict[str, int] = {}
    last_write: dict[str, int] = {}
    for number, (writes, read) in enumerate(_leaves(program.body)):
        for name in read:
            last_read[name] = number
        for name in writes:
            first_write.setdefault(name, number)
            last_write[name] = number
    kept = {*kept, *(a.name for a in program.arrays if a.kind != "temp")}
    return tuple(n for n in first_write if n in kept or last_read.get(n, -1) <= last_write[n])


def _leaves(body: Iterable[Stmt]) -> Iterable[tuple[list[str], list[str]]]:
    """Yield what each leaf statement writes and reads."""
    for stmt in body:
        if isinstance(stmt, Backward):
            yield [f"{name}.{stmt.suffix}" for name in stmt.wrt], []
            continue
        for loops, update in updates((stmt,)):
            read = [a.array for a in reads(update)]
            for node in loops:
                heads: list[Expr | Index] = [*node.indices]
                heads += [] if node.guard is None else [node.guard]
                read += [a.array for head in heads for a in reads(head)]
            yield [update.target.array], read


def default_wrt(program: Program) -> tuple[str, ...]:
    """Return what gradients are taken of: every param, or else every float input."""
    params = [a.name for a in program.arrays if a.kind == "param" and is_differentiable(a)]
    inputs = [a.name for a in program.arrays if a.kind == "input" and is_differentiable(a)]
    return tuple(params or inputs)


def is_differentiable(array: Array) -> bool:
    """Whether a gradient by this array can exist."""
    return array.dtype not in ("int", "bool", "complex")


def _collect_adjoints(names: Names, module: tree.Module) -> None:
    """See which names a `backward` defines: `W.grad` is written by it."""
    for statement in module.body:
        if not isinstance(statement, tree.Backward):
            continue
        suffix = f".{statement.name or GRAD}"
        seed = plain_name(statement.of) + suffix
        for name in statement.wrt:
            names.written.setdefault(plain_name(name) + suffix, statement.span)
        for node in tree_walk(module.body):
            if not isinstance(node, tree.Name | tree.Bracket) or node.name == seed:
                continue
            if node.name.endswith(suffix):
                names.written.setdefault(node.name, statement.span)


class _Builder:
    """Builds declarations and statements."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.dims: list[Dim] = []
        self.outputs: list[str] = []
        self.valued: set[str] = set()

    # Declarations

    def declarations(self, statements: list[tree.Declare]) -> None:
        """Declare all arrays and dims of a program."""
        arrays = {plain_name(d.name) for s in statements if s.keyword != "dim" for d in s.items}
        declared: set[str] = set()
        for statement in statements:
            for item in statement.items:
                if statement.keyword == "dim" and item.dims is None:
                    if item.name in declared:
                        self.names.report("L0307", item.span, name=item.name)
                    declared.add(item.name)
                    self.names.dims[item.name] = item.span
                extents = [*(item.dims or ())]
                if statement.keyword == "dim" and item.value is not None:
                    extents.append(item.value)
                    self.valued.add(item.name)
                for name in (n for extent in extents for n in names_in(extent)):
                    if name not in arrays:
                        self.names.dims.setdefault(name, item.span)
        self.names.strict = any(s.keyword == "input" for s in statements)
        for kind, item in in_order(statements):
            self._declare(kind, item)
        in_text = {plain_name(d.name): None for s in statements for d in s.items}
        known = self.names.arrays
        self.names.arrays = {n: known[n] for n in [*in_text, *known] if n in known}

    def _declare(self, keyword: str, item: tree.Declared) -> None:
        builder = ExprBuilder(self.names)
        if keyword == "output" and item.value is not None:
            self.names.report("L0326", item.value.span, name=item.name)
            return
        if keyword == "output":
            if plain_name(item.name) in self.outputs:
                self.names.report("L0307", item.span, name=item.name)
                return
            self.outputs.append(plain_name(item.name))
            if item.dims is None and not item.dtype:
                self._check_output(item)
                return
        value = None if item.value is None else self._constant(item.value, builder)
        if keyword == "dim" and item.dims is None:
            if item.value is not None and value is not None:
                self._check_extent(value, item.value)
                self._check_round(value, item.value)
            self.dims.append(Dim(item.name, value, span=item.span))
            return
        shape = tuple(self._constant(d, builder) for d in item.dims or ())
        for extent, node in zip(shape, item.dims or (), strict=True):
            self._check_extent(extent, node)
        if keyword in ("dim", "output"):
            known = None if item.dims is None else shape
            self.names.declare("temp", item, known, None)
        else:
            self.names.declare("param" if keyword == "param" else "input", item, shape, value)

    def _constant(self, node: tree.Expr, builder: ExprBuilder) -> Expr:
        """Build an extent or an initial value: of literals, dims and integer scalars."""
        before = self.names.errors
        value = builder.expr(node)
        for part in walk(value):
            if isinstance(part, Reduce) or self.names.is_computed(part):
                if self.names.errors == before:
                    self.names.report("L0331", node.span, text=print_expr(node))
                return Const(0)
        return value

    def _check_extent(self, value: Expr, node: tree.Expr) -> None:
        dtype, form = of_expr(value, {}), affine(value)
        if dtype is not None and dtype.kind not in "bi":
            self.names.report("L0402", node.span, text=print_expr(node), repair=index_repair(value))
        elif form is not None and form.is_constant and form.constant < 0:
            self.names.report("L0202", node.span, value=form.constant)

    def _check_round(self, value: Expr, node: tree.Expr) -> None:
        """Refuse a dim made of one that is made of it, which stands behind it."""
        done = {d.name for d in self.dims}
        if any(isinstance(n, Extent) and n.name in self.valued - done for n in walk(value)):
            self.names.report("L0331", node.span, text=print_expr(node))

    def _check_output(self, item: tree.Declared) -> None:
        name = plain_name(item.name)
        known = name in self.names.written or name in self.names.arrays
        if not known and not any(name == d for d in self.names.dims):
            self.names.unknown(name, item.span)

    # Statements

    def body(
        self, statements: Iterable[tree.Statement], builder: ExprBuilder, *, top: bool = False
    ) -> tuple[Stmt, ...]:
        """Build statements in order, but for those that are wrong."""
        built: list[Stmt] = []
        for statement in statements:
            if self.names.is_spoilt(statement):
                self.names.doubtful.update(written((statement,)))
                continue
            before, known = self.names.errors, len(self.names.found)
            stmt = self._statement(statement, builder, top=top)
            self.names.found[known:] = roots(self.names.found[known:])
            if self.names.errors > before and not isinstance(stmt, For):
                self.names.doubtful.update(written((statement,)))
            elif stmt is not None:
                built.append(stmt)
        return tuple(built)

    def _statement(self, node: tree.Statement, builder: ExprBuilder, *, top: bool) -> Stmt | None:
        match node:
            case tree.Assign():
                return self._assign(node, builder)
            case tree.For(indices, guard, body):
                before = self.names.errors
                built, inner = builder.indices(indices, "for", fresh=True)
                condition = None if guard is None else inner.expr(guard)
                is_wrong = self.names.errors > before
                stmts = self.body(body, inner)
                if is_wrong:
                    self.names.doubtful.update(written((node,)))
                    return None
                if node.inline:
                    self._check_lossy(built, condition, stmts)
                return For(built, condition, stmts, span=node.span) if stmts else None
            case tree.If(guard, body):
                condition = builder.expr(guard)
                stmts = self.body(body, builder)
                return For((), condition, stmts, span=node.span) if stmts else None
            case tree.Backward() if top:
                return self._backward(node)
            case tree.Declare() | tree.Def() | tree.Use() | tree.Backward():
                if not top:
                    self.names.report("L0324", node.span, what=keyword(node))
                return None

    def _assign(self, node: tree.Assign, builder: ExprBuilder) -> Update | None:
        if len(node.targets) > 1:
            self.names.report("L0325", node.span, count=len(node.targets))
            return None
        target = builder.target(node.targets[0])
        value = builder.expr(node.value)
        op = node.op.replace("−", "-")
        if op == "-=":
            op, value = "+=", replace(neg(value), span=value.span)
        return Update(target, op, value, span=node.span)

    def _check_lossy(
        self, indices: tuple[Index, ...], guard: Expr | None, stmts: tuple[Stmt, ...]
    ) -> None:
        """With `=`, an index that the value uses and the target does not loses values.

        Not so if a range that data says follows it: rows of a ragged array have cells of their own.
        """
        if len(stmts) != 1 or not isinstance(stmts[0], Update) or stmts[0].op != "=":
            return
        update = stmts[0]
        parts = (update.value, *(() if guard is None else (guard,)))  # `if x[j] < x[m]: m = j`
        if any(a.array == update.target.array for part in parts for a in reads(part)):
            return
        kept = set(free_indices(update.target))
        for index in reversed(indices):
            if index.name in kept and reads(index):
                kept |= set(free_indices(index))
        for index in indices:
            if index.name in free_indices(update.value) and index.name not in kept:
                facts = {"index": index.name, "target": _text(update.target)}
                self.names.report("L0306", update.span, **facts)
                return

    def _backward(self, node: tree.Backward) -> Stmt | None:
        of = plain_name(node.of)
        wrt = tuple(plain_name(n) for n in node.wrt)
        for name, place in zip((of, *wrt), node.places, strict=True):
            if not self.names.is_array(name):
                self.names.unknown(name, place)
                return None
        suffix = node.name or GRAD
        for name in wrt:
            self.names.arrays.setdefault(
                f"{name}.{suffix}", Array(f"{name}.{suffix}", "temp", span=node.span)
            )
        return Backward(of, wrt, suffix, span=node.span)


def _text(access: Access) -> str:
    from loopc.ir.unbuild_expr import expr_text

    return expr_text(Read(access))


def _with_wrt(stmt: Stmt, program: Program) -> Stmt:
    if isinstance(stmt, Backward) and not stmt.wrt:
        return replace(stmt, wrt=default_wrt(program))
    return stmt
