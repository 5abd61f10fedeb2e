"""The row of the table of scalar functions; the rows are in `function_rows_*.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from loopc.diagnostics.record import record

Result = Literal["same", "real", "float", "bool", "int"]
Whole = Literal["", "kept", "always"]


@record()
class Infix:
    """An operator's spelling and precedence in .loops text (higher binds tighter).

    `named`: it may be called by its name as well, `pow(a, b)`.
    """

    symbol: str
    precedence: int
    named: bool = False


@record(kw_only=True)
class Function:
    r"""One scalar function.

    Attributes:
        name: its name in the IR (and in .loops text, unless it is an operator).
        params: the names that `partials` and `definition` use.
        scalar: the function on Python or NumPy scalars, IEEE: never raises on a float. That of a
            variadic row takes two.
        numpy: its NumPy spelling, a template over the parameters: `np.tanh({x})`; "" if defined
            by others.
        math: the function of Python's `math` with the same values on floats, if there is one; it
            may raise where a value is inf or NaN.
        latex: its command, `\tanh`, or a template over the parameters: `\sqrt{{x}}`; "": its name.
        partials: the derivative by each parameter in .loops text; None: derivative 0 everywhere;
            for a variadic row, those of the binary function. The text `0` alone means that there
            is none by this parameter; it is not a term of any sum.
        slope: its derivative by its value `y` alone, in .loops text, where `partials` has it by x.
        aliases: further spellings (`σ`).
        infix: the operator's symbol, if it is one.
        variadic: whether it takes two or more arguments, as a fold from the left.
        definition: .loops text that says it by other functions; backends may inline it.
        fast: .loops texts of the function and of its first derivatives that cost arrays less: few
            passes, and parts that they share.
        by_number: numbers as its last argument, each with a .loops text of the function there.
        keep_prime: whether its derivative prints as `f'(x)` rather than expanded.
        result: the type of its value: that of its arguments, the same but real, at least float,
            bool, or int.
        counts_bools: whether a bool argument counts as the integer 0 or 1; else it stays a bool.
        complex: whether it takes complex arguments.
        absorbs: whether a change of its argument as small as rounding changes it by no more, next
            to 1 or to its own size.
        scalar_loop: whether NumPy goes cell by cell where one of two arguments is a number.
        magnitude: whether its value is the larger of its argument and that with the other sign.
        apart: whether NumPy takes several times as long where the value takes its argument's place.
        whole: whether its values are whole numbers: always, or those of whole numbers.
        of_quotient: .loops text of its value for a / b of integers, by integers alone.
        refuses: whether there are arguments for which it has no value, so that the run stops.
        helper: a Python function definition that `numpy` calls, for generated modules; "" if none.
        samples: ordinary points for tests, one tuple of arguments each.
        kinks: points where a convention decides, with the partials there: (arguments, partials).
        source: where a formula that is not plain calculus comes from.
    """

    name: str
    params: tuple[str, ...]
    scalar: Callable[..., Any]
    numpy: str = ""
    math: str = ""
    latex: str = ""
    partials: tuple[str, ...] | None = None
    slope: str = ""
    aliases: tuple[str, ...] = ()
    infix: Infix | None = None
    variadic: bool = False
    definition: str = ""
    fast: tuple[str, ...] = ()
    by_number: tuple[tuple[float, str], ...] = ()
    keep_prime: bool = False
    result: Result = "float"
    counts_bools: bool = False
    complex: bool = False
    absorbs: bool = False
    scalar_loop: bool = False
    magnitude: bool = False
    apart: bool = False
    whole: Whole = ""
    of_quotient: str = ""
    refuses: bool = False
    helper: str = ""
    samples: tuple[tuple[float, ...], ...] = ()
    kinks: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...] = ()
    source: str = ""
