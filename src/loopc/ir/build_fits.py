"""The sizes of the arguments of calls of `def`s: those that a body asks, and that it is given."""

from __future__ import annotations

from collections.abc import Iterator

from loopc.ir.build_calls import Expander
from loopc.ir.build_expr import ExprBuilder
from loopc.ir.build_names import Names, names_in
from loopc.ir.nodes import Array, Extent, Fit
from loopc.syntax.printer import print_expr


def take_handed(expander: Expander, names: Names) -> None:
    """Declare the inputs that are handed to calls, and of which only the size is asked."""
    for name, access in expander.handed.items():
        if not names.is_array(name):
            shape = tuple(Extent(expander.fresh("N")) for _ in access.items)
            names.arrays[name] = Array(name, "input", shape, declared=True, span=access.span)


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
