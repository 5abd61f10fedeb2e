"""The only traversal code, and constructors that keep expressions small.

`map_children` rebuilds a node from its mapped children and returns the *same object* where nothing
changed; everything else here is made from it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from operator import is_not
from typing import TypeVar

from loopc.diagnostics.record import replace
from loopc.ir.nodes import (
    ONE,
    Access,
    Backward,
    Call,
    Const,
    Expr,
    For,
    Index,
    IndexRef,
    Node,
    Program,
    Read,
    Reduce,
    Stmt,
    Update,
)

N = TypeVar("N", bound=Node)


_FIELDS: dict[type[Node], tuple[str, ...]] = {}
_NODES = re.compile(r"\b(Access|Array|Dim|Expr|Index|Stmt|Subscript)\b")
"""The types of fields that hold nodes, as they are annotated."""


def _fields(kind: type[Node]) -> tuple[str, ...]:
    """Return the names of the fields that may hold nodes."""
    if kind not in _FIELDS:
        held = (f.name for f in dataclasses.fields(kind) if _NODES.search(str(f.type)))
        _FIELDS[kind] = tuple(held)
    return _FIELDS[kind]


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below `node`, in the order of its fields."""
    try:
        return node.below  # type: ignore[no-any-return]
    except AttributeError:
        found: list[Node] = []
        for name in _fields(type(node)):
            value = getattr(node, name)
            if isinstance(value, Node):
                found.append(value)
            elif isinstance(value, tuple):
                found.extend(item for item in value if isinstance(item, Node))
        node.below = tuple(found)
        return node.below  # type: ignore[no-any-return]


def map_children(node: N, f: Callable[[Node], Node]) -> N:
    """Apply `f` to every node directly below; return `node` itself if none changed."""
    below = children(node)
    new = [f(child) for child in below]
    if not any(map(is_not, new, below)):
        return node
    changed: dict[str, object] = {}
    rest = iter(new)
    for name in _fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, Node):
            changed[name] = next(rest)
        elif isinstance(value, tuple) and value:
            changed[name] = tuple([next(rest) if isinstance(i, Node) else i for i in value])
    return replace(node, **changed)  # type: ignore[arg-type]


def walk(node: Node) -> Sequence[Node]:
    """Return `node` and every node below it, parents first."""
    try:
        return node.inside  # type: ignore[no-any-return]
    except AttributeError:
        found = _walked(node)
        if len(found) <= KEPT or isinstance(node, Program):
            node.inside = found
        return found


KEPT = 200
"""The most nodes below one that it remembers all of; a program, which nothing is round, does."""


def _walked(node: Node) -> tuple[Node, ...]:
    found = [node]
    for child in children(node):
        found += walk(child)
    return tuple(found)


def contains(node: Node, *kinds: type[Node]) -> bool:
    """Whether `node`, or a node below it, is of one of these kinds."""
    return not _kinds(node).isdisjoint(kinds)


def _kinds(node: Node) -> frozenset[type[Node]]:
    """Return the kinds of `node` and of all nodes below it."""
    try:
        return node.kinds  # type: ignore[no-any-return]
    except AttributeError:
        found = _ALONE.setdefault(type(node), frozenset({type(node)}))
        node.kinds = found.union(*map(_kinds, children(node)))
        return node.kinds  # type: ignore[no-any-return]


_ALONE: dict[type[Node], frozenset[type[Node]]] = {}
"""The kinds of a node with none below it."""


def free_indices(node: Node) -> tuple[str, ...]:
    """Return the names of the indices that `node` uses and does not bind, in order of first use."""
    try:
        return node.free  # type: ignore[no-any-return]
    except AttributeError:
        node.free = _free(node)
        return node.free  # type: ignore[no-any-return]


def _free(node: Node) -> tuple[str, ...]:
    if isinstance(node, IndexRef):
        return (node.name,)
    if isinstance(node, Reduce | For):
        return _free_of_binder(node)
    below = children(node)
    if len(below) == 1:
        return free_indices(below[0])
    found: dict[str, None] = {}
    for child in below:
        found.update(dict.fromkeys(free_indices(child)))
    return tuple(found)


def _free_of_binder(node: Reduce | For) -> tuple[str, ...]:
    found: dict[str, None] = {}
    bound: set[str] = set()
    for index in node.indices:
        found.update(dict.fromkeys(n for n in free_indices(index) if n not in bound))
        bound.add(index.name)
    inside: list[Node] = [] if node.guard is None else [node.guard]
    inside += (node.body,) if isinstance(node, Reduce) else node.body
    for child in inside:
        found.update(dict.fromkeys(n for n in free_indices(child) if n not in bound))
    for position in node.at if isinstance(node, Reduce) else ():
        found.update(dict.fromkeys(free_indices(position)))
    return tuple(found)


def substitute(node: N, values: Mapping[str, Expr]) -> N:
    """Replace free `IndexRef`s by expressions, in one step.

    An index bound inside that would capture an index of a replacement is renamed first.
    """
    if values.keys().isdisjoint(free_indices(node)):
        return node
    if isinstance(node, IndexRef):
        return values.get(node.name, node)  # type: ignore[return-value]
    if isinstance(node, Reduce | For):
        return _substitute_binder(node, values)  # type: ignore[return-value]
    return map_children(node, lambda child: substitute(child, values))


def _substitute_binder(node: Reduce | For, values: Mapping[str, Expr]) -> Reduce | For:
    live = {k: v for k, v in values.items() if k in free_indices(node)}
    if not live:
        return node
    captured = {name for value in live.values() for name in free_indices(value)}
    taken = captured | set(free_indices(node)) | {i.name for i in node.indices}
    inner = dict(live)
    indices = []
    for index in node.indices:
        new = map_children(index, lambda child, seen=dict(inner): substitute(child, seen))  # type: ignore[misc]
        inner.pop(index.name, None)
        if index.name in captured:
            fresh = fresh_name(index.name, taken)
            taken.add(fresh)
            inner[index.name] = IndexRef(fresh)
            new = replace(new, name=fresh)
        indices.append(new)
    guard = None if node.guard is None else substitute(node.guard, inner)
    if isinstance(node, Reduce):
        return replace(
            node,
            indices=tuple(indices),
            guard=guard,
            body=substitute(node.body, inner),
            at=tuple(substitute(e, live) for e in node.at),
        )
    body = tuple(substitute(s, inner) for s in node.body)
    return replace(node, indices=tuple(indices), guard=guard, body=body)


def canonical(expr: Expr) -> Expr:
    """Return an expression whose free indices are named by the order in which it uses them."""
    names = free_indices(expr)
    return substitute(expr, {name: IndexRef(f"·{n}") for n, name in enumerate(names)})


def fresh_name(name: str, taken: set[str] | frozenset[str]) -> str:
    """Return `name` with the smallest number behind it that makes it new: `k1`, `k2` and so on."""
    stem = name.rstrip("0123456789") or name
    number = 1
    while f"{stem}{number}" in taken:
        number += 1
    return f"{stem}{number}"


def opened_reduction(value: Reduce, taken: set[str]) -> Reduce:
    """Return a reduction whose indices have names that clash with none of `taken`."""
    names: dict[str, Expr] = {}
    used = set(taken)
    indices = []
    for index in value.indices:
        name = fresh_name(index.name, used) if index.name in used else index.name
        used.add(name)
        indices.append(replace(substitute(index, names), name=name))
        names[index.name] = IndexRef(name)
    guard = None if value.guard is None else substitute(value.guard, names)
    return replace(value, indices=tuple(indices), guard=guard, body=substitute(value.body, names))


def updates(stmts: tuple[Stmt, ...]) -> Iterator[tuple[tuple[For, ...], Update]]:
    """Yield every Update with the loops round it, outermost first, in the order of the text."""
    for stmt in stmts:
        match stmt:
            case Update():
                yield (), stmt
            case For():
                for loops, update in updates(stmt.body):
                    yield (stmt, *loops), update
            case Backward():
                pass


def reads(node: Node) -> tuple[Access, ...]:
    """Return every access that `node` reads: not an Update's target, but its subscripts' reads."""
    try:
        return node.reads  # type: ignore[no-any-return]
    except AttributeError:
        node.reads = tuple(child.access for child in walk(node) if isinstance(child, Read))
        return node.reads  # type: ignore[no-any-return]


def is_box(indices: Iterable[Index]) -> bool:
    """Whether ranges depend neither on other indices nor on data."""
    return not any(free_indices(i) or reads(i) for i in indices)


def is_inside_anyway(expr: Expr) -> bool:
    """Whether an expression reads nothing that is outside where another loop has no value."""
    return all(isinstance(s.at, IndexRef) for a in reads(expr) for s in a.subscripts)


def uses(node: Node) -> dict[str, int]:
    """Return how many accesses of each array are in `node`."""
    try:
        return node.uses  # type: ignore[no-any-return]
    except AttributeError:
        found: dict[str, int] = {}
        if isinstance(node, For):
            for child in children(node):
                for name, count in uses(child).items():
                    found[name] = found.get(name, 0) + count
        else:
            for inner in walk(node):
                if isinstance(inner, Access):
                    found[inner.array] = found.get(inner.array, 0) + 1
        node.uses = found
        return found


def touches(node: Node) -> dict[str, list[Access]]:
    """Return the accesses of each array in `node`, in the order of the text."""
    try:
        return node.touches  # type: ignore[no-any-return]
    except AttributeError:
        found: dict[str, list[Access]] = {}
        for inner in walk(node):
            if isinstance(inner, Access):
                found.setdefault(inner.array, []).append(inner)
        node.touches = found
        return found


def written_names(program: Program) -> tuple[str, ...]:
    """Return the names of the arrays that some statement writes, in order of the first write."""
    return tuple(dict.fromkeys(update.target.array for _, update in updates(program.body)))


def changing(program: Program) -> frozenset[str]:
    """Return the arrays whose values a run computes: temporaries, and inputs that are written."""
    temps = (a.name for a in program.arrays if a.kind == "temp")
    return frozenset((*temps, *written_names(program)))


def is_known_before(expr: Expr, computed: Set[str]) -> bool:
    """Whether an expression without indices has its value before a run: dims, scalar inputs."""
    return not any(a.subscripts or a.array in computed for a in reads(expr))


# Constructors that fold what never changes a value, NaN, inf and signed zeros included.


def add(*terms: Expr) -> Expr:
    """Return the sum, with nested sums flattened to the left; no term: 0."""
    flat: list[Expr] = []
    for number, term in enumerate(terms):
        if number == 0 and isinstance(term, Call) and term.fn == "add":
            flat.extend(term.args)
        else:
            flat.append(term)
    if not flat:
        return Const(0)
    return flat[0] if len(flat) == 1 else Call("add", tuple(flat))


def summands(value: Expr) -> tuple[Expr, ...]:
    """Return the terms of a sum; anything else is one term."""
    return value.args if isinstance(value, Call) and value.fn == "add" else (value,)


def neg(term: Expr) -> Expr:
    """Return the negation; a double negation and a negated literal are folded."""
    match term:
        case Call("neg", (inner,)):
            return inner
        case Const(value) if not isinstance(value, bool):
            return Const(-value)
    return Call("neg", (term,))


def mul(*factors: Expr) -> Expr:
    """Return the product: signs in front, exact factors of 1 dropped, nested products flattened."""
    flat: list[Expr] = []
    negative = False
    for factor in factors:
        inner = factor
        if isinstance(inner, Call) and inner.fn == "neg":
            negative = not negative
            inner = inner.args[0]
        if isinstance(inner, Call) and inner.fn == "mul":
            flat.extend(inner.args)
        elif inner != ONE:
            flat.append(inner)
    product = Call("mul", tuple(flat)) if len(flat) > 1 else (flat or [ONE])[0]
    return neg(product) if negative else product


def conjunction(*conditions: Expr) -> Expr:
    """Return whether all of some conditions hold, tried in this order; there is at least one."""
    return conditions[0] if len(conditions) == 1 else Call("and", conditions)


def loop(indices: tuple[Index, ...], guard: Expr | None, *body: Stmt) -> tuple[Stmt, ...]:
    """Return the loop, or the bare body where there is nothing to loop over or to guard."""
    return (For(indices, guard, body),) if indices or guard is not None else body


def unguarded(nest: Stmt) -> tuple[tuple[Index, ...], Stmt]:
    """Return the loops without a guard round what stands alone in them, outermost first, and it."""
    indices: tuple[Index, ...] = ()
    while isinstance(nest, For) and nest.guard is None and len(nest.body) == 1:
        indices = (*indices, *nest.indices)
        nest = nest.body[0]
    return indices, nest


def with_update(nest: Stmt, inner: Stmt) -> Stmt:
    """Return a nest of loops round one update with another statement in the place of that."""
    if not isinstance(nest, For):
        return inner
    return replace(nest, body=(with_update(nest.body[0], inner),))


def with_values(stmt: Stmt, values: Iterator[Expr]) -> Stmt:
    """Return a statement with new values for its updates, in the order of the text."""
    match stmt:
        case For():
            body = tuple(with_values(s, values) for s in stmt.body)
            same = all(a is b for a, b in zip(body, stmt.body, strict=True))
            return stmt if same else replace(stmt, body=body)
        case Update():
            value = next(values)
            return stmt if value is stmt.value else replace(stmt, value=value)
        case _:
            return stmt
