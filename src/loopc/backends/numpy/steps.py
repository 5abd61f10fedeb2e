"""Steps of a plan as lines of Python."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from math import inf

from loopc.backends.numpy import calls, edges, loop_invariant, rows, strips, sweeps, windows
from loopc.backends.numpy.numbers import NumbersSpeller
from loopc.backends.numpy.planes import PlanesSpeller
from loopc.backends.numpy.prepared import Prepared
from loopc.backends.numpy.release import NAME
from loopc.backends.numpy.repeats import without_repeats
from loopc.backends.numpy.texts import loop_head
from loopc.backends.numpy.tiles import TileSpeller
from loopc.backends.numpy.values import SUM, Speller
from loopc.ir import reductions
from loopc.ir.nodes import Expr, Index
from loopc.lower.fresh import is_fresh
from loopc.lower.plan import (
    Alloc,
    Apply,
    Assign,
    Bound,
    Copy,
    Flatten,
    Let,
    Lit,
    Loop,
    Note,
    Numbers,
    Overlap,
    Part,
    Planes,
    Position,
    Range,
    RowStore,
    Running,
    Scalar,
    Scatter,
    SpotStore,
    Stage,
    Step,
    Store,
    Strips,
    Sweep,
    Tile,
    Unfold,
    Value,
    When,
)
from loopc.lower.plan_visit import touched

_AT = {row.op: row.ufunc for row in reductions.REDUCTIONS if row.op}
_IN_PLACE = {"+=": "+=", "*=": "*=", "=": "="}


class StepSpeller:
    """Spells the steps of one plan.

    Attributes:
        prepared: what is made once for all calls; None: nothing.
        results: the arrays that are returned, fresh in each call.
    """

    def __init__(
        self, speller: Speller, prepared: Prepared | None = None, results: Collection[str] = ()
    ) -> None:
        self.speller = speller
        self.prepared = prepared
        self.results = results
        self.note = ""
        self.count = 0
        self.around: list[str] = []
        self.in_strip = False
        self.inner: set[str] = set()
        self.before: list[str] = []

    def lines(self, steps: tuple[Step, ...]) -> Iterator[str]:
        """Yield the lines of steps, without indentation of their own."""
        if not steps:
            yield "pass"
        for step in steps:
            yield from self._step(step)

    def _step(self, step: Step) -> Iterator[str]:  # noqa: C901 - one case per kind of step
        speller = self.speller
        if isinstance(step, Assign | Store | RowStore | Scatter) and speller.opt > 1:
            before: list[str] = []
            step = without_repeats(self, step, before)
            yield from before
        match step:
            case Note(text):
                if text != self.note:
                    yield f"# {text}"
                self.note = text
            case Alloc():
                self.inner.add(speller.name("array", step.array))
                yield f"{speller.name('array', step.array)} = {self.allocated(step)}"
            case Copy(array):
                name = speller.name("array", array)
                yield f"{name} = {name}.copy()"
            case Assign():
                self.inner.add(speller.name("array", step.array))
                speller.hints.order = step.order
                yield self._assign(step)
            case Store() | RowStore():
                speller.hints.order = step.target.axes
                yield from self._store(step)
            case Scatter():
                speller.hints.order = step.axes
                yield from self._scatter(step)
            case Overlap():
                speller.hints.order = step.order
                yield windows.update(speller, step)
            case Flatten():
                yield from self._flatten(step)
            case Loop():
                yield from self._loop(step)
            case Numbers() | Running() | Planes() | Sweep() | Strips() | Tile():
                yield from self._special(step)
            case SpotStore() | Stage():
                raise AssertionError("these stand in steps of their own kind")
            case Unfold():
                yield from rows.unfold(speller, step)
            case Let(dim, value):
                self.inner.add(speller.name("dim", dim))
                yield f"{speller.name('dim', dim)} = {speller.size(value)}"
            case When(condition, body):
                yield f"if {self._condition(condition)}:"
                yield from self.inside(body)

    def _special(self, step: Numbers | Running | Planes | Sweep | Strips | Tile) -> Iterator[str]:
        match step:
            case Numbers():
                yield from NumbersSpeller(self.speller, step).lines()
            case Running(target, axis, ufunc, factor):
                view = self.speller.view(target.array, target.parts)
                at = target.axes.index(axis)
                if factor is None:
                    yield f"{self.speller.helper('_running')}({ufunc}, {view}, {at})"
                else:
                    by = self.speller.fit(factor, target.axes)
                    yield f"{self.speller.helper('_scan')}({view}, {at}, {by})"
            case Planes():
                yield from PlanesSpeller(self, step).lines()
            case Sweep():
                yield from sweeps.lines(self, step)
            case Strips():
                yield from strips.lines(self, step)
            case Tile():
                yield from TileSpeller(self, step).lines()

    def _condition(self, condition: Value) -> str:
        """Spell a condition; `and` of single values as Python's."""
        if isinstance(condition, Apply) and condition.fn == "and" and not condition.axes:
            return " and ".join(self.speller.text(c, 7) for c in condition.args)
        return self.speller.text(condition)

    def _loop(self, step: Loop) -> Iterator[str]:
        loops, inside = step.nest()
        heads = []
        if not self.around:
            self.set_steady(step)
        for each in loops:
            name = self.speller.name("index", each.index)
            heads.append((name, f"range({self._range(each.start, each.stop, each.step)})"))
            self.around.append(name)
        body = list(self.inside(inside))
        del self.around[len(self.around) - len(loops) :]
        if not self.around:
            yield from self.before
            yield from self.copies(body)
            self.before, self.inner = [], set()
        yield from self.without_invariants([loop_head(heads), *body])

    def set_steady(self, step: Loop | Sweep) -> None:
        """Note which arrays an outermost loop reads and does not write."""
        read, written = touched(step)
        self.speller.steady = frozenset(self.speller.name("array", n) for n in read - written)

    def copies(self, body: Sequence[str]) -> Iterator[str]:
        """Yield the lines that copy what the body of an outermost loop wants in other layouts."""
        copies, self.speller.copies, self.speller.steady = self.speller.copies, {}, frozenset()
        words = {w for line in body for w in re.findall(NAME, line)}
        for text, name in copies.items():
            if name in words:
                yield f"{name} = np.ascontiguousarray({text})"

    def without_invariants(self, lines: Sequence[str]) -> Iterator[str]:
        """Yield the lines of a loop, behind those that need not stand in it."""
        names = self.speller.names
        numbers = names.numbers(self.speller.scalars)
        before, body = loop_invariant.split(lines, numbers, names.arrays())
        lines = [lines[0], *body]
        if not self.around:
            sizes, lines = loop_invariant.named(lines, numbers, self._size_name)
            yield from sizes
        yield from before
        yield from lines

    def _size_name(self, size: str) -> str:
        """Return the variable that holds a size; a number like a dim, which is not given back."""
        known, key = self.speller.names.known, ("dim", size)
        if key not in known:
            known[key] = self.speller.names.fresh("extent")
        return known[key]

    def once(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield the lines that every call has to run."""
        for line in lines:
            if self.prepared is None or not self.prepared.takes(line):
                yield line

    def empty(self, name: str, array: str, text: str, *, small: bool) -> Iterator[str]:
        """Yield the lines that make an array, every cell of which is written.

        A result may be made in the caller's; what is no result is kept if it is `small`.
        """
        if self.prepared is None or not (small or array in self.results):
            yield f"{name} = {text}"
        elif array in self.results:
            out, key = self.speller.name("out", "out"), f'"{array}"'
            yield f"{name} = {out}[{key}] if {key} in {out} else {text}"
        else:
            yield from self.once([f"{name} = {text}"])

    def moved_out(self, lines: Sequence[str]) -> bool:
        """Put lines before the outermost serial loop, if nothing in them changes inside it."""
        changing = {*self.around, *self.inner}
        words = {w for line in lines for w in re.findall(r"\w+", line)}
        if not self.around or words & changing:
            return False
        self.before += lines
        return True

    def inside(self, body: tuple[Step, ...]) -> Iterator[str]:
        """Yield the lines of steps, indented."""
        self.note = ""
        for line in self.lines(body):
            yield f"    {line}"
        self.note = ""

    def _range(self, start: Expr, stop: Expr, step: int) -> str:
        speller = self.speller
        parts = [speller.size(start), speller.size(stop)]
        if step == 1 and parts[0] == "0":
            return parts[1]
        return ", ".join(parts + ([str(step)] if step != 1 else []))

    def _flatten(self, step: Flatten) -> Iterator[str]:
        self.inner.add(self.speller.size(step.size))
        speller = self.speller
        name, size = speller.name("array", step.array), speller.size(step.size)
        axes = (step.axis,) if step.axis else ()
        start, stop = speller.fit(step.start, axes), speller.fit(step.stop, axes)
        if not step.axis:
            yield f"{name} = np.arange({start}, {stop}, {step.step})"
            yield f"{size} = len({name})"
            return
        row = speller.names.of("row", "row")
        call = speller.helper("_ragged")
        count = speller.count(step.count)
        yield f"{row}, {name} = {call}({start}, {stop}, {step.step}, {count})"
        for each in step.before:
            outer = speller.name("array", each)
            if step.outer is not None:
                yield f"{outer} = {self._value_at(step.outer, row)}"
            else:
                yield f"{outer} = {outer}[{row}]"
        yield f"{size} = len({row})"

    def _value_at(self, index: Index, row: str) -> str:
        """Return the value of an index at each number of a row."""
        assert index.start is not None
        text = row if index.step == 1 else f"{index.step} * {row}"
        start = self.speller.size(index.start, SUM)
        return text if start == "0" else f"{start} + {text}"

    def allocated(self, step: Alloc) -> str:
        """Return the text of a new array."""
        speller = self.speller
        start: Value = Lit(step.fill)
        if step.dtype.kind == "i" and isinstance(step.fill, float) and abs(step.fill) == inf:
            start = Bound(step.fill > 0, step.dtype)
        fill = speller.text(start)
        if step.dtype.weak:
            return fill
        dtype = speller.dtype(step.dtype)
        if not step.shape:
            return f"{dtype}.type({fill})"
        shape = speller.sizes(step.shape)
        if len(step.shape) == 1:
            shape = speller.count(step.shape[0])
        if repr(step.fill) in ("0", "0.0", "False"):
            return f"np.zeros({shape}, {dtype})"
        if repr(step.fill) in ("1", "1.0", "True"):
            return f"np.ones({shape}, {dtype})"
        return f"np.full({shape}, {fill}, {dtype})"

    def _assign(self, step: Assign) -> str:
        speller = self.speller
        name = speller.name("array", step.array)
        if step.dtype.weak and isinstance(step.value, Lit):
            return f"{name} = {speller.text(Lit(float(step.value.value.real)))}"
        if isinstance(step.value, Lit | Scalar):
            return f"{name} = {speller.dtype(step.dtype)}.type({speller.text(step.value)})"
        if not step.order:
            text = speller.text(step.value)
            return (
                f"{name} = {speller.dtype(step.dtype)}.type({text})"
                if step.cast
                else f"{name} = {text}"
            )
        spelled = speller.spell(step.value)
        text = speller.fitted(spelled, step.order)
        bare = text == spelled.text
        if step.cast:
            atom = speller.fitted(spelled, step.order, 20)
            copy = ", copy=False" if is_fresh(step.value) else ""
            return f"{name} = {atom}.astype({speller.dtype(step.dtype)}{copy})"
        if not step.fresh or (not bare and text.endswith("]")):
            return f"{name} = {speller.fitted(spelled, step.order, 20)}.copy()"
        return f"{name} = {text}"

    def _store(self, step: Store | RowStore) -> Iterator[str]:
        speller = self.speller
        view = speller.text(step.target)
        axes = step.target.axes
        bare = view == speller.name("array", step.target.array)
        made = calls.ending_in(speller, step) if self.around and isinstance(step, Store) else None
        if made is not None:
            yield f"{made}, out={view})"
            return
        value = speller.fit(step.value, axes)
        if step.op == "=":
            yield f"{view}[...] = {value}" if bare else f"{view} = {value}"
        elif step.op in _IN_PLACE:
            op = _IN_PLACE[step.op]
            if step.op == "+=" and isinstance(step.value, Apply) and step.value.fn == "neg":
                op, value = "-=", speller.fit(step.value.args[0], axes)
            if self.around and axes and not bare and speller.opt > 1:  # Python's would set the part
                part = self.fresh(f"{speller.name('array', step.target.array)}_part")
                yield f"{part} = {view}"
                view = part
            yield f"{view} {op} {value}"
        else:
            target = f"{view}[...]" if bare else view
            yield f"{target} = {_AT[step.op]}({view}, {value})"

    def fresh(self, name: str) -> str:
        """Return a numbered name."""
        self.count += 1
        return self.speller.names.fresh(f"{name}{self.count}")

    def _scatter(self, step: Scatter) -> Iterator[str]:
        speller = self.speller
        name, indices = speller.turned(step.array, step.indices)
        axes = step.axes
        picked = ""
        value = speller.fit(step.value, axes)
        if step.mask is not None:
            shape = speller.sizes(step.shape)
            where = speller.names.fresh("where")
            mask = speller.fit(step.mask, axes)
            yield f"{where} = np.broadcast_to({mask}, {shape})"
            picked = f"np.broadcast_to({{}}, {shape})[{where}]"
            value = picked.format(value)
        inside = speller.subscript(indices, step.over, None, picked)
        if step.op == "=":
            yield f"{name}[{inside}] = {value}"
        elif _meets_once(step) and step.op in _IN_PLACE:
            yield f"{name}[{inside}] {step.op} {value}"
        else:
            comma = "," if len(step.indices) == 1 else ""
            sliced = any(isinstance(p, Part) for p in step.indices)
            index = f"np.s_[{inside}]" if sliced else f"({inside}{comma})"
            if speller.opt == 0:
                fewer = 0 < len(step.value.axes) < len(axes)
                if fewer and len(step.indices) == 1 and step.mask is None:
                    value = f"np.broadcast_to({value}, {speller.sizes(step.shape)})"  # `at` errs
                yield f"{_AT[step.op]}.at({name}, {index}, {value})"
                return
            moved = edges.added(speller, step, _AT[step.op])
            yield moved or f"{speller.helper('_scatter')}({_AT[step.op]}, {name}, {index}, {value})"


def _meets_once(step: Scatter) -> bool:
    """Whether a scatter comes to each cell once: every index stands alone in a dimension."""
    alone = {
        p.at.axes[0]
        for p in step.indices
        if isinstance(p, Position) and isinstance(p.at, Range) and p.mode == "strict"
    }
    whole = step.mask is None or not any(isinstance(p, Part) for p in step.indices)
    return whole and alone >= set(step.over)
