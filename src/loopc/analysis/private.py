"""Where a temporary starts anew in every iteration: no value of it enters or leaves a loop's body.

Such an array (or scalar) is private to the iteration; one copy of it per iteration, "scalar and
array expansion", removes the dependences that its reuse makes. Source: Allen and Kennedy,
Optimizing Compilers for Modern Architectures, ch. 5.3; array sections as in Tu and Padua, Automatic
Array Privatization, 1993.
"""

from __future__ import annotations

from collections.abc import Sequence

from loopc.diagnostics.record import record
from loopc.ir.affine import affine, at_least
from loopc.ir.bounds import bounds, first, last
from loopc.ir.nodes import (
    Access,
    Expr,
    For,
    Index,
    IndexRef,
    Node,
    Read,
    Reduce,
    Stmt,
    Subscript,
    Update,
)
from loopc.ir.visit import children, free_indices, touches, unguarded, uses

Section = tuple[tuple[Expr, Expr], ...] | None
"""The smallest and the largest subscript in each axis; None: it may be any cell."""


@record()
class Region:
    """A loop in each iteration of which a temporary is private, with the loops round it."""

    around: tuple[For, ...]
    loop: For


def regions(stmts: Sequence[Stmt], name: str) -> list[Region]:
    """Return the innermost loops that `name` is private to and that hold it together."""
    found: list[Region] = []
    _search(stmts, name, [], (), found)
    return found


def _search(
    stmts: Sequence[Stmt],
    name: str,
    pending: list[Section],
    around: tuple[For, ...],
    found: list[Region],
) -> list[Section]:
    """Find the regions in a sequence after which `pending` is read; return what it reads itself.

    Sections that the sequence reads before it writes them are those of its beginning.
    """
    for stmt in reversed(stmts):
        if not isinstance(stmt, For) or not mentions(stmt, name):
            pending = _before(stmt, name, pending)
            continue
        exposed = _before(stmt, name, [])
        if pending or exposed:
            _search(stmt.body, name, [*pending, *exposed], (*around, stmt), found)
        else:
            _found_inside(stmt, name, around, found)
        pending = _before(stmt, name, pending)
    return pending


def _found_inside(stmt: For, name: str, around: tuple[For, ...], found: list[Region]) -> None:
    """Add the loops inside that share out all uses among them, or else the loop itself."""
    inner: list[Region] = []
    _search(stmt.body, name, [], (*around, stmt), inner)
    total = uses(stmt)[name]
    if inner and sum(uses(r.loop)[name] for r in inner) == total:
        found.extend(inner)
    else:
        found.append(Region(around, stmt))


def mentions(node: Node, name: str) -> bool:
    """Whether an array is read or written in a node."""
    return name in uses(node)


def alone(node: Node, name: str) -> dict[int, str]:
    """Return the index that stands alone in an axis in all accesses of an array, by axis."""
    found: dict[int, set[Subscript]] = {}
    for access in touches(node).get(name, ()):
        for axis, subscript in enumerate(access.subscripts):
            found.setdefault(axis, set()).add(subscript)
    names: dict[int, str] = {}
    for axis, subscripts in found.items():
        (one, *others) = subscripts
        if not others and one.mode == "strict" and isinstance(one.at, IndexRef):
            names[axis] = one.at.name
    return names


def _before(stmt: Stmt, name: str, pending: list[Section]) -> list[Section]:
    """Return what is read before it is written from `stmt` on, given what is read after it."""
    if not mentions(stmt, name):
        return pending
    killed = _kill(stmt, name)
    if killed is not None:
        pending = [p for p in pending if not _covers(killed, p)]
    return [*_own(stmt, name), *pending]


def _own(stmt: Stmt, name: str) -> list[Section]:
    """Return what a statement reads before it writes it itself."""
    found: list[Section] = []
    if isinstance(stmt, Update):
        for part in (stmt.value, *stmt.target.subscripts):
            if mentions(part, name):
                found += _read_sections(part, name, {})
        if stmt.target.array == name and stmt.op != "=":
            found.append(_points(stmt.target))
    if isinstance(stmt, For):
        for child in reversed(stmt.body):
            found = _before(child, name, found)
        for part in (*stmt.indices, *(() if stmt.guard is None else (stmt.guard,))):
            if mentions(part, name):
                found += _read_sections(part, name, {})
        ranges = {i.name: i for i in stmt.indices}
        found = [_without(s, ranges) for s in found]
    return found


def _points(access: Access) -> Section:
    if any(s.mode != "strict" for s in access.subscripts):
        return None
    return tuple((s.at, s.at) for s in access.subscripts)


def _read_sections(node: Node, name: str, ranges: dict[str, Index]) -> list[Section]:
    """Return the sections of an array that a node reads."""
    if isinstance(node, Reduce):
        inner = {**ranges, **{i.name: i for i in node.indices}}
        found = [s for i in node.indices for s in _read_sections(i, name, inner)]
        for part in (node.guard, node.body, *node.at):
            if part is not None:
                found += _read_sections(part, name, inner)
        return found
    found = [s for child in children(node) for s in _read_sections(child, name, ranges)]
    if isinstance(node, Read) and node.access.array == name:
        found.append(_without(_points(node.access), ranges))
    return found


def _without(section: Section, ranges: dict[str, Index]) -> Section:
    """Return the section over all values of some indices."""
    if section is None:
        return None
    ends: list[tuple[Expr, Expr]] = []
    for low, high in section:
        least, most = bounds(low, ranges).low, bounds(high, ranges).high
        if least is None or most is None:
            return None
        ends.append((least, most))
    return tuple(ends)


def _kill(stmt: Stmt, name: str) -> Section:
    """Return the section that a statement surely assigns, if it is an assignment in its loops."""
    own: dict[str, Index] = {}
    indices, inner = unguarded(stmt)
    for index in indices:
        if own.keys() & set(free_indices(index)) or index.step not in (1, -1):
            return None
        own[index.name] = index
    if not isinstance(inner, Update) or inner.op != "=" or inner.target.array != name:
        return None
    return _box(inner.target, own)


def _box(target: Access, own: dict[str, Index]) -> Section:
    ends: list[tuple[Expr, Expr]] = []
    seen: set[str] = set()
    for subscript in target.subscripts:
        at = subscript.at
        if subscript.mode != "strict":
            return None
        if isinstance(at, IndexRef) and at.name in own and at.name not in seen:
            seen.add(at.name)
            ends.append((first(own[at.name]), last(own[at.name])))
        elif own.keys() & set(free_indices(at)):
            return None
        else:
            ends.append((at, at))
    return tuple(ends) if len(seen) == len(own) else None


def _covers(killed: Section, section: Section) -> bool:
    if killed is None or section is None:
        return killed == ()
    for (start, stop), (low, high) in zip(killed, section, strict=True):
        forms = [affine(e) for e in (start, low, high, stop)]
        if any(f is None for f in forms):
            return False
        a, b, c, d = (f for f in forms if f is not None)
        if not (at_least(b, a) and at_least(d, c)):
            return False
    return True
