"""Sum what an array holds sums of already, instead of all of its terms again.

Rewrite:   for i,j,k  u[i,j] += a[i,k] b[k,j] c[i,j]  ->  for i,j,k  u[i,j] += a[i,k] b[k,j] c[i,j]
           for i,j,k  v[j]   -= a[i,k] b[k,j] c[i,j]      for i,j    v[j]   -= u[i,j]
Requires:  the first statement gives `u` its values, and nothing that it reads or writes is written
           before the second, whose target has fewer of the indices. Keeps: every value, up to the
           rounding of a reassociated `+=`. The gradient of a bias is such a sum.
"""

from __future__ import annotations

from collections.abc import Sequence

from loopc.diagnostics.record import record, replace
from loopc.ir.nodes import (
    Access,
    Call,
    Expr,
    For,
    Index,
    IndexRef,
    Program,
    Read,
    Stmt,
    Subscript,
    Update,
)
from loopc.ir.visit import free_indices, reads, unguarded, updates


@record()
class _Sum:
    """An update that adds a term at every point of a box, one loop nest round it alone.

    Attributes:
        indices: the loops, outermost first.
        target: cells told apart by some of them.
        kept: the names of those.
        term: what is added, without its sign.
        negative: whether it is taken away.
    """

    indices: tuple[Index, ...]
    target: Access
    kept: tuple[str, ...]
    term: Expr
    negative: bool


def reuse_sums(program: Program) -> Program:
    """Return the program with sums of sums in place of longer ones."""
    declared = {a.name for a in program.arrays if a.kind != "temp" or a.dtype}
    written = set(declared)
    held: dict[Expr, list[_Sum]] = {}
    terms: dict[str, set[Expr]] = {}  # of the sums that an array has to do with
    body: list[Stmt] = []
    for stmt in program.body:
        own = _sum(stmt)
        new = stmt if own is None else _rewritten(stmt, own, held.get(own.term, ()))
        body.append(new)
        touched = {u.target.array for _, u in updates((new,))}
        for term in {t for name in touched for t in terms.pop(name, ())}:
            held[term] = [h for h in held[term] if not (_arrays(h) & touched)]
        if own is not None and own.target.array not in written and _is_longer(own):
            held.setdefault(own.term, []).append(own)
            for name in _arrays(own):
                terms.setdefault(name, set()).add(own.term)
        written |= touched
    changed = any(a is not b for a, b in zip(body, program.body, strict=True))
    return replace(program, body=tuple(body)) if changed else program


def _arrays(held: _Sum) -> set[str]:
    return {held.target.array, *(a.array for a in reads(held.term))}


def _is_longer(held: _Sum) -> bool:
    return len(held.kept) < len(held.indices) and held.target.array not in {
        a.array for a in reads(held.term)
    }


def _sum(stmt: Stmt) -> _Sum | None:
    """Return a statement as a sum over a box; None: it is none."""
    indices, stmt = unguarded(stmt)
    if not isinstance(stmt, Update) or stmt.op != "+=" or any(_is_ragged(i) for i in indices):
        return None
    kept = [s.at.name for s in stmt.target.subscripts if isinstance(s.at, IndexRef)]
    plain = all(s.mode == "strict" for s in stmt.target.subscripts)
    if not plain or len(kept) < len(stmt.target.subscripts) or len(set(kept)) < len(kept):
        return None
    negative = isinstance(stmt.value, Call) and stmt.value.fn == "neg"
    term = stmt.value.args[0] if isinstance(stmt.value, Call) and negative else stmt.value
    return _Sum(indices, stmt.target, tuple(kept), term, negative)


def _is_ragged(index: Index) -> bool:
    return bool(free_indices(index)) or any(True for _ in reads(index))


def _rewritten(stmt: Stmt, own: _Sum, held: Sequence[_Sum]) -> Stmt:
    for each in held:
        if set(each.indices) == set(own.indices) and set(own.kept) < set(each.kept):
            cells = tuple(Subscript(IndexRef(n)) for n in each.kept)
            read: Expr = Read(Access(each.target.array, cells), span=own.term.span)
            if each.negative != own.negative:
                read = Call("neg", (read,), span=own.term.span)
            inner: Stmt = _update(stmt, read)
            indices = tuple(i for i in own.indices if i.name in each.kept)
            return For(indices, None, (inner,), span=stmt.span)
    return stmt


def _update(stmt: Stmt, value: Expr) -> Update:
    while isinstance(stmt, For):
        stmt = stmt.body[0]
    assert isinstance(stmt, Update)
    return replace(stmt, value=value)
