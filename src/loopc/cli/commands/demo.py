"""`loopc demo`: the lecture's network trained on handwritten digits."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import click

HIDDEN = 64
RATE = 8.0
BATCH = 32
TEST_SHARE = 0.2


@dataclass
class Curves:
    """Loss and test accuracy after each epoch."""

    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Data:
    """Pixels in 0 .. 1 of shape [N, 64] and labels, for training and for testing."""

    x: Any
    y: Any
    x_test: Any
    y_test: Any


@click.command("demo")
@click.option("--epochs", default=60, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("-o", "--out", default="digits-demo", show_default=True, help="Folder for the files.")
def command(epochs: int, seed: int, out: str) -> None:
    """Train the lecture's network on 1,797 handwritten digits, from loops to accuracy."""
    import numpy as np
    from rich.console import Console

    from loopc.api.compile import compile
    from loopc.api.files import write_text

    console = Console()
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    text = (files("loopc.examples") / "digits.loops").read_text(encoding="utf-8")
    rng = np.random.default_rng(seed)
    data = load(rng)
    start = time.perf_counter()
    program = compile(text)
    program.save(folder / "digits.py")
    write_text(folder / "digits.loops", text)
    write_text(folder / "digits.adjoint.loops", str(program.expanded))
    console.print(f"compiled in {(time.perf_counter() - start) * 1e3:.0f} ms", highlight=False)
    forward = standalone(folder / "digits.py")
    curves, steps, seconds = train(forward, data, rng, epochs, console)
    plot(curves, folder / "curves.png")
    summary(console, folder, curves, steps, seconds)


def load(rng: Any) -> Data:
    """Return scikit-learn's digits, split at random."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        click.echo(
            'The demo needs scikit-learn and matplotlib: pip install "loopc[demo]"', err=True
        )
        sys.exit(1)
    x, y = load_digits(return_X_y=True)
    order = rng.permutation(len(y))
    count = round(TEST_SHARE * len(y))
    test, training = order[:count], order[count:]
    x = x / 16
    return Data(x[training], y[training], x[test], y[test])


def standalone(path: Path) -> Callable[..., dict[str, Any]]:
    """Return `forward` of the generated module, run as a file of its own."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("digits", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    forward: Callable[..., dict[str, Any]] = module.forward
    return forward


def initial(rng: Any, pixels: int, classes: int) -> dict[str, Any]:
    """Return small random weights and zero thresholds."""
    import numpy as np

    return {
        "W0": rng.standard_normal((HIDDEN, pixels)) / pixels**0.5,
        "B0": np.zeros(HIDDEN),
        "W1": rng.standard_normal((classes, HIDDEN)) / HIDDEN**0.5,
        "B1": np.zeros(classes),
    }


def batches(rng: Any, count: int) -> Iterator[Any]:
    """Yield the rows of each minibatch of one epoch."""
    order = rng.permutation(count)
    for start in range(0, count - BATCH + 1, BATCH):
        yield order[start : start + BATCH]


def train(
    forward: Callable[..., dict[str, Any]], data: Data, rng: Any, epochs: int, console: Any
) -> tuple[Curves, int, float]:
    """Run the training steps; return the curves, the number of steps and their seconds."""
    from rich.progress import Progress

    params = initial(rng, data.x.shape[1], 10)
    curves = Curves()
    steps, seconds = 0, 0.0
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("training", total=epochs)
        for _ in range(epochs):
            losses = []
            start = time.perf_counter()
            for rows in batches(rng, len(data.y)):
                out = forward(x=data.x[rows], y=data.y[rows], lr=RATE, **params)
                params = {name: out[name] for name in params}
                losses.append(float(out["L"]))
            seconds += time.perf_counter() - start
            steps += len(losses)
            tested = forward(x=data.x_test, y=data.y_test, lr=0.0, **params)
            curves.losses.append(sum(losses) / len(losses))
            curves.accuracies.append(float((tested["P"].argmax(1) == data.y_test).mean()))
            progress.advance(task)
    return curves, steps, seconds


def plot(curves: Curves, path: Path) -> None:
    """Draw loss and accuracy by epoch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = range(1, len(curves.losses) + 1)
    left.plot(epochs, curves.losses)
    left.set(xlabel="epoch", ylabel="training loss (nats)")
    right.plot(epochs, [100 * a for a in curves.accuracies])
    right.set(xlabel="epoch", ylabel="test accuracy (%)")
    figure.savefig(path, dpi=120)


def summary(console: Any, folder: Path, curves: Curves, steps: int, seconds: float) -> None:
    """Print the closing table and where the files are."""
    from rich.table import Table

    table = Table(title="the lecture's network on handwritten digits")
    for column in ("loss", "test accuracy", "training time", "steps per second"):
        table.add_column(column, justify="right")
    table.add_row(
        f"{curves.losses[-1]:.4f}",
        f"{curves.accuracies[-1]:.2%}",
        f"{seconds:.1f} s",
        f"{steps / seconds:,.0f}",
    )
    console.print(table)
    for name in ("digits.loops", "digits.adjoint.loops", "digits.py", "curves.png"):
        click.echo(str(folder / name))
