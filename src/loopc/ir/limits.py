"""How large the integers can be that a program computes, by all that it assigns to them.

`n += 1` in a loop over `t < T` makes `n` at most `T`, `m = n // 2` at most `n // 2`. A loop over
`k < n` then has a number of steps that is known before a run: not how many, but how many at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from loopc.ir.affine import affine, is_nonnegative, simplify
from loopc.ir.bounds import bounds, extent, first, last
from loopc.ir.nodes import Access, Array, Call, Const, Expr, Index, IndexRef, Read, Stmt, Update
from loopc.ir.visit import add, free_indices, is_known_before, neg, updates


class Limits:
    """Knows what a program assigns to its arrays, and what follows for expressions of integers."""

    def __init__(self, body: Sequence[Stmt], arrays: Mapping[str, Array]) -> None:
        self.arrays = arrays
        self.writes: dict[str, list[tuple[Update, tuple[Index, ...]]]] = {}
        self.asked: list[str] = []
        for loops, update in updates(tuple(body)):
            self.assigned(update, [i for stmt in loops for i in stmt.indices])

    def assigned(self, update: Update, loops: Sequence[Index]) -> None:
        """Take an update in the loops round it into account."""
        self.writes.setdefault(update.target.array, []).append((update, tuple(loops)))

    def is_known(self, expr: Expr) -> bool:
        """Whether an expression has one value, known before a run: of dims and scalar inputs."""
        temps = {n for n, a in self.arrays.items() if a.kind == "temp"}
        return not free_indices(expr) and is_known_before(expr, temps | self.writes.keys())

    def high(self, expr: Expr, loops: Sequence[Index]) -> Expr | None:
        """Return what an expression of integers is never above, known before a run.

        Args:
            expr: the expression.
            loops: the loops round it, outermost first.

        Returns:
            An upper bound, or None if there is none that can be told.
        """
        return self._most(expr, loops, 1)

    def low(self, expr: Expr, loops: Sequence[Index]) -> Expr | None:
        """Return what an expression of integers is never below, likewise."""
        most = self._most(expr, loops, -1)
        return None if most is None else simplify(neg(most))

    def _most(self, expr: Expr, loops: Sequence[Index], side: int) -> Expr | None:
        """Bound an expression (side 1) or its negation (-1) from above."""
        found = self._plain(expr, loops, side)
        if found is not None:
            return found
        form = affine(expr)
        if form is None or form.terms == ((expr, 1),):
            return self._of_atom(expr, loops, side)
        terms: list[Expr] = [Const(side * form.constant)]
        for atom, factor in form.terms:
            most = self._most(atom, loops, side if factor > 0 else -side)
            if most is None:
                return None
            terms.append(Call("mul", (Const(abs(factor)), most)))
        return simplify(add(*terms))

    def _plain(self, expr: Expr, loops: Sequence[Index], side: int) -> Expr | None:
        """Bound an expression by the ranges of the loops alone."""
        ends = bounds(expr, {i.name: i for i in loops})
        found = ends.high if side > 0 else ends.low
        if found is None or not self.is_known(found):
            return None
        return simplify(found if side > 0 else neg(found))

    def _of_atom(self, atom: Expr, loops: Sequence[Index], side: int) -> Expr | None:
        match atom:
            case IndexRef(name):
                at = next((n for n, i in enumerate(loops) if i.name == name), None)
                end = None if at is None else last(loops[at]) if side > 0 else first(loops[at])
                return None if end is None else self._most(end, loops[:at], side)
            case Read(access):
                return self._of_array(access.array, side)
            case Call("max" | "min", args):
                found = [self._most(a, loops, side) for a in args]
                return largest(found) if (atom.fn == "max") == (side > 0) else smallest(found)
            case Call("where", (_, *branches)):
                return largest([self._most(b, loops, side) for b in branches])
            case Call("floordiv", (a, b)) if is_positive(b) and self.is_known(b):
                inner = self.high(a, loops) if side > 0 else self.low(a, loops)
                if inner is None:
                    return None
                quotient = Call("floordiv", (inner, b))
                return quotient if side > 0 else neg(quotient)
            case Call("mod", (_, b)) if is_positive(b) and self.is_known(b):
                return simplify(add(b, Const(-1))) if side > 0 else Const(0)
            case Call("eq" | "ne" | "lt" | "le" | "gt" | "ge" | "and" | "or" | "not"):
                return Const(1 if side > 0 else 0)
            case _:
                return None

    def _of_array(self, name: str, side: int) -> Expr | None:
        """Bound every cell of an array at any time: it starts from 0, then values and increases."""
        if self.arrays[name].kind != "temp" or name in self.asked or name not in self.writes:
            return None
        self.asked.append(name)
        try:
            return self._reached(name, side)
        finally:
            self.asked.pop()

    def _reached(self, name: str, side: int) -> Expr | None:
        values: list[Expr | None] = [Const(0)]
        increases: list[Expr] = []
        for update, loops in self.writes[name]:
            if update.op not in ("=", "+="):
                return None
            for value in alternatives(update.value):
                step = value if update.op == "+=" else growth(value, update.target)
                if step is None:
                    values.append(self._most(value, loops, side))
                    continue
                total = self._over(step, loops, side)
                if total is None:
                    return None
                increases.append(total)
        most = largest(values)
        return None if most is None else simplify(add(most, *increases))

    def _over(self, step: Expr, loops: Sequence[Index], side: int) -> Expr | None:
        """Bound what an increase comes to in all steps of the loops round it."""
        counts = [self.high(extent(i), loops[:n]) for n, i in enumerate(loops)]
        factors = [f for f in (self._most(step, loops, side), *counts) if f is not None]
        if len(factors) <= len(loops):
            return None
        kept = [f if is_nonnegative(f) else largest([Const(0), f]) or f for f in factors]
        if Const(0) in kept:
            return Const(0)
        return simplify(Call("mul", tuple(kept)) if len(kept) > 1 else kept[0])


def largest(values: Sequence[Expr | None]) -> Expr | None:
    """Return the largest of some bounds, None if one of them is not known."""
    known = [v for v in dict.fromkeys(values) if v is not None]
    if None in values:
        return None
    if any(v != Const(0) and is_nonnegative(v) for v in known):
        known = [v for v in known if v != Const(0)]
    if Const(0) in known:
        known = [v for v in known if v == Const(0) or not is_nonnegative(neg(v))]
    return known[0] if len(known) == 1 else simplify(Call("max", tuple(known)))


def smallest(values: Sequence[Expr | None]) -> Expr | None:
    """Return the smallest of those bounds that are known."""
    known = [v for v in dict.fromkeys(values) if v is not None]
    return simplify(Call("min", tuple(known))) if len(known) > 1 else next(iter(known), None)


def is_positive(expr: Expr) -> bool:
    """Whether a divisor is above 0 for all sizes."""
    return is_nonnegative(add(expr, Const(-1)))


def alternatives(value: Expr) -> Iterator[Expr]:
    """Yield the values that a choice is one of."""
    match value:
        case Call("where" | "max", args):
            for branch in args[1:] if value.fn == "where" else args:
                yield from alternatives(branch)
        case _:
            yield value


def growth(value: Expr, cell: Access) -> Expr | None:
    """Return `e` where a value is `cell + e`, 0 where it is no more than the cell or 0; or None."""
    if value == Read(cell):
        return Const(0)
    match value:
        case Call("floordiv", (Read(access), by)) if access == cell and is_positive(by):
            return Const(0)
        case Call("min", args) if Read(cell) in args:
            return Const(0)
        case Call("add", args) if args.count(Read(cell)) == 1:
            return add(*(a for a in args if a != Read(cell)))
        case _:
            return None
