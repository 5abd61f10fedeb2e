"""Tree to canonical text: the only place that prints .loops.

Printing what was parsed and parsing what was printed both give the same again. One-line loops that
follow one another are aligned, as on a slide.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from loopc.diagnostics.record import record
from loopc.syntax import tree

INDENT = "    "


def print_module(module: tree.Module) -> str:
    """Return the text of a file, ending in a newline (empty for an empty one)."""
    lines = list(_body(module.body, ""))
    if module.tail and lines:
        lines.append("")
    lines.extend(module.tail)
    return "".join(f"{line}\n" for line in lines)


def print_statement(statement: tree.Statement) -> str:
    """Return the text of one statement, without a newline at its end."""
    return "\n".join(_body((statement,), ""))


def print_expr(expr: tree.Expr | tree.Whole | tree.Index, *, compact: bool = False) -> str:
    """Return the text of an expression; `compact`: as in a subscript, `2*i+k`."""
    return _expr(expr, compact=compact)


# Statements


@record()
class _Row:
    """A one-line loop in three columns."""

    head: str
    target: str
    op: str
    value: str


def _body(statements: tuple[tree.Statement, ...], margin: str) -> Iterator[str]:
    run: list[tuple[_Row, tree.Statement]] = []
    for number, statement in enumerate(statements):
        row = _row(statement)
        breaks = statement.blank and number > 0
        if run and (row is None or breaks or statement.above):
            yield from _aligned(run, margin)
            run = []
        if breaks:
            yield ""
        for comment in statement.above:
            yield margin + comment
        if row is not None:
            run.append((row, statement))
        else:
            yield from _statement(statement, margin)
    yield from _aligned(run, margin)


def _row(statement: tree.Statement) -> _Row | None:
    """Return the columns of a one-line loop without ranges; None for any other statement."""
    match statement:
        case tree.For(indices, None, (tree.Assign() as assign,), True) if _is_plain(indices):
            head = "for " + ",".join(i.name for i in indices)
            target = ", ".join(_expr(t) for t in assign.targets)
            return _Row(head, target, assign.op, _expr(assign.value))
        case _:
            return None


def _is_plain(indices: tuple[tree.Index, ...]) -> bool:
    return all(not i.relation for i in indices)


def _aligned(run: list[tuple[_Row, tree.Statement]], margin: str) -> Iterator[str]:
    if not run:
        return
    heads = max(_width(row.head) for row, _ in run)
    ends = max(_width(row.target) + len(row.op) for row, _ in run)
    for row, statement in run:
        gap = " " * (ends - _width(row.target) - len(row.op) + 1)
        head = row.head + " " * (heads - _width(row.head) + 2)
        yield _with_comment(f"{margin}{head}{row.target}{gap}{row.op} {row.value}", statement)


def _with_comment(line: str, statement: tree.Statement) -> str:
    return f"{line}  {statement.behind}" if statement.behind else line


def _width(text: str) -> int:
    """Return the columns that a text takes: combining marks take none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _statement(statement: tree.Statement, margin: str) -> Iterator[str]:
    if isinstance(statement, tree.For | tree.If) and statement.inline:
        (inner,) = statement.body
        yield _with_comment(f"{margin}{_head(statement)}: {_one_line(inner)}", statement)
    elif isinstance(statement, tree.For | tree.If | tree.Def):
        yield _with_comment(f"{margin}{_head(statement)}:", statement)
        yield from _body(statement.body, margin + INDENT)
    else:
        yield _with_comment(margin + _one_line(statement), statement)


def _one_line(statement: tree.Statement) -> str:
    match statement:
        case tree.Assign(targets, op, value):
            return f"{', '.join(_expr(t) for t in targets)} {op} {_expr(value)}"
        case tree.Declare(keyword, items):
            return f"{keyword} {', '.join(_declared(d) for d in items)}"
        case tree.Use(target, quoted):
            return f'use "{target}"' if quoted else f"use {target}"
        case tree.Backward(of, wrt, name):
            text = f"backward {of}"
            text += f" wrt {', '.join(wrt)}" if wrt else ""
            return text + (f" as {name}" if name else "")
        case tree.For() | tree.If():
            row = _row(statement)
            if row is not None:
                return f"{row.head}  {row.target} {row.op} {row.value}"
            return f"{_head(statement)}: {_one_line(statement.body[0])}"
        case tree.Def():
            raise AssertionError("a def stands on lines of its own")


def _head(statement: tree.For | tree.If | tree.Def) -> str:
    match statement:
        case tree.For(indices, guard):
            comma = "," if guard is None and _is_plain(indices) else ", "
            text = "for " + comma.join(_index(i) for i in indices)
            return text if guard is None else f"{text} if {_expr(guard)}"
        case tree.If(guard):
            return f"if {_expr(guard)}"
        case tree.Def(name, params, results):
            given = ", ".join(_declared(d) for d in params)
            return f"def {name}({given}) -> {', '.join(_declared(d) for d in results)}"


def _index(index: tree.Index) -> str:
    if index.bound is None:
        return index.name
    return f"{index.name} {index.relation} {_expr(index.bound)}"


def _declared(item: tree.Declared) -> str:
    text = item.name
    if item.dims is not None:
        text += f"[{', '.join(_expr(d, compact=True) for d in item.dims)}]"
    text += f": {item.dtype}" if item.dtype else ""
    return text + (f" = {_expr(item.value)}" if item.value is not None else "")


# Expressions


def _expr(  # noqa: C901 - one case per kind of node
    expr: tree.Expr | tree.Whole | tree.Index, *, compact: bool = False
) -> str:
    match expr:
        case tree.Number(text):
            return text
        case tree.Name(name, primes):
            return name + "'" * primes
        case tree.Whole():
            return ":"
        case tree.Index():
            return _index(expr)
        case tree.Bracket():
            return _bracket(expr)
        case tree.Group(items):
            return f"({', '.join(_expr(i, compact=compact) for i in items)})"
        case tree.Chain(operands):
            return _chain(operands, compact=compact)
        case tree.Power(base, exponent):
            return f"{_expr(base, compact=compact)}**{_expr(exponent, compact=compact)}"
        case tree.Compare(first, rest):
            space = "" if compact else " "
            tail = "".join(f"{space}{op}{space}{_expr(e, compact=compact)}" for op, e in rest)
            return _expr(first, compact=compact) + tail
        case tree.Not(inner):
            return f"not {_expr(inner, compact=compact)}"
        case tree.Logic(op, items):
            return f" {op} ".join(_expr(i, compact=compact) for i in items)


def _bracket(expr: tree.Bracket) -> str:
    """An access is written close, `A[i,2*j+1]`; so are the indices of a reduction."""
    apart = any(isinstance(i, tree.Index) and i.relation for i in expr.items)
    comma = ", " if apart else ","
    inside = comma.join(_expr(i, compact=True) for i in expr.items)
    if expr.guard is not None:
        inside += f" if {_expr(expr.guard)}"
    return f"{expr.name}{chr(39) * expr.primes}[{inside}]"


def _chain(operands: tuple[tree.Operand, ...], *, compact: bool) -> str:
    text = ""
    for number, operand in enumerate(operands):
        written = "-" * operand.negations + _expr(operand.expr, compact=compact)
        if number == 0 or operand.op == "()":
            text += written
        elif operand.op == "":
            text += " " + written
        else:
            tight = compact and not written.startswith("-")
            text += f"{operand.op}{written}" if tight else f" {operand.op} {written}"
    return text
