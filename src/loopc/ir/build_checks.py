"""Checks of a tree as a whole: defs that stand for themselves, names that are easily confused."""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from loopc.diagnostics.errors import Diagnostic
from loopc.diagnostics.record import replace
from loopc.diagnostics.span import Source, Span
from loopc.ir.build_names import CONSTANTS, MODES, RANGES, Names, names_in, plain_name, tree_walk
from loopc.ir.build_templates import index_name, written
from loopc.ir.nodes import Backward, Stmt
from loopc.ir.visit import reads, updates
from loopc.syntax import tree

LOOKS = str.maketrans(
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧνουιкАВЕЅІЈКМНОРСТУХаеѕіјорсух",
    "ABEZHIKMNOPTYXvouikABESIJKMHOPCTYXaesijopcyx",
)
"""Greek and Cyrillic letters that look like Latin ones (Unicode Technical Standard 39)."""

_LONG = 3
"""Letters of a name that can be misspelt: of shorter ones any two are alike."""


# Defs


def check_defs(body: Iterable[tree.Statement], names: Names) -> None:
    """Report what is wrong with each def by itself, whether it is called or not."""
    seen: dict[str, Source | None] = {}
    for function in body:
        if not isinstance(function, tree.Def):
            continue
        source = function.span.source if function.span else None
        if function.name in seen and seen[function.name] == source:
            names.report("L0307", function.span, name=function.name)
        seen[function.name] = source
        _check_formals(function, names)
        _check_statements(function.body, names)
        _check_reads(function, names)


def _check_formals(function: tree.Def, names: Names) -> None:
    for item in function.params:
        names.has_type(item)
    formals: set[str] = set()
    for item in (*function.params, *function.results):
        if item.name in formals:
            names.report("L0307", item.span, name=item.name)
        formals.add(item.name)
    assigned = written(function.body)
    for result in function.results:
        if result.name not in assigned and result.name not in names.doubtful:
            names.report("L0323", result.span, name=function.name, result=result.name)


def _check_statements(body: Iterable[tree.Statement], names: Names) -> None:
    for stmt in body:
        if isinstance(stmt, tree.For | tree.If):
            _check_statements(stmt.body, names)
        elif not isinstance(stmt, tree.Assign):
            names.report("L0324", stmt.span, what=keyword(stmt))


def keyword(node: tree.Declare | tree.Def | tree.Use | tree.Backward) -> str:
    """Return the word that a statement begins with."""
    if isinstance(node, tree.Declare):
        return node.keyword
    return {tree.Def: "def", tree.Use: "use", tree.Backward: "backward"}[type(node)]


def _check_reads(function: tree.Def, names: Names) -> None:
    """A def sees its arguments, what it writes, its indices, and the dims of its shapes."""
    items = (*function.params, *function.results)
    known = {i.name for i in items} | set(written(function.body)) | set(_indices(function.body))
    known |= {n for i in items for d in i.dims or () for n in names_in(d)}
    known |= {*CONSTANTS, *MODES, *RANGES, *names.defs, *names.doubtful}
    known |= set(_called(function.body))  # an unknown function is reported where it is expanded
    reported: set[str] = set()
    for node in tree_walk(tuple(s for s in function.body if isinstance(s, _OWN))):
        if not isinstance(node, tree.Name | tree.Bracket):
            continue
        name = plain_name(node.name)
        if name in known or name in reported or _is_callable(name, names):
            continue
        reported.add(name)
        facts = {"name": name, "function": function.name}
        names.report("L0330", node.span, **facts)


_OWN = (tree.Assign, tree.For, tree.If)


def _called(body: object) -> Iterator[str]:
    """Yield the names that stand directly before round brackets."""
    for node in tree_walk(body):
        if isinstance(node, tree.Chain):
            for head, argument in pairwise(node.operands):
                if isinstance(head.expr, tree.Name) and argument.op == "()":
                    yield head.expr.name


def _is_callable(name: str, names: Names) -> bool:
    return names.function(name) is not None or names.reduction(name) is not None


def _indices(nodes: object) -> Iterator[str]:
    for node in tree_walk(nodes):
        if isinstance(node, tree.Index):
            yield node.name
        elif isinstance(node, tree.Bracket):
            yield from (n for n in map(index_name, node.items) if n is not None)


def alone(function: tree.Def, defs: Iterable[tree.Def]) -> tree.Module:
    """Return a program that is a def's body: its formals are inputs, its results outputs."""
    params = tuple(replace(p, value=None) for p in function.params)
    declared: list[tree.Statement] = []
    if params:
        declared.append(tree.Declare("input", params, span=function.span))
    if function.results:
        declared.append(tree.Declare("output", function.results, span=function.span))
    return tree.Module((*declared, *function.body, *defs), span=function.span)


# Names


def collect_indices(body: Iterable[tree.Statement], names: Names) -> None:
    """See which names are indices, and nothing else, of loops and reductions."""
    body = tuple(body)
    own = tuple(s for s in body if not isinstance(s, tree.Def))
    for name, span in _index_places(own, names):
        names.indices.setdefault(name, span)
    bare = {n.name for n in tree_walk(own) if isinstance(n, tree.Name)}
    for name, span in _index_places(tuple(s for s in body if isinstance(s, tree.Def)), names):
        if name not in bare:
            names.indices.setdefault(name, span)


def _index_places(body: object, names: Names) -> Iterator[tuple[str, Span | None]]:
    for node in tree_walk(body):
        if isinstance(node, tree.Index):
            yield node.name, node.span
        elif isinstance(node, tree.Bracket) and names.reduction(node.name) is not None:
            for item in node.items:
                own = index_name(item)
                if own is not None:
                    yield own, getattr(item, "span", None)


def check_spellings(names: Names) -> None:
    """Report names that Python would make one, and those that only look alike."""
    looks: dict[str, str] = {}
    seen: dict[str, str] = {}
    for name, span in _places(names).items():
        other = seen.setdefault(unicodedata.normalize("NFKC", name), name)
        if other != name:
            names.report("L0318", span, name=name, other=other)
            continue
        other = looks.setdefault(name.translate(LOOKS), name)
        if other != name:
            names.report("L0327", span, name=name, other=other)


def _places(names: Names) -> dict[str, Span | None]:
    """Return all names of a program and where each first stands."""
    places: dict[str, Span | None] = {n: a.span for n, a in names.arrays.items()}
    for more in (names.dims, names.indices, {n: d.span for n, d in names.defs.items()}):
        for name, span in more.items():
            places.setdefault(name, span)
    return places


def check_rare_indices(body: Iterable[tree.Statement], names: Names) -> None:
    """Warn of a name that stands once and resembles an index: it may be a slip of it."""
    own = tuple(s for s in body if not isinstance(s, tree.Def | tree.Declare))
    counted: Counter[str] = Counter()
    places: dict[str, Span | None] = {}
    for node in tree_walk(own):
        if isinstance(node, tree.Name | tree.Index):
            counted[node.name] += 1
            places.setdefault(node.name, node.span)
    for name, times in counted.items():
        if times > 1 or len(name) < _LONG or not _could_be_slip(name, names):
            continue
        others = [i for i in names.indices if i != name and counted[i] > 1 and len(i) >= _LONG]
        close = difflib.get_close_matches(name, others, 1, 0.8)
        said = any(d.code == "L0333" and d.span == places[name] for d in names.found)
        if close and not said:
            names.report("L0329", places[name], name=name, other=close[0])


def _could_be_slip(name: str, names: Names) -> bool:
    """Whether a name is an index, or a scalar that nothing declares, writes or defines."""
    if name in names.indices:
        return True
    array = names.arrays.get(name)
    return array is not None and array.kind == "input" and not array.declared


def roots(found: list[Diagnostic]) -> list[Diagnostic]:
    """Return the findings of one statement without those that follow from others.

    A loop or a reduction that is wrong leaves its indices without a value.
    """
    others = [d for d in found if d.code != "L0328"]
    if any(d.severity == "error" for d in others):
        return others
    once = {d.message: d for d in reversed(found)}
    return [d for d in found if once[d.message] is d]


# Order


def check_early_reads(body: Sequence[Stmt], names: Names) -> None:
    """Report what is read above the first statement that writes it, and is a start value there.

    Not adjoints that statements add up: they start at 0, and may be read where nothing came yet.
    """
    first: dict[str, int] = {}
    for number, stmt in enumerate(body):
        for name in _made_by(stmt):
            first.setdefault(name, number)
    for number, stmt in enumerate(body):
        for access in reads(stmt):
            name = access.array
            if first.get(name, number) > number and names.arrays[name].kind == "temp":
                del first[name]
                names.report("L0334", access.span or stmt.span, name=name)


def _made_by(stmt: Stmt) -> list[str]:
    if isinstance(stmt, Backward):
        return [f"{name}.{stmt.suffix}" for name in stmt.wrt]
    targets = [update.target.array for _, update in updates((stmt,))]
    return [name for name in targets if "." not in name]
