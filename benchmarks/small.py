"""What a call costs beside its NumPy calls, on tiny sizes: `python -m benchmarks.small`.

The bare calls are those that the specialised program itself makes, with their arguments: every
call of a NumPy function is recorded in one run, and repeated in a row; operators, methods and
views are not. Times in µs are the fastest of many rounds, in turn, so that the ratios stand for a
loaded machine too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import loopc
from benchmarks.report import load

ROUNDS = 60
CALLS = 50

PROGRAMS = {
    "axpy, 16": ("input a, x[N], b[N]\nfor i: y[i] = a x[i] + b[i]\n", {"N": 16}),
    "softmax, 10": ("input x[N]\nfor i: y[i] = softmax[i](x[i])\n", {"N": 10}),
    "layer, 64x64": (
        "input x[I]\nparam W[J,I], b[J]\nfor j,i: h[j] += W[j,i] x[i]\n"
        "for j: s[j] = tanh(h[j] + b[j])\nfor j: L += s[j]**2\noutput L\n",
        {"I": 64, "J": 64},
    ),
}
"""Programs beside the benchmarks', with the extents of their arrays."""


class Recorder:
    """Stands for NumPy in a generated module and remembers the calls of its functions."""

    def __init__(self) -> None:
        self.calls: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(np, name)
        if isinstance(found, np.ufunc):
            return Function(found, self.calls)
        return Function(found, self.calls) if name in FUNCTIONS else found


class Function:
    """Stands for a function of NumPy; of what it has beside the call, reductions are recorded."""

    def __init__(self, function: Any, calls: list[Any]) -> None:
        self.function, self.calls = function, calls

    def __call__(self, *args: Any, **named: Any) -> Any:
        self.calls.append((self.function, args, named))
        return self.function(*args, **named)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.function, name)
        return Function(found, self.calls) if name == "reduce" else found


FUNCTIONS = ("sum", "max", "min", "vdot", "where", "copyto", "einsum", "empty", "zeros")


def bare(source: str, arrays: tuple[Any, ...]) -> Callable[[], None]:
    """Return a function that makes the NumPy calls of a specialised program."""
    recorder = Recorder()
    module: dict[str, Any] = {"__name__": "recorded"}
    exec(source, module)
    module["np"] = recorder
    run = module["_prepare"]()
    recorder.calls.clear()
    run(*arrays)
    lines = [
        f"f{n}(*a{n}{', **k' + str(n) if k else ''})" for n, (_, _, k) in enumerate(recorder.calls)
    ]
    names: dict[str, Any] = {}
    for n, (function, args, named) in enumerate(recorder.calls):
        names |= {f"f{n}": function, f"a{n}": args, f"k{n}": named}
    parameters = ", ".join(f"{n}={n}" for n in names)
    body = "\n    ".join(lines or ["pass"])
    exec(f"def bare({parameters}):\n    {body}\n", names)
    found: Callable[[], None] = names["bare"]
    return found


def fastest(functions: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Return the µs of each function, run in turn."""
    best = dict.fromkeys(functions, float("inf"))
    for _ in range(ROUNDS):
        for name, function in functions.items():
            begin = time.process_time()
            for _ in range(CALLS):
                function()
            best[name] = min(best[name], (time.process_time() - begin) / CALLS * 1e6)
    return best


def row(name: str, program: loopc.Program, arrays: dict[str, Any]) -> str:
    """Measure one program: with its gradients where it has a loss."""
    fast = program.specialize(arrays)
    given = tuple(arrays[n] for n in fast.inputs)
    differentiates = bool(program.params)
    call = fast.value_and_grad if differentiates else fast
    first = call(*given)
    for made in program._runnables.values():
        source = made.source
    if differentiates:
        outputs, gradients = ({n: np.empty_like(a) for n, a in part.items()} for part in first)
        out: Any = (outputs, gradients)
    else:
        out = {n: np.empty_like(a) for n, a in first.items()}
    checked = program.value_and_grad if differentiates else program
    times = fastest(
        {
            "bare": bare(source, given),
            "specialised": lambda: call(*given),
            "with out=": lambda: call(*given, out=out),
            "checked": lambda: checked(arrays),
        }
    )
    cells = "".join(f"{t:12.1f}" for t in times.values())
    return f"{name:24}{cells}{times['specialised'] / times['bare']:12.2f}"


def main() -> None:
    heads = ("bare", "specialised", "with out=", "checked", "ratio")
    print(f"{'µs':24}" + "".join(f"{h:>12}" for h in heads))
    rng = np.random.default_rng(0)
    for name, (text, extents) in PROGRAMS.items():
        program = loopc.compile(text)
        arrays = {
            n: rng.standard_normal([extents[d] for d in t.shape])
            for n, t in {**program.inputs, **program.params}.items()
        }
        print(row(name, program, arrays))
    for name in ("seed_tensor", "seed_mlp", "attention"):
        workload = load(name)
        size = next(iter(workload.sizes))
        program = loopc.compile(workload.text, wrt=workload.wrt, loss=workload.loss)
        print(row(f"{name}, {size}", program, dict(workload.sizes[size]())))


if __name__ == "__main__":
    main()
