"""Sums of products: one einsum per loop to be read, or matmuls to be fast."""

from __future__ import annotations

import string
from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from loopc.backends.numpy import products
from loopc.backends.numpy.products import Sizes
from loopc.diagnostics.record import replace
from loopc.lower.plan import (
    Along,
    Apply,
    Contract,
    Exactly,
    Fold,
    Lit,
    Scalar,
    Selected,
    Value,
    View,
)

if TYPE_CHECKING:
    from loopc.backends.numpy.values import Speller, Text


def spell(speller: Speller, value: Contract) -> Text:
    """Spell a contraction at the module's level of optimisation."""
    if speller.opt == 0:
        numbers = [a for a in value.args if _is_number(a)]
        rest = tuple(a for a in value.args if not _is_number(a))
        text = _einsum(speller, replace(value, args=rest))
        return _scaled(speller, numbers, text) if numbers else text
    factors = _alone_summed(_merged(list(value.args)), value.axes)
    scalars = [f for f in factors if not f.axes]
    arrays = [f for f in factors if f.axes]
    if not arrays:
        return speller.spell(Apply("mul", tuple(scalars), ()))
    sizes = dict(value.sizes)
    if len(arrays) > 1 and scalars:
        arrays, scalars = _absorbed(speller, arrays, scalars, value.axes, sizes)
    text = _product(speller, arrays, value.axes, sizes)
    if not scalars:
        return text
    return _scaled(speller, scalars, text)


def _absorbed(
    speller: Speller,
    arrays: list[Value],
    scalars: list[Value],
    axes: Sequence[str],
    sizes: Sizes,
) -> tuple[list[Value], list[Value]]:
    """Scale the smallest factor, if it is smaller than the result."""

    def cells(own: Sequence[str]) -> int:
        return prod(speller.hints.typical(sizes[a], decides=False) for a in own)

    smallest = min(range(len(arrays)), key=lambda n: cells(arrays[n].axes))
    factor = arrays[smallest]
    if cells(factor.axes) >= cells(axes):
        return arrays, scalars
    arrays[smallest] = Apply("mul", (*scalars, factor), factor.axes)
    return arrays, []


def spell_selected(speller: Speller, value: Selected) -> Text:
    """Spell a contraction whose terms under a mask alone count."""
    from loopc.backends.numpy.values import ATOM, Text

    fast = speller.fit(Contract(value.args, value.axes, value.sizes), value.axes)
    terms = [speller.spell(v) for v in (value.mask, *value.exact)]
    letter = letters(list(dict.fromkeys(a for t in terms for a in t.axes)))
    inputs = ",".join("".join(letter[a] for a in t.axes) for t in terms)
    output = "".join(letter[a] for a in value.axes)
    given = ", ".join(t.text for t in terms)
    exact = f"({given})" if all(t.text.isidentifier() for t in terms) else f"lambda: ({given})"
    call = f'{speller.helper("_selected")}({fast}, {exact}, "{inputs}->{output}")'
    return Text(call, ATOM, value.axes)


ONE_THREAD = 10_000
"""The cells up to which BLAS sums products in one thread."""


def dot(speller: Speller, value: Fold | Along) -> Text | None:
    """Spell the sum of all products of two arrays' cells; None: it is something else."""
    from loopc.backends.numpy.values import ATOM, Text

    match value:
        case Fold("sum", Apply("mul", (View() as a, View() as b)), axes=(), mask=None):
            types = [speller.types.get(v.array) for v in (a, b)]
            real = all(t is not None and t.kind == "f" for t in types) and types[0] == types[1]
            rows = len(a.axes) == len(b.axes) == 1  # which are not copied if they have strides
            whole = all(map(_in_one_piece, (a, b)))
            if not speller.opt or not real or not (rows or whole):
                return None
            call = "np.dot" if rows else "np.vdot"
            if speller.hints.tiles and _is_long(speller, a):
                call = speller.helper("_vdot")
            return Text(f"{call}({speller.text(a)}, {speller.fit(b, a.axes)})", ATOM, ())
        case _:
            return None


def _is_long(speller: Speller, view: View) -> bool:
    """Whether BLAS is known to use threads for a sum over all cells."""
    counts = [speller.hints.known(p.count, decides=False) for p in view.parts if p.count]
    return prod(0 if n is None else n for n in counts) >= ONE_THREAD


def _in_one_piece(view: View) -> bool:
    """Whether a part of an array has no gaps in memory, if the array has none."""
    return all(p.step == 1 for p in view.parts[:1]) and all(p.whole for p in view.parts[1:])


def spell_exactly(speller: Speller, value: Exactly) -> Text:
    """Spell a value that is made in another way where it is not finite."""
    from loopc.backends.numpy.values import ATOM, Text

    axes = value.axes
    fast, slow = speller.fit(value.arg, axes), speller.fit(value.exact, axes)
    if fast.isidentifier():
        return Text(f"{fast} if np.isfinite({fast}).all() else {slow}", 0, axes)
    return Text(f"{speller.helper('_exactly')}({fast}, lambda: {slow})", ATOM, axes)


def letters(axes: Sequence[str]) -> dict[str, str]:
    """Return a letter for each axis: its own name where that is one."""
    taken = {a for a in axes if len(a) == 1 and a in string.ascii_letters}
    free = (c for c in string.ascii_letters if c not in taken)
    return {a: a if a in taken else next(free) for a in axes}


def _einsum(speller: Speller, value: Contract) -> Text:
    from loopc.backends.numpy.values import ATOM, Text

    axes = list(dict.fromkeys(a for arg in value.args for a in arg.axes))
    letter = letters(axes)
    spelled = [speller.spell(a) for a in value.args]
    inputs = ",".join("".join(letter[a] for a in s.axes) for s in spelled)
    output = "".join(letter[a] for a in value.axes)
    args = ", ".join(s.text for s in spelled)
    return Text(f'np.einsum("{inputs}->{output}", {args})', ATOM, value.axes)


def _is_number(value: Value) -> bool:
    """Whether a factor is a Python number, which einsum would take for a float64 array."""
    if isinstance(value, Apply):
        return all(map(_is_number, value.args))
    return isinstance(value, Lit | Scalar)


def _merged(args: list[Value]) -> list[Value]:
    """Multiply factors with the same axes, elementwise."""
    groups: dict[frozenset[str], list[Value]] = {}
    for arg in args:
        groups.setdefault(frozenset(arg.axes), []).append(arg)
    return [
        group[0] if len(group) == 1 else Apply("mul", tuple(group), group[0].axes)
        for axes, group in groups.items()
        for _ in [axes]
    ]


def _alone_summed(args: list[Value], axes: Sequence[str]) -> list[Value]:
    """Sum each factor over the axes that only it has."""
    found = []
    for number, arg in enumerate(args):
        others = {x for n, v in enumerate(args) if n != number for x in v.axes}
        found.append(_summed(arg, (*axes, *others)))
    return found


def _scaled(speller: Speller, scalars: Sequence[Value], text: Text) -> Text:
    from loopc.backends.numpy.values import PRODUCT, Text, bracketed

    front = " * ".join(speller.text(s, PRODUCT + 1) for s in scalars)
    return Text(f"{front} * {bracketed(text, PRODUCT + 1)}", PRODUCT, text.axes)


def _product(speller: Speller, arrays: list[Value], axes: tuple[str, ...], sizes: Sizes) -> Text:
    """Spell the contraction of factors that all have axes, two at a time."""
    value_sizes = tuple(sizes.items())
    while len(arrays) > 2:
        a, b = _best_pair(speller, arrays, axes, sizes)
        rest = [v for n, v in enumerate(arrays) if n not in (a, b)]
        needed = {x for v in rest for x in v.axes} | set(axes)
        both = list(dict.fromkeys((*arrays[a].axes, *arrays[b].axes)))
        kept = tuple(x for x in both if x in needed)
        arrays = [*rest, Contract((arrays[a], arrays[b]), kept, value_sizes)]
    if len(arrays) == 1:
        return speller.spell(_summed(arrays[0], axes))
    return _pair(speller, arrays[0], arrays[1], axes, sizes)


def _best_pair(
    speller: Speller, arrays: Sequence[Value], axes: tuple[str, ...], sizes: Sizes
) -> tuple[int, int]:
    """Choose the pair to contract first: opt_einsum's best, by extents as far as they are known.

    Its `dp` is not always the best of its own kinds, so it is compared with `greedy`.
    """
    import opt_einsum

    letter = letters(list(dict.fromkeys(a for v in arrays for a in v.axes)))
    inputs = ",".join("".join(letter[a] for a in v.axes) for v in arrays)
    equation = f"{inputs}->{''.join(letter[a] for a in axes)}"
    shapes = [tuple(speller.hints.typical(sizes[a]) for a in v.axes) for v in arrays]
    found = [
        opt_einsum.contract_path(equation, *shapes, shapes=True, optimize=how)
        for how in ("dp", "greedy")
    ]
    path, _ = min(found, key=lambda each: float(each[1].opt_cost))
    first = path[0]
    return (int(first[0]), int(first[1]))


def _summed(value: Value, kept: Sequence[str]) -> Value:
    """Sum over the axes that are not in `kept`."""
    over = tuple(a for a in value.axes if a not in kept)
    if not over:
        return value
    return Fold("sum", value, over, tuple(a for a in value.axes if a in kept))


def _pair(speller: Speller, a: Value, b: Value, axes: tuple[str, ...], sizes: Sizes) -> Text:
    shared = [x for x in a.axes if x in b.axes]
    if all(x in axes for x in shared):
        return speller.spell(Apply("mul", (a, b), axes))
    if set(a.axes) == set(b.axes) or (a.axes[-1] == b.axes[-1] and a.axes[-1] in axes):
        return _einsum(speller, Contract((a, b), axes))
    return products.spell(speller, (a, b), speller.hints.wished(axes), sizes)
