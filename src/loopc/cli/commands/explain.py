"""`loopc explain`."""

from __future__ import annotations

from pathlib import Path

import click

from loopc.cli.terminal import compiled, formatted, read, show, sizes, sourced


@click.command("explain")
@sourced
@click.option("--dims", multiple=True, metavar="B=64,T=128", help="Values of dims (default: 64).")
@click.option("--html", "page", metavar="r.html", help="Write the report as a page.")
@click.option("--opt", type=click.IntRange(0, 2), default=2, show_default=True)
@formatted
def command(
    file: str | None,
    text: str | None,
    *,
    dims: tuple[str, ...],
    page: str | None,
    opt: int,
    as_json: bool,
) -> None:
    """Say how each statement is lowered, and what it costs."""
    from loopc.api.files import write_text

    program = compiled(read(file, text), opt=opt)
    report = program.explain({**dict.fromkeys(program.dims, 64), **sizes(dims)})
    if page is not None:
        write_text(Path(page), report.to_html())
    elif as_json:
        show(report.to_json())
    else:
        show(str(report))
