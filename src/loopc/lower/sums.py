"""Sums: contractions where the terms are products; masks are put where they cost least."""

from __future__ import annotations

import cmath
from collections.abc import Sequence
from typing import TYPE_CHECKING

from loopc.analysis.products import parts
from loopc.diagnostics.record import record, replace
from loopc.ir.affine import Affine, affine, at_least
from loopc.ir.bounds import bounds
from loopc.ir.dtypes import FLOAT, INTEGER, as_float, join, of_reduction
from loopc.ir.nodes import Call, Const, Expr, Read, Update
from loopc.ir.visit import free_indices, summands
from loopc.lower import folds, growth, windows
from loopc.lower.domain import count
from loopc.lower.factors import as_float_sum, without_casts
from loopc.lower.plan import Apply, Cast, Contract, Exactly, Lit, Scalar, Selected, Value

if TYPE_CHECKING:
    from loopc.lower.value import Lowering


def total(
    lowering: Lowering, body: Expr, over: Sequence[str], needed: tuple[Expr, ...] = ()
) -> Value:
    """Lower the sum of `body` over the axes `over`.

    Where a mask of `needed` does not hold, the sum may be anything; where another does not, a term
    does not count.
    """
    if not over:
        return lowering.value(body)
    filled = tuple(m for m in lowering.masks if m not in needed)
    bound = tuple(m for m in filled if any(n in over for n in free_indices(m)))
    free = tuple(m for m in filled if m not in bound)
    if bound:
        value = _selected(lowering, body, over, bound, (*needed, *free))
        if value is None:
            return folds.folded(lowering, "sum", body, over, needed=needed)
    else:
        value = _summed(lowering, body, over)
    return lowering.where(lowering.condition(free, needed), value, 0)


def coordinates(lowering: Lowering, update: Update, over: Sequence[str]) -> tuple[str, ...]:
    """Return the few coordinates of a target to which pairs of points add something, each by each.

    As arrays the terms would lie in rows as short as the number of coordinates.
    """
    if update.op != "+=" or not over or lowering.context.opt == 0:
        return ()
    own = [n for n in free_indices(update.target) if n in lowering.box.indices]
    names = tuple(n for n in own if windows.few(lowering, (n,)))
    if not names or not windows.few(lowering, names):
        return ()
    factors = _product(lowering, update.value, over).factors
    spread = any(folds.is_spread(lowering, [f], names) for f in factors)
    return names if spread and not growth.multiplied_out(lowering, factors, over) else ()


def _summed(lowering: Lowering, body: Expr, over: Sequence[str]) -> Value:
    """Lower a sum all of whose terms count; the masks say where it is needed."""
    parts = summands(body)
    if len(parts) > 1 and any(_is_contraction(lowering, p) for p in parts):
        return _of_parts(lowering, parts, over)
    product = _split(lowering, body, over)
    fewer = _multiplied_out(lowering, product, over)
    if fewer is not None:
        return product.scaled(lowering, fewer)
    return product.scaled(lowering, _contraction(lowering, product, over))


def _of_parts(lowering: Lowering, terms: Sequence[Expr], over: Sequence[str]) -> Value:
    """Lower a sum of several terms as the sum of the sums of each."""
    types = [of_reduction("sum", lowering.type_of(t)) for t in terms]
    return lowering.applied("add", [_summed(lowering, t, over) for t in terms], types)


def _contraction(lowering: Lowering, product: _Product, over: Sequence[str]) -> Value:
    """Lower the sum of the product of the factors."""
    values_of, gone = _values(lowering, product, over)
    found = {axis for v in values_of for axis in v.axes} | gone
    literal = isinstance(product.body, Const) and cmath.isfinite(product.body.value)
    if not literal and (len(values_of) == 1 or not any(axis in found for axis in over)):
        return folds.folded(lowering, "sum", product.body, over, needed=lowering.masks)
    sizes = [
        Scalar(count(lowering.box.indices[n], lowering.serial)) for n in over if n not in found
    ]
    args = _as_terms(lowering, product, [*values_of, *sizes])
    if literal:
        return Apply("mul", tuple(args), ())
    axes = tuple(a for a in lowering.order if a in found and a not in over)
    value = Contract(tuple(args), axes, _sizes(lowering, args))
    if not product.written:
        return value
    return Exactly(value, _contraction(lowering, product.exact, over), axes)


def _values(
    lowering: Lowering, product: _Product, over: Sequence[str], bound: Sequence[Expr] = ()
) -> tuple[list[Value], set[str]]:
    """Return the values of the factors, and the axes over which a factor is summed by itself.

    A sum of products is: each of them is a contraction then.
    """
    values: list[Value] = []
    gone: set[str] = set()
    for number, factor in enumerate(product.factors):
        others = (*product.factors[:number], *product.factors[number + 1 :], *bound)
        taken = {n for other in others for n in free_indices(other)}
        alone = [n for n in over if n in free_indices(factor) and n not in taken]
        terms = summands(factor) if alone and others else ()
        if len(terms) > 1 and any(_is_contraction(lowering, t) for t in terms):
            gone |= {*alone}
            values.append(_summed(lowering, factor, alone))
        else:
            values.append(lowering.value(factor))
    return values, gone


def _multiplied_out(lowering: Lowering, product: _Product, over: Sequence[str]) -> Value | None:
    """Lower the sum of a product by sums of fewer terms; None: there are none."""
    squares = growth.squares(lowering, product.body, over)
    if squares is not None:
        value = _of_parts(lowering, squares, over)
        value = Apply("max", (value, Lit(0)), value.axes)
        exact = folds.folded(lowering, "sum", product.body, over, needed=lowering.masks)
        return Exactly(value, exact, exact.axes)
    terms = growth.multiplied_out(lowering, product.factors, over)
    if terms is None:
        return None
    exact = _contraction(lowering, product, over)
    return Exactly(_of_parts(lowering, terms, over), exact, exact.axes)


def _selected(
    lowering: Lowering,
    body: Expr,
    over: Sequence[str],
    bound: tuple[Expr, ...],
    needed: tuple[Expr, ...],
) -> Value | None:
    """Lower a sum of products of which some terms do not count: their products are made 0.

    Since 0 times inf is not 0, the run looks at the sum and makes it anew if it is not finite.
    None: the terms have to be spread out anyway.
    """
    product = _split(lowering, body, over).undivided(lowering, over)
    values_of, gone = _values(lowering, product, over, bound)
    args = _as_terms(lowering, product, values_of)
    mask = lowering.condition(bound, needed)
    assert mask is not None
    if not gone and not _is_product(lowering, product, args, mask):
        return None
    axes = {a for v in (mask, *args) for a in v.axes}
    if not set(over) <= axes | gone:
        return None
    kept = tuple(a for a in lowering.order if a in axes and a not in over)
    left = [m for m in bound if not any(_is_zero_outside(lowering, f, m) for f in product.factors)]
    several = len({frozenset(a.axes) for a in args if a.axes}) > 1
    spread = (n for n, v in enumerate(args) if several and set(mask.axes) <= set(v.axes))
    chosen = next(spread, None)
    if not left:
        fast = args
    elif chosen is not None:
        held = Apply("where", (mask, args[chosen], Lit(0)), args[chosen].axes)
        fast = [held if n == chosen else v for n, v in enumerate(args)]
    else:
        dtype = lowering.type_of(product.body)
        if dtype is None or dtype.weak:
            return None
        fast = [Cast(mask, dtype, mask.axes), *args]
    sizes = _sizes(lowering, (mask, *args))
    exact = args
    if product.written:
        exact = _as_terms(lowering, product.exact, [lowering.value(f) for f in product.written])
    value: Value = Selected(tuple(fast), mask, tuple(exact), kept, sizes)
    terms = None if left else growth.multiplied_out(lowering, product.factors, over)
    if terms is not None:
        value = Exactly(_of_parts(lowering, terms, over), value, kept)
    return product.scaled(lowering, value)


def _is_zero_outside(lowering: Lowering, factor: Expr, mask: Expr) -> bool:
    """Whether a factor is the read of a cell that is 0 where a mask does not hold."""
    if lowering.context.is_zero_outside(factor, mask):
        return True
    return isinstance(factor, Read) and windows.is_outside(lowering, factor.access, mask)


def _is_product(lowering: Lowering, product: _Product, args: Sequence[Value], mask: Value) -> bool:
    """Whether factors have different axes, or the mask has others: it is a factor, then."""
    sets = {frozenset(a.axes) for a in args if a.axes}
    if len(sets) != 1:
        return len(sets) > 1
    dtype = lowering.type_of(product.body)
    is_float = dtype is not None and dtype.kind in "fc" and not dtype.weak
    return is_float and set(mask.axes) != next(iter(sets))


def _sizes(lowering: Lowering, values: Sequence[Value]) -> tuple[tuple[str, Expr], ...]:
    axes = dict.fromkeys(a for v in values for a in v.axes)
    return tuple((a, count(lowering.box.indices[a], lowering.serial)) for a in axes)


@record()
class _Product:
    """A term as `± factors / divisors`, no divisor of which depends on a summed axis.

    `written`: the factors as they are written, if one of them is made into several.
    """

    negative: bool
    factors: tuple[Expr, ...]
    divisors: tuple[Expr, ...]
    written: tuple[Expr, ...] = ()

    @property
    def body(self) -> Expr:
        return self.factors[0] if len(self.factors) == 1 else Call("mul", self.factors)

    @property
    def exact(self) -> _Product:
        """The product of the factors as they are written."""
        return replace(self, factors=self.written or self.factors, written=())

    def undivided(self, lowering: Lowering, over: Sequence[str]) -> _Product:
        """Return the product with its divisors in the factors: of no term, 0 / 0 is no sum."""
        each, left = [list(self.factors), list(self.written)], []
        for divisor in self.divisors:
            if _is_positive(lowering, divisor) or (isinstance(divisor, Const) and divisor.value):
                left.append(divisor)
                continue
            for factors in filter(None, each):
                place = _place(factors, divisor, over)
                factors[place] = Call("div", (factors[place], divisor))
        own, written = map(tuple, each)
        return _Product(self.negative, own, tuple(left), written)

    def scaled(self, lowering: Lowering, value: Value) -> Value:
        """Return the sum of the products from the sum over the factors."""
        own = lowering.type_of(self.body)
        for divisor in self.divisors:
            types = (own, lowering.type_of(divisor))
            value = lowering.applied("div", (value, lowering.value(divisor)), types)
            own = None if own is None or types[1] is None else as_float(join(own, types[1]))
        return Apply("neg", (value,), value.axes) if self.negative else value


def _is_positive(lowering: Lowering, divisor: Expr) -> bool:
    """Whether a divisor is a number made of indices and dims that is at least 1."""
    low = bounds(divisor, lowering.box.indices).low
    form = None if low is None else affine(low)
    return form is not None and at_least(form, Affine(1))


def _split(lowering: Lowering, body: Expr, over: Sequence[str]) -> _Product:
    """Return a term as a product; a divisor stays in it that is looked up where the masks hold."""
    found = _product(lowering, body, over)
    looked_up = (a for d in found.divisors for a in lowering.value(d).axes)
    return found if set(over).isdisjoint(looked_up) else _Product(False, (body,), ())


def _product(lowering: Lowering, body: Expr, over: Sequence[str]) -> _Product:
    found = parts(body, over)
    factors = tuple(q for f in found.factors for q in _quotients(lowering, f, over))
    written = found.factors if factors != found.factors else ()
    return _Product(found.negative, factors, found.divisors, written)


def _quotients(lowering: Lowering, factor: Expr, over: Sequence[str]) -> tuple[Expr, ...]:
    """Return a quotient of a product as factors, which are quotients and have fewer indices.

    `g[i,d] p[i,j] / z[i]` is `(g[i,d] / z[i]) p[i,j]`: no array over i, j and d is needed. A
    product of integers stays one, for it may wrap round.
    """
    whole, divisors = (factor,), list[Expr]()
    while isinstance(factor, Call) and factor.fn == "div":
        factor, divisor = factor.args
        divisors.append(divisor)
    if not divisors:
        return whole
    found = parts(factor, over)
    factors = [q for f in found.factors for q in _quotients(lowering, f, over)]
    spread = {frozenset(free_indices(f)) for f in factors} - {frozenset()}
    if len(spread) < 2 or sum(_is_integer(lowering, f) for f in factors) > 1:
        return whole
    if found.negative:
        factors[0] = Call("neg", (factors[0],))
    for divisor in (*found.divisors, *reversed(divisors)):
        place = _place(factors, divisor, over)
        if not {*free_indices(divisor)} <= {*free_indices(factors[place])}:
            return whole
        factors[place] = Call("div", (factors[place], divisor))
    return tuple(factors)


def _is_integer(lowering: Lowering, factor: Expr) -> bool:
    dtype = lowering.type_of(factor)
    return dtype is not None and dtype.kind in "bi" and not dtype.weak


def _place(factors: Sequence[Expr], divisor: Expr, over: Sequence[str]) -> int:
    """Return the factor that a divisor makes fewest cells with, of those a small one."""
    inside = {*free_indices(divisor)}

    def cost(place: int) -> tuple[int, bool, int]:
        own = {*free_indices(factors[place])}
        return len(inside - own), bool(own & {*over}), len(own)

    return min(range(len(factors)), key=cost)


def _as_terms(lowering: Lowering, product: _Product, values: Sequence[Value]) -> list[Value]:
    """Return factors in the type in which their products are summed.

    Integers would wrap round, and a sum of them is wider than they are: int64 beside a float32.
    """
    kind = lowering.type_of(product.body)
    if kind is None:
        return list(values)
    result = INTEGER if kind.kind in "bi" else FLOAT if kind.weak else kind
    types = [lowering.type_of(f) for f in product.factors]
    found = [*without_casts(values[: len(types)], types), *values[len(types) :]]
    for number, factor in enumerate(product.factors):
        value, own = found[number], lowering.type_of(factor)
        narrow = own is not None and (own.kind in "bi" or own.weak)
        if narrow and not isinstance(value, Lit | Scalar):
            counted = as_float_sum(value, result) if result.kind in "fc" else None
            found[number] = counted or Cast(value, result, value.axes)
    return found


def _is_contraction(lowering: Lowering, term: Expr) -> bool:
    """Whether a term is a product of accesses with different axes."""
    factors = _product(lowering, term, ()).factors
    axes = {
        tuple(n for n in lowering.order if n in free_indices(f))
        for f in factors
        if isinstance(f, Read)
    }
    return len(axes) > 1
