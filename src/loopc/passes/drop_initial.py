"""Drop the assignment of zero that an array starts from anyway.

Rewrite:   for j    s[j]  = 0           ->   for j,i  s[j] += W[j,i] h[i]
           for j,i  s[j] += W[j,i] h[i]
Requires:  nothing has written or read `s` before, and `+=` or `=` of something that gives it the
           same type writes it next, outside of a loop that the assignment stands in. Keeps: every
           value and type.
"""

from __future__ import annotations

from loopc.diagnostics.record import replace
from loopc.ir.nodes import Const, For, Program, Stmt, Update
from loopc.ir.visit import reads, updates


def drop_initial(program: Program) -> Program:
    """Return the program without initial assignments of zero."""
    temps = {a.name for a in program.arrays if a.kind == "temp" and not a.dtype}
    body: list[Stmt] = []
    touched: set[str] = set()
    for number, stmt in enumerate(program.body):
        name = _zeroed(stmt)
        later = program.body[number + 1 :]
        if name in temps and name not in touched and name is not None and _adds(later, name):
            continue
        touched |= {a.array for a in reads(stmt)}
        touched |= {u.target.array for _, u in updates((stmt,))}
        body.append(stmt)
    return program if len(body) == len(program.body) else replace(program, body=tuple(body))


def _zeroed(stmt: Stmt) -> str | None:
    """Return the array that a statement assigns a literal zero to, and does nothing else."""
    inner = stmt
    while isinstance(inner, For) and len(inner.body) == 1:
        inner = inner.body[0]
    match inner:
        case Update(target, "=", Const(value)) if not isinstance(value, complex) and value == 0:
            return target.array if repr(value) == "0" or "." in target.array else None
        case _:
            return None


def _adds(later: tuple[Stmt, ...], name: str) -> bool:
    """Whether the next write of an array adds to it, or assigns it what has its type."""
    for _, update in updates(later):
        itself = any(a.array == name for a in reads(update))
        if update.target.array == name:
            typed = update.op == "+=" or "." in name
            return update.op in ("=", "+=") and typed and not itself and not _is_literal(update)
        if itself:
            return False
    return False


def _is_literal(update: Update) -> bool:
    return isinstance(update.value, Const)
