"""The wheel, made through the sdist, in an environment of its own outside the checkout."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

import loopc
from support import TESTS

ROOT = TESTS.parent
NETWORK = TESTS / "golden" / "slides" / "mlp.loops"

ALONE = """
import sys, numpy as np, seed
rng = np.random.default_rng(0)
arrays = dict(
    x=rng.standard_normal(5), y=2, W0=rng.standard_normal((4, 5)), B0=rng.standard_normal(4),
    W1=rng.standard_normal((3, 4)), B1=rng.standard_normal(3),
)
out, gradients = seed.value_and_grad(**arrays)
assert np.isfinite(out["L"]) and gradients["W0"].shape == (4, 5)
assert "loopc" not in sys.modules
try:
    import loopc
except ModuleNotFoundError:
    print("alone")
"""


def call(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with NumPy alone; its Python."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    call(python, "-m", "pip", "install", "--quiet", "numpy", cwd=folder)
    return python


def test_the_generated_module_runs_where_there_is_only_numpy(
    environment: Path, tmp_path: Path
) -> None:
    loopc.compile(NETWORK).save(tmp_path / "seed.py")
    (tmp_path / "run.py").write_text(ALONE, encoding="utf-8")
    assert call(environment, "run.py", cwd=tmp_path).strip() == "alone"


def test_the_wheel_works_outside_the_checkout(environment: Path, tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path, ROOT]
    call(*build, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    assert list(tmp_path.glob("*.tar.gz"))
    call(environment, "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path)
    text = "for h,i,j,k  Y[h,i,j] += A[h,i,k] B[h,j,k]"
    printed = call(environment, "-m", "loopc", "grad", "-e", text, "--only-adjoint", cwd=tmp_path)
    assert "for h,i,j,k  A.grad[h,i,k] += Y.grad[h,i,j] B[h,j,k]\n" in printed
    code = (
        "import loopc, pathlib, numpy as np;"
        "print(loopc.run('for i  s += x[i]', x=np.ones(3)).s, pathlib.Path(loopc.__file__).parent)"
    )
    printed = call(environment, "-c", code, cwd=tmp_path)
    assert printed.startswith("3.0 ")
    assert str(ROOT) not in printed
