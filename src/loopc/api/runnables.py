"""Programs made ready to run: from the cache, or by passes, lowering and a backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loopc import backends, passes
from loopc.api import arrays as calls
from loopc.api import cache
from loopc.api.limits import within_limits
from loopc.api.options import Options
from loopc.diagnostics.record import record
from loopc.ir.magnitude import Magnitudes
from loopc.ir.nodes import Expr, Program
from loopc.passes.guard_empty import empty_ranges, filled_ranges, guard_empty
from loopc.passes.settle_quotients import numbers_of, settle_quotients

if TYPE_CHECKING:
    from loopc.api.program import Program as Compiled


@record()
class Made:
    """What runs a program; `by_extents`: for other extents another one would have been made."""

    runnable: backends.Runnable
    by_extents: bool


def built(compiled: Compiled, key: Any, program: Program, call: calls.Call) -> backends.Runnable:
    """Return what runs a program for arrays like those of a call; it is made once.

    Args:
        compiled: what was compiled, which remembers it.
        key: the same for the same `program`.
        program: what is run: itself, or one derived from it.
        call: the arrays.
    """
    known = compiled._runnables
    is_judge = _is_judge(compiled._backend)
    empty = frozenset() if is_judge else empty_ranges(program, call.dims, call.scalars)
    settles = not is_judge and compiled._options.opt > 1
    settled = numbers_of(program, call.dims) if settles else {}
    full = (key, call.kinds, call.uniform, empty, *settled.items())
    found = known.get((full, ())) or known.get((full, call.magnitudes))
    if found is None:
        with within_limits():
            calls.check_kinds(program, call)
            run = settle_quotients(guard_empty(program, empty), settled)
            new = made(run, compiled._options, compiled._backend, call)
        found = new.runnable
        known[full, call.magnitudes if new.by_extents else ()] = found
    return found


def made(program: Program, options: Options, backend: backends.Backend, call: calls.Call) -> Made:
    """Return what runs a program for arrays like those of a call."""
    filled = filled_ranges(program, call.dims, call.scalars)
    if call.alone or backend.saved is None or backend.revive is None or not cache.is_on():
        return _built(program, options, backend, call, filled)
    facts = {"backend": backend.name, "kinds": call.kinds, "uniform": call.uniform}
    facts |= {"opt": options.opt, "threads": options.threads, "filled": bool(filled)}
    general = cache.key_of(program, facts)
    special = cache.key_of_case(general, call.magnitudes)
    for key in (general, special):
        found = cache.MEMORY.get(key)
        if found is None:
            saved = cache.load(key)
            found = None if saved is None else backend.revive(saved)
        if found is not None:
            cache.MEMORY.put(key, found)
            return Made(found, key == special)
    new = _built(program, options, backend, call, filled)
    key = special if new.by_extents else general
    cache.MEMORY.put(key, new.runnable)
    cache.store(key, backend.saved(new.runnable))
    return new


def _built(
    program: Program,
    options: Options,
    backend: backends.Backend,
    call: calls.Call,
    filled: frozenset[Expr],
) -> Made:
    opt, sizes = options.opt, Magnitudes(call.dims, kinds=dict(call.kinds))
    optimised = program if _is_judge(backend) else passes.run(program, opt, sizes)
    facts = opt, call.uniform, call.dims, options.threads, call.types, filled
    runnable = backend.build(optimised, backends.Case(dict(call.kinds), *facts))
    return Made(runnable, runnable.by_extents or sizes.by_extents)


def _is_judge(backend: backends.Backend) -> bool:
    """Whether a backend runs programs as they are written."""
    return backend.name == "reference"
