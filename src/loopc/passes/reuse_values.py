"""Read what an array holds already instead of computing it again.

Rewrite:   for j  h[j] = σ(a[j] - b[j])           ->  for j  h[j] = σ(a[j] - b[j])
           for j  g[j] += d[j] σ'(a[j] - b[j])        for j  g[j] += d[j] h[j] (1 - h[j])
Requires:  the first statement gives a cell of `h` its value for each point of its loops, and
           nothing writes that cell, or what the value reads, before the second one runs; a
           derivative only where it is arithmetic of the function's own value.
Keeps:     every value; a derivative up to rounding.
Source: value numbering, e.g. Muchnick, Advanced Compiler Design, ch. 12.4, with the dependence
test of `analysis` where the statements stand in loops.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from loopc.analysis.dependence import (
    Leaf,
    common_loops,
    leaves,
    overwrites_itself,
)
from loopc.analysis.survival import clashes, survives
from loopc.diagnostics.record import record, replace
from loopc.ir.bounds import is_same_range
from loopc.ir.derive import by_value
from loopc.ir.dtypes import DType, infer_dtypes, of_expr
from loopc.ir.functions import order
from loopc.ir.nodes import (
    Access,
    Array,
    Call,
    Expr,
    Index,
    IndexRef,
    Node,
    Program,
    Read,
    Reduce,
    Stmt,
)
from loopc.ir.visit import (
    canonical,
    contains,
    free_indices,
    map_children,
    reads,
    substitute,
    walk,
    with_values,
)


@record()
class _Held:
    """A leaf whose target holds its value: at every point of its loops, in a cell of its own."""

    leaf: Leaf
    touched: frozenset[str]

    @property
    def target(self) -> Access:
        return self.leaf.update.target


_Head: TypeAlias = tuple[str, int, tuple[str, ...]]


class _Values:
    """What arrays hold, by the expressions that they hold."""

    def __init__(self) -> None:
        self.found: dict[Expr, dict[int, _Held]] = {}
        self.keys: dict[int, list[Expr]] = {}
        self.readers: dict[str, set[int]] = {}
        self.heads: set[_Head] = set()

    def add(self, held: _Held, number: int, values: Iterable[Expr]) -> None:
        """Add what a leaf holds under each way to write its value."""
        for value in values:
            key = canonical(value)
            self.found.setdefault(key, {})[number] = held
            self.keys.setdefault(number, []).append(key)
            self.heads.add(_head(value))
        for name in held.touched:
            self.readers.setdefault(name, set()).add(number)

    def drop(self, names: Iterable[str]) -> None:
        """Forget what is held in these arrays, or was computed from them."""
        for name in names:
            for number in self.readers.pop(name, ()):
                for key in self.keys.pop(number, ()):
                    del self.found[key][number]

    def at(self, node: Expr) -> Iterator[_Held]:
        """Yield the leaves that hold an expression, but for the names and ranges of its indices."""
        if _head(node) in self.heads:
            yield from reversed(self.found.get(canonical(node), {}).values())


def reuse_values(program: Program) -> Program:
    """Return the program with values read where an array holds them."""
    return _Pass(program).program()


class _Pass:
    """Goes through the statements in order."""

    def __init__(self, source: Program) -> None:
        self.source = source
        self.arrays: dict[str, Array] = {a.name: a for a in source.arrays}
        self.types = infer_dtypes(source, {})
        self.written = {a.name for a in source.arrays if a.kind != "temp"}
        self.before = _Values()
        self.number = 0

    def program(self) -> Program:
        """Return the changed program."""
        body = tuple(self._statement(s) for s in self.source.body)
        changed = any(a is not b for a, b in zip(body, self.source.body, strict=True))
        return replace(self.source, body=body) if changed else self.source

    def _statement(self, stmt: Stmt) -> Stmt:
        block = leaves((stmt,))
        writers: dict[str, list[Leaf]] = {}
        for leaf in block:
            writers.setdefault(leaf.update.target.array, []).append(leaf)
        touched = set(writers)
        inside = _Values()
        values: list[Expr] = []
        kept: list[tuple[_Held, list[Expr]]] = []
        for leaf in block:
            uses = _Uses(leaf, writers, self.before, inside)
            new = uses.value(leaf.update.value)
            values.append(new)
            if self._holds(leaf, alone=len(writers[leaf.update.target.array]) == 1):
                names = frozenset({r.access.array for r in leaf.refs})
                held = _Held(leaf, names)
                known = list(dict.fromkeys((leaf.update.value, new)))
                inside.add(held, self.number, known)
                kept.append((held, known))
                self.number += 1
        self.before.drop(touched)
        for held, known in kept:
            if survives(held.leaf, held.touched, block):
                self.before.add(held, self.number, known)
                self.number += 1
        self.written |= touched
        return with_values(stmt, iter(values))

    def _holds(self, leaf: Leaf, *, alone: bool) -> bool:
        """Whether a leaf gives each point of its loops a cell with its value in it.

        Args:
            leaf: the leaf.
            alone: whether no other one of its block writes its target.
        """
        update, name = leaf.update, leaf.update.target.array
        if leaf.guards or not isinstance(update.value, Call) or _has_reduction(update.value):
            return False
        if self.arrays[name].dtype or any(r.access.array == name for r in leaf.refs[1:]):
            return False
        if update.op != "=" and (update.op != "+=" or name in self.written or not alone):
            return False
        if any(s.mode != "strict" or reads(s.at) for s in update.target.subscripts):
            return False
        names = {level.index.name for level in leaf.levels}
        if len(names) != len(leaf.levels) or set(free_indices(update.value)) != names:
            return False
        if not self._is_of_its_type(update.value, self.types[name]):
            return False
        return not overwrites_itself(leaf.levels, update)

    def _is_of_its_type(self, value: Expr, dtype: DType) -> bool:
        """Whether an array is no wider than a value: another write may have made it so."""
        own = of_expr(value, self.types)
        return own is not None and own.kind == dtype.kind and {*dtype.sources} <= {*own.sources}


_Writers: TypeAlias = Mapping[str, Sequence[Leaf]]
"""The leaves of a block, by the arrays that they write."""


class _Uses:
    """Finds what one leaf can read instead of computing it."""

    def __init__(self, leaf: Leaf, writers: _Writers, before: _Values, inside: _Values) -> None:
        self.leaf = leaf
        self.writers = writers
        self.before = before
        self.inside = inside

    def value(self, value: Expr) -> Expr:
        """Return an expression with reads in place of what arrays hold."""
        ranges = {level.index.name: level.index for level in self.leaf.levels}
        return self._expr(value, ranges, frozenset())  # type: ignore[return-value]

    def _expr(self, node: Node, ranges: Mapping[str, Index], bound: frozenset[str]) -> Node:
        if isinstance(node, Reduce):
            own = {i.name: i for i in node.indices}
            ranges, bound = {**ranges, **own}, bound | set(own)
        elif isinstance(node, Call):
            found = self._read(node, ranges, bound) or self._derivative(node, ranges, bound)
            if found is not None:
                return found
        elif not contains(node, Call):
            return node
        inner = map_children(node, lambda child: self._expr(child, ranges, bound))
        if isinstance(inner, Call) and inner is not node:
            return self._read(inner, ranges, bound) or inner
        return inner

    def _read(self, node: Call, ranges: Mapping[str, Index], bound: frozenset[str]) -> Expr | None:
        """Return the read of an array that holds the value of an expression."""
        for held in self.inside.at(node):
            common = common_loops(held.leaf, self.leaf)
            shared = {level.index.name for level in self.leaf.levels[:common]}
            if shared & bound or self._written_between(held, common):
                continue
            names = _matched(held, node, ranges, shared)
            if names is not None:
                return _cell(held, names, node)
        for held in self.before.at(node):
            if held.touched.isdisjoint(self.writers):
                names = _matched(held, node, ranges, frozenset())
                if names is not None:
                    return _cell(held, names, node)
        return None

    def _written_between(self, held: _Held, common: int) -> bool:
        """Whether what a leaf holds may be written before this one, in one run of the body."""
        first, last = held.leaf.number, self.leaf.number
        writers = (leaf for name in held.touched for leaf in self.writers.get(name, ()))
        between = (leaf for leaf in writers if first < leaf.number <= last)
        return any(clashes(held.leaf, leaf, None, common) for leaf in between)

    def _derivative(
        self, node: Call, ranges: Mapping[str, Index], bound: frozenset[str]
    ) -> Expr | None:
        """Return a derivative as arithmetic of the function's value, if an array holds that."""
        if order(node.fn) != 1:
            return None
        read = self._read(replace(node, fn=node.fn[:-1]), ranges, bound)
        if read is None:
            return None
        return by_value(node, read)


def _matched(
    held: _Held, node: Call, ranges: Mapping[str, Index], shared: Iterable[str]
) -> dict[str, Expr] | None:
    """Return what the indices of the loops round a held value are where an equal one is used."""
    mine_first = free_indices(held.leaf.update.value)
    names = dict(zip(mine_first, free_indices(node), strict=True))
    if any(names.get(name) != name for name in shared):
        return None
    values: dict[str, Expr] = {mine: IndexRef(other) for mine, other in names.items()}
    for level in held.leaf.levels:
        mine, other = level.index, ranges.get(names[level.index.name])
        if mine.name in shared:
            continue
        if other is None or not is_same_range(substitute(mine, values), other):
            return None
    return values


def _cell(held: _Held, values: Mapping[str, Expr], node: Call) -> Expr:
    access = replace(substitute(held.target, values), span=node.span)
    return Read(access, span=node.span)


def _head(expr: Expr) -> _Head:
    """Return what is told quickly: equal expressions have equal heads."""
    fn = expr.fn if isinstance(expr, Call) else ""
    return fn, len(free_indices(expr)), tuple(a.array for a in reads(expr))


def _has_reduction(expr: Expr) -> bool:
    return any(isinstance(n, Reduce) for n in walk(expr))
