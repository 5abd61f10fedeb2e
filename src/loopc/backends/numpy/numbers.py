"""Loops on numbers as Python functions of lists; `helpers._numbers` calls them.

The same function runs on NumPy's scalars where Python's would raise (`1 / 0`, `exp(1000)`) or the
arrays have types that Python has not. So nothing in its text may depend on which it is given: a
divisor that may be Python's own number in both is made NumPy's, and integers are held to a size at
which 64 bits do not overflow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from loopc.backends.numpy.number_values import NumberValues
from loopc.backends.numpy.texts import loop_head, python_tuple
from loopc.ir import reductions
from loopc.lower.plan import (
    Apply,
    Assign,
    Cells,
    Gather,
    Let,
    Lit,
    Loop,
    Note,
    Scatter,
    Step,
    Store,
    Value,
    View,
    When,
)


@dataclass
class NumbersSpeller(NumberValues):
    """Spells one loop; `own` are the variables that it sets itself."""

    own: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.limit = self.speller.names.of("limit", "bound") if self.step.bits else ""

    def lines(self) -> Iterator[str]:
        """Yield the call; its function joins the module's."""
        body = list(self._steps(self.step.body))
        read = [c for c in self.step.cells if c.listed and not c.written]
        kept = [c for c in self.step.cells if c.written]
        apart = [c for c in self.step.cells if not c.listed]
        names = [self.array(c) for c in (*read, *kept, *apart)]
        names += [self.reader(c) for c in apart]
        sizes = [n for n in self.sizes if n not in self.own and not n.isdecimal()]
        types = [self.converter(t) for t in self.types]
        given = [*sizes, *names, *types, *map(self.function, self.functions)]
        given += [self.limit] if self.limit else []
        texts = self.speller.functions.texts
        name = f"_loop{1 + sum(n.startswith('_loop') for n in texts)}"
        head = [f"def {name}({', '.join(given)}):", f'    """{self._title()}"""']
        texts[name] = "\n".join([*head, *(f"    {line}" for line in body)]) + "\n"
        functions = python_tuple([f'("{a}", "{b}")' for a, b in self.functions.items()])
        passed = ", ".join(self._given(arrays) for arrays in (read, kept, apart))
        casts = python_tuple(self.types)
        call = (
            f"{self.speller.helper('_numbers')}({name}, {python_tuple(sizes)}, {passed}, {casts}, "
            f"{functions}, {self.step.bits})"
        )
        scalars = [self.array(c) for c in kept if not c.fixed]
        comma = "," if len(scalars) == 1 else ""
        yield f"{', '.join(scalars)}{comma} = {call}" if scalars else call

    def _title(self) -> str:
        notes = [s.text for s in _walk(self.step.body) if isinstance(s, Note)]
        return f"Run {escaped_note(notes[0])}" if notes else "Run a loop on numbers."

    def _given(self, cells: Sequence[Cells]) -> str:
        return python_tuple([self._part(c) for c in cells])

    def _part(self, cells: Cells) -> str:
        name = self.array(cells)
        if all(p is None for p in cells.fixed):
            return name
        inside = ", ".join(":" if p is None else self.speller.size(p) for p in cells.fixed)
        return f"{self.speller.helper('_part')}({name}, np.s_[{inside}])"

    # Steps

    def _steps(self, steps: Sequence[Step]) -> Iterator[str]:
        for step in steps:
            yield from self._step(step)

    def _step(self, step: Step) -> Iterator[str]:
        match step:
            case Note(text):
                yield f"# {text}"
            case Let(dim, value):
                text = self.size(value)
                name = self.speller.name("dim", dim)
                self.own.add(name)
                yield f"{name} = {text}"
            case Loop():
                loops, body = step.nest()
                yield loop_head([self._head(each) for each in loops])
                yield from (f"    {line}" for line in self._steps(body))
            case When(condition, body):
                yield f"if {self.text(condition)}:"
                yield from (f"    {line}" for line in self._steps(body))
            case Store(View() as target, op, value):
                yield from self._stored(target, op, value)
            case Assign(array, value):
                yield from self._stored(View(array, (), ()), "=", value)
            case Scatter(array, indices, op=op, value=value):
                yield from self._stored(Gather(array, indices, (), ()), op, value)
            case _:
                raise AssertionError(step)

    def _head(self, step: Loop) -> tuple[str, str]:
        """Spell the index of a loop and its range."""
        by, start, stop = step.step, self.size(step.start), self.size(step.stop)
        ends = f"{start}, {stop}" + (f", {by}" if by != 1 else "")
        name = self.speller.name("index", step.index)
        self.own.add(name)
        return name, f"range({ends.removeprefix('0, ') if by == 1 else ends})"

    def _stored(self, target: View | Gather, op: str, value: Value) -> Iterator[str]:
        own = self.speller.types[target.array]
        cell = self.text(target)
        kind = self.kind(value)
        if op in ("+=", "*=") and own.kind == "f" and kind == "f":
            yield f"{cell} {op} {self.text(value)}"
            return
        if op != "=":
            row = reductions.by_op(op)
            assert row is not None
            value = Apply(row.fn, (target, value), ())
        text = self.text(value)
        if own.kind != kind:
            number = isinstance(value, Lit) and own.kind == "f"
            text = repr(float(value.value)) if number else f"{self.type_name(own)}({text})"  # type: ignore[union-attr,arg-type]
        if own.kind == "i" and self.limit and isinstance(value, Apply):
            name = self.speller.names.fresh("n")
            yield f"{name} = {text}"
            yield f"if not -{self.limit} < {name} < {self.limit}:"
            yield "    raise OverflowError"
            text = name
        yield f"{cell} = {text}"


def _walk(steps: Sequence[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from _walk(getattr(step, "body", ()))


def escaped_note(text: str) -> str:
    """Return a source line for a docstring."""
    return text.replace("\\", "/").replace('"', "'") + "."
