"""The types and sizes of the arguments of calls of `def`s: those asked, and those given."""

from __future__ import annotations

from collections.abc import Iterator

from loopc.diagnostics.record import replace
from loopc.ir.build_calls import Expander
from loopc.ir.build_expr import ExprBuilder
from loopc.ir.build_names import Names, names_in, plain_name
from loopc.ir.dtypes import DECLARED, ORDER
from loopc.ir.nodes import Array, Extent, Fit
from loopc.syntax.printer import print_expr


def take_handed(expander: Expander, names: Names) -> None:
    """Declare the inputs that are handed to calls, and of which only the size is asked."""
    for name, access in expander.handed.items():
        if not names.is_array(name):
            shape = tuple(Extent(expander.fresh("N")) for _ in access.items)
            names.arrays[name] = Array(name, "input", shape, declared=True, span=access.span)


def declare_copies(expander: Expander, names: Names) -> None:
    """Give the copies of arguments the types that their formals declare."""
    for name, formal in expander.made.items():
        if formal is not None:
            names.declare("temp", replace(formal, name=name), None, None)


def take_types(expander: Expander, names: Names) -> None:
    """Give inputs that declare no type that of the formals that they are handed to.

    An input that is declared with a wider type is reported.
    """
    for access, function, formal in expander.typed:
        array = names.arrays.get(plain_name(access.name))
        kind = DECLARED.get(formal.dtype)
        if array is None or kind is None:
            continue
        if not array.dtype and kind in "bic":
            names.arrays[array.name] = replace(array, dtype=formal.dtype)
        elif array.dtype and ORDER.index(DECLARED[array.dtype]) > ORDER.index(kind):
            expander.wrong_type(function, formal, access.span)


def sizes_asked(expander: Expander, names: Names) -> Iterator[Fit]:
    """Yield the sizes of arguments that are to be checked."""
    for given, expected, size in expander.sizes:
        array = names.arrays.get(size.of[0])
        if array is None or any(n in names.doubtful for n in (size.of[0], *names_in(expected))):
            continue
        formal = size.formal
        shape = f"{formal.name}[{', '.join(print_expr(d) for d in formal.dims or ())}]"
        call = (size.function, shape, size.axis + 1)
        found = ExprBuilder(names).expr(expected)
        yield Fit(Extent(given), found, size.of[0], call, size.span, formal.span)
