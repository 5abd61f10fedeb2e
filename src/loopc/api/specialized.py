"""A program for arrays of fixed shapes and types: what a call would check is known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from loopc.api.fitting import fitted_gradient, fitted_run
from loopc.api.options import RAISED, located
from loopc.api.results import Results
from loopc.diagnostics import catalogue
from loopc.diagnostics.errors import LoopcError
from loopc.diagnostics.record import record, replace
from loopc.ir.nodes import Program as Resolved

if TYPE_CHECKING:
    from loopc.api.program import Program


@record()
class _Way:
    """A function of positional arrays, and the program that it runs.

    Attributes:
        function: what runs.
        program: where errors are.
        results: the shape and the type of each result, once they are known.
    """

    function: Callable[..., dict[str, Any]]
    program: Resolved
    results: dict[str, tuple[Any, Any]]


class Specialized:
    """A program for arrays of the shapes and types that it was given once.

    It takes arrays by position, in the order of `inputs`; every result is a fresh array, or the
    one given for it in `out`.

    Attributes:
        inputs: the names of the arrays that it takes.
    """

    def __init__(self, program: Program, given: Mapping[str, Any]) -> None:
        self._program = program
        resolved = program._program
        self.inputs = tuple(a.name for a in resolved.arrays if a.name in given and a.kind != "temp")
        key, run = fitted_run(program, given)
        self._forward = self._way(key, run, given, frozenset())
        self._gradient: _Way | None = None
        self._names = resolved.outputs
        self._gradients: Mapping[str, str] = {}
        call = program._take(resolved, given, frozenset())
        self._given = {n: given[n] for n in given if n not in self.inputs}
        self._shapes = tuple(call.arrays[n].shape for n in self.inputs)
        self._types = tuple(call.arrays[n].dtype for n in self.inputs)
        self._fits = _test(self._shapes, self._types)
        self._fixed = not call.scalars  # else the shapes of results may follow from these

    def __repr__(self) -> str:
        takes = zip(self.inputs, self._types, self._shapes, strict=True)
        return f"Specialized({', '.join(f'{n}: {t}{list(s)}' for n, t, s in takes)})"

    def __call__(self, *arrays: Any, out: Mapping[str, Any] | None = None, **named: Any) -> Results:
        """Run the program.

        Args:
            arrays: in the order of `inputs`.
            out: arrays that take results, by name.
            named: there can be none: a name is an error.

        Raises:
            CallError, ShapeError: the arrays are not those that it is for.
        """
        if named:
            self._refuse(named)
        if out is None:  # the shortest way: what `_run` does is the half of a small call
            plain = arrays if self._fits(arrays) else self._check(arrays)
            try:
                return Results(self._forward.function(*plain))
            except RAISED as error:
                raise located(error, self._forward.program) from None
        given = _outputs(out)
        return Results(_put(self._run(self._forward, arrays, given), given))

    def value_and_grad(
        self,
        *arrays: Any,
        out: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None,
        **named: Any,
    ) -> tuple[Results, Results]:
        """Return the outputs and the gradients of the loss.

        Args:
            arrays: in the order of `inputs`.
            out: arrays that take outputs, and arrays that take gradients, by name.
            named: there can be none: a name is an error.
        """
        if named:
            self._refuse(named)
        way = self._gradient or self._differentiated(arrays)
        if out is None:
            found = self._run(way, arrays)
            outputs = {n: found[n] for n in self._names}
            gradients = {n: found[g] for n, g in self._gradients.items()}
            return Results(outputs), Results(gradients)
        first, second = map(_outputs, _pair(out))
        own = {self._gradients[n]: a for n, a in second.items() if n in self._gradients}
        found = self._run(way, arrays, {**first, **own})
        outputs = _put({n: found[n] for n in self._names}, first)
        gradients = _put({n: found[g] for n, g in self._gradients.items()}, second)
        return Results(outputs), Results(gradients)

    def grad(self, *arrays: Any, out: Mapping[str, Any] | None = None, **named: Any) -> Results:
        """Return the gradients of the loss; `out`: arrays that take them, by name."""
        pair: Any = None if out is None else ({}, out)
        return self.value_and_grad(*arrays, out=pair, **named)[1]

    # Inside

    def _way(
        self, key: Any, program: Resolved, given: Mapping[str, Any], floats: frozenset[str]
    ) -> _Way:
        call = replace(self._program._take(program, given, floats), alone=True)
        shapes = tuple((a.shape, a.dtype) for a in call.arrays.values())
        own = key, shapes, tuple(call.dims.items())
        runnable = self._program._runnable(own, program, call)
        fixed = {n: v for n, v in call.arrays.items() if n not in self.inputs}
        function = runnable.positional(self.inputs, call.dims, fixed)
        return _Way(function, program, {})

    def _differentiated(self, arrays: tuple[Any, ...]) -> _Way:
        program = self._program
        made = program._loss_adjoint(seeded=False)
        given = {**self._given, **dict(zip(self.inputs, self._check(arrays), strict=True))}
        key, made = fitted_gradient(program, made, given, seeded=False)
        own = program._needed(made.program, given)
        self._gradients = made.gradients
        floats = frozenset(program.wrt)
        self._gradient = self._way(key, made.program, own, floats)
        return self._gradient

    def _run(
        self, way: _Way, arrays: tuple[Any, ...], out: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        plain = arrays if self._fits(arrays) else self._check(arrays)
        try:
            if not out:
                return way.function(*plain)
            apart = {n: a for n, a in out.items() if self._can_hold(way, n, a, plain)}
            found = way.function(*plain, out=apart)
            if len(apart) < len(out):
                way.results.update({n: (a.shape, a.dtype) for n, a in found.items() if n in out})
            return found
        except RAISED as error:
            raise located(error, way.program) from None

    def _can_hold(self, way: _Way, name: str, array: Any, arrays: tuple[Any, ...]) -> bool:
        """Whether a result can be made in an array while others are read."""
        if way.results.get(name) != (array.shape, array.dtype) or not self._fixed:
            return False
        return array.flags.carray and not any(_may_meet(array, a) for a in arrays)

    def _refuse(self, named: Mapping[str, Any]) -> None:
        listed = ", ".join(f"`{n}`" for n in self.inputs) or "none"
        repair = f"give the arrays by position, in this order: {listed}"
        raise catalogue.error("L0702", name=next(iter(named)), repair=repair)

    def _check(self, arrays: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return arrays of the right types, or say what is wrong with them."""
        if len(arrays) > len(self.inputs):
            repair = f"it takes {len(self.inputs)} arrays: {', '.join(self.inputs)}"
            name = f"argument {len(self.inputs) + 1}"
            raise catalogue.error("L0702", name=name, repair=repair)
        given = {**self._given, **dict(zip(self.inputs, arrays, strict=False))}
        call = self._program._take(self._program._program, given, frozenset())
        found: list[Any] = []
        for name, shape, dtype in zip(self.inputs, self._shapes, self._types, strict=True):
            array = call.arrays[name]
            if array.shape != shape:
                raise _wrong_shape(name, array.shape, shape)
            found.append(array.astype(dtype, copy=False))
        return tuple(found)


def _test(shapes: Sequence[Any], types: Sequence[Any]) -> Callable[[tuple[Any, ...]], bool]:
    """Return a test whether arrays have these shapes and types, spelled out: no loop at a call."""
    known: dict[str, Any] = {"ndarray": np.ndarray}
    names = [f"a{n}" for n in range(len(shapes))]
    tests: list[str] = []
    for name, shape, dtype in zip(names, shapes, types, strict=True):
        known[f"{name}_shape"], known[f"{name}_type"] = shape, dtype
        test = f"type({name}) is ndarray and {name}.dtype is {name}_type"
        test = f"{test} and {name}.shape == {name}_shape"
        if not shape:  # a scalar of NumPy's will do
            known[f"{name}_scalar"] = dtype.type
            test = f"(type({name}) is {name}_scalar or {test})"
        tests.append(test)
    text = f"def fits(arrays):\n    try:\n        [{', '.join(names)}] = arrays\n"
    text += "    except ValueError:  # there are more or fewer\n        return False\n"
    exec(f"{text}    return {' and '.join(tests) or True}\n", known)
    found: Callable[[tuple[Any, ...]], bool] = known["fits"]
    return found


def _wrong_shape(name: str, given: tuple[int, ...], shape: tuple[int, ...]) -> LoopcError:
    if len(given) != len(shape):
        why = f"it has {len(given)} dimensions, the result {len(shape)}"
        repair = f"give an array of shape {shape}"
        return catalogue.error("L0703", name=name, why=why, repair=repair)
    pairs = zip(given, shape, strict=True)
    axis = next(n for n, (a, b) in enumerate(pairs) if a != b)
    facts = {"axis": axis + 1, "given": given[axis], "expected": shape[axis]}
    extent = "the size that this is specialized for"
    return catalogue.error("L0208", array=name, extent=extent, shape=shape, **facts)  # type: ignore[arg-type]


def _may_meet(array: Any, other: Any) -> bool:
    """Whether two arrays may share memory, at the least cost where one owns it."""
    base = other.base
    if array.base is None and (base is None or type(base) is np.ndarray):
        return array is other or array is base
    return np.may_share_memory(array, other)


def _outputs(out: object) -> Mapping[str, Any]:
    """Return arrays that take results.

    Raises:
        CallError: L0703, L0709: they are none.
    """
    kind, repair = "a mapping of arrays by name", "write `out={'y': y}`"
    if not isinstance(out, Mapping):
        raise catalogue.error("L0709", name="out", kind=kind, given=repr(out), repair=repair)
    for name, array in out.items():
        why = ""
        if type(array) is not np.ndarray:
            why = f"it is of type {type(array).__name__}"
        elif not array.flags.writeable:
            why = "it cannot be written to"
        if why:
            repair = "give a NumPy array of the result's shape, such as `np.empty(shape)`"
            raise catalogue.error("L0703", name=str(name), why=why, repair=repair)
    return out


def _pair(out: object) -> tuple[object, object]:
    if isinstance(out, tuple) and len(out) == 2:
        return out
    kind, repair = "a pair: of outputs and of gradients", "write `out=({'L': L}, {'W': W_grad})`"
    raise catalogue.error("L0709", name="out", kind=kind, given=repr(out), repair=repair)


def _put(found: Mapping[str, Any], out: Mapping[str, Any]) -> dict[str, Any]:
    """Return results, those with an array in `out` in that array."""
    results = dict(found)
    for name, array in out.items():
        if name not in found:
            known = ", ".join(f"`{n}`" for n in found)
            raise catalogue.error("L0705", name=name, known=known)
        if array is found[name]:
            continue
        shape, dtype = found[name].shape, found[name].dtype
        if array.shape != shape:
            raise _wrong_shape(name, array.shape, shape)
        if array.dtype is not dtype and not np.can_cast(dtype, array.dtype, "same_kind"):
            why = f"a result of type {dtype} does not fit into {array.dtype}"
            repair = f"give an array of type {dtype}"
            raise catalogue.error("L0703", name=name, why=why, repair=repair)
        np.copyto(array, found[name], casting="same_kind")
        results[name] = array
    return results
