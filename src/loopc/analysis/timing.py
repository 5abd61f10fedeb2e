"""Blocks that can run in order by other loops of their statements than the one round them all.

    for i < N:                                          by columns: j is the time of the first
        for j < i: { A[i,j] -= A[i,k] A[j,k]; … }       statements, i that of the last one
        A[i,i] = sqrt(A[i,i])

The time of a statement instance is the value of one of its indices. Of two instances that must keep
their order the first one may not have a later time; those of one time are put in order by whole
statements. Source: Feautrier, Some efficient solutions to the affine scheduling problem, part I,
1992, with times of one index.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from loopc.analysis.components import components
from loopc.analysis.dependence import Leaf, Ref, common_loops, conflicts, may_meet, related
from loopc.analysis.diophantine import Form, linear
from loopc.analysis.inequalities import may_be_solved
from loopc.diagnostics.record import record
from loopc.ir.affine import affine
from loopc.ir.bounds import ascending, conjuncts
from loopc.ir.nodes import Call, Expr, Index, IndexRef
from loopc.ir.visit import reads, substitute

TRIES = 2000
"""How many pairs of loops are looked at for the times of a block."""

DEEPEST, LONGEST = 6, 24
"""The most loops round a statement, and the most statements, of a block that is looked at."""

MEETINGS = 400
"""The most pairs of accesses that may meet in a block that is looked at."""


@record()
class Timing:
    """How a block runs in order: the depth of each statement's time, and the statements' order."""

    depths: tuple[int, ...]
    order: tuple[int, ...]


@record()
class _Meeting:
    """What holds where two accesses meet; `own`: a statement's write after a read or write of it.

    An array operation keeps the order of its own reads and writes.
    """

    atleast: tuple[Form, ...]
    equal: tuple[Form, ...]
    own: bool


def timing(group: Sequence[Leaf], depth: int) -> Timing | None:
    """Return how the statements of a cycle can run by one loop in order, the rest at once.

    Args:
        group: the statements.
        depth: of the outermost loop that has to run in order.
    """
    deep = any(not depth < len(leaf.levels) <= DEEPEST for leaf in group)
    if deep or len(group) > LONGEST or not all(map(_is_plain, group)):
        return None
    found = _meetings(group, depth)
    return None if found is None else _Search(group, depth, found).found()


class _Search:
    """Looks for the times of a block, one statement after the other."""

    def __init__(
        self, group: Sequence[Leaf], depth: int, meetings: Mapping[tuple[int, int], list[_Meeting]]
    ) -> None:
        self.group = group
        self.depth = depth
        self.meetings = meetings
        self.sign = 1 if group[0].levels[depth].index.step > 0 else -1
        self.known: dict[tuple[int, int, int, int, int], bool] = {}

    def found(self) -> Timing | None:
        """Return the first times that fit."""
        return self._with(())

    def _with(self, depths: tuple[int, ...]) -> Timing | None:
        number = len(depths)
        if number == len(self.group):
            same = all(d == self.depth for d in depths)  # the order that they have
            order = None if same else self._order(depths)
            return None if order is None else Timing(depths, order)
        for depth in range(self.depth, len(self.group[number].levels)):
            new = (*depths, depth)
            if _is_time(self.group[number].levels[depth].index) and self._fits(new):
                found = self._with(new)
                if found is not None or len(self.known) > TRIES:
                    return found
        return None

    def _fits(self, depths: tuple[int, ...]) -> bool:
        """Whether the last one's time comes neither too late nor too early for the others."""
        last = len(depths) - 1
        return not any(
            self._may(a, b, depths, 1)
            for n in range(len(depths))
            for a, b in ((n, last), (last, n))
        )

    def _order(self, depths: tuple[int, ...]) -> tuple[int, ...] | None:
        """Return the order of the statements within one time; None: one depends on itself."""
        count = len(self.group)
        edges = [(a, b) for a in range(count) for b in range(count) if self._may(a, b, depths, 0)]
        if any(a == b for a, b in edges):
            return None
        found = components(count, edges)
        return tuple(n for (n,) in found) if len(found) == count else None

    def _may(self, a: int, b: int, depths: Sequence[int], later: int) -> bool:
        """Whether the time of `a`, which must come first, may be later than that of `b`, or (0) it.

        Within one time, what array operations keep in order is left out.
        """
        if later and depths[a] == depths[b] == self.depth:
            return False  # the order that they have
        key = (a, depths[a], b, depths[b], later)
        if key not in self.known:
            self.known[key] = any(
                may_be_solved((*m.atleast, *more), (*m.equal, *same))
                for m in self.meetings.get((a, b), ())
                for more, same in [self._times(a, b, depths, later)]
                if later or not m.own
            )
        return self.known[key]

    def _times(
        self, a: int, b: int, depths: Sequence[int], later: int
    ) -> tuple[tuple[Form, ...], tuple[Form, ...]]:
        mine, other = (
            repr(_renamed(self.group[n], mark)[self.group[n].levels[depths[n]].index.name])
            for n, mark in ((a, "a"), (b, "b"))
        )
        form = {mine: self.sign, other: -self.sign, "": -later}
        return ((form,), ()) if later else ((), (form,))


def _is_plain(leaf: Leaf) -> bool:
    """Whether the loops of a statement have names of their own, and no range or guard is data.

    Data are looked up where a statement runs alone, not at each time at which others do.
    """
    names = {level.index.name for level in leaf.levels}
    heads = (*(level.index for level in leaf.levels), *leaf.guards)
    return len(names) == len(leaf.levels) and not any(reads(head) for head in heads)


def _is_time(index: Index) -> bool:
    """Whether an index counts one by one, over a range that no data give."""
    ends = (index.start, index.stop)
    return abs(index.step) == 1 and all(
        e is not None and not reads(e) and affine(e) is not None for e in ends
    )


# Where accesses meet


def _meetings(group: Sequence[Leaf], depth: int) -> dict[tuple[int, int], list[_Meeting]] | None:
    """Return what must keep its order; None: a loop further out carries something, too."""
    place = {leaf.number: n for n, leaf in enumerate(group)}
    found: dict[tuple[int, int], list[_Meeting]] = {}
    count = 0
    for a, b in related(group):
        pairs = list(conflicts(a, b, within=True))
        common = common_loops(a, b)
        carried: list[int | None] = list(range(common))
        for level in (*carried, *([None] if a.number < b.number else [])):
            for x, y in pairs:
                if not may_meet(a, x, b, y, level, common):
                    continue
                if level is not None and level < depth:
                    return None
                meeting = _meeting(a, x, b, y, level, common)
                found.setdefault((place[a.number], place[b.number]), []).append(meeting)
                count += 1
                if count > MEETINGS:
                    return None
    return found


def _meeting(a: Leaf, x: Ref, b: Leaf, y: Ref, level: int | None, common: int) -> _Meeting:
    mine, other = _renamed(a, "a"), _renamed(b, "b")
    atleast = [*_domain(a, mine), *_domain(b, other)]
    equal: list[Form] = []
    for number, outer in enumerate(a.levels[: common if level is None else level + 1]):
        name = outer.index.name
        step = _form(other[name], mine[name])
        if step is None:
            continue
        if number == level:
            sign = 1 if outer.index.step > 0 else -1
            atleast.append({n: sign * c for n, c in step.items()} | {"": -1})
        else:
            equal.append(step)
    mine |= _inner(x.inner, mine, "a", atleast)
    other |= _inner(y.inner, other, "b", atleast)
    for p, q in zip(x.access.subscripts, y.access.subscripts, strict=True):
        if p.mode == q.mode == "strict" and not reads(p) and not reads(q):
            same = _form(substitute(p.at, mine), substitute(q.at, other))
            if same is not None:
                equal.append(same)
    return _Meeting(tuple(atleast), tuple(equal), a is b and y.write)


def _renamed(leaf: Leaf, mark: str) -> dict[str, Expr]:
    return {level.index.name: IndexRef(f"{level.index.name}·{mark}") for level in leaf.levels}


def _form(a: Expr, b: Expr) -> Form | None:
    """Return the difference of two expressions."""
    left, right = affine(a), affine(b)
    return None if left is None or right is None else linear(left - right)


def _domain(leaf: Leaf, names: Mapping[str, Expr]) -> Iterator[Form]:
    """Yield what is at least 0 wherever a statement runs."""
    for level in leaf.levels:
        yield from _range(level.index, names)
    for guard in (c for g in leaf.guards for c in conjuncts(g)):
        if isinstance(guard, Call) and not reads(guard):
            yield from _condition(substitute(guard, names))


def _condition(guard: Call) -> Iterator[Form]:
    if guard.fn not in ("lt", "le", "gt", "ge", "eq"):
        return
    a, b = guard.args
    for sign in {"lt": (-1,), "le": (-1,), "gt": (1,), "ge": (1,), "eq": (1, -1)}[guard.fn]:
        form = _form(a, b)
        if form is not None:
            least = 1 if guard.fn in ("lt", "gt") else 0
            signed = {n: sign * c for n, c in form.items()}
            yield signed | {"": signed[""] - least}


def _range(index: Index, names: Mapping[str, Expr]) -> Iterator[Form]:
    up = ascending(index)
    assert up.start is not None
    assert up.stop is not None
    value = names[index.name]
    for start in _parts(up.start, "max"):
        form = None if reads(start) else _form(value, substitute(start, names))
        if form is not None:
            yield form
    for stop in _parts(up.stop, "min"):
        form = None if reads(stop) else _form(substitute(stop, names), value)
        if form is not None:
            yield form | {"": form[""] - 1}


def _parts(end: Expr, fn: str) -> tuple[Expr, ...]:
    return end.args if isinstance(end, Call) and end.fn == fn else (end,)


def _inner(
    inner: tuple[Index, ...], names: Mapping[str, Expr], mark: str, atleast: list[Form]
) -> dict[str, Expr]:
    """Return the names of the indices of sums, and add their ranges to what is at least 0."""
    found = dict(names)
    for index in inner:
        found[index.name] = IndexRef(f"{index.name}·{mark}")
        atleast += _range(index, found)
    return found
