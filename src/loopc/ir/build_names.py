"""What the names of a program are: arrays, dims, indices, functions.

Collected over the whole tree before any expression is built, since a name may be read above the
statement that writes it, and since whether `y` is an input depends on all statements.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from loopc.diagnostics import catalogue
from loopc.diagnostics.errors import Diagnostic
from loopc.diagnostics.span import Span
from loopc.ir import functions, reductions
from loopc.ir.foreign import INSTEAD
from loopc.ir.nodes import Array, Expr, Kind, Node, Read
from loopc.syntax import tree

CONSTANTS = {"pi": 3.141592653589793, "inf": float("inf"), "nan": float("nan")}
RANGES = ("range", "reversed")
MODES = ("pad", "clamp", "wrap", "reflect")
TYPES = ("float", "float32", "float64", "int", "bool", "complex")
GRAD = "grad"
"""The suffix of adjoints where `backward` names none."""


def plain_name(name: str) -> str:
    """Return the array that a name means: `W.value` is W."""
    while name.endswith(".value"):
        name = name.removesuffix(".value")
    return name


@dataclass
class Names:
    """The names of one program (or of one `def`, which sees its own alone).

    Attributes:
        found: what is wrong.
        indices: the indices of the program's own loops and reductions, and where each first stands.
        doubtful: arrays about which nothing more is said, since a statement on them is wrong.
        spoilt: places of mistakes in the text; the statements round them have no meaning.
        unsaid: how many errors were not reported, since they follow from others.
    """

    found: list[Diagnostic]
    arrays: dict[str, Array] = field(default_factory=dict)
    dims: dict[str, Span | None] = field(default_factory=dict)
    written: dict[str, Span | None] = field(default_factory=dict)
    ranged: set[str] = field(default_factory=set)
    ranks: dict[str, tuple[int, Span | None]] = field(default_factory=dict)
    strict: bool = False
    substitutes: dict[str, Expr] = field(default_factory=dict)
    defs: dict[str, tree.Def] = field(default_factory=dict)
    indices: dict[str, Span | None] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    spoilt: tuple[Span, ...] = ()
    unsaid: int = 0

    def report(self, code: str, span: Span | None, **facts: Any) -> None:
        """Add a finding."""
        self.found.append(catalogue.diagnostic(code, span, **facts))

    def is_spoilt(self, statement: tree.Statement) -> bool:
        """Whether a statement that is no block has a mistake in its text."""
        span = statement.span
        if isinstance(statement, tree.For | tree.If | tree.Def) or span is None:
            return False
        return any(span.start <= s.start <= span.stop for s in self.spoilt)

    @property
    def errors(self) -> int:
        """How many errors have been found, those that follow from others included."""
        return sum(d.severity == "error" for d in self.found) + self.unsaid

    def collect(self, body: Iterable[tree.Statement]) -> None:
        """See what statements write and which names stand in ranges."""
        for statement in body:
            match statement:
                case tree.Assign(targets):
                    for target in targets:
                        self.written.setdefault(plain_name(target.name), target.span)
                case tree.For(indices, _, inner):
                    for index in indices:
                        self.ranged.update(names_in(index.bound))
                    self.collect(inner)
                case tree.If(_, inner):
                    self.collect(inner)
                case _:
                    pass
            for expr in _expressions(statement):
                for node in tree_walk(expr):
                    if isinstance(node, tree.Index):
                        self.ranged.update(names_in(node.bound))

    def is_array(self, name: str) -> bool:
        """Whether a declaration or a statement makes `name` an array."""
        return name in self.arrays or name in self.written

    def is_computed(self, node: Node) -> bool:
        """Whether a node reads what is no scalar that a call gives."""
        if not isinstance(node, Read):
            return False
        array = self.arrays.get(node.access.array)
        return bool(node.access.subscripts) or (array is not None and array.kind == "temp")

    def function(self, name: str) -> functions.Function | None:
        """Return the table's row of a name, unless the program uses it for something else."""
        if self.is_array(name) or name in self.dims or name in self.substitutes:
            return None
        row = functions.lookup(name)
        if row is None or (row.infix is not None and not row.infix.named):
            return None
        return row

    def reduction(self, name: str) -> reductions.Reduction | None:
        """Return the reduction of a name, unless the program uses it for something else."""
        return None if self.is_array(name) else reductions.lookup(name)

    def declare(
        self,
        kind: Kind,
        item: tree.Declared,
        shape: tuple[Expr, ...] | None,
        initial: Expr | None,
    ) -> None:
        """Declare an array."""
        name = plain_name(item.name)
        if name in self.arrays:
            self.report("L0307", item.span, name=name)
        if not self.has_type(item):
            item = tree.Declared(item.name, item.dims, "", item.value, span=item.span)
        self.arrays[name] = Array(
            name, kind, shape, item.dtype, initial, declared=True, span=item.span
        )

    def has_type(self, item: tree.Declared) -> bool:
        """Whether there is the type that an item is declared with; it is reported if not."""
        if not item.dtype or item.dtype in TYPES:
            return True
        self.report("L0317", item.typed or item.span, name=item.dtype, repair=_type_like(item))
        return False

    def use(self, name: str, rank: int, span: Span | None) -> None:
        """Take note of an access, and make what is read and never written an input."""
        first = self.ranks.setdefault(name, (rank, span))
        declared = self.arrays.get(name)
        known = declared.shape if declared is not None else None
        expected = len(known) if known is not None else first[0]
        if rank != expected and name in self.doubtful:
            self.unsaid += 1
        elif rank != expected:
            self.doubtful.add(name)
            place = first[1] if known is None else declared.span if declared else None
            self.found.append(
                catalogue.diagnostic(
                    "L0308",
                    span,
                    name=name,
                    given=rank,
                    first=expected,
                    also=[(place, f"{expected} here")],
                )
            )
        if declared is not None:
            return
        if name in self.written:
            self.arrays[name] = Array(name, "temp", span=self.written[name])
            return
        if self.strict:
            self.resembling(name, span)
        self.arrays[name] = Array(name, "input", span=span)

    def unknown(self, name: str, span: Span | None) -> None:
        """Report a name that nothing declares or writes."""
        if name in self.doubtful:
            self.unsaid += 1
            return
        known = [*self.arrays, *self.written, *self.dims]
        close = difflib.get_close_matches(name, known, 1, 0.6)
        repair = f"did you mean `{close[0]}`?" if close else f"declare it: `input {name}[…]`"
        self.report("L0301", span, name=name, repair=repair)

    def resembling(self, name: str, span: Span | None) -> None:
        """Warn of a name that nothing declares or writes and that is much like one that is."""
        if name in self.doubtful:
            return
        known = [n for n in (*self.arrays, *self.written, *self.dims) if len(n) > 2]
        close = difflib.get_close_matches(name, known, 1, 0.75)
        if close:
            self.report("L0333", span, name=name, other=close[0])

    def is_misplaced(self, name: str, span: Span | None, *, indices: bool = True) -> bool:
        """Report a name that is a def, or an index of other loops, and so is no array."""
        if self.is_array(name):
            return False
        if name in self.defs:
            formals = ", ".join(p.name for p in self.defs[name].params)
            self.report("L0304", span, name=name, usage=f"{name}({formals})")
            return True
        if indices and name in self.indices:
            self.report("L0328", span, name=name)
            return True
        return False

    def check_reduction(self, name: str, span: Span | None) -> None:
        """Report an unknown array before round brackets that a reduction's name resembles."""
        if self.is_array(name) or self.strict:
            return
        known = [row.name for row in reductions.REDUCTIONS if row.name]
        close = difflib.get_close_matches(name, known, 1, 0.7)
        if close:
            self.report("L0302", span, name=name, repair=f"did you mean `{close[0]}[…](…)`?")

    def unknown_function(self, name: str, span: Span | None) -> None:
        """Report a name in front of round brackets that is none of a function."""
        if name in self.doubtful:
            self.unsaid += 1
            return
        bare = name.rpartition(".")[2]
        if reductions.lookup(bare) is not None:
            repair = f"`{bare}` is a reduction: write `{bare}[k](…)`, over the index `k`"
            self.report("L0302", span, name=name, repair=repair)
            return
        if bare in INSTEAD:
            self.report("L0302", span, name=name, repair=INSTEAD[bare])
            return
        if name in RANGES:
            repair = "a range stands behind `in`: `for i in range(a, b): …`"
            self.report("L0302", span, name=name, repair=repair)
            return
        known = [
            s
            for row in functions.FUNCTIONS
            if row.infix is None or row.infix.named
            for s in (row.name, *row.aliases)
        ]
        known += [row.name for row in reductions.REDUCTIONS if row.name]
        repair = _of_library(name)
        close = difflib.get_close_matches(name, [*known, *self.defs], 1, 0.6)
        if close and not repair:
            repair = f"did you mean `{close[0]}`?"
        repair = repair or f"for a product with the scalar `{name}`, write `{name} * (…)`"
        self.report("L0302", span, name=name, repair=repair)


def _of_library(name: str) -> str:
    """Return what to write for a def of the library that is not used here, or is misspelt."""
    from loopc.ir.build_use import library  # which reads files, and imports this module

    shipped = library("nn") or {}
    if name in shipped:
        return f"`{name}` is in the library `nn`: write `use nn` above"
    close = difflib.get_close_matches(name, shipped, 1, 0.8)
    return f"did you mean `{close[0]}`, of the library `nn`?" if close else ""


def _type_like(item: tree.Declared) -> str:
    aliases = {"double": "float64", "single": "float32", "integer": "int", "boolean": "bool"}
    close = difflib.get_close_matches(item.dtype.lower(), TYPES, 1, 0.6)
    meant = aliases.get(item.dtype.lower()) or (close[0] if close else "")
    return f"did you mean `{meant}`?" if meant else f"types are {', '.join(TYPES)}"


def names_in(expr: tree.Expr | None) -> Iterator[str]:
    """Yield the bare names of an expression, those of the functions it calls apart."""
    if expr is not None:
        called = list(_called(expr))
        for node in tree_walk(expr):
            if isinstance(node, tree.Name) and not any(node is name for name in called):
                yield plain_name(node.name)


def _called(expr: tree.Expr) -> Iterator[tree.Expr]:
    """Yield the names of functions that a bracket follows: `max` in `max(N, 1)`."""
    for node in tree_walk(expr):
        if isinstance(node, tree.Chain):
            for operand, following in pairwise(node.operands):
                name = operand.expr
                if following.op != "()" or not isinstance(name, tree.Name):
                    continue
                if functions.lookup(plain_name(name.name)) is not None:
                    yield name


def tree_walk(node: object) -> Iterator[tree.Node]:
    """Yield a tree node and all below it; of a tuple, all in it."""
    stack = [node] if isinstance(node, tree.Node) else _nodes(node)[::-1]
    while stack:
        top = stack.pop()
        yield top
        stack += reversed(_below(top))


def _below(node: tree.Node) -> list[tree.Node]:
    """Return the nodes directly below one."""
    try:
        return node.below  # type: ignore[no-any-return]
    except AttributeError:
        found: list[tree.Node] = []
        for name in node.__dataclass_fields__:
            if name not in ("span", "above", "behind"):
                found += _nodes(getattr(node, name))
        node.below = found
        return found


def _nodes(value: object) -> list[tree.Node]:
    """Return the nodes in a field's value."""
    if isinstance(value, tree.Node):
        return [value]
    return [n for item in value for n in _nodes(item)] if isinstance(value, tuple) else []


def _expressions(statement: tree.Statement) -> Iterator[object]:
    match statement:
        case tree.Assign(targets, _, value):
            yield from (*targets, value)
        case tree.For(_, guard) | tree.If(guard):
            yield guard
        case _:
            pass


def in_order(statements: Iterable[tree.Declare]) -> list[tuple[str, tree.Declared]]:
    """Return what is declared, each item behind those that its extents and its value name."""
    items = [(s.keyword, d) for s in statements for d in s.items]
    named = {plain_name(d.name): (k, d) for k, d in reversed(items) if k != "output"}
    ordered: dict[int, tuple[str, tree.Declared]] = {}
    met: set[int] = set()
    waiting = items[::-1]
    while waiting:
        keyword, item = waiting.pop()
        parts = () if id(item) in met else (*(item.dims or ()), item.value)
        met.add(id(item))
        needed = [named[n] for part in parts for n in names_in(part) if n in named]
        needed = [(k, d) for k, d in needed if id(d) not in met]
        if needed:
            waiting += [(keyword, item), *needed]
        else:
            ordered.setdefault(id(item), (keyword, item))
    return list(ordered.values())
