"""The lecture's programs: all ways to run them agree, first and second derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import loopc
from loopc.api.samples import samples
from support import TESTS

SLIDES = TESTS / "golden" / "slides"
NETWORK = (SLIDES / "mlp.loops").read_text(encoding="utf-8")
TENSOR = (SLIDES / "tensor_operation.loops").read_text(encoding="utf-8")
LOSS = "for h,i,j  L += Y[h,i,j]**2\n"
PROGRAMS = {"network": NETWORK, "contraction": TENSOR + LOSS}
DIMS = {
    "network": {"I": 7, "H": 5, "C": 4},
    "contraction": {"H": 2, "I": 3, "J": 4, "K": 5},
}


@pytest.fixture(params=list(PROGRAMS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def text(name: str) -> str:
    return PROGRAMS[name]


@pytest.fixture
def arrays(name: str, text: str) -> dict[str, np.ndarray]:
    return samples(loopc.compile(text), DIMS[name], {})


def module_of(program: loopc.Program) -> dict:
    namespace: dict = {"__name__": "generated"}
    exec(program.source, namespace)
    return namespace


def assert_same(found: dict, expected: dict) -> None:
    assert set(found) == set(expected)
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-12, atol=1e-12)


def test_every_way_to_run_agrees(text: str, arrays: dict[str, np.ndarray]) -> None:
    reference = loopc.compile(text, backend="reference")
    outputs, gradients = reference.value_and_grad(arrays)
    for opt in (0, 2):
        program = loopc.compile(text, opt=opt)
        out, grad = program.value_and_grad(arrays)
        assert_same(out, outputs)
        assert_same(grad, gradients)
        module = module_of(program)
        assert_same(module["forward"](**arrays), outputs)
        out, grad = module["value_and_grad"](**arrays)
        assert_same(out, outputs)
        assert_same(grad, gradients)
        printed = loopc.compile(str(program.adjoint), opt=opt)
        needed = {n: v for n, v in arrays.items() if n in {*printed.inputs, *printed.params}}
        found = {n.removesuffix(".grad"): v for n, v in printed(needed).items()}
        assert_same(found, gradients)


def test_gradients_agree_with_central_differences(text: str, arrays: dict[str, np.ndarray]) -> None:
    assert loopc.gradcheck(loopc.compile(text), arrays, tolerance=1e-7)


def test_the_second_derivative_agrees_with_differences_of_the_first(
    text: str, arrays: dict[str, np.ndarray]
) -> None:
    program = loopc.compile(text)
    rng = np.random.default_rng(5)
    tangents = {n: rng.standard_normal(arrays[n].shape) for n in program.wrt}
    products = program.hvp(arrays, tangents)
    step = 1e-6
    ends = [
        program.grad({**arrays, **{n: arrays[n] + s * step * t for n, t in tangents.items()}})
        for s in (1, -1)
    ]
    for n in program.wrt:
        np.testing.assert_allclose(products[n], (ends[0][n] - ends[1][n]) / (2 * step), atol=1e-7)


def test_a_tangent_and_a_cotangent_meet(text: str, arrays: dict[str, np.ndarray]) -> None:
    program = loopc.compile(text)
    rng = np.random.default_rng(6)
    tangents = {n: rng.standard_normal(arrays[n].shape) for n in program.wrt}
    out = program.jvp(arrays, tangents)
    back = program.vjp(arrays, {"L": np.asarray(2.0)})
    there = 2.0 * float(out["L"])
    here = sum(np.sum(back[n] * tangents[n]) for n in tangents)
    np.testing.assert_allclose(there, here, rtol=1e-12)


def test_the_adjoint_of_each_slide_is_the_slides_own() -> None:
    layer = (SLIDES / "layer.loops").read_text(encoding="utf-8")
    assert loopc.compile(layer).adjoint_loops().split("\n")[:4] == [
        "for j    s̃.grad[j]   += s.grad[j] σ'(s̃[j] - B[j])",
        "for j    B.grad[j]   -= s.grad[j] σ'(s̃[j] - B[j])",
        "for j,i  W.grad[j,i] += s̃.grad[j] h[i]",
        "for j,i  h.grad[i]   += s̃.grad[j] W[j,i]",
    ]
    assert loopc.compile(TENSOR).adjoint_loops().split("\n")[:3] == [
        "for h,i,j    Ỹ.grad[h,i,j] += Y.grad[h,i,j] σ'(Ỹ[h,i,j])",
        "for h,i,j,k  A.grad[h,i,k] += Ỹ.grad[h,i,j] B[h,j,k]",
        "for h,i,j,k  B.grad[h,j,k] += Ỹ.grad[h,i,j] A[h,i,k]",
    ]


def test_value_and_grad_attributes_are_the_slides_own() -> None:
    arrays = samples(loopc.compile(NETWORK), DIMS["network"], {})
    program = loopc.compile(NETWORK.replace("W0[j,i]", "W0.value[j,i]"))
    model = program.bind({n: arrays[n] for n in program.params})
    model.forward(x=arrays["x"], y=arrays["y"])
    model.backward()
    expected = program.grad(arrays)
    np.testing.assert_array_equal(model.W0.value, arrays["W0"])
    np.testing.assert_array_equal(model.W0.grad, expected["W0"])
    model.backward()
    np.testing.assert_array_equal(model.W0.grad, 2 * expected["W0"])
    model.zero_grad()
    assert not model.W0.grad.any()


def test_opt_0_is_one_einsum_or_ufunc_expression_per_loop() -> None:
    source = loopc.compile(TENSOR, opt=0).source
    forward = source[source.index("def _forward") : source.index("INPUTS")]
    assert '    Ỹ = np.einsum("hik,hjk->hij", A, B)\n' in forward
    assert "    # program.loops:2  for h,i,j,k  Ỹ[h,i,j] += A[h,i,k] B[h,j,k]\n" in forward
    assert "@" in loopc.compile(TENSOR, opt=2).source.split("def _forward")[1]
