"""Values of a plan as NumPy expressions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from loopc.backends.numpy import (
    choices,
    contractions,
    integers,
    python_numbers,
    reduced,
    rows,
    takes,
    windows,
)
from loopc.backends.numpy.functions import FunctionHelpers
from loopc.backends.numpy.helpers import HELPERS
from loopc.backends.numpy.hints import Hints
from loopc.backends.numpy.inline import power
from loopc.backends.numpy.names import PythonNames
from loopc.backends.numpy.texts import ATOM as ATOM
from loopc.backends.numpy.texts import PRODUCT as PRODUCT
from loopc.backends.numpy.texts import SUM as SUM
from loopc.backends.numpy.texts import UNARY as UNARY
from loopc.backends.numpy.texts import Text as Text
from loopc.backends.numpy.texts import bracketed as bracketed
from loopc.backends.numpy.texts import literal, templated
from loopc.diagnostics.record import replace
from loopc.ir.affine import Affine, affine, to_expr
from loopc.ir.dtypes import FIXED, DType
from loopc.ir.functions import lookup, order
from loopc.ir.nodes import Const, Expr
from loopc.lower.plan import (
    Along,
    Apply,
    Bound,
    Cast,
    Checked,
    Contract,
    Exactly,
    Expand,
    Flip,
    Fold,
    Gather,
    Lit,
    Packed,
    Part,
    Position,
    Range,
    Renamed,
    Row,
    Scalar,
    Selected,
    Spot,
    Strided,
    Take,
    Value,
    View,
)
from loopc.lower.value_types import type_of

_LEVELS = {"+": SUM, "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT, "-": UNARY, "**": 14}


@dataclass
class Speller:
    """Spells the values of one module; collects the helpers and types that it needs.

    Attributes:
        names: the identifiers.
        opt: the level of optimisation.
        hints: for choices between spellings.
        types, shapes: of the arrays of the plan.
        fixed: the dims that are numbers, for calls of known shapes.
        steady: the arrays that the serial loop at hand reads and does not write, by their names.
        copies: the names of what is copied in front of it, by its text.
    """

    names: PythonNames
    opt: int
    helpers: dict[str, str] = field(default_factory=dict)
    dtypes: dict[tuple[str, ...], str] = field(default_factory=dict)
    functions: FunctionHelpers = field(default_factory=FunctionHelpers)
    hints: Hints = field(default_factory=Hints)
    types: Mapping[str, DType] = field(default_factory=dict)
    shapes: Mapping[str, tuple[Expr, ...]] = field(default_factory=dict)
    fixed: Mapping[str, int] = field(default_factory=dict)
    steady: frozenset[str] = frozenset()
    copies: dict[str, str] = field(default_factory=dict)

    # Names, sizes, types

    def name(self, role: str, name: str) -> str:
        """Return the identifier of a dim, an index or an array, or of a helper function."""
        return self.helper(name) if role == "helper" else self.names.of(name, role)

    @property
    def scalars(self) -> set[str]:
        """The arrays without dimensions."""
        return {name for name, shape in self.shapes.items() if shape == ()}

    def size(self, expr: Expr, loosest: int = 0) -> str:
        """Spell an integer expression."""
        return integers.spell(integers.at(expr, self.fixed), self.name, loosest)

    def helper(self, name: str) -> str:
        """Return the name of a helper function, which the module will have."""
        self.helpers.setdefault(name, HELPERS[name])
        return name

    def dtype(self, dtype: DType) -> str:
        """Return the variable that holds a type."""
        sources = dtype.sources or (FIXED[dtype.kind],)
        if sources not in self.dtypes:
            base = "dtype" if dtype.kind == "f" and sources[0] not in FIXED.values() else sources[0]
            self.dtypes[sources] = self.names.fresh(base if base in FIXED.values() else "dtype")
        return self.dtypes[sources]

    # Values

    def spell(self, value: Value) -> Text:  # noqa: C901 - one case per kind of value
        """Spell a value."""
        match value:
            case Lit(number):
                return Text(*literal(number), ())
            case Bound(largest, dtype):
                return Text(
                    f"np.iinfo({self.dtype(dtype)}).{'max' if largest else 'min'}", ATOM, ()
                )
            case Scalar(expr):
                text = self.size(expr)
                return Text(text, ATOM if text.isidentifier() or text.isdigit() else 0, ())
            case Range():
                return self._range(value, "")
            case View(array, parts, axes):
                return Text(self.view(array, parts), ATOM, axes)
            case Strided():
                return Text(windows.view(self, value), ATOM, value.axes)
            case Packed(arg, axes):
                return Text(f"np.ascontiguousarray({self.fit(arg, axes)})", ATOM, axes)
            case Row() | Spot():
                return rows.spell(self, value)
            case Gather():
                return takes.gathered(self, value)
            case Apply():
                return self._apply(value)
            case Fold() | Along():
                return contractions.dot(self, value) or reduced.spelled(self, value)
            case Contract():
                return contractions.spell(self, value)
            case Selected():
                return contractions.spell_selected(self, value)
            case Exactly():
                return contractions.spell_exactly(self, value)
            case Checked(helper, arg, place):
                inner = self.spell(arg)
                return Text(f"{self.helper(helper)}({inner.text}, {place!r})", ATOM, inner.axes)
            case Cast():
                return self._cast(value)
            case Expand(arg, counts, axes):
                shape = self.sizes(counts)
                return Text(f"np.broadcast_to({self.fit(arg, axes)}, {shape})", ATOM, axes)
            case Renamed(arg, old, new):
                inner = self.spell(arg)
                axes = tuple(new if a == old else a for a in inner.axes)
                return Text(inner.text, inner.level, axes)
            case Take():
                return takes.taken(self, value)
            case Flip():
                return takes.flipped(self, value)

    def text(self, value: Value, loosest: int = 0) -> str:
        """Return the text of a value, in brackets if it binds looser than `loosest`."""
        return bracketed(self.spell(value), loosest)

    def fit(self, value: Value, axes: Sequence[str], loosest: int = 0) -> str:
        """Return text that broadcasts along `axes`."""
        return self.fitted(self.spell(value), axes, loosest)

    def fitted(self, spelled: Text, axes: Sequence[str], loosest: int = 0) -> str:
        """Transpose and add dimensions, so that a value broadcasts along `axes`."""
        wanted = [a for a in axes if a in spelled.axes]
        assert len(wanted) == len(spelled.axes), (spelled, axes)
        text, level = spelled.text, spelled.level
        if list(spelled.axes) != wanted:
            base = bracketed(spelled, ATOM)
            places = [spelled.axes.index(a) for a in wanted]
            flipped = places == list(reversed(range(len(places))))
            text = f"{base}.T" if flipped else f"{base}.transpose({', '.join(map(str, places))})"
            level = ATOM
        if wanted:
            later = list(axes)[list(axes).index(wanted[0]) :]
            if len(later) > len(wanted):
                inside = ", ".join(":" if a in wanted else "None" for a in later)
                base = text if level >= ATOM else f"({text})"
                text, level = f"{base}[{inside}]", ATOM
        return text if level >= loosest else f"({text})"

    def sizes(self, exprs: Iterable[Expr]) -> str:
        """Return a tuple of sizes, none of them negative."""
        parts = [self.count(e) for e in exprs]
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"

    def count(self, expr: Expr, loosest: int = 0) -> str:
        """Return a size, 0 where its expression is negative."""
        known, expr = expr in self.hints.counts, integers.at(expr, self.fixed)
        text = self.size(expr, loosest)
        return text if known or integers.never_negative(expr) else f"max({text}, 0)"

    # Kinds of values

    def _range(self, value: Range, dtype: str) -> Text:
        step = f", {value.step}" if value.step != 1 else ""
        start = "" if value.start == Const(0) and not step else f"{self.size(value.start)}, "
        kind = f", dtype={dtype}" if dtype else ""
        return Text(f"np.arange({start}{self.size(value.stop)}{step}{kind})", ATOM, value.axes)

    def view(self, array: str, parts: Sequence[Part]) -> str:
        """Spell a basic slice, which can also be assigned to."""
        base = self.name("array", array)
        if all(p.whole for p in parts):
            return base
        inside = [self._part(p) for p in parts]
        wide = [f"0:{self.size(n)}" for n in self.shapes.get(array, ())]
        inside = [":" if a == b else a for a, b in zip_longest(inside, wide)][: len(inside)]
        while inside and inside[-1] == ":":
            inside.pop()
        text = f"{base}[{', '.join(inside)}]" if inside else base
        sliced = [p for p in parts if p.axis]
        if any(p.step < 0 for p in sliced):
            flips = ["::-1" if p.step < 0 else ":" for p in sliced]
            text += f"[{', '.join(flips)}]"
        return text

    def _part(self, part: Part) -> str:
        if not part.axis:
            return self.size(part.start)
        if part.whole:
            return ":"
        assert part.count is not None
        start, count = affine(part.start), affine(part.count)
        step = abs(part.step)
        if start is None or count is None:
            begin = self.size(part.start, SUM)
            return f"{begin}:{begin} + {self.size(part.count, SUM)}"
        span = (count - Affine(1)).scaled(step) + Affine(1)
        low = start if part.step > 0 else start - (span - Affine(1))
        high = low + span
        first = "" if low == Affine(0) else self.size(to_expr(low))
        stop = to_expr(high)
        safe = step == 1 or integers.never_negative(stop)
        last = self.size(stop) if safe else f"max({self.size(stop)}, 0)"
        return f"{first}:{last}" + (f":{step}" if step != 1 else "")

    def _position(self, at: Position, axes: Sequence[str], mask: Value | None, picked: str) -> str:
        """Spell an index array; `picked` selects the points where a mask holds."""
        text = self.fit(at.at, axes)
        if picked:
            text = picked.format(text)
        extent = self.size(at.extent)
        match at.mode:
            case "wrap":
                return f"np.mod({text}, {extent})"
            case "clamp" | "pad":
                return f"np.clip({text}, 0, {self.size(at.extent, SUM)} - 1)"
            case "reflect":
                return f"{self.helper('_reflect')}({text}, {extent})"
            case _ if at.safe or at.mode == "zero":
                return text
            case _:
                where = f", {self.fit(mask, axes)}" if mask is not None else ""
                return f"{self.helper('_inside')}({text}, {extent}, {at.place!r}{where})"

    def subscript(
        self,
        indices: Sequence[Position | Part],
        axes: Sequence[str],
        mask: Value | None,
        picked: str = "",
    ) -> str:
        """Spell index arrays and slices; the arrays broadcast along `axes`."""
        parts = [
            self._part(p) if isinstance(p, Part) else self._position(p, axes, mask, picked)
            for p in indices
        ]
        return ", ".join(parts)

    def turned(
        self, array: str, indices: Sequence[Position | Part]
    ) -> tuple[str, Sequence[Position | Part]]:
        """Return an array with its axes that are sliced backwards turned, and what is left."""
        if not any(isinstance(p, Part) and p.step < 0 for p in indices):
            return self.name("array", array), indices
        parts = [p if isinstance(p, Part) else Part(Const(0), "all", whole=True) for p in indices]
        done = [replace(p, step=1, whole=True) if isinstance(p, Part) else p for p in indices]
        return self.view(array, parts), done

    def _cast(self, value: Cast) -> Text:
        if isinstance(value.arg, Range) and not value.dtype.weak:
            return self._range(value.arg, self.dtype(value.dtype))
        if value.dtype.weak:
            kind = {"f": "float", "i": "int", "b": "bool", "c": "complex"}[value.dtype.kind]
            return Text(f"{kind}({self.text(value.arg)})", ATOM, ())
        dtype = self.dtype(value.dtype)
        if isinstance(value.arg, Lit | Scalar):
            return Text(f"{dtype}.type({self.text(value.arg)})", ATOM, ())
        inner = self.spell(value.arg)
        if not inner.axes:
            return Text(f"{dtype}.type({inner.text})", ATOM, ())
        return Text(f"{bracketed(inner, ATOM)}.astype({dtype}, copy=False)", ATOM, inner.axes)

    # Functions

    def _apply(self, value: Apply) -> Text:
        row = lookup(value.fn)
        assert row is not None, value.fn
        if row.infix is not None and "np." not in row.numpy:
            return self._operator(value, row.infix.symbol)
        if value.fn == "where" and (chosen := choices.text(self, value)) is not None:
            return chosen
        args = [self.fit(a, value.axes) for a in value.args]
        if order(value.fn) or not row.numpy:
            return Text(f"{self.functions.call(value.fn)}({', '.join(args)})", ATOM, value.axes)
        if row.helper:
            self.functions.add_helper(row)
        text = templated(row.numpy, row.params, args, variadic=row.variadic)
        level = ATOM if text != args[0] else 0
        return Text(text, level, value.axes)

    def _operator(self, value: Apply, symbol: str) -> Text:
        level = _LEVELS.get(symbol, 6)
        args = value.args
        wrapped = python_numbers.wrapper(value, self.types.get)
        if wrapped is not None:
            first, rest = (self.fit(a, (), ATOM) for a in args)
            text = f"{wrapped[1]}({wrapped[0]}({first}) {symbol} {rest})"
            return Text(text, ATOM, value.axes)
        if value.fn == "neg":
            return Text(f"-{self.fit(args[0], value.axes, level)}", level, value.axes)
        if value.fn == "pow":
            return self._power(value)
        text = self.fit(args[0], value.axes, level if level > 6 else 7)
        for arg in args[1:]:
            sign, term = symbol, arg
            if symbol == "+" and isinstance(arg, Apply) and arg.fn == "neg":
                sign, term = "-", arg.args[0]
            text += f" {sign} {self.fit(term, value.axes, level + 1)}"
        return Text(text, level, value.axes)

    def _power(self, value: Apply) -> Text:
        base, exponent = value.args
        if (number := exponent.value if isinstance(exponent, Lit) else None) == 0.5:
            return Text(f"np.sqrt({self.fit(base, value.axes)})", ATOM, value.axes)
        simpler = power(value, lambda v: type_of(v, self.types.get)) if self.opt else None
        if simpler is not None and isinstance(base, View) and number != 2:
            return self.spell(simpler)
        return Text(" ** ".join(self.fit(v, value.axes, ATOM) for v in value.args), 14, value.axes)
