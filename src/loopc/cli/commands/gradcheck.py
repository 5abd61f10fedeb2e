"""`loopc gradcheck`."""

from __future__ import annotations

import sys

import click

from loopc.cli.arrays import load
from loopc.cli.terminal import compiled, formatted, read, show, sizes, sourced


@click.command("gradcheck")
@sourced
@click.option(
    "--dims", multiple=True, metavar="B=3,T=4", help="Values of dims (default: 3, 4, 5 …)."
)
@click.option("--inputs", multiple=True, metavar="a.npz", help="Arrays; others are random.")
@click.option("--set", "values", multiple=True, metavar="lr=0.1", help="A number.")
@click.option("--tolerance", default=1e-5, show_default=True)
@formatted
def command(
    file: str | None,
    text: str | None,
    *,
    dims: tuple[str, ...],
    inputs: tuple[str, ...],
    values: tuple[str, ...],
    tolerance: float,
    as_json: bool,
) -> None:
    """Compare the adjoint with central differences, per parameter; exit 1 if they differ."""
    from loopc.api.gradcheck import gradcheck
    from loopc.api.samples import samples

    program = compiled(read(file, text))
    given = samples(program, sizes(dims), load(inputs, values))
    report = gradcheck(program, given, tolerance=tolerance)
    show(report.to_json() if as_json else str(report))
    if not report:
        sys.exit(1)
