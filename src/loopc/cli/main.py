"""The `loopc` command."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from loopc import __version__
from loopc.cli.terminal import report, reset
from loopc.diagnostics.errors import LoopcError

COMMANDS = (
    "check",
    "fmt",
    "grad",
    "compile",
    "run",
    "explain",
    "gradcheck",
    "bench",
    "nn",
    "explain-error",
    "env",
    "demo",
)


OF_THE_COMMAND_LINE = ("L0112", "L0704")
"""Codes of what is wrong with the command line itself: a file to read, an option's value."""


class Commands(click.Group):
    """Imports a command's module when it is called or asked for help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the documentation."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"loopc.cli.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="loopc")
def cli() -> None:
    """Compile array code written as loops; get its gradient as loops; run both as NumPy."""


def main(args: list[str] | None = None) -> Any:
    """Run the command line; exit with 0, 1 (the program is wrong) or 2 (the command line is)."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    reset()
    try:
        cli.main(args, prog_name="loopc", standalone_mode=True)
    except LoopcError as error:
        report([error.diagnostic, *error.others])
        sys.exit(2 if error.code in OF_THE_COMMAND_LINE else 1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
