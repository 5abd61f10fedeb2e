"""`loopc bench`."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import click

from loopc.cli.terminal import compiled, formatted, read, show, sizes, sourced

REPEATS = 9

PLANNED = ("jax", "torch")
"""Backends that a version may lack: what they would say is left out."""


@click.command("bench")
@sourced
@click.option("--dims", multiple=True, metavar="B=64", help="Values of dims (default: 64).")
@click.option("--against", default="", metavar="reference", help="Other backends, in turn.")
@click.option("--opt", type=click.IntRange(0, 2), default=2, show_default=True)
@formatted
def command(
    file: str | None,
    text: str | None,
    *,
    dims: tuple[str, ...],
    against: str,
    opt: int,
    as_json: bool,
) -> None:
    """Time a program: forward, and forward with gradients; medians of runs in turn."""
    from loopc import backends
    from loopc.api.samples import samples

    source = read(file, text)
    first = compiled(source, opt=opt)
    chosen = {**dict.fromkeys(first.dims, 64), **sizes(dims)}
    arrays = samples(first, chosen, {})
    programs = {"numpy": first}
    for name in (n.strip() for n in against.split(",") if n.strip()):
        if name in PLANNED and name not in backends.available():
            click.echo(f"{name}: no backend of this version", err=True)
            continue
        programs[name] = compiled(source, backend=name, opt=opt)
    contenders: dict[str, Callable[[], Any]] = {}
    for name, program in programs.items():
        contenders[f"{name} forward"] = lambda p=program: p(arrays)  # type: ignore[misc]
        if program.wrt and not first._program.array(first.loss).shape:
            contenders[f"{name} gradient"] = lambda p=program: p.value_and_grad(arrays)  # type: ignore[misc]
    times = _timed(contenders)
    if as_json:
        show(json.dumps({name: {"seconds": seconds} for name, seconds in times.items()}, indent=2))
        return
    width = max(len(n) for n in times)
    for name, seconds in times.items():
        show(f"{name:<{width}}  {seconds * 1e3:10.3f} ms")


def _timed(contenders: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Return the median seconds of each contender, all run in turn."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for call in contenders.values():
        call()
    for turn in range(REPEATS):
        order = list(contenders) if turn % 2 == 0 else list(reversed(contenders))
        for name in order:
            start = time.perf_counter()
            contenders[name]()
            found[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in found.items()}
