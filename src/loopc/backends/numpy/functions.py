"""NumPy functions for what NumPy does not have: derivatives, and functions defined by others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from loopc.ir.derive import definition, expand_primes, placeholder
from loopc.ir.function_row import Function
from loopc.ir.functions import lookup, order
from loopc.ir.nodes import Call, Const, Expr, Node, Read
from loopc.ir.visit import children


@dataclass
class FunctionHelpers:
    """The helper functions of one module, in the order in which they are needed."""

    texts: dict[str, str] = field(default_factory=dict)

    def add_helper(self, row: Function) -> None:
        """Add a row's own NumPy source."""
        self.texts.setdefault(row.name, row.helper)

    def call(self, fn: str) -> str:
        """Return the name of the function that computes `fn`, which the module will have."""
        row = lookup(fn)
        assert row is not None, fn
        primes = order(fn)
        suffix = "" if not primes else "_prime" if primes == 1 else f"_prime{primes}"
        name = f"_{row.name}{suffix}"
        if name not in self.texts:
            body = _definition(fn, row)
            text = self._function(name, row, body, fn)
            self.texts.setdefault(name, text)
        return name

    def _function(self, name: str, row: Function, body: Expr, fn: str) -> str:
        writer = _Writer(self)
        result = writer.text(body, shared=_repeated(body))
        lines = [f"def {name}({', '.join(row.params)}):"]
        lines.append(f'    """Return {row.name}{chr(39) * order(fn)}({", ".join(row.params)})."""')
        lines += [f"    {line}" for line in writer.lines]
        lines.append(f"    return {result}")
        return "\n".join(lines) + "\n"


def _definition(fn: str, row: Function) -> Expr:
    from loopc.ir.build import expression

    if order(fn):
        return expand_primes(definition(fn))
    names: dict[str, Expr] = {p: placeholder(p) for p in row.params}
    return expand_primes(expression(row.definition, names))


def _repeated(body: Expr) -> set[Expr]:
    """Return the calls that occur more than once."""
    seen: set[Expr] = set()
    found: set[Expr] = set()
    for node in _walk(body):
        if isinstance(node, Call) and node.fn not in ("neg", "add", "mul"):
            if node in seen:
                found.add(node)
            seen.add(node)
    return found


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in children(node):
        yield from _walk(child)


class _Writer:
    """Writes an expression of placeholders, repeated calls as variables of their own."""

    def __init__(self, helpers: FunctionHelpers) -> None:
        self.helpers = helpers
        self.lines: list[str] = []
        self.known: dict[Expr, str] = {}

    def text(self, expr: Expr, shared: set[Expr]) -> str:
        if expr in self.known:
            return self.known[expr]
        text = self._text(expr, shared)
        if expr in shared:
            name = f"t{len(self.known) + 1}"
            self.lines.append(f"{name} = {text}")
            self.known[expr] = name
            return name
        return text

    def _text(self, expr: Expr, shared: set[Expr]) -> str:
        match expr:
            case Const(value):
                special = {"inf": "np.inf", "-inf": "-np.inf", "nan": "np.nan"}
                return special.get(repr(value), repr(value))
            case Read(access):
                return access.array
            case Call(fn, args):
                number = constant(expr)
                if number is not None:
                    return repr(number)
                return self._call(fn, [self.text(a, shared) for a in args])
            case _:
                raise AssertionError(expr)

    def _call(self, fn: str, args: list[str]) -> str:
        row = lookup(fn)
        assert row is not None, fn
        if not row.numpy:
            return f"{self.helpers.call(fn)}({', '.join(args)})"
        if row.helper:
            self.helpers.add_helper(row)
        wrapped = args
        if row.infix is not None and "np." not in row.numpy:
            wrapped = [a if _is_simple(a) else f"({a})" for a in args]
        if row.result == "bool" and row.infix is not None and row.counts_bools:
            return f"({_fold(row, wrapped)})"
        return _fold(row, wrapped)


def constant(expr: Expr) -> float | None:
    """Return the value of an expression of literals; NumPy's own would be of a type of its own."""
    if isinstance(expr, Const):
        return expr.value if isinstance(expr.value, int | float) else None
    if not isinstance(expr, Call):
        return None
    row = lookup(expr.fn)
    values = [constant(a) for a in expr.args]
    if row is None or order(expr.fn) or any(v is None for v in values):
        return None
    result = values[0] if row.variadic else row.scalar(*values)
    for value in values[1:] if row.variadic else ():
        result = row.scalar(result, value)
    return float(result) if isinstance(result, float) else None


def _is_simple(text: str) -> bool:
    """Whether a text is a name, a number without a sign, or one call."""
    return re.fullmatch(r"[\w.]+(\([^()]*\))?", text) is not None


def _fold(row: Function, args: list[str]) -> str:
    text = row.numpy.format(**dict(zip(row.params, args, strict=False)))
    for arg in args[2:] if row.variadic else ():
        text = row.numpy.format(**dict(zip(row.params, (f"({text})", arg), strict=True)))
    return text
