"""Derivatives of the table's functions, as expressions.

The rule of a function is its row's text; here it is put together with the arguments, and carried
on to higher orders by the chain rule. A derivative that is zero everywhere is None, which is
dropped; a product with a literal 0 is not, for the other factor may be inf or NaN.

Only what keeps every value is folded: arithmetic of integer literals, a factor 1, `x ** 1`,
`x ** 0`, and a `where` whose condition is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TypeVar

from loopc.diagnostics.record import replace
from loopc.ir.function_row import Function
from loopc.ir.functions import is_operator, lookup, order
from loopc.ir.nodes import Access, Call, Const, Expr, Node, Read
from loopc.ir.visit import add, map_children, mul, neg, walk

N = TypeVar("N", bound=Node)


def partial(
    fn: str,
    n: int,
    args: tuple[Expr, ...],
    value: Expr | None = None,
    *,
    expand: bool = False,
) -> Expr | None:
    """Return the derivative of `fn(*args)` by its n-th argument (from 0), None if it is zero.

    Args:
        fn: the function's spelling; its primes count.
        n: which argument.
        args: the arguments.
        value: an expression that has the value of the call; else the call is written out.
        expand: whether a derivative that reads best as `f'(x)` is written out too.
    """
    row = _row(fn)
    if row.keep_prime and not expand:
        return None if _derivative(fn) is None else Call(fn + "'", args)
    if order(fn):
        rule = _derivative(fn)
        return None if rule is None else _place(rule, {row.params[0]: args[0]})
    if row.partials is None:
        return None
    if row.variadic:
        return _variadic(row, fn, n, args, value)
    return _apply(row, n, args, Call(fn, args) if value is None else value)


def definition(fn: str) -> Expr:
    """Return what a primed function of one argument is, over `placeholder`s of its parameter."""
    assert order(fn), fn
    result = _derivative(fn[:-1])
    return Const(0) if result is None else result


def placeholder(name: str) -> Read:
    """Return what stands for the parameter `name` in a definition."""
    return Read(Access(name))


def expand_primes(part: N) -> N:
    """Replace every call of a primed function by its definition, in any part of a program."""

    def step(node: Node) -> Node:
        node = map_children(node, step)
        if isinstance(node, Call) and order(node.fn):
            return _place(_expanded(node.fn), {_row(node.fn).params[0]: node.args[0]})
        return node

    return step(part)  # type: ignore[return-value]


def by_value(call: Call, value: Expr) -> Expr | None:
    """Return a first derivative as arithmetic of its function's value; None: it is no such thing.

    Args:
        call: `f'(x)`.
        value: what has the value of `f(x)`.
    """
    row = _row(call.fn)
    if order(call.fn) != 1:
        return None
    if row.slope:
        return _place(_slope(row.name), {"y": value})
    spellings = {row.name, *row.aliases}

    def put(inner: Node) -> Node:
        if isinstance(inner, Call) and inner.fn in spellings and inner.args == call.args:
            return value
        return map_children(inner, put)

    result = put(expand_primes(call))
    plain = all(is_operator(n.fn) for n in walk(result) if isinstance(n, Call))
    return result if plain else None  # type: ignore[return-value]


def function_of(call: Call) -> Call:
    """Return what a call is computed from: `f(x)` for `f'(x)`, where that is arithmetic of it."""
    found = by_value(call, placeholder("y")) if order(call.fn) == 1 else None
    return call if found is None else replace(call, fn=call.fn[:-1])


@cache
def _slope(name: str) -> Expr:
    from loopc.ir.build import expression

    return expression(_row(name).slope, {"y": placeholder("y")})


@cache
def _expanded(fn: str) -> Expr:
    return expand_primes(definition(fn))


def differentiate(expr: Expr, name: str) -> Expr | None:
    """Return the derivative of an expression of calls, literals and placeholders by one of these.

    None if it is zero everywhere.
    """
    if isinstance(expr, Read):
        return Const(1) if expr == placeholder(name) else None
    if not isinstance(expr, Call):
        return None
    slopes = [differentiate(argument, name) for argument in expr.args]
    if expr.fn == "where" and any(s is not None for s in slopes[1:]):
        taken, other = (Const(0) if s is None else s for s in slopes[1:])
        return fold(Call(expr.fn, (expr.args[0], taken, other)))
    terms: list[Expr] = []
    for n, slope in enumerate(slopes):
        if slope is None:
            continue
        if expr.fn == "mul":
            terms.append(product(*expr.args[:n], slope, *expr.args[n + 1 :]))
            continue
        outer = partial(expr.fn, n, expr.args, expr)
        if outer is not None:
            terms.append(product(slope, outer))
    return add(*terms) if terms else None


def product(*factors: Expr) -> Expr:
    """Return the product; factors 1 and -1 are dropped, the sign kept."""
    kept = [f for f in factors if f != _MINUS]
    result = mul(*kept)
    return neg(result) if (len(factors) - len(kept)) % 2 == 1 else result


_MINUS = Const(-1)


@cache
def _derivative(fn: str) -> Expr | None:
    """Return the derivative of a function of one argument over its placeholder."""
    row = _row(fn)
    assert len(row.params) == 1, fn
    x = placeholder(row.params[0])
    if order(fn) == 0:
        return None if row.partials is None else _apply(row, 0, (x,), Call(fn, (x,)))
    inner = _derivative(fn[:-1])
    return None if inner is None else differentiate(inner, row.params[0])


def _apply(row: Function, n: int, args: tuple[Expr, ...], value: Expr) -> Expr | None:
    """Put arguments into a row's n-th partial."""
    rule = _rule(row.name, n, tuple(a if isinstance(a, Const) else None for a in args))
    if rule is None:
        return None
    return _place(rule, {**dict(zip(row.params, args, strict=True)), "y": value})


@lru_cache(maxsize=1000)
def _rule(name: str, n: int, literals: tuple[Const | None, ...]) -> Expr | None:
    """Return a row's n-th partial over placeholders, folded for the arguments that are literals."""
    from loopc.ir.build import expression

    row = _row(name)
    assert row.partials is not None
    if row.partials[n] == "0":
        return None
    names: dict[str, Expr] = {"y": placeholder("y")}
    for parameter, literal in zip(row.params, literals, strict=True):
        names[parameter] = placeholder(parameter) if literal is None else literal
    return fold(expression(row.partials[n], names))


def _variadic(
    row: Function, fn: str, n: int, args: tuple[Expr, ...], value: Expr | None
) -> Expr | None:
    """Return the partial of a fold: of a sum 1, of a product the other factors in order.

    For `max` and `min` of more than two, equal arguments share evenly.
    """
    if row.name == "add":
        return Const(1)
    if row.name == "mul":
        return product(*args[:n], *args[n + 1 :])
    if len(args) == 2:
        return _apply(row, n, args, Call(fn, args) if value is None else value)
    best = Call(fn, args) if value is None else value
    equal = [Call("eq", (argument, best)) for argument in args]
    return Call("div", (equal[n], Call("max", (Const(1), add(*equal)))))


def _place(expr: Expr, values: Mapping[str, Expr]) -> Expr:
    """Replace placeholders by expressions."""

    def step(node: Node) -> Node:
        if isinstance(node, Read) and not node.access.subscripts:
            return values.get(node.access.array, node)
        return map_children(node, step)

    return step(expr)  # type: ignore[return-value]


def fold(expr: Expr) -> Expr:
    """Fold what the module's head names, in calls all the way down."""
    if not isinstance(expr, Call):
        return expr
    expr = map_children(expr, fold)  # type: ignore[arg-type]
    match expr:
        case Call("where", (Const(condition), a, b)):
            return a if condition else b
        case Call("pow", (base, Const(exponent))) if exponent == 1:
            return base
        case Call("pow", (_, Const(exponent))) if exponent == 0:
            return Const(1)
        case Call("mul", args):
            return _fold_product(args)
        case _:
            return _fold_literals(expr) if _is_exact(expr) else expr


def _is_exact(call: Call) -> bool:
    """Whether a call of literals has a value that can be written instead of it."""
    row = _row(call.fn)
    if not all(isinstance(a, Const) for a in call.args) or order(call.fn):
        return False
    if row.result == "bool" or row.name in ("add", "neg"):
        return True
    whole = all(_is_integer(a) for a in call.args)
    return whole and row.name in ("floordiv", "mod", "max", "min")


def _fold_product(args: tuple[Expr, ...]) -> Expr:
    """Drop factors 1 and -1, and multiply integer literals that stand next to each other."""
    factors: list[Expr] = []
    for argument in args:
        last = factors[-1] if factors else None
        if last is not None and _is_integer(last) and _is_integer(argument):
            factors[-1] = _fold_literals(Call("mul", (last, argument)))
        else:
            factors.append(argument)
    return product(*factors)


def _fold_literals(expr: Call) -> Const:
    row = _row(expr.fn)
    values = [a.value for a in expr.args if isinstance(a, Const)]
    result = values[0] if row.variadic else row.scalar(*values)
    for value in values[1:] if row.variadic else ():
        result = row.scalar(result, value)
    return Const(result)


def _is_integer(expr: Expr) -> bool:
    return isinstance(expr, Const) and isinstance(expr.value, int)


def _row(fn: str) -> Function:
    row = lookup(fn)
    assert row is not None, fn
    return row
