"""Types that cannot be: an index that is no integer, a value that its array cannot hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from loopc.diagnostics import catalogue
from loopc.diagnostics.errors import Diagnostic
from loopc.diagnostics.record import replace
from loopc.ir import functions, reductions
from loopc.ir.dtypes import DECLARED, KINDS, ORDER, DType, infer_dtypes, of_expr
from loopc.ir.nodes import Call, Const, Expr, Index, Node, Program, Reduce, Update
from loopc.ir.unbuild_expr import expr_text
from loopc.ir.visit import map_children, updates, walk
from loopc.ir.whole import integers, positions


def check_types(program: Program, found: list[Diagnostic]) -> None:
    """Append what is wrong with the types of a resolved program to `found`."""
    types = infer_dtypes(program, {})
    for expr in integers(program):
        dtype = of_expr(expr, types)
        if dtype is not None and dtype.kind not in "bi":
            text, repair = expr_text(expr), index_repair(expr, program)
            found.append(catalogue.diagnostic("L0402", expr.span, text=text, repair=repair))
    found.extend(_too_wide(program, types))
    found.extend(check_complex(program, types))


def index_repair(expr: Expr, program: Program | None = None) -> str:
    """Return how a value that is no integer becomes an index."""
    found = [] if program is None else [program.array(name) for name in positions(expr)]
    for array in found:
        if array.kind != "temp" and array.declared and DECLARED.get(array.dtype) not in ("b", "i"):
            cells = "[…]" if array.shape else ""
            return f"declare that `{array.name}` holds integers: `{array.name}{cells}: int`"
    return "round it, `floor(…)`, `ceil(…)`, `round(…)` or `int(…)`, or divide by `//`"


def whole_ranges(program: Program) -> Program:
    """Return a program with empty ranges where an end is no integer, for further checks."""
    types = infer_dtypes(program, {})

    def step(node: Node) -> Node:
        new = map_children(node, step)
        if isinstance(new, Index) and not all(_is_integer(e, types) for e in (new.start, new.stop)):
            return replace(new, start=Const(0), stop=Const(0))
        return new

    return map_children(program, step)


def _is_integer(expr: Expr | None, types: Mapping[str, DType]) -> bool:
    dtype = None if expr is None else of_expr(expr, types)
    return dtype is None or dtype.kind in "bi"


def _too_wide(program: Program, types: Mapping[str, DType]) -> Iterator[Diagnostic]:
    declared = {a.name: a for a in program.arrays if a.dtype}
    for _, update in updates(program.body):
        name = update.target.array
        value = of_expr(update.value, types) if name in declared else None
        if value is None:
            continue
        kind = DECLARED[declared[name].dtype]
        if ORDER.index(value.kind) > max(ORDER.index(kind), ORDER.index("i")):
            facts = {
                "name": name,
                "expected": declared[name].dtype,
                "given": KINDS[value.kind],
            }
            if kind in "bi" or value.kind == "c":
                also = [(declared[name].span, "declared here")]
                yield catalogue.diagnostic("L0403", update.span, also=also, **facts)


def check_complex(program: Program, types: Mapping[str, DType]) -> Iterator[Diagnostic]:
    """Yield the functions, reductions and operators that have no meaning for complex numbers."""
    for node in walk(program):
        match node:
            case Call(fn, args):
                row, values = functions.lookup(fn), args[1:] if fn == "where" else args
                refused = row is not None and not row.complex
                name = row.infix.symbol if row is not None and row.infix else fn
            case Reduce(op, body=body):
                reduction, values = reductions.lookup(op), (body,)
                refused, name = reduction is not None and not reduction.complex, op
            case Update(_, op, value):
                reduction, values = reductions.by_op(op), (value,)
                refused, name = reduction is not None and not reduction.complex, op
            case _:
                continue
        if refused and any(_is_complex(v, types) for v in values):
            yield catalogue.diagnostic("L0404", node.span, name=name)


def _is_complex(expr: Expr, types: Mapping[str, DType]) -> bool:
    dtype = of_expr(expr, types)
    return dtype is not None and dtype.kind == "c"
