"""`=` over an index that the target lacks: only the value of the last iteration stays."""

from __future__ import annotations

from loopc.diagnostics.record import replace
from loopc.ir.affine import Affine, affine, at_least
from loopc.ir.bounds import last
from loopc.ir.nodes import Call, Const, Expr, Index, IndexRef, Reduce, Update
from loopc.ir.visit import conjunction, free_indices, substitute
from loopc.lower.domain import Box, count


def last_values(
    update: Update, domain: Box, backwards: set[str], conditions: list[Expr]
) -> tuple[Update, Box]:
    """Return the update and its domain without the indices that the target lacks.

    Args:
        update: an assignment.
        domain: of all its parallel indices, each in ascending order.
        backwards: the indices that the loops take in descending order.
        conditions: takes what must hold for the update to happen at all.
    """
    kept = dict(domain.indices)
    masks = domain.masks
    gone: list[Index] = []
    searched: list[Index] = []
    for name in reversed(list(kept)):
        if name in free_indices(update.target):
            continue
        index = kept.pop(name)
        own = tuple(m for m in masks if name in free_indices(m))
        if own:
            final = _last_where(index, own, backwards=name in backwards)
            masks = (*(m for m in masks if m not in own), _exists(index, own))
            searched.append(index)
        else:
            final = last(index)
            if name in backwards:
                assert index.start is not None
                final = index.start
            gone.append(index)
        if name in free_indices(update.value):
            update = replace(update, value=substitute(update.value, {name: final}))
    still = [m for m in masks if not any(n in kept for n in free_indices(m))]
    still += [c for i in gone if free_indices(i) for c in _nonempty(i)]
    counted = tuple(i for i in gone if not free_indices(i))
    conditions += [*still, *(c for i in counted for c in _nonempty(i))]
    masks = tuple(m for m in masks if any(n in kept for n in free_indices(m)))
    scalars = (*domain.scalars, *still)
    run = (*counted, *(i for i in searched if not free_indices(i)))
    return update, replace(domain, indices=kept, masks=masks, scalars=scalars, gone=run)


def _nonempty(index: Index) -> list[Expr]:
    size = count(index)
    form = affine(size)
    sure = form is not None and at_least(form, Affine(1))
    return [] if sure else [Call("gt", (size, Const(0)))]


def _exists(index: Index, masks: tuple[Expr, ...]) -> Expr:
    """Return whether the masks hold for some value of an index."""
    return Reduce("any", (index,), None, conjunction(*masks))


def _last_where(index: Index, masks: tuple[Expr, ...], *, backwards: bool) -> Expr:
    """Return the last value of an index for which the masks hold."""
    op = "min" if backwards else "max"
    return Reduce(op, (index,), conjunction(*masks), IndexRef(index.name))
