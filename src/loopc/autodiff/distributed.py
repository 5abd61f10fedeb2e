"""Blocks split where a reduction in them does not depend on a loop of theirs.

In a block, what a reduction needs is kept for every time round: with another statement beside it,
`for i, j: p[i,j] = softmax[j](x[i,j])` would keep a row for each point of it. In a loop of its own,
the reduction runs once for each `i`. Source: loop distribution, see `lower/schedule.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from loopc.analysis.dependence import dependences, leaves
from loopc.autodiff.loops import merged
from loopc.diagnostics.record import replace
from loopc.ir.nodes import For, Reduce, Stmt
from loopc.ir.visit import free_indices, loop, reads, updates, walk


def split_block(stmt: For, is_apart: Callable[[Reduce], bool]) -> tuple[Stmt, ...]:
    """Return the loops of a block's parts; nothing if it need not be split, or cannot be.

    Args:
        stmt: the block.
        is_apart: whether a reduction becomes a statement of its own.
    """
    if len(stmt.body) < 2:
        return ()
    names = [i.name for i in stmt.indices]
    lacking = [_lacking(s, names, is_apart) for s in stmt.body]
    if not any(lacking):
        return ()
    outer = min(names.index(n) for own in lacking for n in own)
    parts = _parts([bool(own) for own in lacking])
    if not _may_follow(stmt, parts, outer):
        return ()
    prefix, suffix = stmt.indices[:outer], stmt.indices[outer:]
    bodies = [
        [s for s, p in zip(stmt.body, parts, strict=True) if p == n] for n in sorted(set(parts))
    ]
    split = [_looped(For(suffix, stmt.guard, (), span=stmt.span), own) for own in bodies]
    return loop(prefix, None, *split)


def _looped(outer: For, body: list[Stmt]) -> Stmt:
    return merged(outer, body[0]) if len(body) == 1 else replace(outer, body=tuple(body))


def _lacking(stmt: Stmt, names: list[str], is_apart: Callable[[Reduce], bool]) -> set[str]:
    """Return the loops that reductions of a statement do not depend on."""
    return {
        name
        for value in _reductions(stmt)
        if is_apart(value)
        for name in set(names) - set(_inside(value))
    }


def _reductions(stmt: Stmt) -> Iterator[Reduce]:
    for _, update in updates((stmt,)):
        yield from (n for n in walk(update.value) if isinstance(n, Reduce))


def _inside(value: Reduce) -> tuple[str, ...]:
    """Return the loops' indices that the terms of a reduction depend on."""
    return tuple(free_indices(replace(value, at=())))


def _parts(alone: list[bool]) -> list[int]:
    """Return the part that each statement is in: those with such reductions are parts."""
    found: list[int] = []
    for number, own in enumerate(alone):
        same = number > 0 and not own and not alone[number - 1]
        found.append(found[-1] + (not same) if found else 0)
    return found


def _may_follow(stmt: For, parts: list[int], outer: int) -> bool:
    """Whether each part may run for all its iterations before the next one does."""
    written = {u.target.array for _, u in updates((stmt,))}
    heads = stmt.indices if stmt.guard is None else (*stmt.indices, stmt.guard)
    if any(a.array in written for head in heads for a in reads(head)):
        return False
    part = [p for p, s in zip(parts, stmt.body, strict=True) for _ in updates((s,))]
    return not any(
        edge.level is not None and edge.level >= outer and part[edge.source] > part[edge.sink]
        for edge in dependences(leaves((stmt,)))
    )
