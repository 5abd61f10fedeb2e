"""`loopc run`."""

from __future__ import annotations

import json
from typing import Any

import click

from loopc.cli.arrays import listed, load, save
from loopc.cli.terminal import compiled, formatted, read, show, sourced


@click.command("run")
@sourced
@click.option("--inputs", multiple=True, metavar="a.npz", help="Arrays: a.npz, or x=x.npy.")
@click.option("--set", "values", multiple=True, metavar="lr=0.1", help="A number.")
@click.option("-o", "out", metavar="out.npz", help="Write the results to this file.")
@click.option("--grad", is_flag=True, help="The gradients too, as W.grad.")
@click.option("--backend", default="numpy", show_default=True)
@click.option("--opt", type=click.IntRange(0, 2), default=2, show_default=True)
@formatted
def command(
    file: str | None,
    text: str | None,
    *,
    inputs: tuple[str, ...],
    values: tuple[str, ...],
    out: str | None,
    grad: bool,
    backend: str,
    opt: int,
    as_json: bool,
) -> None:
    """Run a program on arrays from files."""
    import numpy as np

    program = compiled(read(file, text), backend=backend, opt=opt)
    given = load(inputs, values)
    found: dict[str, Any] = {}
    if grad:
        results, gradients = program.value_and_grad(given)
        found = {**results, **{f"{n}.grad": g for n, g in gradients.items()}}
    else:
        found = dict(program(given))
    if out is not None:
        save(out, found)
        return
    if as_json:
        show(json.dumps(listed(found), ensure_ascii=False))
        return
    for name, value in found.items():
        printed = np.array2string(np.asarray(value), threshold=100)
        show(f"{name} {list(np.shape(value))} {np.asarray(value).dtype}\n{printed}")
