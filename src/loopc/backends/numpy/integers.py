"""Integer expressions of dims, serial indices and integer cells as Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

from loopc.diagnostics.record import replace
from loopc.ir.affine import Affine, affine, at_least, simplify
from loopc.ir.functions import TO_INTEGER, lookup
from loopc.ir.nodes import Call, Const, Expr, Extent, IndexRef, Read, Reduce
from loopc.ir.visit import free_indices
from loopc.lower.context import place_of

ATOM, UNARY, PRODUCT, SUM = 20, 13, 12, 11

_EXACT = ("add", "mul", "neg", "max", "min", "floordiv", "mod")


def at(expr: Expr, dims: Mapping[str, int]) -> Expr:
    """Return an integer expression with numbers for dims, what they decide computed."""
    match expr:
        case Extent(dim) if dim in dims:
            return Const(dims[dim])
        case Call(fn, args) if fn in _EXACT:
            new = [at(a, dims) for a in args]
            numbers = [a.value for a in new if isinstance(a, Const) and type(a.value) is int]
            divides = fn in ("floordiv", "mod")
            if len(numbers) == len(new) and not (divides and numbers[1] == 0):
                row = lookup(fn)
                assert row is not None, fn
                return Const(row.scalar(*numbers) if fn == "neg" else reduce(row.scalar, numbers))
            changed = any(a is not b for a, b in zip(args, new, strict=True))
            return simplify(replace(expr, args=tuple(new))) if changed else expr
        case _:
            return expr


def spell(expr: Expr, name: Callable[[str, str], str], loosest: int = 0) -> str:
    """Return Python text for an integer expression; `name(role, name)` gives identifiers."""
    level, text = _spell(expr, name)
    return f"({text})" if level < loosest else text


def _spell(  # noqa: C901 - one case per kind of node
    expr: Expr, name: Callable[[str, str], str]
) -> tuple[int, str]:
    match expr:
        case Const(value):
            return (UNARY if str(value).startswith("-") else ATOM), str(value)
        case Extent(dim):
            return ATOM, name("dim", dim)
        case IndexRef(index):
            return ATOM, name("index", index)
        case Read(access):
            if not access.subscripts:
                return ATOM, f"int({name('array', access.array)})"
            inside = ", ".join(spell(s.at, name) for s in access.subscripts)
            return ATOM, f"int({name('array', access.array)}[{inside}])"
        case Call("add", (first, *rest)):
            text = spell(first, name, SUM)
            for term in rest:
                text += _signed(term, name)
            return SUM, text
        case Call("neg", (inner,)):
            return UNARY, f"-{spell(inner, name, UNARY)}"
        case Call("mul", args):
            return PRODUCT, " * ".join(
                spell(a, name, PRODUCT + (n > 0)) for n, a in enumerate(args)
            )
        case Call("floordiv" | "mod" as fn, (a, b)):
            sign = "//" if fn == "floordiv" else "%"
            if free_indices(b):  # an index may be 0; a size was looked at before the run
                dividend, divisor = spell(a, name), spell(b, name, PRODUCT + 1)
                return ATOM, f"int(np.int64({dividend}) {sign} {divisor})"
            return PRODUCT, f"{spell(a, name, PRODUCT)} {sign} {spell(b, name, PRODUCT + 1)}"
        case Call(fn, (inner,)) if fn == TO_INTEGER:
            text = _float(inner, name)
            return ATOM, f"{name('helper', '_integer')}({text}, {place_of(expr)!r})"
        case Call("max" | "min" as fn, args):
            return ATOM, f"{fn}({', '.join(spell(a, name) for a in args)})"
        case Call(fn, args):
            row = lookup(fn)
            assert row is not None, fn
            texts = [spell(a, name, ATOM) for a in args]
            return 0, row.numpy.format(**dict(zip(row.params, texts, strict=False)))
        case Reduce():
            raise AssertionError("a reduction is no size")


def _float(expr: Expr, name: Callable[[str, str], str]) -> str:
    """Return Python text for an expression of floats, each part of it in brackets."""
    match expr:
        case Const(value):
            return f"np.float64({value!r})"
        case Read(access):
            inside = ", ".join(spell(s.at, name) for s in access.subscripts)
            return f"{name('array', access.array)}{f'[{inside}]' if inside else ''}"
        case Call(fn, args) if fn != TO_INTEGER:
            row = lookup(fn)
            assert row is not None, fn
            first, *rest = (_float(a, name) for a in args)
            text = row.numpy.format(**dict(zip(row.params, (first, *rest), strict=False)))
            return f"({text})"
        case _:
            return spell(expr, name, ATOM)


def _signed(term: Expr, name: Callable[[str, str], str]) -> str:
    match term:
        case Call("neg", (inner,)):
            return f" - {spell(inner, name, PRODUCT)}"
        case Const(int(value)) if value < 0:
            return f" - {-value}"
        case _:
            return f" + {spell(term, name, SUM + 1)}"


def never_negative(expr: Expr) -> bool:
    """Whether an extent expression is at least 0 for all dims."""
    form = affine(expr)
    return form is not None and at_least(form, Affine(0))
