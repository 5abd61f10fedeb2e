"""Checkpoints that keep a run with gradients below a limit of memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isqrt, prod, sqrt
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from loopc.api import memory
from loopc.api.arrays import Call
from loopc.autodiff.adjoint import Adjoint, expand_backward
from loopc.autodiff.checkpoints import Checkpointed, Checkpoints
from loopc.diagnostics.record import record
from loopc.ir import nodes
from loopc.ir.bind import evaluate, shape_of
from loopc.passes.expand_workspaces import expand_workspaces

if TYPE_CHECKING:
    from loopc.api.program import Program

LEVELS = 3
"""The most levels of checkpoints; each runs the steps of a loop once more."""


class Derived(Protocol):
    """A program with adjoint loops, and where these have checkpoints."""

    @property
    def program(self) -> nodes.Program:
        """The program."""
        ...

    @property
    def checkpointed(self) -> Sequence[Checkpointed]:
        """The serial loops that have them."""
        ...


D = TypeVar("D", bound=Derived)


@record()
class Trained:
    """A program with its `backward` statements expanded."""

    program: nodes.Program
    checkpointed: tuple[Checkpointed, ...] = ()


def trained(program: nodes.Program, points: Checkpoints) -> Trained:
    """Return the program with its adjoint loops in the place of each `backward`."""
    if not any(isinstance(s, nodes.Backward) for s in program.body):
        return Trained(program)
    made = expand_backward(expand_workspaces(program), points)
    return Trained(made, tuple(points.loops))


def fitted(
    program: Program,
    key: Any,
    derive: Callable[[Checkpoints], D],
    given: Mapping[str, Any],
    floats: frozenset[str] = frozenset(),
) -> tuple[Any, D]:
    """Return a derived program that stays below the limit for some arrays, and the key of it.

    Args:
        program: what was compiled.
        key: of what is derived without checkpoints but those that were asked for.
        derive: makes it with checkpoints.
        given: the arrays.
        floats: those of them that are taken as floats.
    """
    options = program._options
    plain = derive(options.checkpoints)
    if options.memory_limit is None or options.checkpoint is not None:
        return key, plain
    call = program._take(plain.program, program._needed(plain.program, given), floats)
    search = _Search(program, key, derive, call)
    shapes = tuple((n, a.shape, a.dtype) for n, a in call.arrays.items())
    full = ("fitted", key, shapes, tuple(call.dims.items()), tuple(call.scalars.items()))
    every = program._derivation(full, lambda: search.chosen(options.memory_limit or 0))
    return (key, plain) if not every else ((key, every), derive(Checkpoints(every)))


def fitted_run(program: Program, given: Mapping[str, Any]) -> tuple[Any, nodes.Program]:
    """Return what runs the program for some arrays, and the key of it."""
    if program._options.memory_limit is None:
        return "", program._program
    own = program._options.checkpoints.every

    def derive(points: Checkpoints) -> Trained:
        if points.every == own:
            return Trained(program._program)
        key = ("trained", points.every)
        made: Trained = program._derivation(key, lambda: trained(program.ir, points))
        return made

    key, made = fitted(program, "", derive, given)
    return key, made.program


def fitted_gradient(
    program: Program, made: Adjoint, given: Mapping[str, Any], *, seeded: bool
) -> tuple[Any, Adjoint]:
    """Return the adjoint of the loss for some arrays, and the key of it; `made`: the usual one."""
    key, floats = ("grad", seeded), frozenset(program.wrt)
    if program._options.memory_limit is None:
        return key, made

    def derive(points: Checkpoints) -> Adjoint:
        return program._loss_adjoint(seeded=seeded, points=points)

    return fitted(program, key, derive, given, floats)


@record()
class _Search:
    """For the steps between checkpoints."""

    program: Program
    key: Any
    derive: Callable[[Checkpoints], Derived]
    call: Call

    def peak(self, every: tuple[int, ...]) -> int:
        """Return the peak with checkpoints."""
        made = self.derive(Checkpoints(every)).program
        key = (self.key, every) if every else self.key
        return memory.peak(self.program, key, made, self.call).bytes

    def chosen(self, limit: int) -> tuple[int, ...]:
        """Return the steps with which the peak is below a limit, or else the least peak."""
        found: dict[tuple[int, ...], int] = {(): self.peak(())}
        if found[()] <= limit:
            return ()
        for every in self.candidates(limit):
            found.setdefault(every, self.peak(every))
            if found[every] <= limit:
                return every
        return min(found, key=lambda each: found[each])

    def candidates(self, limit: int) -> Iterator[tuple[int, ...]]:
        """Yield steps to try: on one level as many as the limit allows, then on more levels.

        Of one level the peak is about `fixed + recorded * k + saved / k` with k steps.
        """
        steps = self._steps()
        if steps < 2:
            return
        k = isqrt(steps)
        made = self.derive(Checkpoints((k,)))
        recorded = self._bytes(made, lambda loop: loop.local) / k
        saved = self._bytes(made, lambda loop: loop.saved) * k
        room = limit - (self.peak((k,)) - recorded * k - saved / k)
        if recorded and room > 0 and room * room >= 4 * recorded * saved:
            most = (room + sqrt(room * room - 4 * recorded * saved)) / (2 * recorded)
            yield from self._longest(k, max(1, min(steps, int(most))), limit)
        if recorded:
            yield (max(1, min(steps, round(sqrt(saved / recorded)))),)
        yield (k,)
        for levels in range(2, LEVELS + 1):
            ratio = max(2, round(steps ** (1 / (levels + 1))))
            yield tuple(ratio**n for n in range(levels, 0, -1))

    def _longest(self, k: int, most: int, limit: int) -> Iterator[tuple[int, ...]]:
        """Yield the most steps, or fewer by what that many take above the limit."""
        yield (most,)
        least, peak = self.peak((k,)), self.peak((most,))
        if k < most and least < limit < peak:
            yield (k + int(0.98 * (most - k) * (limit - least) / (peak - least)),)

    def _steps(self) -> int:
        """Return the steps of the longest serial loop that can have checkpoints."""
        loops = self.derive(Checkpoints((2,))).checkpointed
        found = [0]
        for loop in loops:
            try:
                found.append(evaluate(loop.steps, self.call.dims, self.call.scalars))
            except KeyError:  # a loop within another one
                continue
        return max(found)

    def _bytes(self, made: Derived, names: Callable[[Checkpointed], Sequence[str]]) -> int:
        """Return the bytes of arrays of the loops with checkpoints."""
        arrays = {a.name: a for a in made.program.arrays}
        wanted = {n for loop in made.checkpointed for n in names(loop) if n in arrays}
        dims, scalars = self.call.dims, self.call.scalars
        return sum(8 * prod(shape_of(arrays[n], dims, scalars)) for n in sorted(wanted))
