"""Expressions of the IR as trees, with the brackets that they need."""

from __future__ import annotations

from collections.abc import Iterator

from loopc.diagnostics.record import replace
from loopc.ir.affine import affine, plus
from loopc.ir.functions import TO_INTEGER, lookup, order
from loopc.ir.nodes import (
    Access,
    Call,
    Const,
    Expr,
    Extent,
    Index,
    IndexRef,
    Read,
    Reduce,
    Subscript,
)
from loopc.ir.visit import substitute
from loopc.syntax import tree
from loopc.syntax.printer import print_expr

_COMPARE, _SUM, _TERM, _ATOM = 4, 5, 6, 9
"""Precedences: the loosest that may stand without brackets."""


def expr_text(expr: Expr) -> str:
    """Return the text of an expression."""
    node = expression_tree(expr)
    is_size = affine(expr) is not None
    return print_expr(starred(node) if is_size else node, compact=is_size)


def refused_text(expr: Expr) -> str:
    """Return what an error calls an expression without a value; `int(…)` may not be written."""
    return expr_text(expr.args[0] if isinstance(expr, Call) and expr.fn == TO_INTEGER else expr)


def _call(name: str, items: tuple[tree.Expr, ...], primes: int = 0) -> tree.Chain:
    head = tree.Operand("", 0, tree.Name(name, primes))
    return tree.Chain((head, tree.Operand("()", 0, tree.Group(items))))


def expression_tree(expr: Expr, loosest: int = 0) -> tree.Expr:
    """Return the tree of an expression; in brackets if it binds looser than `loosest`."""
    level, node = _expression(expr)
    return tree.Group((node,)) if level < loosest else node


def _expression(expr: Expr) -> tuple[int, tree.Expr]:
    match expr:
        case Const(value):
            return _number(value)
        case IndexRef(name) | Extent(name):
            return _ATOM, tree.Name(name)
        case Read(access):
            return _ATOM, access_tree(access)
        case Reduce():
            return _TERM, tree.Chain(_reduction(expr))
        case Call(fn, args):
            row = lookup(fn)
            if row is None or row.infix is None:
                stem = fn.rstrip("'")
                return _TERM, _call(stem, tuple(expression_tree(a) for a in args), order(fn))
            return _operator(expr)


def _number(written: complex) -> tuple[int, tree.Expr]:
    value = int(written) if isinstance(written, bool) else written
    assert isinstance(value, int | float)
    if value != value or value in (float("inf"), float("-inf")):
        name = tree.Name("nan" if value != value else "inf")
        return (_TERM, tree.Chain((tree.Operand("", 1, name),))) if value < 0 else (_ATOM, name)
    text = repr(abs(value)).removesuffix(".0") if abs(value) >= 1e16 else repr(abs(value))
    if repr(value).startswith("-"):
        return _TERM, tree.Chain((tree.Operand("", 1, tree.Number(text)),))
    return _ATOM, tree.Number(text)


def _reduction(expr: Reduce) -> tuple[tree.Operand, ...]:
    expr = _named_after_points(expr)
    items = tuple(index_tree(i) for i in expr.indices)
    guard = None if expr.guard is None else expression_tree(expr.guard)
    bracket = tree.Bracket(expr.op, tuple(_bare(i) for i in items), guard)
    body = tree.Group((expression_tree(expr.body),))
    return tree.Operand("", 0, bracket), tree.Operand("()", 0, body)


def _named_after_points(expr: Reduce) -> Reduce:
    """Give the indices of a pointwise reduction the names of the loops that they stand for."""
    points = [e.name for e in expr.at if isinstance(e, IndexRef)]
    if len(points) != len(expr.indices) or points == [i.name for i in expr.indices]:
        return expr
    names: dict[str, Expr] = {}
    indices = []
    for index, name in zip(expr.indices, points, strict=True):
        indices.append(replace(substitute(index, names), name=name))
        names[index.name] = IndexRef(name)
    guard = None if expr.guard is None else substitute(expr.guard, names)
    return replace(expr, indices=tuple(indices), guard=guard, body=substitute(expr.body, names))


def _bare(index: tree.Index) -> tree.Expr | tree.Index:
    return index if index.relation else tree.Name(index.name)


def _operator(expr: Call) -> tuple[int, tree.Expr]:
    row = lookup(expr.fn)
    assert row is not None
    assert row.infix is not None
    level, symbol = row.infix.precedence, row.infix.symbol
    match expr.fn:
        case "add":
            return _SUM, tree.Chain(tuple(_terms(expr.args)))
        case "mul" | "div" | "neg":
            return _TERM, tree.Chain(tuple(_factors(expr)))
        case "floordiv" | "mod":
            left, right = expr.args
            first = _operand("", left) if _is_negated(left) else tuple(_factors(left))
            return _TERM, tree.Chain((*first, *_operand(symbol, right)))
        case "pow":
            return level, tree.Power(_base(expr.args[0]), _exponent(expr.args[1]))
        case "not":
            return level, tree.Not(expression_tree(expr.args[0], level))
        case "and" | "or":
            return level, tree.Logic(
                symbol, tuple(expression_tree(a, level + 1) for a in expr.args)
            )
        case _:
            sides = [expression_tree(a, _SUM) for a in expr.args]
            return _COMPARE, tree.Compare(sides[0], ((symbol, sides[1]),))


def _is_negated(expr: Expr) -> bool:
    return isinstance(expr, Call) and expr.fn == "neg"


def _terms(args: tuple[Expr, ...]) -> Iterator[tree.Operand]:
    for number, arg in enumerate(args):
        opposite = negated(arg)
        if not number and isinstance(arg, Call) and arg.fn == "add":
            yield from _terms(arg.args)  # a sum is read from left to right
            continue
        if number and opposite is not None:
            yield tree.Operand("-", 0, expression_tree(opposite, _TERM))
        else:
            yield tree.Operand("+" if number else "", 0, expression_tree(arg, _TERM))


def _factors(expr: Expr) -> Iterator[tree.Operand]:
    """Yield the operands of a product chain."""
    match expr:
        case Call("neg", (inner,)):
            first, *rest = _factors(inner) if _is_chain(inner) else _operand("", inner)
            if first.negations or first.expr == tree.Number("0"):  # `-0` is the integer 0
                yield tree.Operand("", 1, tree.Group((expression_tree(inner),)))
                return
            yield replace(first, negations=1)
            yield from rest
        case Call("mul", (first, *rest)):
            divided = isinstance(first, Call) and first.fn == "div"
            yield from _factors(first) if divided else _operand("", first)
            for factor in rest:
                yield from _operand("*" if divided or _starts_badly(factor) else "", factor)
        case Call("div", (a, b)):
            yield from _factors(a) if _is_chain(a) else _operand("", a)
            yield from _operand("/", b)
        case _:
            yield from _operand("", expr)


def _is_chain(expr: Expr) -> bool:
    return isinstance(expr, Call) and expr.fn in ("mul", "div")


def _starts_badly(factor: Expr) -> bool:
    """Whether juxtaposing the factor would read as something else: a number, a sign."""
    match factor:
        case Const():
            return True
        case Call("pow", (base, _)):
            return isinstance(base, Const)
        case Call("neg", _):
            return True
        case _:
            return False


def _operand(op: str, expr: Expr) -> tuple[tree.Operand, ...]:
    """Return an operand of a product chain: an atom, a power, a call, else in brackets."""
    match expr:
        case Reduce():
            head, body = _reduction(expr)
            return replace(head, op=op), body
        case Call(fn) if (row := lookup(fn)) is not None and row.infix is None:
            chain = _expression(expr)[1]
            assert isinstance(chain, tree.Chain)
            head, *rest = chain.operands
            return replace(head, op=op), *rest
        case Call("pow"):
            return (tree.Operand(op, 0, _expression(expr)[1]),)
        case Const(value) if repr(value).startswith("-"):
            return (tree.Operand(op, 1, _number(-value)[1]),)
        case _:
            return (tree.Operand(op, 0, expression_tree(expr, _ATOM)),)


def _base(expr: Expr) -> tree.Expr:
    return expression_tree(expr, _ATOM)


def _exponent(expr: Expr) -> tree.Expr:
    if isinstance(expr, Const) and repr(expr.value).startswith("-"):
        return _number(expr.value)[1]
    return expression_tree(expr, _ATOM)


def access_tree(access: Access) -> tree.Name | tree.Bracket:
    """Return the tree of an access."""
    if not access.subscripts:
        return tree.Name(access.array)
    return tree.Bracket(access.array, tuple(_subscript(s) for s in access.subscripts))


def _subscript(subscript: Subscript) -> tree.Expr:
    at = starred(expression_tree(subscript.at))
    return at if subscript.mode == "strict" else _call(subscript.mode, (at,))


def starred(node: tree.Expr) -> tree.Expr:
    """Write products with `*`, as in `2*i+k`."""
    if not isinstance(node, tree.Chain):
        return node
    operands = (replace(o, expr=starred(o.expr)) for o in node.operands)
    return tree.Chain(
        tuple(replace(o, op="*") if n and not o.op else o for n, o in enumerate(operands))
    )


def negated(value: Expr) -> Expr | None:
    """Return the expression of which this is the negation, if it is written as one."""
    match value:
        case Call("neg", (inner,)):
            return inner
        case Const(int() | float() as number) if not isinstance(number, bool) and number < 0:
            return Const(-number)
        case _:
            return None


def index_tree(index: Index) -> tree.Index:
    """Return the tree of an index, with its range where the program writes it."""
    if index.stop is None or not index.written:
        return tree.Index(index.name)
    start, stop = index.start or Const(0), index.stop
    if index.step < 0:
        low, high = plus(stop, 1), plus(start, 1)
        if index.step != -1:
            return tree.Index(index.name, "in", _range(start, stop, index.step))
        inner = _range(low, high, 1)
        return tree.Index(index.name, "in", _call("reversed", (inner,)))
    if index.step == 1 and start == Const(0):
        return tree.Index(index.name, "<", expression_tree(stop, _SUM))
    return tree.Index(index.name, "in", _range(start, stop, index.step))


def _range(start: Expr, stop: Expr, step: int) -> tree.Expr:
    ends = [start, stop]
    if step == 1 and start == Const(0):
        ends = [stop]
    items = [expression_tree(e) for e in ends]
    if step != 1:
        items.append(expression_tree(Const(step)))
    return _call("range", tuple(items))
