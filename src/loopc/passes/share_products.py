"""Multiply chains of products in their best order, and what several of them share once.

Rewrite:   for i,k,j  X[i,k] += A[i,j] B[j,k]      ->  for k,m,l  C_D[k,m] += C[k,l] D[l,m]
           for i,l,k  Y[i,l] += X[i,k] C[k,l]          for j,m,k  B_C_D[j,m] += B[j,k] C_D[k,m]
           for i,m,l  Z[i,m] += Y[i,l] D[l,m]          for i,m,j  Z[i,m] += A[i,j] B_C_D[j,m]
Requires:  arrays that one statement makes, sums of products that products alone read, and factors
           that nothing writes in between; a gain by the extents of the call at hand, sums that
           several products share counted once.
Keeps:     every value up to the rounding of a reassociated `+=`: in every order, a sum of products
           has an error of about ε Σ |factors|. Where one of them overflows or a factor is
           infinite, another order may give inf where this one gives NaN.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from loopc.analysis.product_order import Key, Order
from loopc.analysis.products import Expansion, Product, covers
from loopc.diagnostics.record import record, replace
from loopc.diagnostics.span import Span
from loopc.ir.magnitude import Magnitudes
from loopc.ir.nodes import Access, Array, Call, Expr, IndexRef, Program, Read, Stmt, Subscript
from loopc.ir.visit import free_indices, loop, mul, neg, updates
from loopc.ir.workspace import Names

GAIN = 0.9
"""A new order must cost less than this part of the written one."""

NAME = 24
"""The most letters of a name that is made of those of factors."""


def share_products(program: Program, sizes: Magnitudes) -> Program:
    """Return the program with chains of products in their best order."""
    expansion = Expansion(program)
    found: dict[int, tuple[Stmt, ...]] = {}
    names = Names.of(program)
    written = Counter(u.target.array for _, u in updates(program.body))
    facts = _Facts({a.name: a for a in program.arrays}, written, [s.span for s in program.body])
    for group in _groups(expansion):
        steps = (1, -1) if len(group.expanded) > 1 else (1,)
        plans = [_Plan(facts, group, sizes, names, step) for step in steps]
        plan = min(plans, key=lambda p: p.cost)
        if plan.cost < GAIN * group.cost(sizes):
            found |= plan.statements | {p.number: () for p in group.between}
            names.arrays |= plan.arrays
            names.taken |= set(plan.arrays)
            for each in group.between:
                del names.arrays[each.update.target.array]
    if not found:
        return program
    body = tuple(s for n, stmt in enumerate(program.body) for s in found.get(n, (stmt,)))
    return replace(program, body=body, arrays=tuple(names.arrays.values()))


@record()
class _Group:
    """Products that share factors, and what is between them.

    Attributes:
        written: the products as they stand, in order.
        expanded: the same without the arrays between.
        between: the products that make these.
    """

    written: tuple[Product, ...]
    expanded: tuple[Product, ...]
    between: tuple[Product, ...]

    def cost(self, sizes: Magnitudes) -> float:
        """Return what the group costs as it is written."""
        return sum(Order(p, sizes).cost for p in (*self.written, *self.between))


def _groups(expansion: Expansion) -> list[_Group]:
    """Return the groups in which there is an order to choose."""
    leaders: dict[int, int] = {}
    first: dict[object, int] = {}

    def leader(number: int) -> int:
        while leaders[number] != number:
            number = leaders[number]
        return number

    roots = {n: p for n, p in expansion.products.items() if not expansion.is_gone(p)}
    expanded = {n: expansion.expanded(p) for n, p in roots.items()}
    inside = {n: expansion.inside(p) for n, p in roots.items()}
    long = {n for n, p in expanded.items() if inside[n] or len(p.leaves) > 2}
    links = {n: list(_links(expanded[n], inside[n])) for n in roots}
    wanted = {link for n in long for link in links[n]}
    for number in roots:
        leaders[number] = number
        for link in links[number]:
            if link in wanted:
                other = leader(first.setdefault(link, number))
                leaders[leader(number)] = other
    members: dict[int, list[int]] = {}
    for number in roots:
        members.setdefault(leader(number), []).append(number)
    return [
        _Group(
            tuple(roots[n] for n in own),
            tuple(expanded[n] for n in own),
            tuple({p.number: p for n in own for p in inside[n]}.values()),
        )
        for own in members.values()
        if any(n in long for n in own)
    ]


def _links(found: Product, inside: Sequence[Product]) -> Iterator[object]:
    """Yield what a product has in common with those of its group."""
    for each in inside:
        yield each.number
    yield from combinations(sorted({leaf.ident for leaf in found.leaves}), 2)


@record()
class _Held:
    """An array that holds the sum of a key: the place of each of its axes among the key's."""

    array: str
    places: tuple[int, ...]


@record()
class _Facts:
    """The arrays of a program, how many statements write each, and the places of all statements."""

    arrays: Mapping[str, Array]
    written: Mapping[str, int]
    spans: Sequence[Span | None]


class _Plan:
    """A group in new order.

    Attributes:
        statements: in the place of each product.
        arrays: that are new.
        cost: of all.
    """

    def __init__(
        self, facts: _Facts, group: _Group, sizes: Magnitudes, names: Names, step: int
    ) -> None:
        self.facts = facts
        self.names = Names(dict(names.arrays), set(names.taken))
        self.statements: dict[int, tuple[Stmt, ...]] = {}
        self.arrays: dict[str, Array] = {}
        self.cost = 0.0
        self.held: dict[Key, _Held] = {}
        orders = self._orders(group, sizes, step)
        for found in group.expanded:
            self._place(orders[found.number])

    def _orders(self, group: _Group, sizes: Magnitudes, step: int) -> dict[int, Order]:
        """Choose the order of each product, those chosen before in view."""
        known: dict[Key, int] = {}
        orders: dict[int, Order] = {}
        for found in filter(self._holds, group.expanded):
            plain = Order(found, sizes)
            known.setdefault(plain.nodes[plain.whole].key, found.number)
        for found in group.expanded[::step]:
            order = orders[found.number] = Order(found, sizes, known)
            known |= dict.fromkeys(order.sums(), -1)
        return orders

    def _holds(self, found: Product) -> bool:
        """Whether a product's target holds its sum and nothing else."""
        bare = not (found.negative or found.scalars or found.divisors)
        array = self.facts.arrays[found.update.target.array]
        once = self.facts.written[array.name] == 1
        own = array.kind == "temp" and not array.dtype and found.update.op == "+="
        own = own and set(found.kept) <= {x for leaf in found.leaves for x in leaf.axes}
        return bare and once and own and covers(found, array.shape or ())

    # Statements

    def _place(self, order: Order) -> None:
        found = order.found
        made: list[Stmt] = []
        node = order.nodes[order.whole]
        if node.halves is None:
            self.cost += order.cost
            value = found.leaves[0].expr
        elif node.key in self.held:
            value = self._read(order, order.whole)
            self.cost += order.copy_cost
        else:
            self.cost += node.cost
            a, b = (self._sum(order, half, made) for half in node.halves)
            value = mul(a, b)
        value = mul(*(s.expr for s in found.scalars), value)
        for divisor in found.divisors:
            value = Call("div", (value, divisor))
        value = neg(value) if found.negative else value
        own = [n for n in found.ranges if n in found.kept]
        summed = [n for n in found.ranges if n not in own and n in free_indices(value)]
        update = replace(found.update, op="+=" if summed else found.update.op, value=value)
        indices = tuple(found.ranges[n] for n in (*own, *summed))
        made += loop(indices, None, update)
        span = self.facts.spans[found.number]
        self.statements[found.number] = tuple(replace(s, span=span) for s in made)
        if self._holds(found) and node.key not in self.held and node.halves is not None:
            axes = [s.at.name for s in found.update.target.subscripts]  # type: ignore[union-attr]
            self._hold(order, order.whole, found.update.target.array, axes)

    def _sum(self, order: Order, subset: int, made: list[Stmt]) -> Expr:
        """Return the expression of the sum of some leaves; make it first if there is none."""
        node = order.nodes[subset]
        if node.halves is None:
            return order.members(subset)[0].expr
        if node.key in self.held:
            return self._read(order, subset)
        self.cost += node.cost
        a, b = (self._sum(order, half, made) for half in node.halves)
        left, right = (order.nodes[half].axes for half in node.halves)
        axes = order.laid_out(node.axes, left, right)
        ranges = order.found.ranges
        name = self.names.fresh(_name(order, subset))
        shape = tuple(_stop(ranges[x].stop) for x in axes)
        self.arrays[name] = self.names.arrays[name] = Array(name, "temp", shape)
        self._hold(order, subset, name, axes)
        summed = [x for x in dict.fromkeys((*left, *right)) if x not in axes]
        target = Access(name, tuple(Subscript(IndexRef(x)) for x in axes))
        update = replace(order.found.update, target=target, op="+=", value=mul(a, b))
        made += loop(tuple(ranges[x] for x in (*axes, *summed)), None, update)
        return self._read(order, subset)

    def _hold(self, order: Order, subset: int, array: str, axes: Sequence[str]) -> None:
        numbering = order.numbering(subset)
        self.held[order.nodes[subset].key] = _Held(array, tuple(map(numbering.index, axes)))

    def _read(self, order: Order, subset: int) -> Expr:
        held = self.held[order.nodes[subset].key]
        numbering = order.numbering(subset)
        cells = tuple(Subscript(IndexRef(numbering[n])) for n in held.places)
        return Read(Access(held.array, cells))


def _stop(stop: Expr | None) -> Expr:
    assert stop is not None
    return stop


def _name(order: Order, subset: int) -> str:
    """Return a name made of those of the factors."""
    arrays = [a for leaf in order.members(subset) for a, _ in leaf.ident[1]]
    name = "_".join(a.replace(".", "_") for a in dict.fromkeys(arrays))
    return name if 0 < len(name) <= NAME else "product"
