"""The Python interface: calls, results, errors, models."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import loopc

AFFINE = "for j,i  y[j] += W[j,i] x[i]\nfor j    L += y[j]**2\n"
RNG = np.random.default_rng(0)
W, X = RNG.standard_normal((3, 4)), RNG.standard_normal(4)


def test_results_are_a_mapping_with_attributes() -> None:
    out = loopc.compile(AFFINE)(W=W, x=X)
    assert list(out) == ["L"]
    assert out.L is out["L"]
    assert out.L.shape == ()
    with pytest.raises(AttributeError, match="there are L"):
        _ = out.nothing
    assert pickle.loads(pickle.dumps(out)).L == out.L


def test_outputs_may_be_asked_for() -> None:
    out = loopc.compile(AFFINE, outputs=["y", "L"])(W=W, x=X)
    np.testing.assert_allclose(out.y, W @ X)


def test_a_path_and_a_name_that_ends_in_loops_are_read(tmp_path: Path) -> None:
    path = tmp_path / "affine.loops"
    path.write_text(AFFINE, encoding="utf-8")
    for source in (path, str(path)):
        assert loopc.compile(source)(W=W, x=X).L == loopc.run(AFFINE, W=W, x=X).L


def test_names_of_parameters_do_not_clash_with_arrays() -> None:
    program = loopc.compile("for i  L += self[i] seed[i] arrays[i]\n")
    given = {"self": X, "seed": X, "arrays": X}
    assert program(given).L == program(**given).L == pytest.approx(np.sum(X**3))
    np.testing.assert_allclose(program.grad(given)["seed"], X * X)
    np.testing.assert_allclose(program.grad(**given)["seed"], X * X)
    np.testing.assert_allclose(program.grad(given, seed=2.0)["seed"], 2 * X * X)


def test_gradients_have_the_shape_and_type_of_their_arrays() -> None:
    program = loopc.compile(AFFINE)
    for dtype in (np.float32, np.float64):
        gradients = program.grad(W=W.astype(dtype), x=X.astype(dtype))
        assert gradients["W"].dtype == dtype
        assert gradients["W"].shape == W.shape


def test_mixed_types_keep_their_own() -> None:
    gradients = loopc.compile(AFFINE).grad(W=W.astype(np.float32), x=X)
    assert gradients["W"].dtype == np.float32
    assert gradients["x"].dtype == np.float64


def test_python_numbers_do_not_promote() -> None:
    program = loopc.compile("for i  y[i] = a x[i]\n")
    assert program(a=0.5, x=X.astype(np.float32)).y.dtype == np.float32
    assert program(a=2, x=X.astype(np.float32)).y.dtype == np.float32


def test_dtype_fixes_the_type_of_inputs() -> None:
    assert loopc.compile(AFFINE, dtype="float32")(W=W, x=X).L.dtype == np.float32


def test_inputs_are_not_modified_and_results_do_not_alias() -> None:
    program = loopc.compile("param w[N]\ninput g[N]\nfor i  w[i] -= 0.1 g[i]\n")
    w, g = X.copy(), X.copy()
    first = program(w=w, g=g)
    second = program(w=w, g=g)
    np.testing.assert_array_equal(w, X)
    assert not np.shares_memory(first.w, w)
    assert not np.shares_memory(first.w, second.w)
    same = loopc.compile("input x[N]\noutput x, y\nfor i  y[i] = x[i]\n")(x=w)
    assert not np.shares_memory(same.x, w)
    assert not np.shares_memory(same.y, same.x)


def test_an_array_loss_needs_a_seed() -> None:
    program = loopc.compile("for j,i  y[j] += W[j,i] x[i]\n")
    with pytest.raises(loopc.DifferentiationError) as caught:
        program.grad(W=W, x=X)
    assert caught.value.code == "L0601"
    np.testing.assert_allclose(program.grad(W=W, x=X, seed=np.ones(3))["x"], W.sum(0))


def test_a_loss_that_cannot_be_chosen_is_an_error_that_lists_candidates() -> None:
    program = loopc.compile("for i  a += x[i]\nfor i  b += x[i]**2\n")
    with pytest.raises(loopc.DifferentiationError, match="`a`, `b`"):
        program.grad(x=X)
    np.testing.assert_allclose(loopc.compile(str(program), loss="b").grad(x=X)["x"], 2 * X)


def test_wrt_must_be_a_float_input() -> None:
    with pytest.raises(loopc.DifferentiationError) as caught:
        loopc.compile("for b  L += E[w[b]]\n", wrt=["w"]).grad(E=X, w=np.array([0, 1]))
    assert caught.value.code == "L0603"


@pytest.mark.parametrize(
    ("given", "kind", "code"),
    [
        ({"W": W}, loopc.CallError, "L0701"),
        ({"W": W, "x": X, "z": X}, loopc.CallError, "L0702"),
        ({"W": W, "x": np.ma.array(X)}, loopc.CallError, "L0703"),
        ({"W": W, "x": np.array(["a"])}, loopc.CallError, "L0703"),
        ({"W": W, "x": X[:3]}, loopc.ShapeError, "L0204"),
        ({"W": W, "x": W}, loopc.ShapeError, "L0207"),
    ],
)
def test_calls_that_cannot_be_are_refused(given: dict, kind: type, code: str) -> None:
    with pytest.raises(kind) as caught:
        loopc.compile(AFFINE)(given)
    assert caught.value.code == code


def test_a_float_as_an_index_is_refused() -> None:
    with pytest.raises(loopc.DTypeError):
        loopc.compile("for b  y[b] = E[w[b]]\n")(E=X, w=np.array([0.0, 1.0]))


@pytest.mark.parametrize("backend", ["reference", "numpy"])
@pytest.mark.parametrize("bad", [4, -1])
def test_an_index_outside_its_array_is_an_error_with_its_place(backend: str, bad: int) -> None:
    program = loopc.compile("for b  y[b] = E[w[b]]\n", backend=backend)
    with pytest.raises(loopc.BoundsError) as caught:
        program(E=X, w=np.array([0, bad]))
    assert caught.value.span is not None
    assert caught.value.span.text == "w[b]"


def test_a_run_above_the_memory_limit_is_refused() -> None:
    with pytest.raises(loopc.LimitError):
        loopc.compile(AFFINE, memory_limit=100)(W=W, x=X)


def test_jacobian_and_hessian() -> None:
    program = loopc.compile(AFFINE)
    np.testing.assert_allclose(program.jacobian("y", "x", W=W, x=X), W)
    np.testing.assert_allclose(program.hessian("x", W=W, x=X), 2 * W.T @ W)


def test_a_program_runs_in_several_threads() -> None:
    program = loopc.compile(AFFINE)
    inputs = [RNG.standard_normal(4) for _ in range(32)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda x: float(program.grad(W=W, x=x)["x"][0]), inputs))
    expected = [float((2 * W.T @ W @ x)[0]) for x in inputs]
    np.testing.assert_allclose(found, expected)


def test_specialize_gives_fresh_outputs() -> None:
    program = loopc.compile("for i  y[i] = 2 x[i]\n")
    fast = program.specialize(x=X)
    a, b = fast(X), fast(X)
    np.testing.assert_allclose(a.y, 2 * X)
    assert not np.shares_memory(a.y, b.y)


def test_symbolic_shapes_are_shown() -> None:
    program = loopc.compile("input x[B, T]: int\nparam W[3*D]\nfor b,t  y[b,t] = W[x[b,t]]\n")
    assert str(program.inputs["x"]) == "[B, T]: int"
    assert program.params["W"].shape == ("3*D",)
    assert program.outputs["y"].shape == ("B", "T")


def test_saved_modules_take_the_same_arrays(tmp_path: Path) -> None:
    program = loopc.compile(
        "param W[J, I], b[J] = 0\nfor j,i  y[j] += W[j,i] x[i]\n" + "for j  y[j] += b[j]\n"
    )
    path = tmp_path / "m.py"
    program.save(path)
    namespace: dict = {}
    exec(path.read_text(encoding="utf-8"), namespace)
    np.testing.assert_allclose(namespace["forward"](W=W, x=X, b=np.zeros(3))["y"], W @ X)
    np.testing.assert_allclose(namespace["forward"](W=W, x=X)["y"], W @ X)
    with pytest.raises(TypeError, match="missing"):
        namespace["forward"](W=W)


def test_explain_says_how_each_statement_is_lowered() -> None:
    report = loopc.compile(AFFINE).explain(J=3, I=4)
    assert [r.how for r in report.rows] == ["matmul", "reduction"]
    assert report.rows[0].flops == 2 * 3 * 4
    assert '"flops"' in report.to_json()
    assert "<table>" in report.to_html()
    serial = loopc.compile("for t in range(1, T): h[t] = sin(h[t-1]) x[t]\n").explain(T=5)
    assert serial.rows[0].python_loop


def test_same_text_gives_the_same_module() -> None:
    assert loopc.compile(AFFINE).source == loopc.compile(AFFINE).source


def test_zero_length_dims_are_legal() -> None:
    out = loopc.compile(AFFINE, outputs=["y", "L"])(W=np.zeros((3, 0)), x=np.zeros(0))
    np.testing.assert_array_equal(out.y, np.zeros(3))
    out = loopc.compile(AFFINE, outputs=["y", "L"])(W=np.zeros((0, 4)), x=np.zeros(4))
    assert out.y.shape == (0,)
    assert out.L == 0


def test_a_dim_that_no_array_has_is_given_in_the_call() -> None:
    text = "for t in range(1, T): h[t] = a h[t-1] + t\n"
    for backend in ("numpy", "reference"):
        program = loopc.compile(text, backend=backend)
        np.testing.assert_allclose(program(a=2.0, T=4).h, [0, 1, 4, 11])
        np.testing.assert_allclose(program.grad(a=2.0, T=4, seed=np.ones(4))["a"], 7)
    with pytest.raises(loopc.ShapeError) as caught:
        loopc.compile(text)(a=2.0)
    assert caught.value.code == "L0206"
    module: dict = {}
    exec(loopc.compile(text).source, module)
    np.testing.assert_allclose(module["forward"](a=2.0, T=4)["h"], [0, 1, 4, 11])


def test_hostile_file_names_stay_out_of_the_generated_code(tmp_path: Path) -> None:
    for name in ('a"""\nimport colorsys\n"""', "b\rraise SystemExit", "c\\", "coding: utf-7"):
        path = tmp_path / f"{name}.loops"
        path.write_text("for i  y[i] = 2 x[i]\n", encoding="utf-8")
        program = loopc.compile(path)
        module: dict = {}
        exec(program.source, module)
        np.testing.assert_array_equal(module["forward"](x=np.ones(2))["y"], [2, 2])
        np.testing.assert_array_equal(program(x=np.ones(2)).y, [2, 2])
        assert "colorsys" not in module


def test_names_that_python_reserves_are_mangled() -> None:
    text = "for i  y[i] = np[i] lambda_[i] + lambda[i] range[i] s~[i] W_grad[i] W.grad[i]\n"
    x = np.arange(3.0)
    given = dict.fromkeys(["np", "lambda_", "lambda", "range", "s~", "W_grad", "W.grad"], x)
    program = loopc.compile(text)
    np.testing.assert_array_equal(program(given).y, x * x + x**5)
    module: dict = {}
    exec(program.source, module)
    np.testing.assert_array_equal(module["forward"](**given)["y"], x * x + x**5)


def test_a_gradient_by_complex_values_is_refused() -> None:
    program = loopc.compile("for i  L += abs(z[i])\n")
    assert program(z=np.array([3 + 4j])).L == 5
    with pytest.raises(loopc.DifferentiationError) as caught:
        program.grad(z=np.array([3 + 4j]))
    assert caught.value.code == "L0603"


def test_a_program_with_dims_to_be_given_runs_again() -> None:
    for backend in ("reference", "numpy"):
        program = loopc.compile("dim K\nfor k < K: h[k] = 2 k\n", backend=backend)
        for _ in range(3):
            np.testing.assert_array_equal(program(K=3).h, [0, 2, 4])


def test_derivatives_take_one_mapping_and_defaults() -> None:
    text = "input x[N]\nparam w[N], b = 0.5\nfor i: y[i] = w[i] x[i] + b**2\nL = sum[i](y[i]**2)\n"
    program = loopc.compile(text)
    given = {"x": np.arange(3.0), "w": np.ones(3)}
    assert program.jacobian("y", "b", given).tolist() == [1, 1, 1]
    assert program.hessian("b", given) == 4 * (3 + 3 * 0.25) + 8 * 3 * 0.25


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_a_product_with_no_tangents_has_the_types_of_the_gradients(kind: str) -> None:
    program = loopc.compile("param w[N]\nL = sum[i](w[i]**2)\n")
    found = program.hvp({"w": np.ones(3, kind)}, {})
    assert found.w.dtype == kind
    assert found.w.tolist() == [0, 0, 0]
