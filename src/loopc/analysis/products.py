"""Statements that add products, and products of products without the arrays between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from loopc.diagnostics.record import record, replace
from loopc.ir.affine import equal
from loopc.ir.nodes import (
    ZERO,
    Call,
    Expr,
    For,
    Index,
    IndexRef,
    Program,
    Read,
    Stmt,
    Update,
)
from loopc.ir.visit import (
    canonical,
    free_indices,
    fresh_name,
    mul,
    neg,
    reads,
    substitute,
    updates,
)

LEAVES = 7
"""The most factors whose order is searched."""


@record()
class Leaf:
    """A factor: equal idents have equal values, but for the names of their indices.

    Attributes:
        expr: as it stands in the product.
        ident: its text with indices by number, and the version of each array in it.
    """

    expr: Expr
    ident: tuple[str, tuple[tuple[str, int], ...]]

    @property
    def axes(self) -> tuple[str, ...]:
        """The indices that it depends on."""
        return free_indices(self.expr)


@record()
class Product:
    """A statement `target += ± scalars * leaves / divisors` in a box of loops.

    Attributes:
        number: of the statement in the program.
        update: its update.
        ranges: its loops, by name.
        leaves: the factors with indices.
        scalars: those without.
        divisors: what the sum is divided by.
        negative: whether it is taken away.
    """

    number: int
    update: Update
    ranges: Mapping[str, Index]
    leaves: tuple[Leaf, ...]
    scalars: tuple[Leaf, ...]
    divisors: tuple[Expr, ...]
    negative: bool

    @property
    def kept(self) -> tuple[str, ...]:
        """The loops that the target's cells are told apart by."""
        return tuple(n for n in self.ranges if n in free_indices(self.update.target))


@dataclass
class Versions:
    """Which write of an array a statement reads."""

    program: Program

    def __post_init__(self) -> None:
        self.writes: dict[str, list[int]] = {}
        for number, stmt in enumerate(self.program.body):
            for name in {u.target.array for _, u in updates((stmt,))}:
                self.writes.setdefault(name, []).append(number)

    def of(self, array: str, number: int) -> int:
        """Return how many statements in front of one write an array."""
        return sum(n < number for n in self.writes.get(array, ()))

    def leaf(self, expr: Expr, number: int) -> Leaf:
        """Return a factor of a statement."""
        own = dict.fromkeys(a.array for a in reads(expr))
        versions = tuple((a, self.of(a, number)) for a in own)
        return Leaf(expr, (repr(canonical(expr)), versions))


def product(stmt: Stmt, number: int, versions: Versions) -> Product | None:
    """Return a statement as one that adds products; None: it is none."""
    ranges: dict[str, Index] = {}
    while isinstance(stmt, For):
        if stmt.guard is not None or len(stmt.body) != 1:
            return None
        if any(not _is_whole(i) or i.name in ranges for i in stmt.indices):
            return None
        ranges.update({i.name: i for i in stmt.indices})
        stmt = stmt.body[0]
    if not isinstance(stmt, Update) or stmt.op not in ("+=", "="):
        return None
    used = {stmt.target.array, *(a.array for a in reads(stmt.target))}
    own = {a.array for a in reads(stmt.value)}
    found = parts(stmt.value)
    factors = [f for f in found.factors if free_indices(f)]
    inside = {n for f in factors for n in free_indices(f)}
    kept = set(free_indices(stmt.target))
    plain = all(free_indices(d) == () for d in found.divisors)
    if used & own or not factors or not plain or not set(ranges) <= inside | kept:
        return None
    if stmt.op == "=" and not set(ranges) <= kept:
        return None
    return Product(
        number,
        stmt,
        ranges,
        tuple(versions.leaf(f, number) for f in factors),
        tuple(versions.leaf(f, number) for f in found.factors if not free_indices(f)),
        found.divisors,
        found.negative,
    )


def _is_whole(index: Index) -> bool:
    """Whether an index counts from 0 to an extent."""
    plain = not free_indices(index) and not reads(index)
    return plain and index.start == ZERO and index.step == 1


@record()
class Parts:
    """A value as `± factors / divisors`, no divisor with one of certain indices."""

    factors: tuple[Expr, ...]
    divisors: tuple[Expr, ...] = ()
    negative: bool = False

    def times(self, *factors: Expr) -> Expr:
        """Return the value with other factors."""
        value = mul(*factors)
        for divisor in self.divisors:
            value = Call("div", (value, divisor))
        return neg(value) if self.negative else value


def parts(value: Expr, over: Collection[str] | None = None) -> Parts:
    """Return a value as a product; a divisor may have indices, but none of `over` (None: none)."""
    match value:
        case Call("neg", (inner,)):
            found = parts(inner, over)
            return replace(found, negative=not found.negative)
        case Call("mul", args):
            each = [parts(a, over) for a in args]
            return Parts(
                tuple(f for p in each for f in p.factors),
                tuple(d for p in each for d in p.divisors),
                sum(p.negative for p in each) % 2 == 1,
            )
        case Call("div", (inner, by)) if not _has(by, over):
            found = parts(inner, over)
            return replace(found, divisors=(*found.divisors, by))
        case _:
            return Parts((value,))


def _has(expr: Expr, over: Collection[str] | None) -> bool:
    """Whether one of some indices is in an expression; None: any at all."""
    return any(over is None or name in over for name in free_indices(expr))


def is_plain(expr: Expr) -> bool:
    """Whether a factor is the read of a cell by indices that stand alone."""
    if not isinstance(expr, Read):
        return False
    names = [s.at.name for s in expr.access.subscripts if isinstance(s.at, IndexRef)]
    strict = all(s.mode == "strict" for s in expr.access.subscripts)
    return strict and len(set(names)) == len(names) == len(expr.access.subscripts)


def covers(found: Product, shape: Sequence[Expr]) -> bool:
    """Whether a statement gives every cell of its target one sum of products."""
    target = found.update.target
    if not is_plain(Read(target)):
        return False
    for subscript, size in zip(target.subscripts, shape, strict=True):
        assert isinstance(subscript.at, IndexRef)
        index = found.ranges.get(subscript.at.name)
        if index is None or index.stop is None or not equal(index.stop, size):
            return False
    return True


class Expansion:
    """Puts sums of products in the place of the reads of arrays that hold nothing else.

    Attributes:
        products: the statements that add products, by number.
        gone: the arrays that are put in, by name, with the statements that make them.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.versions = Versions(program)
        found = (product(s, n, self.versions) for n, s in enumerate(program.body))
        self.products = {p.number: p for p in found if p is not None}
        self.gone = self._candidates()
        while self._drop_one():
            pass

    def _candidates(self) -> dict[str, Product]:
        """Return the arrays that one statement makes and products alone read, once each."""
        arrays = {a.name: a for a in self.program.arrays}
        made: dict[str, Product] = {}
        for each in self.products.values():
            array = arrays[each.update.target.array]
            once = len(self.versions.writes[array.name]) == 1
            bare = array.kind == "temp" and not array.dtype and array.shape is not None
            simple = all(is_plain(leaf.expr) for leaf in each.leaves) and not each.divisors
            if once and bare and simple and covers(each, array.shape or ()):
                made[array.name] = each
        for number, stmt in enumerate(self.program.body):
            for name, count in Counter(a.array for a in reads(stmt)).items():
                if name in made and not (count == 1 and self._reads_it(number, made[name])):
                    del made[name]
        return {n: p for n, p in made.items() if n not in self.program.outputs}

    def _reads_it(self, number: int, made: Product) -> bool:
        """Whether a statement is a product with a plain read of an array made before it."""
        found = self.products.get(number)
        if found is None or number < made.number:
            return False
        own = [leaf for leaf in found.leaves if _reads(leaf, made)]
        return bool(own) and all(is_plain(leaf.expr) for leaf in own)

    def _drop_one(self) -> bool:
        """Keep one array that cannot be put in where it is read; False: all can."""
        for each in self.products.values():
            inner = [] if self.is_gone(each) else self._read_by(each)
            if inner and (each.update.op == "=" or not self._fits(each)):
                worst = max(inner, key=lambda p: (len(self.expanded(p).leaves), -p.number))
                del self.gone[worst.update.target.array]
                return True
        return False

    def is_gone(self, each: Product) -> bool:
        """Whether a product's target is put in where it is read."""
        return each.update.target.array in self.gone

    def _read_by(self, each: Product) -> list[Product]:
        return [p for p in map(self._made, each.leaves) if p is not None]

    def inside(self, each: Product) -> list[Product]:
        """Return the products that are put into one, those that they read included."""
        own = self._read_by(each)
        return [*own, *(inner for p in own for inner in self.inside(p))]

    def _fits(self, each: Product) -> bool:
        found = self.expanded(each)
        read = [pair for leaf in (*found.leaves, *found.scalars) for pair in leaf.ident[1]]
        now = all(self.versions.of(array, each.number) == version for array, version in read)
        own = any(array == each.update.target.array for array, _ in read)
        inside = {name for leaf in found.leaves for name in leaf.axes}
        whole = set(found.ranges) <= inside | set(found.kept)  # else a sum lost its index
        return now and not own and whole and len(found.leaves) <= LEAVES

    def expanded(self, each: Product) -> Product:
        """Return a product with what it reads of arrays that are gone put in."""
        ranges = dict(each.ranges)
        leaves: list[Leaf] = []
        scalars = list(each.scalars)
        negative = each.negative
        for leaf in each.leaves:
            made = self._made(leaf)
            if made is None:
                leaves.append(leaf)
                continue
            inner = _placed(self.expanded(made), leaf, ranges)
            ranges |= {n: i for n, i in inner.ranges.items() if n not in ranges}
            leaves += inner.leaves
            scalars += inner.scalars
            negative ^= inner.negative
        return replace(
            each, ranges=ranges, leaves=tuple(leaves), scalars=tuple(scalars), negative=negative
        )

    def _made(self, leaf: Leaf) -> Product | None:
        if not isinstance(leaf.expr, Read):
            return None
        return self.gone.get(leaf.expr.access.array)


def _reads(leaf: Leaf, made: Product) -> bool:
    return any(array == made.update.target.array for array, _ in leaf.ident[1])


def _placed(made: Product, leaf: Leaf, ranges: Mapping[str, Index]) -> Product:
    """Return a product as the cell of it that a factor reads; summed indices get new names."""
    assert isinstance(leaf.expr, Read)
    names: dict[str, str] = {}
    for own, at in zip(made.update.target.subscripts, leaf.expr.access.subscripts, strict=True):
        assert isinstance(own.at, IndexRef)
        assert isinstance(at.at, IndexRef)
        names[own.at.name] = at.at.name
    taken = {*ranges, *names.values()}
    found: dict[str, Index] = {}
    for name, index in made.ranges.items():
        if name in names:
            continue
        names[name] = fresh_name(name, taken) if name in taken else name
        taken.add(names[name])
        found[names[name]] = replace(index, name=names[name])
    values: dict[str, Expr] = {old: IndexRef(new) for old, new in names.items()}
    leaves = tuple(replace(x, expr=substitute(x.expr, values)) for x in made.leaves)
    return replace(made, ranges=found, leaves=leaves)
