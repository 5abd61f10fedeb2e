"""`=` over an index that the target lacks: only the value of the last iteration stays."""

from __future__ import annotations

from collections.abc import Collection

from loopc.diagnostics.record import replace
from loopc.ir.affine import Affine, affine, at_least, to_expr
from loopc.ir.bounds import last
from loopc.ir.nodes import Access, Call, Const, Expr, Index, IndexRef, Reduce, Update
from loopc.ir.visit import conjunction, free_indices, substitute
from loopc.lower.domain import Box, NeedSerial, count


def last_values(
    update: Update, domain: Box, backwards: set[str], conditions: list[Expr]
) -> tuple[Update, Box]:
    """Return the update and its domain without the indices that the target lacks.

    Args:
        update: an assignment.
        domain: of all its parallel indices, each in ascending order.
        backwards: the indices that the loops take in descending order.
        conditions: takes what must hold for the update to happen at all.

    Raises:
        NeedSerial: which of several points is a cell's last depends on an index outside of theirs.
    """
    kept = dict(domain.indices)
    masks = domain.masks
    order = list(kept)
    target = [n for n in order if n in free_indices(update.target)]
    gone: list[Index] = []
    searched: list[Index] = []
    for name in (n for n in reversed(order) if n not in target):
        index = kept.pop(name)
        own = tuple(m for m in masks if name in free_indices(m))
        if own:
            inside = any(n in target for n in order[order.index(name) :])
            if inside and not _is_unique(update.target, target):
                raise NeedSerial(name)
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


def _is_unique(target: Access, indices: Collection[str]) -> bool:
    """Whether each point of some indices has a cell of its own, by its subscripts alone.

    One subscript after the other tells an index from those that are known.
    """
    forms = [affine(s.at) for s in target.subscripts if s.mode in ("strict", "pad")]
    left = set(indices)
    while left:
        told = {
            n
            for form in forms
            for n in left
            if form is not None
            and form.coefficient(n)
            and form.is_linear_in(n)
            and not any(m in left - {n} for m in free_indices(to_expr(form)))
        }
        if not told:
            return False
        left -= told
    return True


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
