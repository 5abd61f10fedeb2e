"""`loopc check`."""

from __future__ import annotations

import sys

import click

from loopc.cli.terminal import formatted, read, report, show, sourced


@click.command("check")
@sourced
@formatted
def command(file: str | None, text: str | None, *, as_json: bool) -> None:
    """Report every error and warning in a program; exit 1 if there is an error."""
    from loopc.api.compile import resolved
    from loopc.autodiff.adjoint import expand_backward

    source = read(file, text)
    program, found = resolved(source)
    report(found)
    if any(d.severity == "error" for d in found):
        sys.exit(1)
    expand_backward(program)
    if not as_json:
        show(f"{source.name}: no errors")
