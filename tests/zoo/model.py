"""An entry of the zoo's table, and the means to differentiate plain NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray
Arrays = dict[str, Any]


@dataclass(frozen=True)
class Model:
    """How a program of the zoo is checked.

    `numpy` takes the program's arrays by name and returns its loss, or several losses by name; it
    is written so that it can be run on complex numbers. `torch` does the same with PyTorch's layers.
    """

    name: str
    arrays: Callable[[np.random.Generator], Arrays]
    numpy: Callable[..., Any]
    torch: Callable[..., Any] | None = None
    losses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    loss: str = "L"
    serial: tuple[str, ...] = ()
    """The indices of the loops that run in Python: recurrences, and the few offsets of a window."""
    suffix: str = "grad"
    """Of the gradients that the program computes; none: they go into the step alone."""
    step: Callable[[Array, Array, Arrays], Array] = lambda w, g, arrays: w - arrays["lr"] * g
    """The parameter after the program's update."""

    def gradients(self, params: list[str]) -> dict[str, tuple[str, str]]:
        """Return the loss and the name of the gradient of each param that is trained."""
        losses = self.losses or {self.loss: tuple(params)}
        return {p: (loss, f"{p}.{self.suffix}") for loss, names in losses.items() for p in names}


def normal(rng: np.random.Generator, **shapes: tuple[int, ...]) -> Arrays:
    """Return normal numbers of each shape."""
    return {name: 0.5 * rng.standard_normal(shape) for name, shape in shapes.items()}


def whole(rng: np.random.Generator, bound: int, **shapes: tuple[int, ...]) -> Arrays:
    """Return whole numbers below the bound of each shape."""
    return {name: rng.integers(0, bound, shape) for name, shape in shapes.items()}


def complex_step(function: Callable[..., Any], arrays: Arrays, names: tuple[str, ...]) -> Arrays:
    """Return the function's gradients by the complex step, which has no rounding of differences."""
    step = 1e-30
    gradients = {}
    for name in names:
        point = np.asarray(arrays[name]).astype(complex)
        gradient = np.empty(point.shape)
        for cell in np.ndindex(point.shape):
            moved = point.copy()
            moved[cell] += 1j * step
            gradient[cell] = np.imag(function(**{**arrays, name: moved})) / step
        gradients[name] = gradient
    return gradients


# Functions that hold for complex numbers beside the real axis


def relu(x: Array) -> Array:
    return x * (np.real(x) > 0)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def logsumexp(x: Array, axis: int = -1) -> Array:
    m = np.real(x).max(axis=axis, keepdims=True)
    m = np.where(np.isfinite(m), m, 0)
    with np.errstate(divide="ignore"):
        return np.squeeze(m, axis) + np.log(np.exp(x - m).sum(axis))


def softmax(x: Array, axis: int = -1) -> Array:
    e = np.exp(x - np.real(x).max(axis=axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def cross_entropy(s: Array, y: Array) -> Any:
    """Return the mean of -log softmax(s)[y]; the classes are the last axis."""
    picked = np.take_along_axis(s, np.asarray(y)[..., None], -1)[..., 0]
    return (logsumexp(s) - picked).mean()
