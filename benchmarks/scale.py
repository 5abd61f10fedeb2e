"""How the time to compile grows with a program: `make scale`.

Each family makes programs of 10, 20, 40, 80 … parts; the figure is processor time per part of each
stage, which stays level where a stage is linear. `exponent` is that of the last doubling, whole.
"""

from __future__ import annotations

import argparse
import gc
import math
import time
from collections.abc import Callable

from loopc import passes
from loopc.api.compile import compile_source, read_source
from loopc.api.options import Options
from loopc.backends import Case
from loopc.backends.numpy import build


def layers(n: int) -> str:
    """A network of n dense layers, and its gradient."""
    return (
        "".join(
            f"for j,i  a{k}[j] += W{k}[j,i] h{k}[i]\nfor j  h{k + 1}[j] = tanh(a{k}[j] + b{k}[j])\n"
            for k in range(n)
        )
        + f"for j  L += h{n}[j]**2\n"
    )


def statements(n: int) -> str:
    """Statements that read one another in a chain, elementwise."""
    return "".join(f"for i  x{k + 1}[i] = 2 x{k}[i] + sin(x{k}[i])\n" for k in range(n))


def block(n: int) -> str:
    """A recurrence with n statements in its block."""
    lines = "".join(f"    for j  s{k + 1}[t,j] = tanh(s{k}[t,j]) + u[t,j]\n" for k in range(n))
    return f"for t in range(1, T):\n    for j  s0[t,j] = s{n}[t-1,j] + x[t,j]\n{lines}"


def defs(n: int) -> str:
    """As many defs, each called once."""
    made = "".join(f"def f{k}(a) -> b:\n    c = a + {k}\n    b = c sin(c)\n" for k in range(n))
    return made + "".join(f"for i  y{k}[i] = f{k}(x[i])\n" for k in range(n))


def terms(n: int) -> str:
    """One sum of n products."""
    return "for i  y[i] = " + " + ".join(f"{k + 2} x[i] w{k % 7}[i]" for k in range(n)) + "\n"


def newlines(n: int) -> str:
    """Empty lines and `;` in front of a statement, a hundred of each for one part."""
    return "\n" * 100 * n + "; " * 100 * n + "y = 1\n"


FAMILIES: dict[str, Callable[[int], str]] = {
    f.__name__: f for f in (layers, statements, block, defs, terms, newlines)
}
GRADIENTS = ("layers", "statements", "block")


def stages(text: str, *, gradient: bool) -> dict[str, float]:
    """Return the processor time of each stage, in seconds."""
    gc.collect()
    found: dict[str, float] = {}
    last = time.process_time()

    def done(name: str) -> None:
        nonlocal last
        now = time.process_time()
        found[name], last = now - last, now

    program = compile_source(read_source(text), Options())
    done("read")
    resolved = program._program
    if gradient:
        resolved = program.with_adjoint._program
        done("adjoint")
    optimised = passes.run(resolved, 2)
    done("passes")
    build(optimised, Case({}, 2, uniform=True, extents={}))
    done("build")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="scale", description=__doc__)
    parser.add_argument("--only", default="", help="one family")
    parser.add_argument("--largest", type=int, default=160, help="parts of the largest program")
    args = parser.parse_args()
    for name, family in FAMILIES.items():
        if args.only not in ("", name):
            continue
        print(f"{name}: {(family.__doc__ or '').strip()}")
        gradient = name in GRADIENTS
        total, size = 0.0, 10
        while size <= args.largest:
            found = stages(family(size), gradient=gradient)
            before, total = total, sum(found.values())
            each = "  ".join(f"{k} {1000 * v / size:6.2f}" for k, v in found.items())
            power = f"  exponent {math.log2(total / before):.2f}" if before else ""
            print(f"  {size:5}  {each}  whole {1000 * total / size:6.2f} ms{power}")
            size *= 2


if __name__ == "__main__":
    main()
