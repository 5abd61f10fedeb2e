"""`loopc check`."""

from __future__ import annotations

import sys

import click

from loopc.cli.terminal import formatted, read, report, show, sourced
from loopc.diagnostics.errors import LoopcError


@click.command("check")
@sourced
@formatted
def command(file: str | None, text: str | None, *, as_json: bool) -> None:
    """Report every error and warning in a program; exit 1 if there is an error."""
    from loopc.api.compile import expanded, resolved

    source = read(file, text)
    program, found = resolved(source)
    if not any(d.severity == "error" for d in found):
        try:
            expanded(program)
        except LoopcError as error:
            found = [*found, error.diagnostic, *error.others]
    report(found)
    if any(d.severity == "error" for d in found):
        sys.exit(1)
    if not as_json:
        show(f"{source.name}: no errors")
