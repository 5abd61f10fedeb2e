"""The command line: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from loopc.cli.main import main
from support import TESTS

MLP = str(TESTS / "golden" / "slides" / "mlp.loops")
LAYER = str(TESTS / "golden" / "slides" / "layer.loops")


def run(capfd: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(list(args))
    out, err = capfd.readouterr()
    return int(stopped.value.code or 0), out, err


def test_check_reports_and_exits_with_1(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(capfd, "check", MLP)[0] == 0
    code, out, err = run(capfd, "check", "-e", "for j,k  s[j] = A[j,k]")
    assert code == 1
    assert not out
    assert "L0306" in err
    assert "^^^" in err


def test_check_prints_json(capfd: pytest.CaptureFixture[str]) -> None:
    _, _, err = run(capfd, "check", "--json", "-e", "y = foo(3)")
    assert json.loads(err)[0]["code"] == "L0302"
    _, _, err = run(capfd, "check", "--output-format", "concise", "-e", "y = foo(3)")
    assert err.startswith("command line:1:5: error[L0302]")
    _, _, err = run(capfd, "check", "--output-format", "full", "-e", "y = foo(3)")
    assert err.startswith("error[L0302]")


def test_a_wrong_command_line_exits_with_2(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(capfd, "check")[0] == 2
    assert run(capfd, "nothing")[0] == 2


def test_fmt_keeps_comments_and_is_idempotent(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "a.loops"
    path.write_text("# head\nfor j,i s[j]+=W[j,i]h[i] # tail\nfor j t[j]=s[j]\n", encoding="utf-8")
    assert run(capfd, "fmt", "--check", str(path))[0] == 1
    assert run(capfd, "fmt", str(path))[0] == 0
    expected = "# head\nfor j,i  s[j] += W[j,i] h[i]  # tail\nfor j    t[j]  = s[j]\n"
    assert path.read_text(encoding="utf-8") == expected
    assert run(capfd, "fmt", "--check", str(path))[0] == 0


def test_grad_prints_the_adjoint(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = run(capfd, "grad", "--only-adjoint", LAYER)
    assert code == 0
    assert "for j,i  h.grad[i]   += s̃.grad[j] W[j,i]\n" in out
    target = tmp_path / "g.loops"
    assert run(capfd, "grad", MLP, "--wrt", "B1", "-o", str(target))[0] == 0
    assert "W0.grad" not in target.read_text(encoding="utf-8")
    assert run(capfd, "check", str(target))[0] == 0


def test_program_text_is_printed_verbatim(capfd: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capfd, "grad", "-e", "for i,j  L += 0.5 x[i] A[i,j] x[j]", "--wrt", "x")
    assert "for i,j  x.grad[i] += 0.5 L.grad A[i,j] x[j]\n" in out
    assert "\x1b" not in out


def test_compile_run_and_gradcheck(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    module = tmp_path / "m.py"
    assert run(capfd, "compile", LAYER, "--grad", "--opt", "0", "-o", str(module))[0] == 0
    assert "np.einsum" in module.read_text(encoding="utf-8")
    w, h = np.ones((2, 3)), np.arange(3.0)
    np.savez(tmp_path / "a.npz", W=w, h=h)
    np.save(tmp_path / "b.npy", np.zeros(2))
    out = tmp_path / "out.npz"
    inputs = ["--inputs", str(tmp_path / "a.npz"), "--inputs", f"B={tmp_path / 'b.npy'}"]
    assert run(capfd, "run", LAYER, *inputs, "-o", str(out))[0] == 0
    np.testing.assert_allclose(np.load(out)["s"], 1 / (1 + np.exp(-w @ h)))
    code, printed, _ = run(capfd, "run", LAYER, *inputs)
    assert code == 0
    assert printed.startswith("s [2] float64\n")
    code, printed, _ = run(capfd, "gradcheck", MLP, "--dims", "I=3,H=4,C=5")
    assert code == 0
    assert printed.count("ok") == 4


def test_run_takes_numbers_and_gives_gradients(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capfd, "run", "-e", "L = a**2 b", "--set", "a=3", "--set", "b=2", "--grad")
    assert code == 0
    assert "a.grad [] float64\n12." in out


def test_pickled_arrays_are_refused(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{}], dtype=object))
    code, _, err = run(capfd, "run", LAYER, "--inputs", f"W={tmp_path / 'x.npy'}")
    assert code == 1
    assert "L0708" in err


def test_explain_bench_env_and_pages(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = run(capfd, "explain", MLP, "--dims", "C=10")
    assert code == 0
    assert "matmul" in out
    assert json.loads(run(capfd, "explain", MLP, "--json")[1])["rows"]
    page = tmp_path / "r.html"
    assert run(capfd, "explain", MLP, "--html", str(page))[0] == 0
    assert "<table>" in page.read_text(encoding="utf-8")
    assert "numpy gradient" in run(capfd, "bench", MLP, "--dims", "I=4,H=3,C=2")[1]
    assert "numpy" in run(capfd, "env")[1]
    assert "size" in run(capfd, "explain-error", "l0204")[1]
    assert run(capfd, "explain-error", "L9999")[0] == 2


def test_results_and_reports_are_printed_as_json(capfd: pytest.CaptureFixture[str]) -> None:
    program = "L = a**2 / b"
    numbers = ["--set", "a=3", "--set", "b=0"]
    code, out, err = run(capfd, "run", "-e", program, *numbers, "--grad", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["L"] == {"shape": [], "dtype": "float64", "value": "inf"}
    found = json.loads(run(capfd, "gradcheck", LAYER, "--json")[1])
    assert found["passed"]
    assert {c["name"] for c in found["checks"]} == {"W", "h", "B"}
    assert json.loads(run(capfd, "env", "--json")[1])["loopc"]
    timed = json.loads(run(capfd, "bench", LAYER, "--dims", "I=2,J=2", "--json")[1])
    assert timed["numpy forward"]["seconds"] > 0


def test_exit_codes_tell_the_program_from_the_command_line(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(capfd, "check", str(tmp_path / "none.loops"))[0] == 2
    assert run(capfd, "run", LAYER, "--inputs", str(tmp_path / "none.npz"))[0] == 2
    assert run(capfd, "run", LAYER, "--set", "x")[0] == 2
    assert run(capfd, "compile", LAYER, "--backend", "none")[0] == 2
    assert run(capfd, "run", LAYER)[0] == 1
    assert run(capfd, "check", "-e", "y = = 2")[0] == 1


def test_the_form_of_diagnostics_is_chosen_anew_by_each_run(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert run(capfd, "check", "--json", "-e", "y = foo(3)")[2].startswith("[")
    assert run(capfd, "check", "-e", "y = foo(3)")[2].startswith("error")


def test_arrays_come_from_several_files_and_each_once(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    np.savez(tmp_path / "a.npz", x=np.arange(3.0))
    np.save(tmp_path / "y.npy", np.ones(3))
    both = ["--inputs", str(tmp_path / "a.npz"), "--inputs", f"y={tmp_path / 'y.npy'}"]
    code, out, _ = run(capfd, "run", "-e", "for i  z += a x[i] y[i]", *both, "--set", "a=2")
    assert (code, out) == (0, "z [] float64\n6.\n")
    assert run(capfd, "run", "-e", "y = x", *both[:2], *both[:2])[0] == 1


def test_grad_keeps_the_whole_program(capfd: pytest.CaptureFixture[str]) -> None:
    out = run(capfd, "grad", "-e", "for i  L += x[i]**2")[1]
    assert out.startswith("for i  L += x[i]**2\n")
    alone = run(capfd, "grad", "--only-adjoint", "-e", "for i  L += x[i]**2")[1]
    assert alone == "L.grad = 1\nfor i  x.grad[i] += 2 L.grad x[i]\n"


def test_every_command_has_help(capfd: pytest.CaptureFixture[str]) -> None:
    from loopc.cli.main import COMMANDS

    assert run(capfd, "--help")[0] == 0
    for name in COMMANDS:
        assert run(capfd, name, "--help")[0] == 0


def test_the_demo_learns_the_digits(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = run(capfd, "demo", "--epochs", "15", "--out", str(tmp_path))
    assert code == 0
    assert "test accuracy" in out
    for name in ("digits.loops", "digits.adjoint.loops", "digits.py", "curves.png"):
        assert (tmp_path / name).stat().st_size > 0
    assert run(capfd, "check", str(tmp_path / "digits.adjoint.loops"))[0] == 0


def test_standard_input_is_read() -> None:
    command = [sys.executable, "-m", "loopc", "fmt", "-"]
    done = subprocess.run(command, input=b"y=2*x", capture_output=True, check=True)
    assert done.stdout == b"y = 2 * x\n"


def test_nn_lists_the_library_and_shows_a_function(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capfd, "nn")
    assert code == 0
    assert "  layernorm(x[I], scale[I], shift[I], eps = 1e-5) -> y[I]\n" in out
    code, out, _ = run(capfd, "nn", "linear")
    assert code == 0
    assert out.startswith("def linear(x[I], W[J, I], b[J]) -> y[J]:\n    # y = W x + b\n")
    assert run(capfd, "nn", "nothing")[0] == 2


def test_every_function_of_the_library_has_a_description() -> None:
    from loopc.api.libraries import functions

    found = functions("nn")
    assert len(found) > 40
    for function in found.values():
        assert function.text.split("\n")[1].startswith("    # "), function.name
        assert function.summary
