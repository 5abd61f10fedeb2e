"""The terms of a sum in groups by the indices that they depend on."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from loopc.diagnostics.record import record
from loopc.ir.nodes import Call, Expr, Index
from loopc.ir.visit import add, free_indices, mul, neg, reads


@record()
class Group:
    """Terms with the same indices, or some of them.

    Attributes:
        value: their sum.
        axes: the loops and the summed indices that it depends on, those that run in order first.
        fixed: whether its statement leaves it as it is.
    """

    value: Expr
    axes: tuple[Index, ...]
    fixed: bool

    @property
    def names(self) -> frozenset[str]:
        """The names of the axes."""
        return frozenset(i.name for i in self.axes)


def groups(
    value: Expr, indices: Sequence[Index], outer: Sequence[Index], written: Collection[str]
) -> list[Group]:
    """Return the terms of a sum in as few groups as have together what each term depends on.

    Args:
        value: the sum.
        indices: the loops round it.
        outer: those of them of which each iteration has another value of what is written.
        written: the arrays that are.
    """
    own: dict[frozenset[str], list[Expr]] = {}
    for term in terms(value):
        fixed = _is_fixed(term, written)
        axes = frozenset((*free_indices(term), *(() if fixed else (i.name for i in outer))))
        own.setdefault(axes, []).append(term)
    largest = [axes for axes in own if not any(axes < other for other in own)]
    found: dict[frozenset[str], list[Expr]] = {axes: [] for axes in largest}
    for axes, each in own.items():
        found[next(other for other in largest if axes <= other)] += each
    by_name = {i.name: i for i in indices}
    made: list[Group] = []
    for axes, each in found.items():
        total = add(*each)
        order = (*(i.name for i in outer if i.name in axes), *free_indices(total))
        own_axes = tuple(by_name[n] for n in dict.fromkeys(order))
        made.append(Group(total, own_axes, _is_fixed(total, written)))
    return made


def together(found: Sequence[Group], guard: Expr | None) -> frozenset[str]:
    """Return what terms depend on, and whether they count."""
    own = () if guard is None else free_indices(guard)
    return frozenset(own).union(*(g.names for g in found))


def _is_fixed(value: Expr, written: Collection[str]) -> bool:
    return not any(a.array in written for a in reads(value))


def terms(value: Expr) -> tuple[Expr, ...]:
    """Return the terms of a sum; of one that is divided by a number, each divided."""
    match value:
        case Call("add", args):
            return tuple(t for a in args for t in terms(a))
        case Call("neg", (inner,)):
            return tuple(map(neg, terms(inner)))
        case Call("div", (inner, by)) if not free_indices(by):
            return tuple(Call("div", (t, by)) for t in terms(inner))
        case Call("mul", args):
            sums = [a for a in args if free_indices(a)]
            if len(sums) == 1 and len(args) > 1:
                others = [a for a in args if a is not sums[0]]
                return tuple(mul(*others, t) for t in terms(sums[0]))
        case _:
            pass
    return (value,)
