"""A program with parameters bound: `m.W0.value`, `m.W0.grad`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from loopc.api.results import Results
from loopc.diagnostics import catalogue

if TYPE_CHECKING:
    from loopc.api.program import Program


class Parameter:
    """An array with its gradient.

    Attributes:
        value: the array; assign to it, or change it in place, to train.
        grad: the sum of the gradients of all `backward` calls since `zero_grad`.
    """

    __slots__ = ("grad", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.grad = np.zeros_like(value)

    def __repr__(self) -> str:
        return f"Parameter({self.value.dtype}{list(self.value.shape)})"


class Model:
    """A program with parameters: `m.forward(x=…)`, then `m.backward()`, then `m.W.grad`."""

    def __init__(self, program: Program, params: Mapping[str, Any]) -> None:
        known = [a.name for a in program._program.arrays if a.kind != "temp"]
        for name in params:
            if name not in known:
                listed = ", ".join(f"`{n}`" for n in known)
                raise catalogue.error("L0702", name=name, repair=f"the program takes {listed}")
        self._program = program
        self._params = {n: Parameter(_floating(v)) for n, v in params.items()}
        self._inputs: dict[str, Any] | None = None

    def __getattr__(self, name: str) -> Parameter:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._params[name]
        except KeyError:
            raise AttributeError(f"no parameter {name!r}; there are {list(self._params)}") from None

    def __getitem__(self, name: str) -> Parameter:
        return self._params[name]

    def __iter__(self) -> Any:
        return iter(self._params)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._params]

    def forward(self, arrays: Mapping[str, Any] | None = None, /, **named: Any) -> Results:
        """Run the program on inputs; `backward` will differentiate at them."""
        self._inputs = {**(arrays or {}), **named}
        return self._program(self._arrays())

    def backward(self, *, seed: Any = None) -> Results:
        """Add the gradients at the last `forward`'s inputs to every `.grad`; return them."""
        if self._inputs is None:
            raise catalogue.error("L0706")
        gradients = self._program.grad(self._arrays(), seed=seed)
        for name, gradient in gradients.items():
            if name in self._params:
                self._params[name].grad = self._params[name].grad + gradient
        return gradients

    def zero_grad(self) -> None:
        """Set every `.grad` to zero."""
        for parameter in self._params.values():
            parameter.grad = np.zeros_like(parameter.value)

    def _arrays(self) -> dict[str, Any]:
        assert self._inputs is not None
        return {**{n: p.value for n, p in self._params.items()}, **self._inputs}


def _floating(value: Any) -> Any:
    array = np.array(value)
    return array.astype(np.float64) if array.dtype.kind in "biu" else array
