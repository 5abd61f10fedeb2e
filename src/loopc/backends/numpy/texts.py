"""Python text with how tightly it binds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from loopc.backends.numpy import integers
from loopc.diagnostics.record import record

ATOM, UNARY, PRODUCT, SUM = integers.ATOM, integers.UNARY, integers.PRODUCT, integers.SUM


@record()
class Text:
    """Python text of a value.

    Attributes:
        text: the text.
        level: how tightly it binds.
        axes: those of the value.
        factors: the texts of the two matrices whose product it is; (): it is something else.
        merged: the shape of that product, where groups of its axes are one dimension.
    """

    text: str
    level: int
    axes: tuple[str, ...]
    factors: tuple[str, ...] = ()
    merged: str = ""


def bracketed(spelled: Text, loosest: int) -> str:
    """Return the text, in brackets if it binds looser than `loosest`."""
    return spelled.text if spelled.level >= loosest else f"({spelled.text})"


def templated(template: str, params: Sequence[str], args: Sequence[str], *, variadic: bool) -> str:
    """Return a row's spelling of a function with its arguments in place."""
    text = template.format(**dict(zip(params, args, strict=False)))
    for arg in args[2:] if variadic else ():
        text = template.format(**dict(zip(params, (text, arg), strict=True)))
    return text


def literal(value: object) -> tuple[str, int]:
    """Return the text of a number and how tightly it binds."""
    text = repr(value)
    if isinstance(value, float) and text in ("inf", "-inf", "nan"):
        return {"inf": ("np.inf", ATOM), "-inf": ("-np.inf", UNARY), "nan": ("np.nan", ATOM)}[text]
    return text, UNARY if text.startswith("-") else ATOM


def python_tuple(parts: Iterable[object]) -> str:
    """Return the text of a tuple of texts or of numbers."""
    texts = list(map(str, parts))
    return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"


def loop_head(heads: Sequence[tuple[str, str]]) -> str:
    """Spell loops round each other, of which Python takes twenty, in one line: names and ranges."""
    if len(heads) == 1:
        return f"for {heads[0][0]} in {heads[0][1]}:"
    point = f"({', '.join(name for name, _ in heads)})"
    clauses = " ".join(f"for {name} in {each}" for name, each in heads)
    return f"for {point} in ({point} {clauses}):"
