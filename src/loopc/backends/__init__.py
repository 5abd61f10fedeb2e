"""Targets: each spells a plan as source text, or runs a program itself.

A backend is a module (or package) of this folder with one `BACKEND`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from loopc.diagnostics import catalogue
from loopc.diagnostics.record import record
from loopc.ir.nodes import Expr, Program


class Runnable(Protocol):
    """A program ready to run for inputs of known kinds."""

    @property
    def source(self) -> str:
        """The text of the generated code."""
        ...

    @property
    def by_extents(self) -> bool:
        """Whether other extents would have been built for in another way."""
        ...

    def __call__(self, arrays: Mapping[str, Any], dims: Mapping[str, int]) -> dict[str, Any]:
        """Run on arrays that have been checked; return the outputs."""
        ...

    def peak_bytes(self, arrays: Mapping[str, Any], dims: Mapping[str, int]) -> int | None:
        """Return the most bytes that a run takes at a time, its results among them.

        None if that cannot be told without the cells of the arrays.

        Args:
            arrays: what has a shape and a type, or integers where there are no dimensions.
            dims: the value of every dim.
        """
        ...

    def positional(
        self, names: Sequence[str], dims: Mapping[str, int], fixed: Mapping[str, Any]
    ) -> Callable[..., dict[str, Any]]:
        """Return a function of the arrays called `names`, in this order; `fixed`: of all others.

        It takes `out` too: arrays, by name, of the results' shapes, that it may make results in.
        """
        ...


@record()
class Saved:
    """What is needed to make a program runnable again: see `Runnable`.

    Attributes:
        source: the text of the generated code.
        inputs: the arrays that it takes, in order.
        free: the dims that it takes after these.
        by_extents: whether other extents would have been built for in another way.
    """

    source: str
    inputs: Sequence[str]
    free: Sequence[str]
    by_extents: bool


@record()
class Module:
    """What a backend is asked to build.

    Attributes:
        forward: the program.
        gradient: the program whose outputs are the forward outputs, then the gradients; or None.
        gradients: the arrays of `gradient` that hold gradients, by name.
        kinds: the kind (`b i f c`) of every input.
        opt: the level of optimisation.
        name: what the program is called in comments.
        threads: how many threads it may use; None: what the environment says.
    """

    forward: Program
    gradient: Program | None
    gradients: Mapping[str, str]
    kinds: Mapping[str, str]
    opt: int
    name: str
    threads: int | None = None


@record()
class Case:
    """What a program is made runnable for.

    Attributes:
        kinds: the kind (`b i f c`) of every input.
        opt: the level of optimisation.
        uniform: whether all float inputs have one type.
        extents: the dims of the call at hand, to choose between ways to do the same.
        threads: how many threads it may use; None: what the environment says.
        types: of the inputs, if it is to run on arrays of these types alone, and of the extents
            that the program has as numbers: then memory is kept from call to call.
        filled: the extents of ranges that have a value in every call that it is to run.
    """

    kinds: Mapping[str, str]
    opt: int
    uniform: bool
    extents: Mapping[str, int]
    threads: int | None = None
    types: Mapping[str, str] | None = None
    filled: frozenset[Expr] = frozenset()


@record()
class Backend:
    """A target.

    Attributes:
        name: as given to `loopc.compile`.
        requires: packages that must be installed.
        build: makes a program runnable.
        emit: the standalone module's text, if the target has one.
        saved: what is needed to make something runnable again, if that is worth keeping.
        revive: makes it so.
    """

    name: str
    requires: tuple[str, ...]
    build: Callable[[Program, Case], Runnable]
    emit: Callable[[Module], str] | None = None
    saved: Callable[[Any], Saved] | None = None
    revive: Callable[[Saved], Runnable] | None = None


def available() -> tuple[str, ...]:
    """Return the names of all backends."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__)))


def load(name: str) -> Backend:
    """Return a backend.

    Raises:
        CallError: L0704, there is none of this name.
    """
    if name not in available():
        names = ", ".join(f"`{n}`" for n in available())
        raise catalogue.error("L0704", what="backend", name=name, known=names)
    module = importlib.import_module(f"loopc.backends.{name}")
    backend: Backend = module.BACKEND
    return backend
