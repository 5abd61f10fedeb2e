"""Whether the bounds of an index expression are values that it takes, or more than that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from loopc.ir.affine import affine
from loopc.ir.bounds import is_loose
from loopc.ir.nodes import Call, Expr, Index, IndexRef
from loopc.ir.visit import free_indices, walk


def _is_bent(index: Index, ranges: Mapping[str, Index]) -> bool:
    """Whether an end of a range is no linear function of other indices: `min(N, i+2)`."""
    forms = [affine(e) for e in (index.start, index.stop) if e is not None]
    return any(
        form is None
        or any(
            not isinstance(a, IndexRef) and ranges.keys() & set(free_indices(a))
            for a, _ in form.terms
        )
        for form in forms
    )


def is_attained(expr: Expr, ranges: Mapping[str, Index]) -> bool:
    """Whether both bounds of an expression are values that it takes, where no range is empty."""
    form = affine(expr)
    if form is None or any(is_loose(i) or _is_bent(i, ranges) for i in ranges.values()):
        return False
    following = {n for i in ranges.values() for n in free_indices(i)}
    counts = Counter(n for atom, _ in form.terms for n in free_indices(atom))
    for atom, _ in form.terms:
        inside = [n for n in free_indices(atom) if n in ranges]
        if isinstance(atom, IndexRef) or not inside or _is_multilinear(atom):
            continue
        if any(isinstance(n, Call) and n.fn == "mod" for n in walk(atom)):
            return False
        if any(counts[n] > 1 or n in following or free_indices(ranges[n]) for n in inside):
            return False
    return True


def _is_multilinear(atom: Expr) -> bool:
    """Whether an atom is a product of different indices and of factors without any."""
    factors = atom.args if isinstance(atom, Call) and atom.fn == "mul" else (atom,)
    names = [n for f in factors for n in free_indices(f)]
    bare = [f.name for f in factors if isinstance(f, IndexRef)]
    return len(set(names)) == len(names) == len(bare)
