"""Values of a loop on numbers as Python expressions, the same for Python's and NumPy's scalars."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loopc.backends.numpy import integers
from loopc.backends.numpy.inline import placed
from loopc.backends.numpy.texts import (
    ATOM,
    PRODUCT,
    SUM,
    UNARY,
    Text,
    bracketed,
    literal,
    templated,
)
from loopc.backends.numpy.values import Speller
from loopc.ir.dtypes import FLOAT, INTEGER, DType
from loopc.ir.functions import lookup, order
from loopc.ir.nodes import Expr
from loopc.lower.plan import (
    Apply,
    Cast,
    Cells,
    Gather,
    Lit,
    Numbers,
    Part,
    Position,
    Scalar,
    Value,
    View,
)
from loopc.lower.value_types import type_of

_COMPARISON = 6
_SYMBOLS = {"mul": ("*", PRODUCT), "div": ("/", PRODUCT), "floordiv": ("//", PRODUCT)} | {
    "mod": ("%", PRODUCT)
}
_ORDERS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


@dataclass
class NumberValues:
    """Spells the values of one loop.

    Attributes:
        speller: of the plan.
        step: the loop.
        sizes: the dims and outer indices that it uses.
        functions: those of `math`, with NumPy's names for them.
        types: what it converts to.
    """

    speller: Speller
    step: Numbers
    sizes: dict[str, None] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    types: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cells = {c.array: c for c in self.step.cells}

    def array(self, cells: Cells) -> str:
        """Return the variable of an array."""
        return self.speller.name("array", cells.array)

    def reader(self, cells: Cells) -> str:
        """Return the function that reads a cell of an array that is no list."""
        return self.speller.names.of(f"{cells.array}_at", "reader")

    def converter(self, dtype: str) -> str:
        """Return the function that makes a number one of the type that a variable holds."""
        return self.speller.names.of(f"as_{dtype}", "converter")

    def function(self, name: str) -> str:
        """Return the variable of a function of `math`."""
        return self.speller.names.of(name, "function")

    def type_name(self, dtype: DType) -> str:
        """Return the function that makes a number one of a type."""
        name = self.speller.dtype(dtype)
        self.types[name] = None
        return self.converter(name)

    def size(self, expr: Expr, loosest: int = 0) -> str:
        """Spell an integer of dims and indices."""

        def name(role: str, which: str) -> str:
            text = self.speller.name(role, which)
            if role not in ("array", "helper"):
                self.sizes[text] = None
            return text

        return integers.spell(expr, name, loosest)

    def _dtype(self, value: Value) -> DType:
        found = type_of(value, self.speller.types.get)
        assert found is not None
        return found

    def kind(self, value: Value) -> str:
        """Return the kind of a value's type."""
        return self._dtype(value).kind

    def text(self, value: Value, loosest: int = 0) -> str:
        """Return the text of a value, in brackets if it binds looser than `loosest`."""
        return bracketed(self.spell(value), loosest)

    def spell(self, value: Value) -> Text:
        """Spell a value."""
        match value:
            case Lit(number):
                return Text(*literal(number), ())
            case Scalar(expr):
                text = self.size(expr)
                return Text(text, ATOM if text.isidentifier() or text.isdigit() else 0, ())
            case View(array, parts):
                return Text(self._cell(array, parts), ATOM, ())
            case Gather():
                return Text(self._gather(value), ATOM, ())
            case Cast(arg, dtype):
                if dtype.weak:
                    kind = {"f": "float", "i": "int", "b": "bool"}[dtype.kind]
                    return Text(f"{kind}({self.text(arg)})", ATOM, ())
                return Text(f"{self.type_name(dtype)}({self.text(arg)})", ATOM, ())
            case Apply():
                return self._apply(value)
            case _:
                raise AssertionError(value)

    def _gather(self, value: Gather) -> str:
        """Spell a cell that is 0 where a mask does not hold or a padded subscript is outside."""
        tests = [] if value.mask is None else [self._truth(value.mask)]
        places: dict[int, str] = {}
        for number, place in enumerate(value.indices):
            if isinstance(place, Position) and place.mode == "zero":
                first, places[number] = self._named(self.text(place.at))
                tests.append(f"0 <= {first} < {self.size(place.extent, SUM)}")
        cell = self._cell(value.array, value.indices, places)
        zero = "0.0" if self.kind(value) == "f" else "0"
        return f"({cell} if {' and '.join(tests)} else {zero})" if tests else cell

    def _cell(
        self, array: str, places: Sequence[Part | Position], named: Mapping[int, str] | None = None
    ) -> str:
        cells = self.cells[array]
        name = self.array(cells)
        named = named or {}
        moving = [n for n, fixed in enumerate(cells.fixed) if fixed is None]
        found = [named[n] if n in named else self._place(places[n]) for n in moving]
        if not cells.listed:
            return f"{self.reader(cells)}({', '.join(found)})"
        if not cells.fixed:
            return f"{name}[0]" if cells.written else name
        return name + "".join(f"[{p}]" for p in found)

    def _place(self, place: Part | Position) -> str:
        if isinstance(place, Part):
            return self.size(place.start)
        text = self.text(place.at, SUM)
        extent = self.size(place.extent, SUM)
        match place.mode:
            case "wrap":
                return f"{self.text(place.at, PRODUCT + 1)} % ({extent})"
            case "clamp" | "pad":
                return f"min(max({text}, 0), {extent} - 1)"
            case "reflect":
                return f"int({self.speller.helper('_reflect')}({text}, {extent}))"
            case _ if place.safe:
                return text
            case _:
                return f"{self.speller.helper('_checked')}({text}, {extent}, {place.place!r})"

    # Functions

    def _apply(self, value: Apply) -> Text:
        fn, args = value.fn, value.args
        row = lookup(fn)
        assert row is not None, fn
        if order(fn) or (row.definition and not row.math):
            simpler = placed(value, self._dtype)
            if simpler is not None:
                return self.spell(simpler)
        if fn in ("add", "neg", "and", "or", "not", "where", "max", "min") or fn in _SYMBOLS:
            return self._basic(fn, args, value)
        if fn in _ORDERS:
            a, b = (self.text(x, _COMPARISON + 1) for x in args)
            return Text(f"{a} {_ORDERS[fn]} {b}", _COMPARISON, ())
        texts = [self.text(a) for a in args]
        if fn == "pow" and self._is_square(args):
            return Text(f"{texts[0]} * {texts[0]}", PRODUCT, ())
        if row.math and self.kind(value) == "f":
            self.functions[row.math] = _numpy_name(row.numpy)
            return Text(f"{self.function(row.math)}({', '.join(texts)})", ATOM, ())
        if row.helper:
            self.speller.functions.add_helper(row)
        if order(fn) or not row.numpy:
            return Text(f"{self.speller.functions.call(fn)}({', '.join(texts)})", ATOM, ())
        text = templated(row.numpy, row.params, [f"({t})" for t in texts], variadic=row.variadic)
        return Text(text, 0, ())

    def _is_square(self, args: Sequence[Value]) -> bool:
        base, exponent = args
        plain = isinstance(base, View) and not base.parts
        return plain and isinstance(exponent, Lit) and exponent.value == 2

    def _basic(self, fn: str, args: Sequence[Value], value: Apply) -> Text:
        match fn:
            case "add":
                return self._sum(args)
            case "neg":
                return Text(f"-{self.text(args[0], UNARY)}", UNARY, ())
            case "and" | "or":
                parts = [self._truth(a) for a in args]
                return Text(f"({f' {fn} '.join(parts)})", ATOM, ())
            case "not":
                return Text(f"(not {self.text(args[0], 7)})", ATOM, ())
            case "where":
                condition, a, b = args
                taken, other = (self._number(x, value) for x in (a, b))
                return Text(f"({taken} if {self.text(condition, 1)} else {other})", ATOM, ())
            case "max" | "min":
                return self._extreme(fn, args, value)
            case _:
                return self._product(fn, args)

    def _sum(self, args: Sequence[Value]) -> Text:
        text = self.text(args[0], SUM)
        for arg in args[1:]:
            if isinstance(arg, Apply) and arg.fn == "neg":
                text += f" - {self.text(arg.args[0], SUM + 1)}"
            else:
                text += f" + {self.text(arg, SUM + 1)}"
        return Text(text, SUM, ())

    def _product(self, fn: str, args: Sequence[Value]) -> Text:
        symbol, level = _SYMBOLS[fn]
        text = self.text(args[0], level)
        for arg in args[1:]:
            by = self.text(arg, level + 1)
            if fn != "mul" and not self._is_cell(arg) and not _is_number(arg):
                by = f"{self.type_name(FLOAT if self.kind(arg) == 'f' else INTEGER)}({by})"
            text += f" {symbol} {by}"
        return Text(text, level, ())

    def _is_cell(self, value: Value) -> bool:
        """Whether a value is NumPy's number if the cells are."""
        match value:
            case View():
                return True
            case Gather(indices=indices, mask=mask):
                return mask is None and all(getattr(p, "mode", "") != "zero" for p in indices)
            case Apply("add" | "mul" | "neg" | "div", args):
                return any(self._is_cell(a) for a in args)
            case Apply("where", (_, *args)) | Apply("max" | "min", args):
                return all(self._is_cell(a) for a in args)
            case Apply(fn) if fn not in _ORDERS:
                row = lookup(fn)
                return row is not None and bool(row.math)
            case _:
                return False

    def _truth(self, value: Value) -> str:
        if self.kind(value) == "b":
            return self.text(value, _COMPARISON)
        return f"bool({self.text(value)})"

    def _number(self, value: Value, of: Apply) -> str:
        """Spell an operand of a choice: a literal as a float beside floats, a bool as a number."""
        kind = self.kind(of)
        if isinstance(value, Lit) and kind == "f":
            return literal(float(value.value.real))[0]
        if kind in "if" and self.kind(value) == "b":
            return f"{self.type_name(FLOAT if kind == 'f' else INTEGER)}({self.text(value)})"
        return self.text(value, 1)

    def _extreme(self, fn: str, args: Sequence[Value], of: Apply) -> Text:
        """Spell the larger or smaller of numbers, of which a NaN wins."""
        symbol = ">=" if fn == "max" else "<="
        best = self._number(args[0], of)
        for arg in args[1:]:
            first, here = self._named(best)
            second, there = self._named(self._number(arg, of))
            nan = f" or {here} != {here}" if self.kind(of) == "f" else ""
            best = f"({here} if {first} {symbol} {second}{nan} else {there})"
        return Text(best, ATOM, ())

    def _named(self, text: str) -> tuple[str, str]:
        """Return a text for its first use and one for later ones."""
        if text.isidentifier() or re.fullmatch(r"-?[\d.]+", text):
            return text, text
        name = self.speller.names.fresh("t")
        return f"({name} := {text})", name


def _is_number(value: Value) -> bool:
    return isinstance(value, Lit) and value.value != 0


def _numpy_name(template: str) -> str:
    found = re.match(r"np\.(\w+)\(", template)
    return found.group(1) if found else "power"
