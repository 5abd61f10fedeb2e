"""`loopc nn`."""

from __future__ import annotations

import sys

import click

from loopc.api.libraries import functions
from loopc.cli.terminal import show


@click.command("nn")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List the layers, losses and update rules of `use nn`, or show one by name."""
    found = functions("nn")
    if name is None:
        topic = ""
        for function in found.values():
            if function.topic != topic:
                show(("\n" if topic else "") + function.topic)
                topic = function.topic
            show(f"  {function.signature}\n      {function.summary}")
        return
    if name not in found:
        click.echo(f"There is no `{name}` in nn; `loopc nn` lists what there is.", err=True)
        sys.exit(2)
    show(found[name].text)
