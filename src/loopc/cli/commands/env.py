"""`loopc env`."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Iterator

import click

from loopc import __version__
from loopc.api import cache
from loopc.cli.terminal import formatted, show

PACKAGES = (
    "numpy",
    "lark",
    "opt_einsum",
    "click",
    "rich",
    "scikit-learn",
    "matplotlib",
    "torch",
    "jax",
)


@click.command("env")
@formatted
def command(*, as_json: bool) -> None:
    """Print versions, BLAS and threads, for a bug report."""
    facts = dict(_facts())
    if as_json:
        show(json.dumps(facts, indent=2))
        return
    for name, value in facts.items():
        show(f"{name} {value}")


def _facts() -> Iterator[tuple[str, str]]:
    import numpy as np

    yield "loopc", __version__
    yield "Python", sys.version.split()[0]
    yield "platform", platform.platform()
    for name in PACKAGES:
        try:
            yield name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield name, "not installed"
    config = np.show_config(mode="dicts")
    blas = config.get("Build Dependencies", {}).get("blas", {}) if isinstance(config, dict) else {}
    yield "BLAS", f"{blas.get('name', 'unknown')} {blas.get('version', '')}".rstrip()
    yield "CPUs", str(os.cpu_count())
    where = cache.folder()
    yield "cache", "off" if where is None else str(where)
    for name in ("LOOPC_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        yield name, os.environ.get(name, "not set")
