"""`loopc env`."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys

import click

from loopc import __version__
from loopc.cli.terminal import show

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
def command() -> None:
    """Print versions, BLAS and threads, for a bug report."""
    import numpy as np

    show(f"loopc {__version__}, Python {sys.version.split()[0]}, {platform.platform()}")
    for name in PACKAGES:
        try:
            show(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            show(f"{name} not installed")
    config = np.show_config(mode="dicts")
    blas = config.get("Build Dependencies", {}).get("blas", {}) if isinstance(config, dict) else {}
    show(f"BLAS {blas.get('name', 'unknown')} {blas.get('version', '')}".rstrip())
    show(f"CPUs {os.cpu_count()}")
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        show(f"{name} {os.environ.get(name, 'not set')}")
