"""Time several ways to do the same work, in turn.

A workload is one file: the `.loops` program, its data, and the same work (the value and all
gradients) in each peer. Before anything is timed, every contender's gradients are compared with
expert NumPy's, element by element. Contenders run in turn (A B C, C B A, …), warmed up, with both
cores; the figure is the median.
"""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Arrays = Mapping[str, Any]
Runner = Callable[[], tuple[float, dict[str, np.ndarray]]]
"""Do the work once and wait for it: the loss and the gradients by name."""


@dataclass(frozen=True)
class Workload:
    """One piece of work.

    Attributes:
        name: what `ONLY=` takes.
        text: the `.loops` program.
        sizes: label -> a function that makes the arrays.
        peers: contender -> a function from the arrays to a runner; raises ImportError if missing.
        wrt: the names that gradients are taken of.
        loss: the name of the loss; `seed` arrays are given for an array-valued one.
    """

    name: str
    text: str
    sizes: Mapping[str, Callable[[], Arrays]]
    peers: Mapping[str, Callable[[Arrays], Runner]]
    wrt: tuple[str, ...]
    loss: str
    rtol: float = 2e-4


@dataclass
class Timing:
    """A contender's result on one size."""

    contender: str
    seconds: float | None = None
    spread: float | None = None
    setup: float | None = None
    note: str = ""
    samples: list[float] = field(default_factory=list, repr=False)


def loopc_runner(workload: Workload, opt: int) -> Callable[[Arrays], Runner]:
    """Return the maker of loopc's runner at an opt level."""

    def make(arrays: Arrays) -> Runner:
        import loopc

        program = loopc.compile(workload.text, opt=opt, wrt=workload.wrt, loss=workload.loss)

        def run() -> tuple[float, dict[str, np.ndarray]]:
            out, grads = program.value_and_grad(**arrays)
            return float(out[workload.loss]), dict(grads)

        return run

    return make


def compare(reference: dict[str, np.ndarray], other: dict[str, Any], rtol: float) -> float:
    """Return the largest relative difference; raise if it is above `rtol`."""
    worst = 0.0
    for name, expected in reference.items():
        got = np.asarray(other[name])
        assert got.shape == expected.shape, (name, got.shape, expected.shape)
        scale = float(np.abs(expected).max()) or 1.0
        worst = max(worst, float(np.abs(got - expected).max()) / scale)
    if worst > rtol:
        raise AssertionError(f"gradients differ by {worst:.2e}")
    return worst


def measure(workload: Workload, size: str, rounds: int = 15) -> list[Timing]:
    """Compare and time all contenders on one size."""
    arrays = workload.sizes[size]()
    makers: dict[str, Callable[[Arrays], Runner]] = {
        "loopc": loopc_runner(workload, 2),
        "loopc opt=0": loopc_runner(workload, 0),
        **workload.peers,
    }
    timings = {name: Timing(name) for name in makers}
    runners: dict[str, Runner] = {}
    reference = workload.peers["numpy"](arrays)()[1]
    for name, make in makers.items():
        begin = time.perf_counter()
        try:
            runner = make(arrays)
            result = runner()
        except ImportError as missing:
            timings[name].note = f"not installed: {missing.name}"
            continue
        timings[name].setup = time.perf_counter() - begin
        compare(reference, result[1], workload.rtol)
        runners[name] = runner
    _in_turn(runners, timings, rounds)
    return list(timings.values())


def _in_turn(runners: dict[str, Runner], timings: dict[str, Timing], rounds: int) -> None:
    order = list(runners)
    repeats = {}
    for name in order:
        runners[name]()
        begin = time.perf_counter()
        runners[name]()
        once = time.perf_counter() - begin
        repeats[name] = max(1, min(200, int(2e-3 / max(once, 1e-7))))
    for number in range(rounds):
        for name in order if number % 2 == 0 else reversed(order):
            begin = time.perf_counter()
            for _ in range(repeats[name]):
                runners[name]()
            timings[name].samples.append((time.perf_counter() - begin) / repeats[name])
    for name in order:
        samples = timings[name].samples
        timings[name].seconds = statistics.median(samples)
        quartiles = statistics.quantiles(samples, n=4)
        timings[name].spread = quartiles[2] - quartiles[0]


def require(*modules: str) -> None:
    """Raise ImportError if a peer is not installed."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise ImportError(name=module)


def torch_runner(
    arrays: Arrays, wrt: tuple[str, ...], loss: Callable[..., Any], *, compiled: bool
) -> Runner:
    """Return a runner of a PyTorch loss: a function of tensors by name, eager or compiled."""
    require("torch")
    import torch

    tensors = {k: torch.from_numpy(np.array(v)) for k, v in arrays.items()}
    for name in wrt:
        tensors[name].requires_grad_(True)
    function = torch.compile(loss, dynamic=False) if compiled else loss
    leaves = [tensors[name] for name in wrt]

    def run() -> tuple[float, dict[str, np.ndarray]]:
        value = function(**tensors)
        grads = torch.autograd.grad(value, leaves)
        return float(value.detach()), {k: g.numpy() for k, g in zip(wrt, grads, strict=True)}

    return run


def jax_runner(arrays: Arrays, wrt: tuple[str, ...], loss: Callable[..., Any]) -> Runner:
    """Return a runner of a JAX loss, compiled by jit with its gradient."""
    require("jax")
    import jax

    given = {k: jax.numpy.asarray(v) for k, v in arrays.items()}
    rest = {k: v for k, v in given.items() if k not in wrt}

    def of(leaves: dict[str, Any], rest: dict[str, Any]) -> Any:
        return loss(**leaves, **rest)

    both = jax.jit(jax.value_and_grad(of))
    leaves = {k: given[k] for k in wrt}

    def run() -> tuple[float, dict[str, np.ndarray]]:
        value, grads = jax.block_until_ready(both(leaves, rest))
        return float(value), {k: np.asarray(g) for k, g in grads.items()}

    return run


def autograd_runner(arrays: Arrays, wrt: tuple[str, ...], loss: Callable[..., Any]) -> Runner:
    """Return a runner of a loss written for HIPS autograd's numpy."""
    require("autograd")
    from autograd import value_and_grad

    rest = {k: v for k, v in arrays.items() if k not in wrt}

    def of(leaves: dict[str, Any]) -> Any:
        return loss(**leaves, **rest)

    both = value_and_grad(of)
    leaves = {k: np.asarray(arrays[k]) for k in wrt}

    def run() -> tuple[float, dict[str, np.ndarray]]:
        value, grads = both(leaves)
        return float(value), grads

    return run
