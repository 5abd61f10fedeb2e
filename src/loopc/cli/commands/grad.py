"""`loopc grad`."""

from __future__ import annotations

from pathlib import Path

import click

from loopc.cli.terminal import compiled, formatted, names, read, show, sourced


@click.command("grad")
@sourced
@click.option("--wrt", metavar="a,b", help="Names to differentiate by.")
@click.option("--loss", metavar="L", help="What is differentiated.")
@click.option("--only-adjoint", is_flag=True, help="Print the adjoint loops alone.")
@click.option("--expand", is_flag=True, help="Write out the derivatives f'(x) of functions.")
@click.option("--comments", is_flag=True, help="Say of which statement each adjoint is.")
@click.option("--latex", is_flag=True, help="Print LaTeX, for a displayed formula.")
@click.option("-o", "out", metavar="G.loops", help="Write to this file.")
@formatted
def command(
    file: str | None,
    text: str | None,
    *,
    wrt: str | None,
    loss: str | None,
    only_adjoint: bool,
    expand: bool,
    comments: bool,
    latex: bool,
    out: str | None,
    as_json: bool,
) -> None:
    """Print a program with its adjoint loops."""
    from loopc.api.files import write_text
    from loopc.api.printed import gradient_text

    if latex and comments:
        raise click.UsageError("--comments is for .loops text; LaTeX has none.")
    program = compiled(read(file, text), wrt=names(wrt), loss=loss)
    printed = gradient_text(
        program, only_adjoint=only_adjoint, expand=expand, comments=comments, latex=latex
    )
    if out is None:
        show(printed)
    else:
        write_text(Path(out), printed)
