"""What a function for arrays of fixed shapes and types makes once: buffers, masks, types.

The text is a function that makes them and returns the one that runs; a call that begins while
another is running has a set of its own.
"""

from __future__ import annotations

import contextvars
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from loopc.backends.numpy.release import NAME, assigned_to

_READ = re.compile(rf"(?<![\w.]){NAME}(?!\w*=[^=])")
_LINE = re.compile(rf"({NAME}) = (.*)")
_VIEW = re.compile(rf"{NAME}(?:\.T|\[(?=[^\]]*:)(?:[\d\s:,-]|None)+\])+")
"""A part of an array that shares its memory: numbers alone would pick a value."""

_KNOWN = {"np", "None", "True", "False", "max", "min"}

_NUMBER = re.compile(r"float\(np\.\w+\(\d+(?: [*+] \d+)*\)\)")
"""A number that is made of others."""

BUFFER = 1024
"""The size of NumPy's buffer in numbers.

NumPy 2.3 and later copy rows that are short beside it, also where they could go over them as they
lie: with its own 8192, operations on parts of rows of 500 to 4000 numbers, or between rows and
columns, take twice the time.
"""


@dataclass
class Prepared:
    """The lines that run once.

    Attributes:
        types: the variables that hold types, which are there.
        lines: the others.
        names: what they assign to.
        buffers: those of them whose cells every call writes, and views of these.
    """

    types: Mapping[Any, str]
    lines: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    buffers: set[str] = field(default_factory=set)

    def takes(self, line: str) -> bool:
        """Take a line if it reads nothing but what is there before a call."""
        found = _LINE.fullmatch(line)
        if found is None or found[1] in self.names:
            return False
        read = set(_READ.findall(found[2]))
        if read - self.names - set(self.types.values()) - _KNOWN:
            return False
        if read & self.buffers and not _VIEW.fullmatch(found[2]):
            return False
        if read & self.buffers or found[2].startswith("np.empty("):
            self.buffers.add(found[1])
        self.lines.append(line)
        self.names.add(found[1])
        return True

    def given_back(self, lines: Sequence[str]) -> list[str]:
        """Return the lines that make what the call's own lines assign to again: it is not kept.

        Nor is what is made of it.
        """
        lost = {n for line in lines for n in assigned_to(line)}
        back: list[str] = []
        for line in self.lines:
            name, value = line.split(" = ", 1)
            if name in lost or lost.intersection(_READ.findall(value)):
                lost.add(name)
                back.append(line)
        self.lines = [line for line in self.lines if line not in back]
        self.names -= lost
        return back

    def text(
        self, name: str, args: Sequence[str], types: Sequence[str], lines: Sequence[str]
    ) -> str:
        """Return the text of the function that makes the function `name` of `args`."""
        lines = [_NUMBER.sub(self._number, line) for line in lines]
        inner = [f"def {name}({', '.join(args)}):", *(f"    {line}" for line in lines)]
        body = "".join(f"    {line}\n" for line in [*types, *self.lines, *inner, f"return {name}"])
        return f'def _prepare():\n    """Make what every call uses; return the call."""\n{body}'

    def _number(self, found: re.Match[str]) -> str:
        """Return the name of a number that is made once."""
        known = (line.split(" = ") for line in self.lines)
        name = next((n for n, value in known if value == found[0]), "")
        if not name:
            name = f"number{len(self.lines)}_"  # no name of a program ends like this
            self.lines.append(f"{name} = {found[0]}")
        return name


def function_text(name: str, args: Sequence[str], lines: Sequence[str]) -> str:
    """Return the text of a function in which floating-point errors are no warnings.

    The settings that its lines make last until it returns.
    """
    head = f'@np.errstate(all="ignore")\ndef {name}({", ".join(args)}):\n'
    return head + "".join(f"    {line}\n" for line in lines)


class Spare:
    """A function made anew whenever all that were made before are running.

    Each runs in a context of its own in which floating-point errors are no warnings: that takes a
    tenth of the time of setting NumPy's error state in each call.
    """

    def __init__(self, prepare: Callable[[], Callable[..., dict[str, Any]]]) -> None:
        self._prepare = prepare
        self._spare: list[Callable[..., dict[str, Any]]] = []

    def _made(self) -> Callable[..., dict[str, Any]]:
        import numpy as np

        context = contextvars.copy_context()
        context.run(np.seterr, all="ignore")
        context.run(np.setbufsize, BUFFER)
        return partial(context.run, context.run(self._prepare))

    def __call__(self, *arrays: Any, out: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Run one that is not running; `out`: arrays that may take results, by name."""
        try:
            run = self._spare.pop()
        except IndexError:
            run = self._made()
        try:
            return run(*arrays) if out is None else run(*arrays, out)
        finally:
            self._spare.append(run)
