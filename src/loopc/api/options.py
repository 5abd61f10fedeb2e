"""How a program was compiled, what its arrays are, and where a run's error stands."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

from loopc.autodiff.checkpoints import Checkpoints
from loopc.diagnostics import catalogue
from loopc.diagnostics.record import record, replace
from loopc.ir import nodes
from loopc.ir.functions import TO_INTEGER
from loopc.ir.unbuild_expr import expr_text
from loopc.ir.visit import walk

THREADS = "LOOPC_THREADS"
"""The environment's number of threads."""


@record()
class Options:
    """How a program was compiled.

    Attributes:
        spare: what a call may give as well, for a derived program that does not need it: an adjoint
            takes the arrays of its program.
    """

    backend: str = "numpy"
    opt: int = 2
    wrt: tuple[str, ...] | None = None
    loss: str | None = None
    dtype: str | None = None
    memory_limit: int | None = None
    checkpoint: int | None = None
    threads: int | None = None
    spare: frozenset[str] = frozenset()

    def derived(self, spare: frozenset[str]) -> Options:
        """Return the options of a program that is derived from this one."""
        own = replace(self, wrt=None, loss=None, memory_limit=None, checkpoint=None)
        return replace(own, spare=self.spare | spare)

    @property
    def checkpoints(self) -> Checkpoints:
        """Where an adjoint has checkpoints if no limit of memory asks for others."""
        return Checkpoints(() if self.checkpoint is None else (self.checkpoint,))


@record()
class ArrayType:
    """The symbolic shape and the type of an input or output: `x[B, T]: int`."""

    shape: tuple[str, ...]
    dtype: str

    def __str__(self) -> str:
        return f"[{', '.join(self.shape)}]: {self.dtype}" if self.shape else self.dtype


def shape_text(array: nodes.Array) -> tuple[str, ...]:
    """Return the extents of an array as text."""
    return tuple(expr_text(e) for e in array.shape or ())


def checked(options: Options) -> Options:
    """Return options that can be.

    Raises:
        CallError: L0704, L0709.
    """
    if options.opt not in (0, 1, 2):
        raise catalogue.error("L0704", what="opt", name=options.opt, known="0, 1, 2")
    _whole("memory_limit", options.memory_limit, 0, "a number of bytes", "10**9")
    _whole("checkpoint", options.checkpoint, 1, "a number of steps", "100")
    _whole("threads", options.threads, 1, "a number of threads", "2")
    named = os.environ.get(THREADS, "")
    if named and not (named.isdecimal() and int(named)):
        repair = f"set it to a number, such as `{THREADS}=2`, or unset it"
        kind = "a number of threads"
        raise catalogue.error("L0709", name=THREADS, kind=kind, given=repr(named), repair=repair)
    if options.dtype is None:
        return options
    return replace(options, dtype=_float_type(options.dtype))


def _whole(name: str, given: object, least: int, kind: str, example: str) -> None:
    """Check an option that is a number, or is not given."""
    if given is None or (isinstance(given, int) and given >= least):
        return
    repair = f"write `{name}={example}`"
    raise catalogue.error("L0709", name=name, kind=kind, given=repr(given), repair=repair)


def _float_type(name: Any) -> str:
    import numpy as np

    try:
        dtype = np.dtype(name)
    except TypeError:
        dtype = None
    if dtype is None or dtype.kind != "f":
        known = "`float16`, `float32`, `float64`"
        raise catalogue.error("L0704", what="float type", name=name, known=known)
    return str(dtype.name)


def names_of(option: str, given: str | Iterable[str] | None) -> tuple[str, ...] | None:
    """Return the names that an option gives; one alone may be given as it is.

    Raises:
        CallError: L0709.
    """
    if given is None or isinstance(given, str):
        return given if given is None else (given,)
    names: tuple[object, ...] = tuple(given) if isinstance(given, Iterable) else (given,)
    wrong = [n for n in names if not isinstance(n, str)]
    if wrong:
        repair = f"write `{option}=['x', 'y']`"
        what = f"{wrong[0]!r:.40}"
        raise catalogue.error(
            "L0709", name=option, kind="names of arrays", given=what, repair=repair
        )
    return tuple(n for n in names if isinstance(n, str))


_TOO_BIG = ("array is too big", "Maximum allowed dimension")


RAISED = (IndexError, MemoryError, OverflowError, ValueError)
"""What a generated module raises that has a place, or a message of loopc's own."""


def located(error: Exception, program: nodes.Program) -> Exception:
    """Turn a generated module's error into loopc's, with its place."""
    if isinstance(error, MemoryError) or str(error).startswith(_TOO_BIG):
        return catalogue.error("L0006", why=str(error) or "there is no more")
    narrow = re.fullmatch(r"Python integer (-?\d+) out of bounds for (\w+)", str(error))
    if narrow is not None:
        return catalogue.error("L0405", number=narrow[1], dtype=narrow[2])
    empty = re.match(r"L0232: (\w+)", str(error))
    if empty is not None:
        return catalogue.error("L0232", name=empty[1])
    without = re.match(r"L0233: ((?:\S+:\d+: )?`.*?`): (.*)", str(error))
    if without is not None:
        return _without_value(without[1], without[2], program)
    match = re.match(r"L02\d\d: ((?:.*?: )?axis \d+ of `.*?`, index `.*?`): (.*)", str(error))
    if match is None:
        return error
    from loopc.lower.context import place

    span = None
    for node in walk(program):
        if isinstance(node, nodes.Access):
            for axis, subscript in enumerate(node.subscripts):
                if place(node, axis, subscript.at) == match[1]:
                    span = span or subscript.span or node.span
    what = re.sub(r"^\S+:\d+: ", "", match[1]) + f": {match[2]}"
    entry = catalogue.ENTRIES["L0231"]
    return entry.raises(catalogue.diagnostic("L0231", span, what=what))


def _without_value(where: str, why: str, program: nodes.Program) -> Exception:
    from loopc.lower.context import place_of

    calls = (n for n in walk(program) if isinstance(n, nodes.Call) and n.fn in (TO_INTEGER, "pow"))
    span = next((n.span for n in calls if place_of(n) == where), None)
    return catalogue.error("L0233", span, text=where.split("`")[1], why=why)
