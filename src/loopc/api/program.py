"""A compiled program: immutable, callable, differentiable."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from loopc import backends
from loopc.api import arrays as calls
from loopc.api import routes
from loopc.api.fitting import fitted_gradient, fitted_run
from loopc.api.limits import within_limits
from loopc.api.options import RAISED, ArrayType, Options, located, shape_text
from loopc.api.results import Results
from loopc.api.runnables import built
from loopc.autodiff.adjoint import Adjoint, adjoint
from loopc.autodiff.checkpoints import Checkpoints
from loopc.diagnostics import catalogue
from loopc.diagnostics.errors import LoopcError
from loopc.diagnostics.record import replace
from loopc.ir import nodes
from loopc.ir.build import default_wrt, is_differentiable
from loopc.ir.dtypes import KINDS, infer_dtypes
from loopc.ir.unbuild import to_latex, to_text
from loopc.ir.visit import walk
from loopc.passes.expand_workspaces import expand_workspaces

if TYPE_CHECKING:
    from loopc.api.memory import Peak
    from loopc.api.model import Model
    from loopc.api.report import Report
    from loopc.api.specialized import Specialized


class Program:
    """A compiled program.

    Call it with the arrays by name, or with one mapping; every result is a fresh array.

    Attributes:
        inputs, params, outputs: symbolic shapes and types, by name.
        dims: the names of the dims.
        ir: the resolved loop IR, `backward` statements as written.
    """

    def __init__(
        self, written: nodes.Program, expanded: nodes.Program, options: Options, name: str
    ) -> None:
        self.ir = written
        self._program = expanded
        self._options = options
        self._name = name
        self._backend = backends.load(options.backend)
        self._runnables: dict[Any, backends.Runnable] = {}
        self._routes = routes.Routes()
        self._peaks: dict[Any, Peak] = {}
        self._derivations: dict[Any, Any] = {}
        self._bound: dict[Any, dict[Any, dict[str, int]]] = {}
        self._source: str | None = None

    def __str__(self) -> str:
        with within_limits():
            return to_text(self.ir)

    def __repr__(self) -> str:
        takes = ", ".join((*self.inputs, *self.params))
        return f"<loopc.Program {self._name}: {takes} -> {', '.join(self.outputs)}>"

    @cached_property
    def inputs(self) -> Mapping[str, ArrayType]:
        """The inputs, by name."""
        return self._types("input")

    @cached_property
    def params(self) -> Mapping[str, ArrayType]:
        """The params, by name."""
        return self._types("param")

    @cached_property
    def outputs(self) -> Mapping[str, ArrayType]:
        """What a run returns, by name."""
        types = infer_dtypes(self._program, {})
        found: dict[str, ArrayType] = {}
        for name in self._program.outputs:
            shape = shape_text(self._program.array(name))
            found[name] = ArrayType(shape, KINDS[types[name].kind])
        return MappingProxyType(found)

    @cached_property
    def dims(self) -> tuple[str, ...]:
        """The names of the dims, in the order of the text."""
        every = walk(self._program)
        return tuple(dict.fromkeys(n.name for n in every if isinstance(n, nodes.Extent)))

    def _types(self, kind: str) -> Mapping[str, ArrayType]:
        arrays = (a for a in self._program.arrays if a.kind == kind)
        types = {a.name: ArrayType(shape_text(a), a.dtype or "float") for a in arrays}
        return MappingProxyType(types)

    def __call__(self, arrays: Mapping[str, Any] | None = None, /, **named: Any) -> Results:
        """Run the program.

        Args:
            arrays: the inputs and params by name.
            named: further ones.

        Raises:
            CallError: a missing or unknown array. DTypeError: one of a wrong type.
            ShapeError: sizes that do not fit. BoundsError: an index outside its array.
        """
        given = calls.merged(arrays, named)
        key, program = fitted_run(self, given)
        return Results(self._run(key, program, given))

    def grad(
        self, arrays: Mapping[str, Any] | None = None, /, *, seed: Any = None, **named: Any
    ) -> Results:
        """Return the gradients of the loss, by name: each of the shape and type of its array.

        Args:
            arrays: the inputs and params by name.
            seed: the cotangent of the loss; needed if that is no scalar (default: 1).
            named: further inputs and params.

        Raises:
            DifferentiationError: L0601 to L0605. And what a call raises.
        """
        return self.value_and_grad(arrays, seed=seed, **named)[1]

    def value_and_grad(
        self, arrays: Mapping[str, Any] | None = None, /, *, seed: Any = None, **named: Any
    ) -> tuple[Results, Results]:
        """Return the outputs and the gradients; see `grad`."""
        given = calls.merged(arrays, named)
        if seed is not None and arrays is None and "seed" in {**self.inputs, **self.params}:
            given["seed"], seed = seed, None
        made = self._loss_adjoint(seeded=seed is not None)
        if seed is not None and self.loss in made.seeds:  # else all gradients are zero
            given[made.seeds[self.loss]] = seed
        key, made = fitted_gradient(self, made, given, seeded=seed is not None)
        needed, floats = self._needed(made.program, given), frozenset(self.wrt)
        found = self._run(key, made.program, needed, floats)
        outputs = Results({n: found[n] for n in self._program.outputs})
        return outputs, Results({n: found[g] for n, g in made.gradients.items()})

    def vjp(self, arrays: Mapping[str, Any], cotangents: Mapping[str, Any], /) -> Results:
        """Return the vector-Jacobian products by name, for cotangents of outputs by name."""
        from loopc.api.derivatives import vjp

        return vjp(self, arrays, cotangents)

    def jvp(self, arrays: Mapping[str, Any], tangents: Mapping[str, Any], /) -> Results:
        """Return the directional derivatives of the float outputs, for tangents by name."""
        from loopc.api.derivatives import jvp

        return jvp(self, arrays, tangents)

    def hvp(self, arrays: Mapping[str, Any], tangents: Mapping[str, Any], /) -> Results:
        """Return the products of the loss's Hessian with tangents, by name of `wrt`."""
        from loopc.api.derivatives import hvp

        return hvp(self, arrays, tangents)

    def jacobian(
        self, of: str, wrt: str, arrays: Mapping[str, Any] | None = None, /, **named: Any
    ) -> Any:
        """Return the full Jacobian: shape of the output, then shape of the input."""
        from loopc.api.derivatives import jacobian

        return jacobian(self, of, wrt, calls.merged(arrays, named))

    def hessian(self, wrt: str, arrays: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
        """Return the loss's full Hessian by one input: its shape twice."""
        from loopc.api.derivatives import hessian

        return hessian(self, wrt, calls.merged(arrays, named))

    def bind(self, params: Mapping[str, Any] | None = None, /, **named: Any) -> Model:
        """Return a model: parameters with values and gradients that add up."""
        from loopc.api.model import Model

        return Model(self, calls.merged(params, named))

    def specialize(self, arrays: Mapping[str, Any] | None = None, /, **named: Any) -> Specialized:
        """Return a function of positional arrays, in the program's order, for these shapes."""
        from loopc.api.specialized import Specialized

        return Specialized(self, calls.merged(arrays, named))

    @cached_property
    def loss(self) -> str:
        """The array that `grad` differentiates."""
        program = self._program
        if self._options.loss is not None:
            self._check_arrays([self._options.loss])
            return self._options.loss
        scalars = [n for n, t in self.outputs.items() if not t.shape and t.dtype == "float"]
        if len(scalars) == 1:
            return scalars[0]
        written = {a.name for a in program.arrays if a.kind == "temp"}
        for name in ("L", "loss"):
            if name in written:
                return name
        if len(self.outputs) == 1:
            return next(iter(self.outputs))
        listed = ", ".join(f"`{n}`" for n in (scalars or self.outputs)) or "none"
        raise catalogue.error("L0602", candidates=f"candidates are {listed}")

    @cached_property
    def wrt(self) -> tuple[str, ...]:
        """The names to differentiate by."""
        names = self._options.wrt
        if names is None:
            return default_wrt(self._program)
        for name in names:
            self._check_wrt(name)
        return names

    @property
    def adjoint(self) -> Program:
        """The forward statements that are needed, then the adjoint loops, returning the gradients.

        The cotangents of outputs that are no scalars are inputs: `Y.grad`.
        """
        return self._derived(self._adjoint(self._of(), self.wrt).program)

    @property
    def with_adjoint(self) -> Program:
        """The whole program, then the adjoint loops, returning outputs and gradients."""
        keep = self._program.outputs
        return self._derived(self._adjoint(self._of(), self.wrt, keep=keep).program)

    @property
    def tangent(self) -> Program:
        """The statements that are needed and their tangents: of `x.dot`, it returns `y.dot`."""
        from loopc.api.derivatives import tangent_of

        return self._derived(tangent_of(self).program)

    @property
    def expanded(self) -> Program:
        """The same program with its adjoint loops in the place of each `backward`."""
        return Program(self._program, self._program, self._options, self._name)

    def adjoint_loops(self, *, expand: bool = False) -> str:
        """Return the text of the adjoint loops alone; `expand`: with `f'` written out."""
        from loopc.api.printed import gradient_text

        return gradient_text(self, only_adjoint=True, expand=expand)

    def latex(self) -> str:
        """Return the program in LaTeX, for a displayed formula."""
        with within_limits():
            return to_latex(self.ir)

    def _of(self) -> tuple[str, ...]:
        try:
            return (self.loss,)
        except LoopcError:
            if self._options.loss is not None:
                raise
        return tuple(n for n, t in self.outputs.items() if t.dtype == "float")

    def _derived(self, program: nodes.Program) -> Program:
        spare = calls.unneeded(self._program, program)
        return Program(program, program, self._options.derived(spare), self._name)

    @property
    def source(self) -> str:
        """The generated module."""
        if self._source is None:
            from loopc.api.emit import emitted

            self._source = emitted(self)
        return self._source

    def save(self, path: str | Path, /) -> None:
        """Write the generated module, which needs NumPy alone."""
        from loopc.api.files import write_text

        write_text(Path(path), self.source)

    def explain(self, arrays: Mapping[str, Any] | None = None, /, **named: Any) -> Report:
        """Return how each statement is lowered, for arrays or for values of dims."""
        from loopc.api.report import explain

        return explain(self, calls.merged(arrays, named))

    # Inside
    def _with_outputs(self, names: tuple[str, ...]) -> Program:
        """Return the program that returns these arrays."""
        changed = replace(self._program, outputs=names)
        return Program(changed, changed, self._options, self._name)

    def check_choices(self) -> None:
        """Check the names that the options give: L0603, L0705."""
        if self._options.loss is not None:
            self._check_arrays([self._options.loss])
        for name in self._options.wrt or ():
            self._check_wrt(name)

    def _check_arrays(self, names: Sequence[str]) -> None:
        known = [a.name for a in self._program.arrays]
        for name in names:
            if name not in known:
                raise catalogue.error("L0705", name=name, known=", ".join(f"`{n}`" for n in known))

    def _check_wrt(self, name: str) -> None:
        self._check_arrays([name])
        array = self._program.array(name)
        candidates = ", ".join(f"`{n}`" for n in default_wrt(self._program)) or "there are none"
        why = ""
        if array.kind == "temp":
            why = "it is computed by the program"
        elif not is_differentiable(array):
            why = f"it is of type {array.dtype}"
        if why:
            raise catalogue.error("L0603", array.span, name=name, why=why, candidates=candidates)

    def _adjoint(
        self,
        of: tuple[str, ...],
        wrt: tuple[str, ...],
        *,
        seeded: bool = False,
        keep: tuple[str, ...] = (),
        points: Checkpoints | None = None,
    ) -> Adjoint:
        points = points or self._options.checkpoints

        def make() -> Adjoint:
            own = expand_workspaces(self._program, (*of, *wrt, *keep))
            return adjoint(own, of, wrt, seeded=seeded, keep=keep, points=points)

        key = (of, wrt, seeded, keep, points.every)
        return self._derivation(key, make)  # type: ignore[no-any-return]

    def _loss_adjoint(self, *, seeded: bool, points: Checkpoints | None = None) -> Adjoint:
        """Return the adjoint of the loss, after the program itself."""

        def make() -> Adjoint:
            if not seeded:
                from loopc.api.derivatives import scalar_loss

                scalar_loss(self)
            keep = self._program.outputs
            return self._adjoint((self.loss,), self.wrt, seeded=seeded, keep=keep, points=points)

        key = ("loss", seeded, points and points.every)
        return self._derivation(key, make)  # type: ignore[no-any-return]

    def _derivation(self, key: Any, make: Callable[[], Any]) -> Any:
        if key not in self._derivations:
            with within_limits():
                self._derivations[key] = make()
        return self._derivations[key]

    def _needed(self, program: nodes.Program, given: Mapping[str, Any]) -> dict[str, Any]:
        """Leave out the arrays and the dims that a derived program does not need."""
        own, key = self._program, ("dropped", id(program))
        return calls.without(given, self._derivation(key, lambda: calls.unneeded(own, program)))

    def _take(
        self, program: nodes.Program, given: Mapping[str, Any], floats: frozenset[str]
    ) -> calls.Call:
        known = self._bound.setdefault((id(program), floats), {})
        given = calls.without(given, self._options.spare)
        return calls.take(program, given, self._options.dtype, floats, known)

    def _run(
        self,
        key: Any,
        program: nodes.Program,
        given: Mapping[str, Any],
        floats: frozenset[str] = frozenset(),
    ) -> dict[str, Any]:
        if self._options.spare:
            given = calls.without(given, self._options.spare)
        signature = routes.signature(given)
        route = self._routes.find(key, signature)
        if route is None:
            call = self._take(program, given, floats)
            runnable = self._runnable(key, program, call)
            route = self._routes.add(key, signature, given, call, runnable)
            given = call.arrays
        try:
            return route(given)
        except RAISED as error:
            raise located(error, program) from None

    def _runnable(self, key: Any, program: nodes.Program, call: calls.Call) -> backends.Runnable:
        found = built(self, key, program, call)
        if self._options.memory_limit is not None:
            from loopc.api.memory import check

            check(self, key, program, call)
        return found
