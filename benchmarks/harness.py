"""Time several ways to do the same work, in turn.

A workload is one file: the `.loops` program, its data, and the same work (the value and all
gradients) in each peer. Before anything is timed, every contender's gradients are compared with
expert NumPy's, element by element. Contenders run in turn (A B C, C B A, …), warmed up, with both
cores; the figure is the median.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("LOOPC_CACHE", "off")  # the time to compile is measured too

Arrays = Mapping[str, Any]
Runner = Callable[[], tuple[float, dict[str, np.ndarray]]]
"""Do the work once and wait for it: the loss and the gradients by name."""
Loss = Callable[..., Any]
"""A loss of arrays by name, written for a framework."""


@dataclass(frozen=True)
class Workload:
    """One piece of work: the value of a loss and its gradients.

    Attributes:
        name: what `ONLY=` takes.
        text: the `.loops` program.
        sizes: label -> a function that makes the arrays; the last but `growth` is the main one.
        wrt: the names that gradients are taken of.
        numpy: expert NumPy, a function from the arrays to a runner.
        jax: the loss in JAX, for `jax.jit`.
        torch: the loss in PyTorch, for eager mode and `torch.compile`; None: it is not sensible.
        torch_compiles: False where `torch.compile` unrolls the work into minutes of compilation.
        autograd: the loss in HIPS autograd's NumPy; None: it is not sensible.
        main: the label of the size that is reported in the summary (default: the last).
        loss: the name of the loss in the program.
        rtol: how far gradients may differ, relative to the largest entry.
    """

    name: str
    text: str
    sizes: Mapping[str, Callable[[], Arrays]]
    wrt: tuple[str, ...]
    numpy: Callable[[Arrays], Runner]
    jax: Loss | None = None
    torch: Loss | None = None
    torch_compiles: bool = True
    autograd: Loss | None = None
    main: str = ""
    loss: str = "L"
    rtol: float = 2e-4

    @property
    def main_size(self) -> str:
        """The label of the size that stands for the workload."""
        return self.main or list(self.sizes)[-1]

    def contenders(self) -> dict[str, Callable[[Arrays], Runner]]:
        """Return the maker of each contender's runner; one raises ImportError if not installed."""
        makers: dict[str, Callable[[Arrays], Runner]] = {
            "loopc": lambda a: loopc_runner(self, a, 2),
            "loopc opt=0": lambda a: loopc_runner(self, a, 0),
            "numpy": self.numpy,
        }
        jax, torch, autograd = self.jax, self.torch, self.autograd
        if jax is not None:
            makers["jax"] = lambda a: jax_runner(a, self.wrt, jax)
        if torch is not None:
            makers["torch"] = lambda a: torch_runner(a, self.wrt, torch, compiled=False)
            if self.torch_compiles:
                makers["torch compiled"] = lambda a: torch_runner(a, self.wrt, torch, compiled=True)
        if autograd is not None:
            makers["autograd"] = lambda a: autograd_runner(a, self.wrt, autograd)
        return makers


@dataclass
class Timing:
    """A contender's result on one size, in seconds and bytes.

    Attributes:
        contender: whose.
        seconds: the median.
        least: the fastest round.
        spread: the distance of the quartiles.
        setup: from nothing to the first result: what is compiled is compiled in it.
        difference: of the gradients from expert NumPy's, relative to the largest entry.
        note: why there is no figure.
        samples: of each round.
    """

    contender: str
    seconds: float | None = None
    least: float | None = None
    spread: float | None = None
    setup: float | None = None
    difference: float | None = None
    note: str = ""
    samples: list[float] = field(default_factory=list, repr=False)


SLOW = 20.0
"""No contender gets more rounds than fit into this many seconds."""
PAUSE = 0.2
"""Seconds before each turn: threads of OpenBLAS and of OpenMP wait busily for a tenth of a second
for more work, and would take a processor from whoever is next. A run that is not timed follows."""
OPT0_LIMIT = 3.0
"""The plain form is left out where one run takes longer: it is there to be read."""


def compare(reference: dict[str, np.ndarray], other: dict[str, Any], rtol: float) -> float:
    """Return the largest relative difference; raise if it is above `rtol`."""
    worst = 0.0
    for name, expected in reference.items():
        got = np.asarray(other[name])
        assert got.shape == expected.shape, (name, got.shape, expected.shape)
        scale = float(np.abs(expected).max(initial=0)) or 1.0
        worst = max(worst, float(np.abs(got - expected).max(initial=0)) / scale)
    if not worst <= rtol:
        raise AssertionError(f"gradients differ by {worst:.2e}")
    return worst


def measure(
    workload: Workload, size: str, rounds: int = 15, contenders: tuple[str, ...] = ()
) -> list[Timing]:
    """Compare and time all contenders (or those named) on one size."""
    arrays = workload.sizes[size]()
    makers = workload.contenders()
    if contenders:
        makers = {n: m for n, m in makers.items() if n in contenders}
    timings = {name: Timing(name) for name in makers}
    runners: dict[str, Runner] = {}
    reference = workload.numpy(arrays)()[1]
    for name, make in makers.items():
        begin = time.perf_counter()
        try:
            runner = make(arrays)
            result = runner()
        except ImportError as missing:
            timings[name].note = f"not installed: {missing.name}"
            continue
        except MemoryError:
            timings[name].note = "out of memory"
            continue
        timings[name].setup = time.perf_counter() - begin
        timings[name].difference = compare(reference, result[1], workload.rtol)
        if name == "loopc opt=0" and timings[name].setup > OPT0_LIMIT:
            timings[name].note = f"one run takes {timings[name].setup:.1f} s"
            continue
        runners[name] = runner
    _in_turn(runners, timings, rounds)
    return list(timings.values())


def clock() -> float:
    """Return the time by the wall; with `BENCH_CPU` set, the processor time of this process."""
    return time.process_time() if os.environ.get("BENCH_CPU") else time.perf_counter()


def _in_turn(runners: dict[str, Runner], timings: dict[str, Timing], rounds: int) -> None:
    order = list(runners)
    repeats = {}
    slowest = 0.0
    for name in order:
        runners[name]()
        begin = time.perf_counter()
        runners[name]()
        once = time.perf_counter() - begin
        slowest = max(slowest, once)
        repeats[name] = max(1, min(200, int(2e-3 / max(once, 1e-7))))
    rounds = max(3, min(rounds, int(SLOW / max(slowest, 1e-9))))
    for number in range(rounds):
        for name in order if number % 2 == 0 else reversed(order):
            time.sleep(PAUSE)
            runners[name]()
            begin = clock()
            for _ in range(repeats[name]):
                runners[name]()
            timings[name].samples.append((clock() - begin) / repeats[name])
    for name in order:
        samples = timings[name].samples
        timings[name].seconds = statistics.median(samples)
        timings[name].least = min(samples)
        quartiles = statistics.quantiles(samples, n=4)
        timings[name].spread = quartiles[2] - quartiles[0]


def peak_bytes(workload: Workload, size: str, contender: str) -> int:
    """Return by how much this process's peak memory grows in three runs; call it in a fresh one.

    What is there before (the interpreter, the contender's modules, the arrays) does not count,
    what its compilation takes neither: a tiny call comes first where there is a smaller size.
    """
    arrays = workload.sizes[size]()
    make = workload.contenders()[contender]
    make(workload.sizes[next(iter(workload.sizes))]())()
    before = _resident()
    _forget_peak()
    runner = make(arrays)
    for _ in range(3):
        runner()
    return _peak() - before


def _resident() -> int:
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    line = next(x for x in lines if x.startswith(key + ":"))
    return int(line.split()[1]) * 1024


def _forget_peak() -> None:
    """Let the peak start from what is resident now."""
    Path("/proc/self/clear_refs").write_text("5")


def require(*modules: str) -> None:
    """Raise ImportError if a peer is not installed."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise ImportError(name=module)


def loopc_runner(workload: Workload, arrays: Arrays, opt: int) -> Runner:
    """Return loopc's runner at an opt level: the checked call."""
    import loopc

    program = loopc.compile(workload.text, opt=opt, wrt=workload.wrt, loss=workload.loss)

    def run() -> tuple[float, dict[str, np.ndarray]]:
        out, grads = program.value_and_grad(arrays)
        return float(out[workload.loss]), dict(grads)

    return run


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

    if any(np.asarray(v).dtype == np.float64 for v in arrays.values()):
        jax.config.update("jax_enable_x64", True)
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
