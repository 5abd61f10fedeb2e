"""A product of two factors, summed over axes, as one matmul.

The axes of a pair are those of the batch (in both factors and in the result), the free ones of
each factor, and the summed ones. A matmul wants each group side by side in memory: what is not is
copied, one factor once. A leading axis that stands apart in memory, as the images of a batch do in
front of the channels, joins the batch instead: the other factor is broadcast along it, and if it is
summed, the products are added up afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from loopc.diagnostics.record import record
from loopc.ir.nodes import Expr
from loopc.lower.plan import Strided, Value

if TYPE_CHECKING:
    from loopc.backends.numpy.values import Speller, Text

Sizes = Mapping[str, Expr]


@record()
class _Factor:
    """A factor as it is spelled.

    Attributes:
        text: its text.
        memory: its axes, from the slowest to the fastest.
        copied: whether it is no array yet, so that a copy is due anyway.
        free: the axes that it alone has, in the order of the result.
    """

    text: Text
    memory: tuple[str, ...]
    copied: bool
    free: tuple[str, ...]

    def has_together(self, axes: Sequence[str]) -> bool:
        """Whether axes are neighbours in memory, in this order."""
        places = [self.memory.index(a) for a in axes]
        return places == list(range(places[0], places[0] + len(places))) if places else True


@record()
class _Layout:
    """How a pair is laid out: `first @ second`, batch axes in front.

    Attributes:
        batch: the axes of the batch, those that are summed afterwards in front.
        after: how many of them are summed afterwards.
        summed: the axes summed by the matmul.
    """

    first: _Factor
    second: _Factor
    batch: tuple[str, ...]
    after: int
    summed: tuple[str, ...]


def spell(speller: Speller, pair: tuple[Value, Value], order: Sequence[str], sizes: Sizes) -> Text:
    """Spell the product of two factors, summed over the axes that `order` lacks.

    Args:
        speller: of the module.
        pair: the factors.
        order: the axes of the result, as it would best lie in memory.
        sizes: the extents of all axes.
    """
    a, b = pair
    shared = [x for x in a.axes if x in b.axes]
    factors = [_factor(speller, v, shared, order) for v in pair]
    layout = _layout(factors, shared, order)
    return _spelled(speller, layout, sizes)


def _factor(speller: Speller, value: Value, shared: Sequence[str], order: Sequence[str]) -> _Factor:
    text = speller.spell(value)
    free = tuple(x for x in order if x in value.axes and x not in shared)
    if not isinstance(value, Strided):
        return _Factor(text, text.axes, False, free)
    if value.memory:
        return _Factor(text, value.memory, False, free)
    return _Factor(text, _moved(value), True, free)


def _moved(value: Strided) -> tuple[str, ...]:
    """Return the axes of a strided view in the order in which they move through the array.

    Of several that move along one dimension the outermost loop's comes last: it is the longest, as
    a rule, where the others are offsets.
    """
    key = {
        w.axis: (max(n for n, step in enumerate(w.steps) if step), -place)
        for place, w in enumerate(value.windows)
    }
    return tuple(sorted(key, key=lambda axis: key[axis]))


def _layout(factors: Sequence[_Factor], shared: Sequence[str], order: Sequence[str]) -> _Layout:
    batch = [x for x in order if x in shared]
    summed = [x for x in shared if x not in order]
    x, y = factors
    after = 0
    if _leads_apart(x, y, summed, batch):
        batch.insert(0, _rest(x, batch)[0])
        summed.remove(batch[0])
        after = 1
    primary = max(factors, key=lambda f: (f.copied, len(f.memory)))
    summed.sort(key=primary.memory.index)
    rest = [x for x in order if x not in batch]
    while rest:
        own = x if rest[0] in x.free else y
        mine = [a for a in rest if a in own.free]
        if rest[0] != _rest(own, batch)[0] or len(mine) < 2 or _lies_well(own, mine):
            break
        if not own.copied and not all(map(own.has_together, (mine[1:], summed))):
            break  # it is copied anyway, and then as one matrix
        batch.append(rest.pop(0))
    if rest and rest[-1] in x.free and any(a in y.free for a in rest):
        x, y = y, x
    return _Layout(x, y, tuple(batch), after, tuple(summed))


def _rest(factor: _Factor, batch: Sequence[str]) -> list[str]:
    return [x for x in factor.memory if x not in batch]


def _lies_well(factor: _Factor, axes: Sequence[str]) -> bool:
    return not factor.copied and factor.has_together(axes)


def _leads_apart(x: _Factor, y: _Factor, summed: Sequence[str], batch: Sequence[str]) -> bool:
    """Whether the slowest axis of both factors is summed and lies apart from the other ones."""
    first, other = _rest(x, batch)[0], _rest(y, batch)[0]
    if len(summed) < 2 or first != other or first not in summed:
        return False
    inner = [a for a in x.memory if a in summed and a != first]
    both = (x, y)
    fine = all(f.copied or (f.has_together(inner) and f.has_together(f.free)) for f in both)
    return fine and not all(_lies_well(f, [first, *inner]) for f in both)


def _spelled(speller: Speller, layout: _Layout, sizes: Sizes) -> Text:
    from loopc.backends.numpy.values import ATOM, PRODUCT, Text

    x, y = layout.first, layout.second
    left = [a for a in x.free if a not in layout.batch]
    right = [a for a in y.free if a not in layout.batch]
    alone = len(layout.batch) > 0
    levels = [PRODUCT + 1 if free or not alone else ATOM for free in (left, right)]
    first = _packed(speller, x, layout, (left, layout.summed), sizes, levels[0])
    second = _packed(speller, y, layout, (layout.summed, right), sizes, levels[1])
    if left and y.text.text in speller.steady and second != y.text.text:
        second = copied(speller, y.text.text, second)
    if alone and not left:
        first = f"{first}[..., None, :]"
    if alone and not right:
        second = f"{second}[..., None]"
    text, level = f"{first} @ {second}", PRODUCT
    product = text
    if alone and not (left and right):
        drop = ", 0" * (not left) + (", 0" if not right else ", :" * (not left))
        text, level = f"({text})[...{drop}]", ATOM
    if layout.after:
        text, level = f"{text if level == ATOM else f'({text})'}.sum(axis=0)", ATOM
    axes = (*layout.batch[layout.after :], *left, *right)
    factors = (first, second) if text == product else ()
    merged = ""
    if len(left) > 1 or len(right) > 1:
        shape = speller.sizes(sizes[a] for a in axes)
        text, level = f"{text if level == ATOM else f'({text})'}.reshape{shape}", ATOM
        groups = ([a] for a in layout.batch), [left, right]
        merged = ", ".join(_product(speller, g, sizes) for each in groups for g in each if g)
    return Text(text, level, axes, factors, merged)


def copied(speller: Speller, array: str, turned: str) -> str:
    """Return the name of a transposed array that a serial loop does not change, copied before it.

    BLAS takes up to twice the time for a few rows by a transposed matrix, and so do functions.
    """
    if turned not in speller.copies:
        speller.copies[turned] = speller.names.fresh(f"{array}_T")
    return speller.copies[turned]


def _packed(
    speller: Speller,
    factor: _Factor,
    layout: _Layout,
    groups: tuple[Sequence[str], Sequence[str]],
    sizes: Sizes,
    loosest: int,
) -> str:
    """Spell a factor as a stack of matrices whose rows and columns are groups of axes."""
    from loopc.backends.numpy.values import ATOM

    batch = [a for a in layout.batch if a in factor.memory]
    rows, columns = groups
    fastest = factor.memory[-1]
    first = layout.batch.index(batch[0]) if batch else len(layout.batch)
    if max(len(rows), len(columns)) < 2:
        axes = [*layout.batch[first:], *rows, *columns]
        if fastest in batch:
            whole = speller.fitted(factor.text, axes)
            return f"np.ascontiguousarray({whole})"
        bare = list(factor.text.axes) == axes
        return speller.fitted(factor.text, axes, loosest if bare else ATOM)
    flipped = bool(rows) and fastest == rows[-1]
    outer, inner = (columns, rows) if flipped else (rows, columns)
    text = speller.fitted(factor.text, [*batch, *outer, *inner], ATOM)
    wide = [speller.count(sizes[a]) if a in batch else "1" for a in layout.batch[first:]]
    shape = [*wide, *(_product(speller, g, sizes) for g in (outer, inner) if g)]
    text = f"{text}.reshape({', '.join(shape)})"
    if flipped and columns:
        text += ".T" if len(shape) == 2 else ".swapaxes(-1, -2)"
    return text


def _product(speller: Speller, axes: Sequence[str], sizes: Sizes) -> str:
    from loopc.backends.numpy.values import PRODUCT

    if len(axes) == 1:
        return speller.count(sizes[axes[0]])
    return " * ".join(speller.count(sizes[a], PRODUCT + 1) for a in axes)
