"""`loopc fmt`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from loopc.cli.terminal import formatted, read, show, sourced


@click.command("fmt")
@sourced
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if the layout would change.")
@formatted
def command(file: str | None, text: str | None, *, check: bool, as_json: bool) -> None:
    """Lay a program out in canonical form, comments kept; a file is changed in place."""
    from loopc.api.files import write_text
    from loopc.syntax.parser import parse
    from loopc.syntax.printer import print_module

    source = read(file, text)
    printed = print_module(parse(source))
    if check:
        if printed != source.text:
            click.echo(f"{source.name} would change", err=True)
            sys.exit(1)
    elif file is None or file == "-":
        show(printed)
    elif printed != source.text:
        write_text(Path(file), printed)
