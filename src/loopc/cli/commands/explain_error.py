"""`loopc explain-error`."""

from __future__ import annotations

import sys

import click

from loopc.cli.terminal import show
from loopc.diagnostics.catalogue import page


@click.command("explain-error")
@click.argument("code")
def command(code: str) -> None:
    """Print the catalogue's page for a code, e.g. L0204."""
    text = page(code.upper())
    if text is None:
        click.echo(f"There is no code {code}.", err=True)
        sys.exit(2)
    show(text)
