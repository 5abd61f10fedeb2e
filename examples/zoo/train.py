"""Train models of the zoo on data that ships with scikit-learn or with Python.

    python -m examples.zoo.train lenet          # or another of those that `--help` lists

Each run is determined by its seed and ends with the figure that README.md states.
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import loopc

FOLDER = Path(__file__).parent
Arrays = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """A model, what it is trained on, and the figure that says how well.

    Attributes:
        train: runs it, and returns the figure's value.
        figure: what the value is.
    """

    train: Callable[[int], float]
    figure: str


def normal(rng: np.random.Generator, *shape: int, fan: int) -> np.ndarray:
    """Return random weights of variance 1 / fan."""
    return rng.standard_normal(shape) / np.sqrt(fan)


def batches(rng: np.random.Generator, count: int, size: int) -> Iterator[np.ndarray]:
    """Yield the rows of each minibatch of one pass over the data."""
    order = rng.permutation(count)
    for start in range(0, count - size + 1, size):
        yield order[start : start + size]


def split(rng: np.random.Generator, *arrays: np.ndarray, share: float = 0.2) -> list[np.ndarray]:
    """Return the training part of each array, then the part to test on of each."""
    order = rng.permutation(len(arrays[0]))
    count = round(share * len(order))
    test, training = order[:count], order[count:]
    return [a[training] for a in arrays] + [a[test] for a in arrays]


def lenet(seed: int) -> float:
    """Train LeNet on scikit-learn's 1,797 digits of 8 by 8 pixels."""
    from sklearn.datasets import load_digits

    rng = np.random.default_rng(seed)
    digits = load_digits()
    x, y, x_test, y_test = split(rng, digits.images / 8 - 1, digits.target)
    program = loopc.compile(FOLDER / "lenet.loops")
    params: Arrays = {
        "W1": normal(rng, 8, 3, 3, fan=9),
        "b1": np.zeros(8),
        "W3": normal(rng, 16, 8, 3, 3, fan=72),
        "b3": np.zeros(16),
        "W5": normal(rng, 64, 16, 1, 1, fan=16),
        "b5": np.zeros(64),
        "W6": normal(rng, 10, 64, fan=64),
        "b6": np.zeros(10),
    }
    for epoch in range(30):
        for rows in batches(rng, len(y), 32):
            out = program(x=x[rows], y=y[rows], lr=0.3 * 0.9**epoch, **params)
            params = {name: out[name] for name in params}
    scores = program(x=x_test, y=y_test, lr=0.0, **params).s
    return float((scores.argmax(1) == y_test).mean())


def newton(seed: int) -> float:
    """Fit a logistic regression to scikit-learn's 569 tumours by six steps of Newton's method."""
    from sklearn.datasets import load_breast_cancer

    rng = np.random.default_rng(seed)
    x, y = load_breast_cancer(return_X_y=True)
    x, y, x_test, y_test = split(rng, x, y.astype(float))
    mean, deviation = x.mean(0), x.std(0)
    x, x_test = ((np.column_stack([(a - mean) / deviation, np.ones(len(a))])) for a in (x, x_test))
    program = loopc.compile(FOLDER / "newton_logistic.loops")
    w = np.zeros(x.shape[1])
    for step in range(6):
        out = program(x=x, y=y, ridge=0.01, w=w)
        print(f"step {step}: loss {out.L:.12f}")
        w = out.w
    return float(((x_test @ w > 0) == y_test).mean())


def zen_of_python() -> str:
    """Return the text that `import this` prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        import this
    return codecs.decode(this.s, "rot13")


def gru(seed: int) -> float:
    """Let a recurrent network learn the Zen of Python by heart, one character at a time."""
    rng = np.random.default_rng(seed)
    text = zen_of_python()
    letters = sorted(set(text))
    code = np.array([letters.index(letter) for letter in text])
    symbols, width, hidden, length = len(letters), 16, 64, 25
    program = loopc.compile(FOLDER / "gru.loops")
    params: Arrays = {
        "E": normal(rng, symbols, width, fan=1),
        "W": normal(rng, 3 * hidden, width, fan=width),
        "b": np.zeros(3 * hidden),
        "U": normal(rng, 3 * hidden, hidden, fan=hidden),
        "e": np.zeros(3 * hidden),
        "O": normal(rng, symbols, hidden, fan=hidden),
        "c": np.zeros(symbols),
    }
    starts = np.arange(0, len(code) - length)
    loss = np.inf
    for _ in range(600):
        rows = rng.choice(starts, 16)
        out = program(w=code[rows[:, None] + np.arange(length)], lr=1.0, **params)
        params = {name: out[name] for name in params}
        loss = float(out.L)
    return loss


TASKS = {
    "lenet": Task(lenet, "share of test digits that are read right"),
    "newton_logistic": Task(newton, "share of test tumours that are told right"),
    "gru": Task(gru, "nats a character of the Zen of Python"),
}


def main() -> None:
    """Run one training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=TASKS)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    task = TASKS[given.model]
    start = time.perf_counter()
    value = task.train(given.seed)
    print(f"{given.model}: {value:.4f} {task.figure}, in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
