"""`loopc compile`."""

from __future__ import annotations

from pathlib import Path

import click

from loopc.cli.terminal import compiled, formatted, names, read, show, sourced


@click.command("compile")
@sourced
@click.option("-o", "out", metavar="m.py", help="Write to this file.")
@click.option("--backend", default="numpy", show_default=True)
@click.option("--opt", type=click.IntRange(0, 2), default=2, show_default=True)
@click.option("--grad", is_flag=True, help="Require that the module has the gradient too.")
@click.option("--wrt", metavar="a,b", help="Names to differentiate by.")
@click.option("--loss", metavar="L", help="What is differentiated.")
@formatted
def command(
    file: str | None,
    text: str | None,
    *,
    out: str | None,
    backend: str,
    opt: int,
    grad: bool,
    wrt: str | None,
    loss: str | None,
    as_json: bool,
) -> None:
    """Print the generated module, which needs NumPy alone."""
    from loopc.api.files import write_text

    program = compiled(read(file, text), backend=backend, opt=opt, wrt=names(wrt), loss=loss)
    if grad:
        program.adjoint_loops()
    if out is None:
        show(program.source)
    else:
        write_text(Path(out), program.source)
